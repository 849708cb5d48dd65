"""Orbax v1: a state as one of the checkpointables of an Orbax checkpoint, held as a run.

>>> import orbax.checkpoint.experimental.v1 as ocp
>>> ocp.save_checkpointables("checkpoints/100", {"state": rekindle.orbax.State({"params": params, "key": key})})
>>> state = rekindle.orbax.State()
>>> ocp.load_checkpointables("checkpoints/100", {"state": state})
>>> state.value["params"]

What Orbax saves as a tree are arrays; here it is any state that `rekindle.Run` takes: generators, NumPy and Python values,
typed keys, one array in two places. Every byte is verified when it is read, and the directory `state` is a run that the
`rekindle` command knows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable
from typing import Any

import numpy as np

from . import Run, load

# The run within the directory that Orbax gives.
_RUN = "run"


class State:
    """A state for `save_checkpointables`; and, after `load_checkpointables`, what was saved.

    value: any state that `rekindle.Run` takes.
    """

    def __init__(self, value: Any = None) -> None:
        self.value = value

    async def save(self, directory: Any) -> Awaitable[None]:
        # Orbax goes on when this returns: NumPy arrays may change from then on, JAX arrays never do.
        value = _copied(self.value)

        async def write() -> None:
            place = await directory.await_creation()
            await asyncio.to_thread(_write, os.path.join(os.fspath(place), _RUN), value)

        return write()

    async def load(self, directory: Any) -> Awaitable[None]:
        async def read() -> None:
            self.value = await asyncio.to_thread(load, os.path.join(os.fspath(directory), _RUN))

        return read()


def _write(path: str, value: Any) -> None:
    with Run(path) as run:
        run.save(0, value)


def _copied(value: Any) -> Any:
    """A state whose NumPy arrays are its own; arrays that are one stay one."""
    known: dict[int, np.ndarray] = {}

    def copied(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return known.setdefault(id(value), value.copy(order="K"))
        if isinstance(value, dict):
            return type(value)((name, copied(found)) for name, found in value.items())
        if type(value) in (list, tuple):
            return type(value)(copied(found) for found in value)
        return value

    return copied(value)
