"""A small GPT in plain PyTorch that resumes with the same bits: dropout, loader workers, bfloat16 autocast, gradient
accumulation and a schedule. Less than a minute on two cores.

    pip install ./python torch torchdata
    python python/examples/gpt.py runs/gpt                  # stop it with Ctrl-C and start it again
    rekindle prove --kills 20 -- python python/examples/gpt.py
"""

import argparse
import pathlib

import torch
import torch.nn.functional as F
from torchdata.stateful_dataloader import StatefulDataLoader

import rekindle.torch

CONTEXT, WIDTH, HEADS, LAYERS = 64, 64, 4, 2
BATCH, ACCUMULATE = 16, 2


class Text(torch.utils.data.Dataset):
    """Windows of a text as bytes, each with the same window one byte later: the source of a module that is there."""

    def __init__(self) -> None:
        self.bytes = torch.tensor(list(pathlib.Path(argparse.__file__).read_bytes()[:40_000]))

    def __len__(self) -> int:
        return (len(self.bytes) - 1) // CONTEXT

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        window = self.bytes[i * CONTEXT : (i + 1) * CONTEXT + 1]
        return window[:-1], window[1:]


class Block(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.before_mlp = torch.nn.LayerNorm(WIDTH), torch.nn.LayerNorm(WIDTH)
        self.qkv, self.out = torch.nn.Linear(WIDTH, 3 * WIDTH), torch.nn.Linear(WIDTH, WIDTH)
        self.up, self.down = torch.nn.Linear(WIDTH, 4 * WIDTH), torch.nn.Linear(4 * WIDTH, WIDTH)
        self.dropout = torch.nn.Dropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, _ = x.shape
        q, k, v = (
            part.view(batch, length, HEADS, -1).transpose(1, 2)
            for part in self.qkv(self.before_attention(x)).chunk(3, dim=-1)
        )
        attention = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=0.1 if self.training else 0.0)
        x = x + self.dropout(self.out(attention.transpose(1, 2).reshape(batch, length, WIDTH)))
        return x + self.dropout(self.down(F.gelu(self.up(self.before_mlp(x)))))


class GPT(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions = torch.nn.Embedding(256, WIDTH), torch.nn.Embedding(CONTEXT, WIDTH)
        self.blocks = torch.nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = torch.nn.LayerNorm(WIDTH)
        self.head = torch.nn.Linear(WIDTH, 256, bias=False)
        for embedding in (self.tokens, self.positions):
            torch.nn.init.normal_(embedding.weight, std=0.02)
        self.head.weight = self.tokens.weight  # tied

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return self.head(self.norm(self.blocks(x)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="runs/gpt-python", help="directory of the run")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--workers", type=int, default=4)
    args = parser.parse_args()

    torch.set_num_threads(1)  # Two are slower with a model as small as this one.
    rekindle.torch.seed(0)
    model = GPT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.steps)
    loader = StatefulDataLoader(Text(), BATCH, shuffle=True, num_workers=args.workers, drop_last=True)

    session = rekindle.torch.Session(model, optimizer, scheduler, loader=loader, run=args.run)
    step, micro = session.resume(), 0
    while step < args.steps:
        for x, y in loader:
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
            (loss / ACCUMULATE).backward()
            micro += 1
            if micro % ACCUMULATE:
                continue
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
            step += 1
            if step % 10 == 0:
                print(f"step {step}  loss {loss.item():.4f}", flush=True)
            session.checkpoint(step, {"loss": loss.item()})
            if step == args.steps:
                break
    session.finish()
    print(f"state {rekindle.checkpoints(session.run.path)[-1]['state_hash']}")


if __name__ == "__main__":
    main()
