"""Lightning with exact resume: what its checkpoints have, and what they lack, in a run.

>>> exact = rekindle.lightning.ExactResume("runs/mnist")
>>> trainer = lightning.Trainer(max_steps=1000, callbacks=[exact], plugins=[exact.io])
>>> trainer.fit(model, loader, ckpt_path=exact.newest())          # goes on where the run is, or begins

Lightning's checkpoints have no generators, so that dropout and augmentation go on otherwise, and are pickled. The loader
is to be one that tells where it is: torchdata's `StatefulDataLoader`.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

try:
    import lightning.pytorch as pl
    from lightning.pytorch.plugins.io import CheckpointIO as _CheckpointIO
except ImportError as error:
    raise ImportError(
        f"rekindle.lightning needs Lightning, which cannot be imported: {error}\nhint: pip install lightning"
    ) from error

from . import Policy, Run, load
from ._errors import Damaged, NotThere, StateError, StepTaken
from .torch import _finish_as_saved, _generators, _require_position, _set_generators

# What a checkpoint of Lightning has beside its own.
_OURS = "rekindle"


class CheckpointIO(_CheckpointIO):
    """Where Lightning's checkpoints go: into a run. A file such as `epoch=1-step=100.ckpt` only names one of it.

    run: a `rekindle.Run`, which is left open, or the directory of one.

    Each checkpoint that has a file is tagged, so that the policy of the run leaves it; one whose file Lightning removes
    is not. Nothing is pickled: what has no place in a checkpoint is refused by its path.
    """

    def __init__(self, run: Run | str | os.PathLike[str], *, policy: Policy | None = None) -> None:
        super().__init__()
        self._opened = not isinstance(run, Run)
        self.run = run if isinstance(run, Run) else Run(run, policy=policy)
        self._loaded: tuple[str, Any] | None = None

    def newest(self) -> str | None:
        """The newest valid checkpoint, for `ckpt_path`; None on a new run."""
        state = self.run.resume(None)
        if self.run.step is None:
            return None
        address = f"{os.fspath(self.run.path)}@{self.run.step}"
        self._loaded = (address, state)
        return address

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        step = checkpoint["global_step"]
        try:
            self.run.save(step, checkpoint)
        except StepTaken:
            # Two files of one step, of which the second knows of the first.
            pass
        self.run.tag(_tag(path), step, force=True)
        os.makedirs(os.path.dirname(os.fspath(path)) or ".", exist_ok=True)
        text = json.dumps({"run": os.path.abspath(self.run.path), "step": step})
        temporary = f"{os.fspath(path)}.new"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)

    def load_checkpoint(self, path: Any, map_location: Any | None = None, weights_only: bool | None = None) -> dict[str, Any]:
        address, self._loaded = self._loaded, None
        if address is not None and address[0] == os.fspath(path):
            return address[1]
        return load(_address(os.fspath(path)))

    def remove_checkpoint(self, path: Any) -> None:
        if os.path.exists(path):
            os.remove(path)
            try:
                self.run.untag(_tag(path))
            except NotThere:
                pass

    def teardown(self) -> None:
        if self._opened:
            self.run.close()


class ExactResume(pl.Callback):
    """Saves a training by the policy of a run, with the generators, and lets it go on to the same bits.

    run: the directory of the run, or a `rekindle.Run`.
    policy, background: as `rekindle.Run` takes them.

    `io` is the plugin for `Trainer(plugins=...)`; with it `ModelCheckpoint` works too. A step is a `global_step`; what
    ends an epoch is saved after the callbacks of its end.
    """

    def __init__(
        self,
        run: Run | str | os.PathLike[str],
        *,
        policy: Policy | None = None,
        background: bool | str | None = None,
    ) -> None:
        self.run = run if isinstance(run, Run) else Run(run, policy=policy, background=background)
        self.io = CheckpointIO(self.run)
        self._step = -1
        self._at_end_of_epoch = False
        self._last: dict[str, Any] | None = None
        self._loaded: dict[str, Any] | None = None
        self._loaders: list[Any] = []

    def newest(self) -> str | None:
        """The newest valid checkpoint, for `Trainer.fit(ckpt_path=...)`; None on a new run."""
        return self.io.newest()

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint[_OURS] = {"random": _generators(), "end of epoch": self._at_end_of_epoch}

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        self._loaded = checkpoint.get(_OURS)
        self._loaders = checkpoint["loops"]["fit_loop"]["state_dict"].get("combined_loader", [])
        self._step = checkpoint["global_step"]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.world_size > 1:
            raise StateError("this process has only a part of the training", "rekindle.dcp saves what several processes have")
        if self._loaded is not None:
            # The next epoch draws from them when its iterator is made.
            _set_generators(self._loaded["random"])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for loader in trainer.fit_loop._combined_loader.flattened:
            _require_position(loader)
        if self._loaded is None:
            return
        if not self._loaded["end of epoch"]:
            # The iterator is there again, for which they were drawn from before.
            self._take_generators()
        elif not trainer.fit_loop.restarting:
            self._begin_epoch(trainer)

    def _begin_epoch(self, trainer: pl.Trainer) -> None:
        """Lets the loaders go on from the end of their last epoch: Lightning loads what they know only within an epoch."""
        loaders = trainer.fit_loop._combined_loader
        loaders._load_state_dicts(self._loaders)
        for loader in loaders.flattened:
            # All batches were taken, and none was asked for after them: to the loader the epoch is not over.
            next(iter(loader), None)
        self._take_generators()
        iter(trainer.fit_loop._data_fetcher)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._loaded = None

    def _take_generators(self) -> None:
        if self._loaded is not None:
            _set_generators(self._loaded["random"])
            self._loaded = None

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        loop = trainer.fit_loop.epoch_loop
        ends = loop._is_training_done or trainer.should_stop
        self._at_end_of_epoch = False
        if not ends and not trainer.fit_loop._should_accumulate():
            self._checkpoint(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if self._loaded is not None:
            # Where steps are counted, an epoch that was over ends once more, with an iterator that was not there before.
            self._take_generators()
            for progress in (trainer.fit_loop.epoch_progress.total, trainer.fit_loop.epoch_progress.current):
                progress.processed -= 1
        self._at_end_of_epoch = True
        self._checkpoint(trainer)
        # When all is over, the progress of loops is another one.
        self._last = _dump(trainer)

    def on_fit_end(self, trainer: pl.Trainer, *_: Any) -> None:
        last, self._last = self._last, None
        self.run.wait()
        if last is not None and self.run.durable_step != trainer.global_step:
            self.run.finish(last)
        elif self.run.durable_step is not None:
            _finish_as_saved(self.run)

    def on_exception(self, trainer: pl.Trainer, *_: Any) -> None:
        self.run.close()

    def _checkpoint(self, trainer: pl.Trainer) -> None:
        step = trainer.global_step
        if step > self._step:
            self._step = step
            metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if value.numel() == 1}
            try:
                self.run.checkpoint(step, lambda: _dump(trainer), metrics)
            except StepTaken:
                # ModelCheckpoint has saved it.
                pass


def _dump(trainer: pl.Trainer) -> dict[str, Any]:
    """What Lightning would write, and what `ExactResume` adds to it."""
    return trainer._checkpoint_connector.dump_checkpoint(weights_only=False)


def _tag(path: Any) -> str:
    name = os.path.basename(os.fspath(path)).removesuffix(".ckpt")
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)


def _address(path: str) -> str:
    """The checkpoint that a file names; or the path itself, of a run."""
    if not os.path.isfile(path):
        return path
    try:
        with open(path, encoding="utf-8") as file:
            found = json.loads(file.read(4096))
        return f"{found['run']}@{int(found['step'])}"
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"`{path}` names no checkpoint of a run: {error}", "Lightning's own files are not read here") from error
