"""The small GPT of `gpt.py`, trained by Lightning, resumes with the same bits: dropout, loader workers, bfloat16,
gradient accumulation and a schedule. Less than a minute on two cores.

    pip install ./python torch torchdata lightning
    python python/examples/with_lightning.py runs/lightning         # stop it and start it again
    rekindle prove --kills 20 -- python python/examples/with_lightning.py
"""

import argparse
import warnings

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from gpt import ACCUMULATE, BATCH, GPT, Text
from torchdata.stateful_dataloader import StatefulDataLoader

import rekindle
import rekindle.lightning


class Model(pl.LightningModule):
    def __init__(self, steps: int) -> None:
        super().__init__()
        self.gpt, self.steps = GPT(), steps

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
        x, y = batch
        loss = F.cross_entropy(self.gpt(x).flatten(0, 1), y.flatten())
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> dict[str, object]:
        optimizer = torch.optim.AdamW(self.parameters(), lr=3e-3)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def train(
    run: str, steps: int, workers: int, policy: rekindle.Policy | None = None, callbacks: tuple = (), epochs: int | None = None
) -> None:
    warnings.filterwarnings("ignore", ".*(num_workers|isinstance|litlogger|LeafSpec).*")
    pl.seed_everything(0, verbose=False)
    exact = rekindle.lightning.ExactResume(run, policy=policy)
    loader = StatefulDataLoader(Text(), BATCH, shuffle=True, num_workers=workers, drop_last=True)
    has_files = any(isinstance(callback, pl.callbacks.ModelCheckpoint) for callback in callbacks)
    trainer = pl.Trainer(
        accelerator="cpu", precision="bf16-mixed", max_steps=-1 if epochs else steps, max_epochs=epochs,
        accumulate_grad_batches=ACCUMULATE, gradient_clip_val=1.0, logger=False, enable_checkpointing=has_files,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[exact, *callbacks], plugins=[exact.io],
    )  # fmt: skip
    trainer.fit(Model(steps), loader, ckpt_path=exact.newest())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="runs/lightning", help="directory of the run")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--workers", type=int, default=4)
    args = parser.parse_args()
    torch.set_num_threads(1)
    train(args.run, args.steps, args.workers)


if __name__ == "__main__":
    main()
