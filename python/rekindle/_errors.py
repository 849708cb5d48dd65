"""The exceptions of the package: what happened, where, and what helps."""

from __future__ import annotations


class RekindleError(Exception):
    """Something of a run could not be done; the checkpoints that were there are intact.

    hint: what helps, or None. It ends the message, too.
    """

    hint: str | None

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.hint = hint


class StateError(RekindleError):
    """Something in a state cannot be saved; the message has its path. Nothing was saved."""


class RunNotFound(RekindleError):
    """There is no run in that directory."""


class RunLocked(RekindleError):
    """Another process writes the run."""


class NotThere(RekindleError, LookupError):
    """There is no such checkpoint, entry or tag."""


class DoesNotFit(RekindleError):
    """A saved state does not have the form of the one that it was to take the place of; nothing was changed.

    differences: all of them, each with its path.
    """

    differences: list[str] = []


class Damaged(RekindleError):
    """Bytes of a run are not what was written."""


class StepTaken(RekindleError):
    """The step, or a later one, is saved already with another state."""
