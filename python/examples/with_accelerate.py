"""The small GPT of `gpt.py`, trained with accelerate, resumes with the same bits: dropout, loader workers, bfloat16,
gradient accumulation and a schedule. Less than a minute on two cores.

    pip install ./python torch torchdata accelerate
    python python/examples/with_accelerate.py runs/accelerate       # stop it with Ctrl-C and start it again
    rekindle prove --kills 20 -- python python/examples/with_accelerate.py
"""

import argparse

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, set_seed
from gpt import ACCUMULATE, BATCH, GPT, Text

import rekindle
import rekindle.accelerate


def train(run: str, steps: int, workers: int, policy: rekindle.Policy | None = None, stop_at: int | None = None) -> str | None:
    set_seed(0)
    accelerator = Accelerator(
        cpu=True, mixed_precision="bf16", gradient_accumulation_steps=ACCUMULATE,
        dataloader_config=DataLoaderConfiguration(use_stateful_dataloader=True, use_seedable_sampler=True),
    )  # fmt: skip
    model = GPT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    loader = torch.utils.data.DataLoader(Text(), BATCH, shuffle=True, num_workers=workers, drop_last=True)
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)

    session = rekindle.accelerate.session(accelerator, run=run, policy=policy)
    step = session.resume()
    while step < steps:
        for x, y in loader:
            with accelerator.accumulate(model):
                loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
                accelerator.backward(loss)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
            if not accelerator.sync_gradients:
                continue
            step += 1
            session.checkpoint(step, {"loss": loss.item()})
            if step == stop_at:
                session.close()
                return None
            if step == steps:
                break
    session.finish()
    return rekindle.checkpoints(session.run.path)[-1]["state_hash"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="runs/accelerate", help="directory of the run")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--workers", type=int, default=4)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"state {train(args.run, args.steps, args.workers)}")


if __name__ == "__main__":
    main()
