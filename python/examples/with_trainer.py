"""The small GPT of `gpt.py`, trained by transformers' `Trainer`, resumes with the same bits: dropout, loader workers,
bfloat16, gradient accumulation, evaluation and logs. Less than a minute on two cores.

    pip install ./python torch torchdata transformers accelerate
    python python/examples/with_trainer.py runs/trainer             # stop it and start it again
    rekindle prove --kills 20 -- python python/examples/with_trainer.py
"""

import argparse
import tempfile

import torch
import torch.nn.functional as F
import transformers
from gpt import ACCUMULATE, BATCH, GPT, Text

import rekindle
import rekindle.transformers


class Model(torch.nn.Module):
    """A model in the form that the trainer wants: a loss for each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.gpt = GPT()

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = self.gpt(x)
        return {"loss": F.cross_entropy(logits.flatten(0, 1), labels.flatten()), "logits": logits.argmax(-1)}


def collate(windows: list[tuple[torch.Tensor, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {"x": torch.stack([x for x, _ in windows]), "labels": torch.stack([y for _, y in windows])}


def trainer(run: str, steps: int, workers: int, output: str, **how: object) -> rekindle.transformers.Trainer:
    args = transformers.TrainingArguments(
        output, max_steps=steps, per_device_train_batch_size=BATCH, gradient_accumulation_steps=ACCUMULATE,
        learning_rate=3e-3, lr_scheduler_type="cosine", bf16=True, dataloader_num_workers=workers,
        dataloader_drop_last=True, logging_steps=5, eval_strategy="steps", eval_steps=10, save_steps=5,
        save_total_limit=3, report_to=[], use_cpu=True, seed=0, disable_tqdm=True,
    )  # fmt: skip
    transformers.set_seed(0)
    held_out = torch.utils.data.Subset(Text(), range(32))
    return rekindle.transformers.Trainer(
        Model(), args, data_collator=collate, train_dataset=Text(), eval_dataset=held_out, run=run, **how
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="runs/trainer", help="directory of the run")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--workers", type=int, default=4)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as output:
        trained = trainer(args.run, args.steps, args.workers, output)
        trained.train()
        print(f"state {rekindle.checkpoints(trained.run.path)[-1]['state_hash']}")


if __name__ == "__main__":
    main()
