#!/usr/bin/env python3
"""Training speed of a small GPT-2 in PyTorch: what systems/gpt/examples/training_speed.rs measures of ours.

    tools/gpt_pytorch.py [--threads N] [--fused] [--layers N --width N --context N --batch N --vocabulary N]

The network, the optimiser and what is drawn are the same: attention without biases, output rows of its own,
f32, AdamW whose biases and gains do not decay, gradients clipped at a norm of 1, random tokens. It is run as
it stands, without a compiler ("eager"); --fused takes the optimiser that is one kernel. The best of four runs
is printed, in tokens a second.

It needs PyTorch: `python3 -m venv venv && venv/bin/pip install torch`.
"""

import argparse
import time

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.heads = max(width // 32, 1)
        self.attention_norm = nn.LayerNorm(width)
        self.joined = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, rows):
        batch, context, width = rows.shape
        joined = self.joined(self.attention_norm(rows))
        heads = joined.view(batch, context, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*heads, is_causal=True)
        rows = rows + self.output(mixed.transpose(1, 2).reshape(batch, context, width))
        inner = functional.gelu(self.up(self.feed_forward_norm(rows)), approximate="tanh")
        return rows + self.down(inner)


class Network(nn.Module):
    def __init__(self, layers, width, context, vocabulary):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(context, width))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.scores = nn.Linear(width, vocabulary, bias=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens):
        return self.scores(self.norm(self.blocks(self.tokens(tokens) + self.positions)))


def optimizer_of(network, fused):
    parameters = list(network.parameters())
    groups = [
        {"params": [each for each in parameters if each.dim() > 1], "weight_decay": 0.01},
        {"params": [each for each in parameters if each.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=fused)


def step(network, optimizer, arguments):
    windows = torch.randint(arguments.vocabulary, (arguments.batch, arguments.context + 1))
    scores = network(windows[:, :-1])
    loss = functional.cross_entropy(scores.flatten(0, 1), windows[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    # As ours, which tells the loss of each step.
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    shape = {"layers": 4, "width": 128, "context": 64, "batch": 12, "vocabulary": 65}
    for name, default in (shape | {"threads": 2}).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--fused", action="store_true", help="the optimiser that is one kernel")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    network = Network(arguments.layers, arguments.width, arguments.context, arguments.vocabulary)
    optimizer = optimizer_of(network, arguments.fused)
    parameters = sum(each.numel() for each in network.parameters())
    steps = 3 if parameters > 5_000_000 else 50
    best = 0.0
    for _ in range(4):
        begun = time.perf_counter()
        for _ in range(steps):
            step(network, optimizer, arguments)
        seconds = time.perf_counter() - begun
        best = max(best, steps * arguments.batch * arguments.context / seconds)
    print(f"{parameters} parameters: {best:.0f} tokens a second")


if __name__ == "__main__":
    main()
