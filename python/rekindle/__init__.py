"""Exact resume for training loops: stop a run anywhere, light it again, and get the same bits.

>>> import numpy, rekindle
>>> state = {"step": 0, "weights": numpy.zeros(8, "float32")}
>>> with rekindle.Run("runs/mine") as run:
...     state = run.resume(state)                   # the newest checkpoint, or `state` itself on a new run
...     while state["step"] < 100:
...         state["weights"] += 0.5
...         state["step"] += 1
...         run.checkpoint(state["step"], state)    # keeps to the run's policy
...     run.finish(state)

A state is any nest of dict, list, tuple, str, int, float, bool, None, bytes, NumPy arrays, torch tensors and JAX
arrays. Everything comes back as it was: lists as lists, tuples as tuples, dicts in their order, arrays that are one in
memory as one. Nothing is pickled, and nothing that is loaded is executed.

`rekindle.torch.Session` captures all of a training in PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass

from ._errors import DoesNotFit, Damaged, NotThere, RekindleError, RunLocked, RunNotFound, StateError, StepTaken
from ._rekindle import Run, checkpoints, diff, load, state_hash, tags, verify


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When `Run.checkpoint` saves, and what is kept. It changes no bit of a state.

    every_steps: save when so many steps have passed; None for no such rule.
    every_seconds: save when so much time has passed since the last save; None for no such rule.
    keep_last: keep the newest checkpoints, so many; None keeps all.
    keep_every: keep checkpoints whose step is a multiple of this, too.
    best: "METRIC", of which less is better, or "METRIC:max"; that checkpoint is kept, too.
    """

    every_steps: int | None = None
    every_seconds: float | None = 30.0
    keep_last: int | None = 3
    keep_every: int | None = None
    best: str | None = None


__all__ = [
    "DoesNotFit",
    "Damaged",
    "NotThere",
    "Policy",
    "RekindleError",
    "Run",
    "RunLocked",
    "RunNotFound",
    "StateError",
    "StepTaken",
    "checkpoints",
    "diff",
    "load",
    "state_hash",
    "tags",
    "verify",
]
