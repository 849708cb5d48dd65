"""Runs as a training loop uses them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import rekindle


def fresh(step=0):
    return {"step": step, "weights": np.full((100, 10), step, np.float32), "history": [], "best": None}


def test_a_loop_goes_on_where_it_was_stopped(tmp_path):
    for until in (30, 70):
        with rekindle.Run(tmp_path / "run", policy=rekindle.Policy(every_steps=10, every_seconds=None)) as run:
            state = run.resume(fresh())
            assert run.step == (None if until == 30 else 30)
            while state["step"] < until:
                state["weights"] += 1
                state["step"] += 1
                state["history"].append(state["step"])
                run.checkpoint(state["step"], state, metrics={"loss": 1 / state["step"]})
            run.finish(state)
    assert (state["weights"] == 70).all() and state["history"] == list(range(1, 71))
    steps = [checkpoint["step"] for checkpoint in rekindle.checkpoints(tmp_path / "run")]
    assert steps == [50, 60, 70]
    assert rekindle.checkpoints(tmp_path / "run")[-1]["state_hash"] == rekindle.state_hash(state)
    assert rekindle.verify(tmp_path / "run")["valid"] == steps


def test_a_state_that_does_not_fit_changes_nothing(tmp_path):
    with rekindle.Run(tmp_path / "run") as run:
        run.save(1, {"w": np.zeros((2, 3)), "name": "a", "old": 1, "same": (np.zeros(2),)})
        other = {"w": np.zeros((3, 2)), "name": 5, "new": 1, "same": (np.zeros(2),)}
        with pytest.raises(rekindle.DoesNotFit) as error:
            run.resume(other)
        assert len(error.value.differences) == 4
        assert [d for d in error.value.differences if "`w` has shape [2, 3] in the file, [3, 2] is expected" in d]
        assert "name" in str(error.value) and "hint" in str(error.value)
        assert run.resume({"w": np.ones((2, 3)), "name": None, "old": 2.5, "same": ()})["old"] == 1


def test_parts_tags_and_the_best(tmp_path):
    policy = rekindle.Policy(every_steps=1, keep_last=None, best="accuracy:max")
    with rekindle.Run(tmp_path / "run", policy=policy, config={"lr": 0.1}) as run:
        for step, accuracy in ((1, 0.5), (2, 0.9), (3, 0.7)):
            run.checkpoint(step, {"model": {"a.w": np.full(2000, step), "b": (step, 0)}}, metrics={"accuracy": accuracy})
        run.tag("first", 1)
        run.tag("newest")
        assert run.tags() == rekindle.tags(tmp_path / "run") == {"first": 1, "newest": 3}
        with pytest.raises(rekindle.RekindleError, match="points to step 1 already") as error:
            run.tag("first", 2)
        assert "force=True" in error.value.hint
        run.tag("first", 2, force=True)
        run.untag("newest")
        assert run.load("best", only="model.b") == (2, 0)
    address = str(tmp_path / "run")
    assert rekindle.load(address + "@best", only='model."a.w"')[0] == 2
    assert rekindle.load(address + "@first", only=["model", "b", "0"]) == 2
    assert rekindle.load(address + "@latest~2")["model"]["b"] == (1, 0)
    with pytest.raises(rekindle.NotThere, match="no tag `frist`; did you mean `first`"):
        rekindle.load(address + "@frist")
    with pytest.raises(rekindle.NotThere, match="no entry `model.c`"):
        rekindle.load(address, only="model.c")
    with pytest.raises(rekindle.NotThere, match="no checkpoint at step 9"):
        rekindle.load(address + "@9")
    found = rekindle.diff(address + "@1", address + "@3")
    assert {entry["path"]: entry["kind"] for entry in found} == {'model."a.w"': "changed", "model.b.tuple.0": "changed"}
    assert found[0]["max_absolute"] == 2.0 and rekindle.diff(address, address) == []


@pytest.mark.parametrize("background", [True, "skip"])
def test_what_is_saved_in_the_background_is_what_it_was(tmp_path, background):
    run = rekindle.Run(tmp_path / "run", policy=rekindle.Policy(every_steps=1, keep_last=None), background=background)
    state = {"w": np.zeros(200_000, np.float32)}
    hashes = {}
    for step in range(1, 9):
        state["w"][:] = step
        if run.checkpoint(step, state):
            hashes[step] = rekindle.state_hash(state)
        state["w"][::2] = -1
    run.wait()
    assert run.durable_step == max(hashes)
    assert {c["step"]: c["state_hash"] for c in rekindle.checkpoints(tmp_path / "run")} == hashes
    assert len(hashes) == 8 or background == "skip"
    run.close()
    assert rekindle.verify(tmp_path / "run")["damage"] == []


def test_arrays_that_change_during_a_save_are_never_loaded_as_if_they_were_whole(tmp_path):
    state, stop = {"w": np.zeros(5_000_000, np.float32)}, threading.Event()

    def change():
        while not stop.is_set():
            state["w"] += 1

    thread = threading.Thread(target=change)
    thread.start()
    with rekindle.Run(tmp_path / "run", policy=rekindle.Policy(keep_last=None)) as run:
        for step in range(1, 6):
            run.save(step, state)
    stop.set()
    thread.join()
    for checkpoint in rekindle.checkpoints(tmp_path / "run"):
        try:
            back = rekindle.load(f"{tmp_path}/run@{checkpoint['step']}")
        except rekindle.Damaged:
            continue
        assert rekindle.state_hash(back) == checkpoint["state_hash"]


def test_a_state_is_made_only_when_it_is_saved(tmp_path):
    made = []
    with rekindle.Run(tmp_path / "run", policy=rekindle.Policy(every_steps=3, every_seconds=None)) as run:
        saved = [run.checkpoint(step, lambda: made.append(1) or {"x": 1}) for step in range(1, 7)]
    assert saved == [True, False, True, False, False, True] and len(made) == 3


def test_steps_count_up(tmp_path):
    with rekindle.Run(tmp_path / "run") as run:
        run.save(5, {"x": 1})
        assert run.save(5, {"x": 1})["step"] == 5
        with pytest.raises(rekindle.StepTaken, match="saved already with another state") as error:
            run.save(5, {"x": 2})
        assert "resume" in error.value.hint
        with pytest.raises(rekindle.StepTaken):
            run.save(4, {"x": 2})


def test_wrong_arguments(tmp_path):
    with pytest.raises(rekindle.RunNotFound):
        rekindle.load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="every_steps is 0"):
        rekindle.Run(tmp_path / "run", policy=rekindle.Policy(every_steps=0))
    with pytest.raises(TypeError, match="must be a rekindle.Policy"):
        rekindle.Run(tmp_path / "run", policy=5)
    with pytest.raises(ValueError, match="METRIC:max"):
        rekindle.Run(tmp_path / "run", policy=rekindle.Policy(best="loss:low"))
    with pytest.raises(ValueError, match="background"):
        rekindle.Run(tmp_path / "run", background="sometimes")
    with pytest.raises(ValueError, match="compression"):
        rekindle.Run(tmp_path / "run", compression="tiny")
    assert not (tmp_path / "run").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(rekindle.RekindleError, match="holds no run") as error:
        rekindle.Run(tmp_path / "full")
    assert "another directory" in error.value.hint
    run = rekindle.Run(tmp_path / "run")
    with pytest.raises(OverflowError):
        run.save(-1, {})
    with pytest.raises(ValueError, match="metric `loss` is not a number"):
        run.checkpoint(1, {}, metrics={"loss": "low"})
    run.close()
    with pytest.raises(rekindle.RekindleError, match="closed"):
        run.save(1, {})
    assert run.path == tmp_path / "run"


def test_one_writer_at_a_time(tmp_path):
    run = rekindle.Run(tmp_path / "run")
    program = f"import rekindle; rekindle.Run({str(tmp_path / 'run')!r})"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "RunLocked" in other.stderr and str(os.getpid()) in other.stderr
    run.close()
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_worker_does_not_keep_the_run_locked(tmp_path):
    program = f"""
import multiprocessing, os, signal, time, rekindle
run = rekindle.Run({str(tmp_path / "run")!r})
run.save(1, {{"x": 1}})
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
child.start()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    out = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    worker = int(out.stdout)
    try:
        rekindle.Run(tmp_path / "run").close()
    finally:
        os.kill(worker, signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_cannot_write(tmp_path):
    run = rekindle.Run(tmp_path / "run")

    def child(queue):
        try:
            run.save(1, {"x": 1})
        except rekindle.RekindleError as error:
            queue.put(str(error))

    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    assert "was forked" in queue.get(timeout=20)
    process.join()
    run.save(1, {"x": 1})


def test_a_damaged_checkpoint_is_passed_over(tmp_path):
    with rekindle.Run(tmp_path / "run") as run:
        run.save(1, {"w": np.zeros(10_000)})
        run.save(2, {"w": np.random.default_rng(0).random(10_000)})
    packs = sorted((tmp_path / "run" / "packs").iterdir(), key=lambda pack: pack.stat().st_size)
    content = bytearray(packs[-1].read_bytes())
    content[len(content) // 2] ^= 1
    packs[-1].write_bytes(content)
    with pytest.raises(rekindle.Damaged):
        rekindle.load(tmp_path / "run@2")
    assert rekindle.verify(tmp_path / "run")["invalid"] == [2]
    with rekindle.Run(tmp_path / "run") as run:
        assert (run.resume()["w"] == 0).all() and run.step == 1


def test_a_run_of_another_program_is_told_apart(tmp_path):
    program = tmp_path / "run"
    with rekindle.Run(program) as run:
        run.save(1, {"weights": [1.0, 2.0], "name": "a"})
        with pytest.raises(rekindle.DoesNotFit, match="`weights`"):
            run.resume({"weights": np.zeros(2), "name": ""})


def test_the_interpreter_goes_on_while_a_checkpoint_is_written(tmp_path):
    state = {"w": np.random.default_rng(0).random(20_000_000)}
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    with rekindle.Run(tmp_path / "run") as run:
        thread.start()
        begun = time.perf_counter()
        run.save(1, state)
        took = time.perf_counter() - begun
    stop.set()
    thread.join()
    gaps = np.diff([t for t in ticks if begun <= t <= begun + took])
    assert len(gaps) > 5 and gaps.max() < max(0.5 * took, 0.05)


def test_threads_share_a_run(tmp_path):
    run = rekindle.Run(tmp_path / "run", policy=rekindle.Policy(every_steps=1, every_seconds=None))
    run.save(0, {"w": np.zeros(100_000)})
    run.tag("first")
    works = [
        lambda i: run.resume({"w": np.zeros(100_000)}),
        lambda i: run.tags(),
        lambda i: run.load(only="w"),
        lambda i: run.durable_step,
        lambda i: pytest.raises(rekindle.NotThere, run.load, "nothing"),
    ]
    threads = [threading.Thread(target=lambda work=work: [work(i) for i in range(20)], daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "the threads wait for each other"
    run.close()
