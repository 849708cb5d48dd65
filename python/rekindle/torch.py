"""All of a training in PyTorch, captured and restored.

>>> session = rekindle.torch.Session(model, optimizer, scheduler, loader=loader, run="runs/gpt")
>>> step = session.resume()                    # 0 on a new run
>>> while step < 1000:
...     for batch in loader:
...         ...                                # forward, backward, optimizer.step(), optimizer.zero_grad()
...         step += 1
...         session.checkpoint(step)           # keeps to the run's policy; Ctrl-C saves here and ends
...         if step == 1000:
...             break
>>> session.finish()
"""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
from collections.abc import Callable, Mapping, MutableMapping
from types import FrameType
from typing import Any

import numpy as np

from . import Policy, Run, checkpoints, load
from ._environment import environment
from ._errors import DoesNotFit, RekindleError, StateError

try:
    import torch
except ImportError as error:
    raise ImportError(f"rekindle.torch needs PyTorch, which cannot be imported: {error}\nhint: pip install torch") from error

_log = logging.getLogger("rekindle")
_Handler = Callable[[int, FrameType | None], Any] | int | None


def seed(number: int) -> None:
    """Seeds the generators that a session captures: torch (all devices), NumPy and `random`.

    One that is left unseeded begins anywhere, and two trainings then differ before their first step.
    """
    random.seed(number)
    np.random.seed(number % 2**32)
    torch.manual_seed(number)


class Session:
    """Captures and restores a training, and saves it when it is told to stop.

    model: a module; or a dict or list of them.
    optimizer, scheduler, scaler: what has `state_dict` and `load_state_dict`; or a dict or list of such.
        A `GradScaler` is to be captured after its `update()`.
    loader: torchdata's `StatefulDataLoader` with `snapshot_every_n_steps=1`, or another loader that tells where it
        is by `state_dict`. Resume before the first `iter(loader)`.
    extra: what else the next step depends on: an object with `state_dict`, a generator, or a dict. The values of a
        dict are objects with `state_dict`, generators (torch, NumPy, random), or plain values, which are replaced
        in the dict on resume.
    run: a `rekindle.Run`, or the directory of one, opened with `policy`, `background` and `config`.
    signals: save at the next `checkpoint` when Ctrl-C, SIGTERM or SIGHUP comes, and end as the signal would have
        ended the program. A second Ctrl-C ends it at once.

    Beside them the generators of torch (CPU and all CUDA devices), NumPy and `random` are captured, and buffers that
    are not persistent. Gradients are not: call `checkpoint` between steps, after `optimizer.step()`. What belongs to
    the program stays with it: the device, `train()` and `eval()`, autocast, compiled code.

    The same bits need the same kernels: versions, threads and switches are recorded beside each checkpoint, and
    `resume` warns when they are others.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        scheduler: Any = None,
        scaler: Any = None,
        loader: Any = None,
        extra: Any = None,
        *,
        run: Run | str | os.PathLike[str],
        policy: Policy | None = None,
        background: bool | str | None = None,
        config: Any = None,
        signals: bool = True,
    ) -> None:
        self._parts = {
            "model": model, "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler, "extra": extra,
        }  # fmt: skip
        self._loader = loader
        _require_position(loader)
        if isinstance(run, Run):
            self.run = run
        else:
            self.run = Run(run, policy=policy, background=background, config=config)
        self._signals = _Signals() if signals else None
        self._step = 0
        self._resumed: int | None = None

    @property
    def step(self) -> int:
        """The step that was resumed or last checkpointed; 0 before."""
        return self._step

    def resume(self) -> int:
        """Loads the newest valid checkpoint into everything; gives its step, 0 on a new run.

        Raises DoesNotFit with all differences, before anything is changed; Damaged when no checkpoint is whole.
        """
        loaded = self.run.resume({"step": 0, "loader": None, "random": None} | self._form())
        step = self.run.step
        if step is None:
            return 0
        self._warn_of_other_kernels(step)
        _require_workers(self._loader, loaded["loader"])
        for name, part in self._parts.items():
            if name == "extra" and isinstance(part, MutableMapping):
                _restore_extra(part, loaded[name])
            else:
                _restore(part, loaded[name])
        if self._loader is not None:
            self._loader.load_state_dict(loaded["loader"]["state"])
            # The loader makes its iterator now, which draws from the generators, so that the next `iter` does not.
            self._loader.state_dict()
        _set_generators(loaded["random"])
        self._step = self._resumed = step
        return step

    def checkpoint(self, step: int, metrics: Mapping[str, Any] | None = None) -> bool:
        """Saves everything if the run's policy says so, or if a signal asked the program to end; True when it did.

        Nothing is captured at other steps. After a signal this does not return: the state is saved, the run closed,
        and the signal given to whoever handled it before: by default Ctrl-C raises KeyboardInterrupt, and SIGTERM
        and SIGHUP end the process.

        Raises as `Run.checkpoint`.
        """
        self._step = step
        values = None if metrics is None else dict(metrics)
        if self._signals is not None and self._signals.received is not None:
            if self.run.durable_step != step:
                self.run.save(step, self.state(), values)
            self._leave()
        return self.run.checkpoint(step, self.state, values)

    def save(self, step: int, metrics: Mapping[str, Any] | None = None) -> None:
        """Saves everything now, whatever the policy says; durable when it returns.

        Raises as `Run.save`.
        """
        self._step = step
        self.run.save(step, self.state(), None if metrics is None else dict(metrics))

    def finish(self) -> None:
        """Saves everything at the last step, unless it is saved, and closes the run.

        Raises as `Run.checkpoint`.
        """
        if self._step == self._resumed:
            _finish_as_saved(self.run)
        else:
            self.run.finish(self.state)
        self.close()

    def close(self) -> None:
        """Waits for a save in the background, gives up the right to write, and leaves signals as they were."""
        if self._signals is not None:
            self._signals.stop()
        self.run.close()

    def state(self) -> dict[str, Any]:
        """Everything, as it is now: tensors that share their memory with the training's own."""
        loader = None
        if self._loader is not None:
            loader = {"workers": _workers(self._loader), "state": self._loader.state_dict()}
        # A loader that makes its iterator to tell where it is has drawn from the generators by now.
        return {"step": self._step, "loader": loader, "random": _generators()} | self._form()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _form(self) -> dict[str, Any]:
        return {name: _captured(part) for name, part in self._parts.items()}

    def _leave(self) -> None:
        signals = self._signals
        assert signals is not None and signals.received is not None
        number = signals.received
        self.close()
        _log.warning("%s: step %d is saved in %s", signal.Signals(number).name, self._step, self.run.path)
        signal.raise_signal(number)
        # Whoever handled the signal before lets the program go on.
        raise RekindleError(f"the run was closed, as {signal.Signals(number).name} came", "open it again to go on")

    def _warn_of_other_kernels(self, step: int) -> None:
        now = environment()
        saved = next((found["environment"] for found in checkpoints(self.run.path) if found["step"] == step), now)
        others = [f"{name} {saved.get(name)}, now {now.get(name)}" for name in now if saved.get(name) != now[name]]
        if others:
            _log.warning("step %d was computed otherwise, and bits may differ from here on: %s", step, "; ".join(others))


def _finish_as_saved(run: Run) -> None:
    """Finishes a run at its newest checkpoint, from which nothing was trained: a loader tells the same place otherwise when
    it was loaded."""
    run.finish(load(f"{os.fspath(run.path)}@{run.durable_step}"))


def _require_position(loader: Any) -> None:
    if loader is None:
        return
    if not (hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict")):
        raise StateError(
            f"the loader is a {type(loader).__name__}, which cannot tell where it is",
            "use torchdata.stateful_dataloader.StatefulDataLoader (pip install torchdata)",
        )
    every = getattr(loader, "snapshot_every_n_steps", 1)
    if every != 1:
        raise StateError(
            f"the loader tells where it is only every {every} batches", "make it with snapshot_every_n_steps=1"
        )


def _workers(loader: Any) -> int | None:
    return getattr(loader, "num_workers", None)


def _require_workers(loader: Any, saved: dict[str, Any] | None) -> None:
    if (loader is None) != (saved is None):
        there, here = ("no", "a") if saved is None else ("a", "no")
        raise DoesNotFit(f"{there} loader was saved, and {here} loader is to be restored; nothing was changed")
    if loader is None or saved is None:
        return
    if _workers(loader) != saved["workers"]:
        raise DoesNotFit(
            f"the loader had {saved['workers']} workers and has {_workers(loader)} now, which would give other batches; "
            "nothing was changed",
            f"make it with num_workers={saved['workers']}",
        )
    if getattr(loader, "_iterator", None) is not None:
        raise DoesNotFit(
            "the loader gives batches already; nothing was changed", "call `resume` before the first `iter(loader)`"
        )


def _generators() -> dict[str, Any]:
    found = {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state(), "cuda": []}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        found["cuda"] = torch.cuda.get_rng_state_all()
    return found


def _set_generators(saved: dict[str, Any]) -> None:
    random.setstate(saved["python"])
    np.random.set_state(saved["numpy"])
    torch.set_rng_state(saved["torch"])
    if saved["cuda"]:
        if torch.cuda.device_count() < len(saved["cuda"]):
            _log.warning("%d CUDA devices had generators, %d are here", len(saved["cuda"]), torch.cuda.device_count())
        torch.cuda.set_rng_state_all(saved["cuda"][: torch.cuda.device_count()])


def _loose_buffers(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Buffers that `state_dict` leaves out."""
    kept = module.state_dict(keep_vars=True).keys()
    return {name: buffer for name, buffer in module.named_buffers() if name not in kept}


def _captured(part: Any) -> Any:
    """The state of a part, whatever it is."""
    if isinstance(part, torch.nn.Module):
        return {"state": part.state_dict(), "buffers": _loose_buffers(part)}
    if isinstance(part, torch.Generator):
        return part.get_state()
    if isinstance(part, np.random.Generator):
        return part.bit_generator.state
    if isinstance(part, random.Random):
        return part.getstate()
    if hasattr(part, "state_dict"):
        return part.state_dict()
    if isinstance(part, Mapping):
        return {name: _captured(value) for name, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_captured(value) for value in part]
    return part


def _restore(part: Any, saved: Any) -> bool:
    """Loads the state of a part into it; False for a plain value, which has nothing to be loaded into."""
    if isinstance(part, torch.nn.Module):
        _restore_module(part, saved)
    elif isinstance(part, torch.optim.Optimizer):
        part.load_state_dict(saved)
        _restore_exact_types(part, saved)
    elif isinstance(part, torch.Generator):
        part.set_state(saved)
    elif isinstance(part, np.random.Generator):
        part.bit_generator.state = saved
    elif isinstance(part, random.Random):
        part.setstate(saved)
    elif hasattr(part, "load_state_dict"):
        part.load_state_dict(saved)
    elif isinstance(part, MutableMapping):
        _restore_extra(part, saved)
    elif isinstance(part, (list, tuple)):
        return all([_restore(value, found) for value, found in zip(part, saved)]) and len(part) > 0
    else:
        return part is None
    return True


def _restore_extra(extra: MutableMapping[Any, Any], saved: dict[Any, Any]) -> None:
    for name, value in saved.items():
        if name not in extra or not _restore(extra[name], value) or extra[name] is None:
            extra[name] = value


def _restore_module(module: torch.nn.Module, saved: dict[str, Any]) -> None:
    state = saved["state"]
    # Versions of modules, by which they read older states; this one is of the module that is there.
    metadata = getattr(module.state_dict(), "_metadata", None)
    state = type(module.state_dict())(state)
    if metadata is not None:
        state._metadata = metadata
    module.load_state_dict(state)
    with torch.no_grad():
        for name, buffer in _loose_buffers(module).items():
            if name in saved["buffers"]:
                buffer.copy_(saved["buffers"][name])


def _restore_exact_types(optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """`load_state_dict` converts moments to the type of their parameter, which loses what was kept wider."""
    live = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    numbers = [number for group in saved["param_groups"] for number in group["params"]]
    for number, parameter in zip(numbers, live):
        for name, value in saved["state"].get(number, {}).items():
            now = optimizer.state[parameter].get(name)
            if isinstance(value, torch.Tensor) and isinstance(now, torch.Tensor) and now.dtype != value.dtype:
                optimizer.state[parameter][name] = value.to(now.device)


class _Signals:
    """Notes the first signal that asks the program to end, for the next checkpoint."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._process = os.getpid()
        self._before: dict[int, _Handler] = {}
        if threading.current_thread() is not threading.main_thread():
            return  # Python lets only the main thread listen.
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # `nohup` asks for exactly that: to outlive the terminal.
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._heed)

    def _heed(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            # A worker of the loader: Ctrl-C is for the process that saves, all else is for this one.
            if number != signal.SIGINT:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            return
        if self.received is None:
            self.received = number
            name = signal.Signals(number).name
            _log.warning("%s: ends after this step, which is saved; Ctrl-C ends at once", name)
        elif number == signal.SIGINT:
            self.stop()
            signal.raise_signal(number)

    def stop(self) -> None:
        """Leaves signals as they were."""
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._before.items():
                signal.signal(number, handler)
        self._before = {}
