"""Forked processes hold no runs.

A child of ``fork``, such as a worker of a data loader, inherits every open file, the locked one included: while it
lives, a run whose writer was killed would be locked. It closes its copies.
"""

from __future__ import annotations

import os

_leases: set[str] = set()


def remember(path: str | os.PathLike[str]) -> None:
    """Notes a run that this process writes."""
    _leases.add(os.path.join(os.path.realpath(path), "lease"))


def _let_go() -> None:
    """Lets the copies of the locked files point nowhere; their numbers stay taken, as somebody may close them."""
    if not _leases:
        return
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in numbers:
        try:
            if os.readlink(f"/proc/self/fd/{number}") in _leases:
                os.dup2(nowhere, int(number), inheritable=False)
        except OSError:
            continue
    os.close(nowhere)
    _leases.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
