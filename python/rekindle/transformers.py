"""transformers' `Trainer` with exact resume: all of a training is kept in a run.

>>> trainer = rekindle.transformers.Trainer(model, args, train_dataset=dataset, run="runs/bert")
>>> trainer.train()                                  # goes on where the run is, or begins

Whatever moment the program dies at, `train()` of a new process goes on to the same bits: parameters, optimizer,
schedule, scaler, all generators, the place in the data, the logs and the state of the callbacks.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

try:
    import transformers
    from transformers import trainer as _module
    from transformers.trainer_callback import ExportableState, TrainerState
except ImportError as error:
    raise ImportError(
        f"rekindle.transformers needs transformers, which cannot be imported: {error}\n"
        "hint: pip install transformers accelerate"
    ) from error

from . import Policy, Run, load
from ._errors import StateError
from ._loaders import stateful
from .torch import Session, _restore

# What the trainer is told to have resumed from; its files are never looked for.
_RUN = "a run"
# Names of logged values that depend on the clock, which are no part of a state.
_TIMES = ("_runtime", "_per_second")


class Trainer(transformers.Trainer):
    """A `transformers.Trainer` whose checkpoints are those of a run.

    run: the directory of the run, or a `rekindle.Run`; `OUTPUT_DIR/run` unless it is given.
    policy: when it is saved and what is kept. Unless it is given, the arguments say so: `save_strategy`,
        `save_steps`, `save_total_limit`.
    background: as `rekindle.Run` takes it.

    All else is as in `transformers.Trainer`. No `checkpoint-N` directories are written: `rekindle ls RUN` lists the
    checkpoints, and `rekindle.load(RUN, only="model.state")` has the parameters. For one process; what several
    processes have is refused.
    """

    def __init__(
        self,
        *args: Any,
        run: Run | str | os.PathLike[str] | None = None,
        policy: Policy | None = None,
        background: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        _require_whole(self)
        self.add_callback(_Epochs(self))
        where = os.path.join(self.args.output_dir, "run") if run is None else run
        if policy is None:
            policy = Policy(every_seconds=None, keep_last=self.args.save_total_limit, best=_best(self.args))
        self.run = where if isinstance(where, Run) else Run(where, policy=policy, background=background)
        self._session: Session | None = None
        self._losses: dict[str, Any] | None = None
        self._resumed = self._save_asked = self._epoch_is_over = False
        self._steps_in_epoch = 0

    def train(self, resume_from_checkpoint: str | bool | None = None, *args: Any, **kwargs: Any) -> Any:
        """Trains to the end, from the newest checkpoint of the run on.

        resume_from_checkpoint: True and None are the same; a path is refused, as the run says where to go on.
        """
        if resume_from_checkpoint not in (None, True):
            where = os.fspath(self.run.path)
            raise ValueError(f"resume_from_checkpoint is {resume_from_checkpoint!r}, but {where} says where to go on")
        try:
            return super().train(None, *args, **kwargs)
        finally:
            if self._session is not None:
                self._session.close()
            self.run.close()

    def get_train_dataloader(self) -> Any:
        prepare = self.accelerator.prepare
        # What accelerate makes of a loader reads ahead; one process needs none of it.
        self.accelerator.prepare = stateful
        try:
            return super().get_train_dataloader()
        finally:
            self.accelerator.prepare = prepare

    def _init_training_state(
        self, max_steps: int, num_update_steps_per_epoch: int, num_train_epochs: int, resume_from: Any, trial: Any
    ) -> tuple[int, int]:
        self._steps_in_epoch = num_update_steps_per_epoch
        begun = super()._init_training_state(max_steps, num_update_steps_per_epoch, num_train_epochs, None, trial)
        saved = self.run.resume(None)
        if self.run.step is None:
            return begun
        self.state = TrainerState(**saved["extra"]["trainer"]["state"])
        self._load_callback_state()
        self.state.init_training_references(self, max_steps, num_train_epochs, trial)
        self._resumed = True
        epochs, within = divmod(self.state.global_step, num_update_steps_per_epoch)
        return epochs, within * self.args.gradient_accumulation_steps

    def _prepare_for_training(self, max_steps: int, train_dataloader: Any, resume_from: Any) -> tuple[Any, Any]:
        model, loader = super()._prepare_for_training(max_steps, train_dataloader, None)
        scaler = getattr(self.accelerator, "scaler", None)
        extra = {"trainer": _Progress(self)}
        self._session = Session(self.model, self.optimizer, self.lr_scheduler, scaler, loader, extra, run=self.run)
        step = self._session.resume()
        if step % self._steps_in_epoch == 0 and step > 0:
            # All batches of the epoch were taken, and none was asked for after them: to the loader it is not over.
            next(iter(loader), None)
        return model, loader

    def _run_epoch(self, **how: Any) -> None:
        self._restore_losses()
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
            return
        with _no_batches_skipped():
            super()._run_epoch(**how | {"resume_from_checkpoint": _RUN if self._resumed else None})
        self._resumed = False

    def _restore_losses(self) -> None:
        if self._losses is not None:
            self._tr_loss = self._losses["since logged"].to(self.args.device)
            self._total_loss_scalar, self._globalstep_last_logged = self._losses["total"], self._losses["logged at"]
            self._losses = None

    def _load_rng_state(self, checkpoint: str | None) -> None:
        # The session has restored the generators.
        if checkpoint != _RUN:
            super()._load_rng_state(checkpoint)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        self._save_asked = True

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        super()._maybe_log_save_evaluate(*args, **kwargs)
        step, control = self.state.global_step, self.control
        ends = step % self._steps_in_epoch == 0 or control.should_epoch_stop or control.should_training_stop
        # The last step of an epoch comes here once more, when callbacks have heard of its end.
        if self._session is None or (ends and not self._epoch_is_over):
            return
        if self._save_asked and self.run.durable_step != step:
            self._session.save(step, self._logged())
        elif step != self._session.step:
            self._session.checkpoint(step, self._logged())
        self._save_asked = False

    def _finalize_training(self, *args: Any, **kwargs: Any) -> Any:
        # Of a training that is over no epoch was run.
        self._restore_losses()
        if self._session is not None:
            self._session.finish()
        output = super()._finalize_training(*args, **kwargs)
        if self.args.load_best_model_at_end:
            _restore(self.model, load(f"{os.fspath(self.run.path)}@best", only="model"))
        return output

    def _logged(self) -> dict[str, float]:
        """What was logged at this step."""
        step = self.state.global_step
        logged = {n: v for row in self.state.log_history if row.get("step") == step for n, v in row.items()}
        return {name: value for name, value in logged.items() if name != "step" and isinstance(value, (int, float))}


class _Progress:
    """How far a trainer is, and what it has logged."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def state_dict(self) -> dict[str, Any]:
        trainer = self._trainer
        state = dataclasses.asdict(trainer.state)
        kept = [one for one in trainer.callback_handler.callbacks + [trainer.control] if isinstance(one, ExportableState)]
        callbacks: dict[str, Any] = {}
        for one in kept:
            name = type(one).__name__
            callbacks[name] = callbacks.get(name, []) + [one.state()]
        state["stateful_callbacks"] = {name: found[0] if len(found) == 1 else found for name, found in callbacks.items()}
        state["log_history"] = [
            {name: value for name, value in row.items() if not name.endswith(_TIMES)} for row in state["log_history"]
        ]
        # A place on this machine.
        state["best_model_checkpoint"] = None
        losses = {
            "since logged": getattr(trainer, "_tr_loss", torch.zeros(())).detach().cpu().clone(),
            "total": float(getattr(trainer, "_total_loss_scalar", 0.0)),
            "logged at": int(getattr(trainer, "_globalstep_last_logged", 0)),
        }
        # As its own file has it: plain values.
        return {"state": json.loads(json.dumps(state)), "losses": losses}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        # The trainer sets them to nothing before its first epoch.
        self._trainer._losses = saved["losses"]


class _Epochs(transformers.TrainerCallback):
    """Tells the trainer when an epoch is over."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        self._trainer._epoch_is_over = False

    def on_epoch_end(self, *_: Any, **__: Any) -> None:
        self._trainer._epoch_is_over = True


def _require_whole(trainer: Trainer) -> None:
    args = trainer.args
    if args.world_size > 1 or trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled:
        raise StateError("this process has only a part of the training", "rekindle.dcp saves what several processes have")
    if args.save_only_model:
        raise StateError("save_only_model leaves out what the next step depends on", "leave it at False")
    if args.auto_find_batch_size:
        raise StateError("auto_find_batch_size makes batches depend on the machine", "leave it at False")


def _best(args: Any) -> str | None:
    """The policy's way to name the metric that the arguments name."""
    metric = args.metric_for_best_model
    if metric is None:
        return None
    metric = metric if metric.startswith("eval_") else f"eval_{metric}"
    return f"{metric}:max" if args.greater_is_better else metric


@contextmanager
def _no_batches_skipped() -> Iterator[None]:
    """Meanwhile a loader that goes on in the middle of an epoch is left where it is: it knows its place."""
    skip = _module.skip_first_batches
    _module.skip_first_batches = lambda loader, count: loader
    try:
        yield
    finally:
        _module.skip_first_batches = skip
