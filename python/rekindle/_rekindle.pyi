import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from . import Policy

_Path = str | os.PathLike[str]
_State = Any | Callable[[], Any]

class Checkpoint(TypedDict):
    step: int
    state_hash: str
    created: int
    metrics: dict[str, float]
    environment: dict[str, str]
    payload_bytes: int
    new_bytes: int

class Verification(TypedDict):
    valid: list[int]
    invalid: list[int]
    damage: list[str]
    chunks: int
    bytes: int

class Run:
    """A training run in a directory, opened for writing: its checkpoints are there as a whole or not at all."""

    def __init__(
        self,
        path: _Path,
        *,
        policy: Policy | None = None,
        background: bool | Literal["wait", "skip"] | None = None,
        compression: Literal["fast", "small"] = "fast",
        config: Any = None,
    ) -> None: ...
    def resume(self, state: Any = None) -> Any:
        """The state of the newest valid checkpoint, or `state` itself on a run without checkpoints."""
    def checkpoint(self, step: int, state: _State, metrics: Mapping[str, Any] | None = None) -> bool:
        """Saves `state` if the policy says so; True when it did."""
    def save(self, step: int, state: _State, metrics: Mapping[str, Any] | None = None) -> Checkpoint:
        """Saves `state` now; durable when it returns."""
    def log(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Adds a row of metrics to the history, which the next checkpoint seals."""
    def load(self, which: str = "latest", only: str | Sequence[str] | None = None) -> Any:
        """Loads a checkpoint of this run, or a part of it."""
    def finish(self, state: _State) -> None:
        """Saves the state of the last step, unless it is saved, and closes the run."""
    def wait(self) -> None:
        """Waits until the checkpoint on its way is written."""
    def close(self) -> None:
        """Waits as `wait` does, and gives up the right to write. Saves nothing."""
    def tag(self, name: str, step: int | None = None, force: bool = False) -> None:
        """Names a checkpoint, the newest one unless `step` is given; it is never pruned."""
    def untag(self, name: str) -> None:
        """Deletes a tag."""
    def tags(self) -> dict[str, int]:
        """The tags of the run: names and their steps."""
    @property
    def step(self) -> int | None:
        """The step that was resumed, or that `checkpoint` or `save` was last called with."""
    @property
    def durable_step(self) -> int | None:
        """The newest step whose checkpoint is durable."""
    @property
    def path(self) -> os.PathLike[str]:
        """The directory."""
    def __enter__(self) -> Run: ...
    def __exit__(self, *exception: object) -> None: ...

def state_hash(state: Any) -> str:
    """The identity of a state: what a checkpoint of it would have as its state hash."""

def load(address: _Path, only: str | Sequence[str] | None = None) -> Any:
    """Loads a checkpoint, or a part of one; every byte is verified."""

def diff(a: _Path, b: _Path) -> list[dict[str, Any]]:
    """Compares two checkpoints: a dict for every entry that differs."""

def verify(run: _Path, full: bool = True) -> Verification:
    """Checks every byte of a run against its hash."""

def checkpoints(run: _Path) -> list[Checkpoint]:
    """The checkpoints of a run, oldest first."""

def tags(run: _Path) -> dict[str, int]:
    """The tags of a run: names and their steps."""
