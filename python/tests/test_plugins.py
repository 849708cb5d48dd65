"""Trainings by transformers' Trainer, Lightning and accelerate that are stopped anywhere go on with the same bits; states in
Orbax's checkpoints. `tests/run_torch.sh` runs what is installed."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import rekindle

EXAMPLES = pathlib.Path(os.environ.get("REKINDLE_EXAMPLES", pathlib.Path(__file__).parents[1] / "examples"))
EVERY_STEP = rekindle.Policy(every_steps=1, every_seconds=None, keep_last=None)


@pytest.fixture(autouse=True)
def examples(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    torch = pytest.importorskip("torch", reason="needs PyTorch: python/tests/run_torch.sh runs these")
    pytest.importorskip("torchdata", reason="needs torchdata: python/tests/run_torch.sh runs these")
    torch.set_num_threads(1)
    yield
    if "accelerate" in sys.modules:
        # It keeps what the first accelerator of a process was made with.
        sys.modules["accelerate"].state.AcceleratorState._reset_state(reset_partial_state=True)


def hashes(run):
    return {found["step"]: found["state_hash"] for found in rekindle.checkpoints(run)}


class Stopped(Exception):
    """As if the process died."""


# An epoch of the examples has 19 or 20 steps: stops are within one, at its last step, and after it.
STOPS = (3, 19, 20, 21)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_trainer_goes_on_with_the_same_bits(tmp_path, workers):
    transformers = pytest.importorskip("transformers")
    from with_trainer import trainer

    class StopAt(transformers.TrainerCallback):
        def __init__(self, step):
            self.step = step

        def on_step_begin(self, args, state, control, **_):
            if state.global_step == self.step:
                raise Stopped

    def made(run, output="output"):
        return trainer(str(tmp_path / run), 24, workers, str(tmp_path / output), policy=EVERY_STEP)

    straight = made("straight")
    straight.train()
    for stop in STOPS:
        stopped = made("stopped")
        stopped.add_callback(StopAt(stop))
        with pytest.raises(Stopped):
            stopped.train()
    stopped = made("stopped")
    stopped.train(resume_from_checkpoint=True)
    made("stopped").train()
    assert hashes(tmp_path / "stopped") == hashes(tmp_path / "straight") and len(hashes(tmp_path / "straight")) == 24
    rows = [[{n: v for n, v in row.items() if not n.endswith(("runtime", "per_second"))} for row in one.state.log_history[:-1]]
            for one in (straight, stopped)]  # fmt: skip
    assert rows[0] == rows[1] and len(rows[0]) > 4
    assert not list(tmp_path.glob("output/checkpoint-*"))


def test_the_trainer_keeps_to_its_arguments(tmp_path):
    pytest.importorskip("transformers")
    from with_trainer import trainer

    one = trainer(str(tmp_path / "run"), 22, 0, str(tmp_path / "output"))
    with pytest.raises(ValueError, match="says where to go on"):
        one.train("checkpoint-7")
    one.train()
    # Every fifth step, three of them, and the end.
    assert list(hashes(tmp_path / "run")) == [15, 20, 22]
    # A training that is over has its parameters again.
    again = trainer(str(tmp_path / "run"), 22, 0, str(tmp_path / "output"))
    again.train()
    assert rekindle.state_hash(again.model.state_dict()) == rekindle.state_hash(one.model.state_dict())
    from transformers import TrainingArguments

    args = TrainingArguments(str(tmp_path / "other"), save_only_model=True, use_cpu=True)
    with pytest.raises(rekindle.StateError, match="save_only_model"):
        type(again)(again.model, args)


# Lightning ends an epoch otherwise where it counts epochs.
@pytest.mark.parametrize("workers, epochs, last", [(0, None, 24), (2, None, 24), (0, 2, 40)])
def test_lightning_goes_on_with_the_same_bits(tmp_path, workers, epochs, last):
    pl = pytest.importorskip("lightning.pytorch")
    from with_lightning import train

    class StopAt(pl.Callback):
        def __init__(self, step):
            self.step = step

        def on_train_batch_start(self, trainer, *_):
            if trainer.global_step == self.step:
                raise Stopped

    train(str(tmp_path / "straight"), 24, workers, EVERY_STEP, epochs=epochs)
    for stop in STOPS:
        with pytest.raises(Stopped):
            train(str(tmp_path / "stopped"), 24, workers, EVERY_STEP, (StopAt(stop),), epochs)
    for _ in range(2):
        # The second time all is over.
        train(str(tmp_path / "stopped"), 24, workers, EVERY_STEP, epochs=epochs)
    assert hashes(tmp_path / "stopped") == hashes(tmp_path / "straight") and len(hashes(tmp_path / "straight")) == last


def test_files_of_lightning_name_checkpoints(tmp_path):
    pl = pytest.importorskip("lightning.pytorch")
    from with_lightning import train

    files = pl.callbacks.ModelCheckpoint(tmp_path / "files", every_n_train_steps=4, save_top_k=2, monitor="loss")
    train(str(tmp_path / "run"), 12, 0, rekindle.Policy(keep_last=1), (files,))
    from rekindle.lightning import CheckpointIO

    io = CheckpointIO(tmp_path / "run")
    found = sorted(tmp_path.glob("files/*.ckpt"))
    assert len(found) == 2 and len(io.run.tags()) == 2
    loaded = io.load_checkpoint(found[0])
    assert f"step={loaded['global_step']}.ckpt" in found[0].name and "gpt.tokens.weight" in loaded["state_dict"]
    io.remove_checkpoint(found[0])
    assert not found[0].exists() and len(io.run.tags()) == 1
    other = tmp_path / "other.ckpt"
    other.write_bytes(b"PK\x03\x04")
    with pytest.raises(rekindle.Damaged, match="names no checkpoint"):
        io.load_checkpoint(other)
    io.teardown()


@pytest.mark.parametrize("workers", [0, 2])
def test_accelerate_goes_on_with_the_same_bits(tmp_path, workers):
    pytest.importorskip("accelerate")
    from with_accelerate import train

    train(str(tmp_path / "straight"), 24, workers, EVERY_STEP)
    for stop in STOPS:
        train(str(tmp_path / "stopped"), 24, workers, EVERY_STEP, stop_at=stop)
    for _ in range(2):
        # The second time all is over.
        train(str(tmp_path / "stopped"), 24, workers, EVERY_STEP)
    assert hashes(tmp_path / "stopped") == hashes(tmp_path / "straight") and len(hashes(tmp_path / "straight")) == 24


def test_accelerate_without_a_place_in_the_data_is_refused(tmp_path):
    accelerate = pytest.importorskip("accelerate")
    torch = pytest.importorskip("torch")
    from rekindle.accelerate import session

    accelerator = accelerate.Accelerator(cpu=True)
    accelerator.prepare(torch.utils.data.DataLoader([1, 2, 3]))
    with pytest.raises(rekindle.StateError, match="cannot tell where it is") as error:
        session(accelerator, run=tmp_path / "run")
    assert "use_stateful_dataloader=True" in error.value.hint
    config = accelerate.utils.DataLoaderConfiguration(use_stateful_dataloader=True)
    accelerator = accelerate.Accelerator(cpu=True, dataloader_config=config)
    accelerator.prepare(torch.utils.data.DataLoader([1, 2, 3], shuffle=True))
    with pytest.raises(rekindle.StateError, match="drawn anew by each process"):
        session(accelerator, run=tmp_path / "run")


@pytest.mark.parametrize("example", ["with_trainer", "with_lightning", "with_accelerate"])
def test_the_examples_are_proven(tmp_path, example):
    pytest.importorskip({"with_trainer": "transformers"}.get(example, example.removeprefix("with_")))
    if "REKINDLE" not in os.environ:
        pytest.skip("REKINDLE names no `rekindle` command: python/tests/run_torch.sh does")
    words = [os.environ["REKINDLE"], "prove", "--kills", os.environ.get("KILLS", "3"), "--"]
    words += [sys.executable, str(EXAMPLES / f"{example}.py"), str(tmp_path / "run"), "--steps", "22", "--workers", "2"]
    ended = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.startswith("proved:"), ended.stdout


def test_a_state_in_a_checkpoint_of_orbax(tmp_path):
    ocp = pytest.importorskip("orbax.checkpoint.experimental.v1")
    import jax

    from rekindle.orbax import State

    shared = np.arange(6, dtype=np.int8)
    value = {"key": jax.random.key(3), "rng": np.random.default_rng(1).bit_generator.state, "a": shared, "b": [shared, (1, None)]}
    hash_before = rekindle.state_hash(value)
    params = {"w": jax.numpy.ones((2, 3))}
    ocp.save_checkpointables(tmp_path / "100", {"params": params, "state": State(value)})
    state = State()
    loaded = ocp.load_checkpointables(tmp_path / "100", {"state": state})
    found = state.value if state.value is not None else loaded["state"].value
    assert rekindle.state_hash(found) == hash_before
    assert found["a"] is found["b"][0]
    assert rekindle.verify(next((tmp_path / "100").glob("**/run")))["damage"] == []
