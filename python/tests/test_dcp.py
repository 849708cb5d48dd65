"""`rekindle.dcp`: ranks that write parts of one checkpoint. Needs torch with gloo; `tests/run_torch.sh` runs it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

torch = pytest.importorskip("torch", reason="needs PyTorch: python/tests/run_torch.sh runs these")
import torch.distributed.checkpoint as dcp  # noqa: E402

import rekindle  # noqa: E402
import rekindle.dcp  # noqa: E402

# Each rank has a row of every sharded tensor, a tensor of its own, and what all have.
RANK = """
import os, sys, torch, torch.distributed as dist, torch.distributed.checkpoint as dcp
from torch.distributed.tensor import DTensor, Shard, Replicate, init_device_mesh
import rekindle, rekindle.dcp

torch.set_num_threads(1)
action, run, step = sys.argv[1], sys.argv[2], int(sys.argv[3])
dist.init_process_group("gloo")
mesh = init_device_mesh("cpu", (dist.get_world_size(),))

def state(fill):
    whole = torch.arange(24 * 700, dtype=torch.float32).reshape(24, 700) * fill
    return {
        "model": {
            "sharded": DTensor.from_local(whole.chunk(dist.get_world_size())[dist.get_rank()].clone(), mesh, [Shard(0)]),
            "replicated": torch.full((1000, 3), float(fill), dtype=torch.bfloat16),
            "eighth": (torch.arange(8.0) * fill).to(torch.float8_e4m3fn),
        },
        "step": step if fill else 0, "name": "a" if fill else "", "betas": (0.9, 0.99) if fill else (0.0, 0.0),
    }

if action == "save":
    dcp.save(state(step), storage_writer=rekindle.dcp.StorageWriter(run, step, policy=rekindle.Policy(keep_last=2)))
else:
    found = state(0)
    dcp.load(found, storage_reader=rekindle.dcp.StorageReader(run))
    # Gathering takes part of every rank.
    found["model"]["sharded"] = found["model"]["sharded"].full_tensor()
    if dist.get_rank() == 0:
        print("hash", rekindle.state_hash(found), found["step"], found["betas"])
dist.destroy_process_group()
"""


def ranks(count, *arguments):
    words = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count), "--master-port", "0"]
    words = [word for word in words if word not in ("--master-port", "0")] + ["--standalone"]
    path = os.path.join(os.path.dirname(arguments[1]), "rank.py")
    with open(path, "w") as file:
        file.write(RANK)
    return subprocess.Popen(
        [*words, path, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def ran(count, *arguments):
    process = ranks(count, *arguments)
    out, _ = process.communicate(timeout=400)
    assert process.returncode == 0, out
    return [line for line in out.splitlines() if line.startswith("hash")]


def test_four_ranks_save_and_any_number_loads(tmp_path):
    run = str(tmp_path / "run")
    ran(4, "save", run, "3")
    hashes = {line for count in (1, 2, 3) for line in ran(count, "load", run, "3")}
    assert len(hashes) == 1 and hashes.pop().endswith("3 (0.9, 0.99)")
    assert rekindle.verify(run) | {"chunks": 0, "bytes": 0} == {"valid": [3], "invalid": [], "damage": [], "chunks": 0, "bytes": 0}
    sharded = rekindle.load(run, only="shards")["model.sharded"]
    assert torch.equal(torch.cat(sharded), torch.arange(24 * 700, dtype=torch.float32).reshape(24, 700) * 3)
    assert len(rekindle.load(run, only="shards")["model.replicated"]) == 1, "what all ranks have is there once"


def single(tmp_path, state, step=1):
    dcp.save(state, storage_writer=rekindle.dcp.StorageWriter(tmp_path / "run", step), no_dist=True)


def test_what_has_no_mapping_is_refused_by_its_name(tmp_path):
    with pytest.raises(BaseException, match="`thing` cannot be saved: .*which has no place in a checkpoint"):
        single(tmp_path, {"w": torch.zeros(3), "thing": object()})
    assert rekindle.checkpoints(tmp_path / "run") == []
    single(tmp_path, {"w": torch.zeros(3), "$part": {"$part": [0, 0]}})


def test_checkpoint_ids_and_wrong_arguments(tmp_path):
    state = {"w": torch.arange(3.0)}
    dcp.save(state, checkpoint_id=f"{tmp_path}/run@7", storage_writer=rekindle.dcp.StorageWriter(), no_dist=True)
    found = {"w": torch.zeros(3)}
    dcp.load(found, checkpoint_id=f"{tmp_path}/run@7", storage_reader=rekindle.dcp.StorageReader(), no_dist=True)
    assert torch.equal(found["w"], state["w"])
    with pytest.raises(BaseException, match="must be RUN@STEP"):
        dcp.save(state, checkpoint_id=str(tmp_path), storage_writer=rekindle.dcp.StorageWriter(), no_dist=True)
    with pytest.raises(BaseException, match="no checkpoint at step 8"):
        dcp.load(found, storage_reader=rekindle.dcp.StorageReader(f"{tmp_path}/run@8"), no_dist=True)


def test_a_hostile_metadata_file_is_never_read(tmp_path):
    single(tmp_path, {"w": torch.ones(3)})
    (tmp_path / "run" / ".metadata").write_bytes(b"cos\nsystem\n(S'touch " + os.fsencode(tmp_path) + b"/pwned'\ntR.")
    found = {"w": torch.zeros(3)}
    dcp.load(found, storage_reader=rekindle.dcp.StorageReader(tmp_path / "run"), no_dist=True)
    assert found["w"].sum() == 3 and not (tmp_path / "pwned").exists()


@pytest.mark.skipif("RANK_KILLS" not in os.environ, reason="RANK_KILLS says how often a rank is killed")
def test_a_rank_that_is_killed_leaves_the_checkpoint_before_or_the_new_one(tmp_path):
    run, draw, committed = str(tmp_path / "run"), random.Random(0), []
    ran(2, "save", run, "1")
    for step in range(2, 2 + int(os.environ["RANK_KILLS"])):
        process = ranks(2, "save", run, str(step))
        time.sleep(draw.uniform(2.0, 6.0))
        listed = subprocess.run(["pgrep", "-s", str(process.pid), "-f", "rank.py save"], capture_output=True, text=True)
        victims = [int(pid) for pid in listed.stdout.split() if int(pid) != process.pid]
        if victims:
            os.kill(draw.choice(victims), signal.SIGKILL)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        found = rekindle.verify(run)
        assert found["damage"] == [] and found["invalid"] == []
        assert found["valid"][-1] in (step, *committed[-1:], 1)
        committed = found["valid"]
