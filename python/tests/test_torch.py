"""`rekindle.torch`: tensors, and all of a training. Needs torch and torchdata; `tests/run_torch.sh` runs it."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs PyTorch: python/tests/run_torch.sh runs these")
pytest.importorskip("torchdata", reason="needs torchdata: python/tests/run_torch.sh runs these")

from torchdata.stateful_dataloader import StatefulDataLoader  # noqa: E402

import rekindle  # noqa: E402
import rekindle.torch  # noqa: E402

torch.set_num_threads(1)


def test_tensors_come_back_as_they_were(tmp_path):
    linear = torch.nn.Linear(4, 3)
    state = {
        "weight": linear.weight, "tied": linear.weight, "half": linear.bias.to(torch.bfloat16),
        "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last), "turned": torch.randn(3, 5).T,
        "complex": torch.randn(3, dtype=torch.complex64).conj(), "empty": torch.zeros(0, 3), "single": torch.tensor(3),
        "expanded": torch.ones(3, 1).expand(3, 4), "float8": torch.randn(8).to(torch.float8_e4m3fn),
        "bool": torch.tensor([True]), "uint16": torch.tensor([1], dtype=torch.uint16), "numpy": np.arange(3),
    }  # fmt: skip
    with rekindle.Run(tmp_path / "run") as run:
        run.save(1, state)
    back = rekindle.load(tmp_path / "run")
    assert rekindle.state_hash(back) == rekindle.state_hash(state)
    assert back["weight"] is back["tied"] and back["weight"].data_ptr() % 64 == 0
    for name, value in state.items():
        assert type(back[name]) is (np.ndarray if name == "numpy" else torch.Tensor)
        assert back[name].dtype == value.dtype and tuple(back[name].shape) == tuple(value.shape)
    for name in ("channels last", "turned"):
        assert back[name].stride() == state[name].stride() and torch.equal(back[name], state[name])
    assert torch.equal(back["complex"], state["complex"])


@pytest.mark.parametrize(
    "tensor, remedy",
    [
        (lambda: torch.zeros(3).to_sparse(), "to_dense"),
        (lambda: torch.zeros(3, device="meta"), "meta device"),
        (lambda: torch.nn.UninitializedParameter(), "of a kind of its own"),
        (lambda: torch.float32, r"str\(x\)"),
        (lambda: torch.Generator(), "get_state"),
        (lambda: torch.nn.Linear(2, 2), "state_dict"),
        (lambda: torch.Size([1]), r"tuple\(x\)"),
    ],
)
def test_what_has_no_mapping_is_refused(tensor, remedy):
    with pytest.raises(rekindle.StateError, match=remedy) as error:
        rekindle.state_hash({"model": {"x": tensor()}})
    assert "`model.x`" in str(error.value)


def test_a_device_that_is_gone_is_named_by_the_path(monkeypatch):
    def gone(self, *_, **__):
        raise RuntimeError("CUDA error: device-side assert triggered")

    tensor = torch.zeros(3)
    monkeypatch.setattr(torch.Tensor, "is_contiguous", gone)
    with pytest.raises(rekindle.StateError, match="`a.0` cannot be saved: CUDA error"):
        rekindle.state_hash({"a": [tensor]})


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(20, 16)
        self.norm = torch.nn.BatchNorm1d(16)
        self.dropout = torch.nn.Dropout(0.2)
        self.head = torch.nn.Linear(16, 20, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, x):
        self.seen += 1
        return self.head(self.dropout(self.norm(self.embedding(x))))


class Training:
    """A training that uses every generator there is."""

    def __init__(self, run, workers=0, seed=0, **options):
        torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)
        self.model = Net()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.01)
        self.scheduler = torch.optim.lr_scheduler.MultiStepLR(self.optimizer, [3, 5])
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)
        self.loader = StatefulDataLoader(list(range(20)) * 2, 8, shuffle=True, num_workers=workers)
        self.extra = {"noise": torch.Generator().manual_seed(5), "rng": np.random.default_rng(3), "losses": [], "best": None}
        self.session = rekindle.torch.Session(
            self.model, self.optimizer, self.scheduler, self.scaler, self.loader, self.extra,
            run=run, policy=rekindle.Policy(every_steps=1, every_seconds=None, keep_last=None), **options,
        )  # fmt: skip

    def train(self, until):
        step = self.session.resume()
        while step < until:
            for x in self.loader:
                logits = self.model(x)
                noise = torch.rand(logits.shape, generator=self.extra["noise"]) + np.random.rand() + random.random()
                loss = (logits * noise * float(self.extra["rng"].random())).logsumexp(-1).mean()
                self.scaler.scale(loss).backward()
                self.scaler.step(self.optimizer)
                self.scaler.update()
                self.optimizer.zero_grad()
                self.scheduler.step()
                step += 1
                self.extra["losses"].append(loss.item())
                self.extra["best"] = min(self.extra["losses"])
                self.session.checkpoint(step)
                if step == until:
                    break
        self.session.finish()
        return self


@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_goes_on_with_the_same_bits(tmp_path, workers):
    straight = Training(tmp_path / "straight", workers).train(13)
    for until in (1, 4, 5, 10, 13):  # an epoch is five steps: in one, at its end, and after it
        stopped = Training(tmp_path / "stopped", workers, seed=0 if until == 1 else until).train(until)
    hashes = [
        {c["step"]: c["state_hash"] for c in rekindle.checkpoints(tmp_path / name)} for name in ("straight", "stopped")
    ]
    assert hashes[0] == hashes[1] and len(hashes[0]) == 13
    assert stopped.extra["losses"] == straight.extra["losses"] and len(straight.extra["losses"]) == 13
    assert stopped.model.head.weight is stopped.model.embedding.weight
    assert stopped.model.seen == 13


def test_moments_keep_their_own_type(tmp_path):
    def made():
        weight = torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
        optimizer = torch.optim.AdamW([weight])
        weight.grad = torch.ones_like(weight)
        optimizer.step()
        for name in ("exp_avg", "exp_avg_sq"):
            optimizer.state[weight][name] = optimizer.state[weight][name].float() + 1e-6
        return weight, optimizer

    weight, optimizer = made()
    before = rekindle.state_hash(optimizer.state_dict())
    module = torch.nn.ParameterList([weight])
    rekindle.torch.Session(module, optimizer, run=tmp_path / "run").run.close()
    session = rekindle.torch.Session(module, optimizer, run=tmp_path / "run")
    session.checkpoint(1)
    session.close()
    weight, optimizer = made()
    session = rekindle.torch.Session(torch.nn.ParameterList([weight]), optimizer, run=tmp_path / "run")
    assert session.resume() == 1
    assert optimizer.state[weight]["exp_avg"].dtype == torch.float32
    assert rekindle.state_hash(optimizer.state_dict()) == before
    session.close()


def test_loaders_that_cannot_resume_are_refused(tmp_path):
    model = torch.nn.Linear(1, 1)
    data = list(range(8))

    def session(loader):
        return rekindle.torch.Session(model, torch.optim.SGD(model.parameters()), loader=loader, run=tmp_path / "run")

    with pytest.raises(rekindle.StateError, match="DataLoader, which cannot tell where it is") as error:
        session(torch.utils.data.DataLoader(data))
    assert "torchdata" in error.value.hint
    with pytest.raises(rekindle.StateError, match="only every 2 batches"):
        session(StatefulDataLoader(data, snapshot_every_n_steps=2))
    with session(StatefulDataLoader(data)) as first:
        first.checkpoint(1)
    with session(StatefulDataLoader(data, num_workers=1)) as second:
        with pytest.raises(rekindle.DoesNotFit, match="had 0 workers and has 1 now") as error:
            second.resume()
        assert "num_workers=0" in error.value.hint
    with session(None) as third, pytest.raises(rekindle.DoesNotFit, match="a loader was saved"):
        third.resume()
    late = StatefulDataLoader(data)
    iter(late)
    with session(late) as fourth, pytest.raises(rekindle.DoesNotFit, match="gives batches already"):
        fourth.resume()


def test_another_model_changes_nothing(tmp_path):
    def session(width):
        model = torch.nn.Linear(width, 2)
        return model, rekindle.torch.Session(model, torch.optim.AdamW(model.parameters()), run=tmp_path / "run")

    _, first = session(3)
    first.checkpoint(1)
    first.close()
    model, second = session(4)
    before = rekindle.state_hash(model.state_dict())
    with pytest.raises(rekindle.DoesNotFit, match=r"`model.state.weight` has shape \[2, 3\] in the file"):
        second.resume()
    assert rekindle.state_hash(model.state_dict()) == before
    second.close()


def test_other_threads_are_told(tmp_path, caplog):
    model = torch.nn.Linear(1, 1)
    with rekindle.torch.Session(model, torch.optim.SGD(model.parameters()), run=tmp_path / "run") as session:
        session.checkpoint(1)
    torch.set_num_threads(2)
    try:
        with caplog.at_level(logging.WARNING, "rekindle"):
            with rekindle.torch.Session(model, torch.optim.SGD(model.parameters()), run=tmp_path / "run") as session:
                session.resume()
    finally:
        torch.set_num_threads(1)
    assert "torch threads 1, now 2" in caplog.text


LOOP = """
import sys, time, torch, rekindle.torch
model = torch.nn.Linear(2, 2)
session = rekindle.torch.Session(model, torch.optim.SGD(model.parameters(), lr=0.1), run=sys.argv[1])
step = session.resume()
print("ready", flush=True)
while True:
    model(torch.rand(1, 2)).sum().backward()
    time.sleep(0.05)
    step += 1
    print(step, flush=True)
    session.checkpoint(step)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_saves_and_ends_as_it_would(tmp_path, name):
    number = getattr(signal, name)
    child = subprocess.Popen(
        [sys.executable, "-c", LOOP, str(tmp_path / "run")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while child.stdout.readline().strip() != "3":
        assert child.poll() is None, child.stderr.read()
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    last = int(out.split()[-1])
    assert child.returncode == -number, err
    assert rekindle.checkpoints(tmp_path / "run")[-1]["step"] == last
    assert f"{name}: step {last} is saved" in err


@pytest.mark.skipif("REKINDLE" not in os.environ, reason="REKINDLE names the command: run_torch.sh sets it")
def test_the_example_is_proven(tmp_path):
    example = os.path.join(os.path.dirname(__file__), "..", "examples", "gpt.py")
    words = [os.environ["REKINDLE"], "prove", "--kills", os.environ.get("KILLS", "3"), "--"]
    words += [sys.executable, "-W", "ignore", example, str(tmp_path / "run"), "--steps", "24", "--workers", "2"]
    begun = time.perf_counter()
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert ended.stdout.startswith("proved:"), ended.stdout
    print(f"{ended.stdout}{time.perf_counter() - begun:.0f} s")
