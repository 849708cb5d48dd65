"""accelerate with exact resume: everything that an `Accelerator` has prepared, in a run.

>>> config = DataLoaderConfiguration(use_stateful_dataloader=True, use_seedable_sampler=True)
>>> accelerator = Accelerator(dataloader_config=config)
>>> model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
>>> session = rekindle.accelerate.session(accelerator, run="runs/mine")
>>> step = session.resume()                                  # 0 on a new run; then as rekindle.torch.Session

accelerate's own hooks of `save_state` are given the weights alone, and the rest is pickled beside them: here everything
is one checkpoint, in place of `save_state`, `load_state` and `skip_first_batches`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

try:
    from accelerate import Accelerator
    from torch.utils.data import RandomSampler
except ImportError as error:
    raise ImportError(
        f"rekindle.accelerate needs accelerate, which cannot be imported: {error}\nhint: pip install accelerate"
    ) from error

from . import Policy, Run
from ._errors import StateError
from .torch import Session


class _Loaders:
    """The prepared loaders as one."""

    def __init__(self, loaders: list[Any]) -> None:
        self._loaders = loaders
        for loader in loaders:
            # accelerate makes an iterator before it sets the sampler: with workers the first epoch would have an order that
            # nobody can repeat.
            loader.base_dataloader.load_state_dict({})
        self.num_workers = [getattr(loader, "num_workers", 0) for loader in loaders]

    def state_dict(self) -> list[Any]:
        return [{"epoch": loader.iteration, "loader": loader.state_dict()} for loader in self._loaders]

    def load_state_dict(self, saved: list[Any]) -> None:
        for loader, state in zip(self._loaders, saved, strict=True):
            # The last batch of an epoch is given before the epoch counts as over.
            ended = bool(state["loader"].get("_iterator_finished"))
            loader.load_state_dict(state["loader"])
            # Its order is that of the epoch, and its iterator is made now, which draws from the generators, so that the
            # next `iter` does not.
            loader.set_epoch(state["epoch"])
            loader.base_dataloader.state_dict()
            loader.set_epoch(state["epoch"] + ended)


class _Step:
    """Where the accumulation of gradients is, and what was registered for checkpoints."""

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator

    def state_dict(self) -> dict[str, Any]:
        return {"step": self._accelerator.step, "custom": [one.state_dict() for one in self._accelerator._custom_objects]}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        self._accelerator.step = saved["step"]
        for one, state in zip(self._accelerator._custom_objects, saved["custom"], strict=True):
            one.load_state_dict(state)


def session(
    accelerator: Accelerator,
    extra: Mapping[str, Any] | None = None,
    *,
    run: Run | str | os.PathLike[str],
    policy: Policy | None = None,
    background: bool | str | None = None,
    config: Any = None,
    signals: bool = True,
) -> Session:
    """A session of everything that was prepared, and registered by `register_for_checkpointing`.

    Call it after `prepare`. Loaders have to tell where they are: `use_stateful_dataloader=True`, and
    `use_seedable_sampler=True` where they shuffle. One process; several are refused.

    Raises StateError for what cannot be resumed.
    """
    if accelerator.num_processes > 1:
        raise StateError("this process has only a part of the training", "rekindle.dcp saves what several processes have")
    for loader in accelerator._dataloaders:
        _require_place(loader)
    beside = {} if extra is None else dict(extra)
    return Session(
        [accelerator.unwrap_model(model) for model in accelerator._models],
        list(accelerator._optimizers),
        list(accelerator._schedulers),
        accelerator.scaler,
        _Loaders(accelerator._dataloaders) if accelerator._dataloaders else None,
        beside | {"accelerator": _Step(accelerator)},
        run=run,
        policy=policy,
        background=background,
        config=config,
        signals=signals,
    )


def _require_place(loader: Any) -> None:
    sampler = getattr(getattr(loader, "batch_sampler", None), "sampler", None)
    if not getattr(loader, "use_stateful_dataloader", False):
        reason = "the prepared loader cannot tell where it is"
    elif type(sampler) is RandomSampler:
        reason = "the order of the prepared loader is drawn anew by each process"
    else:
        return
    raise StateError(
        reason,
        "make it with Accelerator(dataloader_config=DataLoaderConfiguration(use_stateful_dataloader=True, "
        "use_seedable_sampler=True)), and pip install torchdata",
    )
