"""Saving from Python beside the usual tools: a state of 104 million parameters with both moments of Adam (1.25 GB), and
a small one of 10 arrays. Every save ends with an fsync.

    pip install ./python torch safetensors
    python python/benches/checkpoints.py DIRECTORY        # on the disk to measure

Prints the median of three runs, and the rate; `--layers 1` is a fraction of the size, to try it out.
"""

import argparse
import os
import shutil
import statistics
import time
import warnings

import safetensors.torch
import torch
import torch.distributed.checkpoint as dcp

import rekindle

warnings.filterwarnings("ignore")


def large(layers: int) -> dict[str, torch.Tensor]:
    width, vocabulary = 768, 25128
    generator = torch.Generator().manual_seed(0)

    def made(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.02

    weights = {"wte": made(vocabulary, width)}
    for i in range(layers):
        weights |= {f"h{i}.qkv": made(width, 3 * width), f"h{i}.o": made(width, width)}
        weights |= {f"h{i}.w1": made(width, 4 * width), f"h{i}.w2": made(4 * width, width), f"h{i}.b1": made(4 * width)}
        weights |= {f"h{i}.{name}": made(width) for name in ("ln1g", "ln1b", "ln2g", "ln2b", "b2")}
    state = {f"model.{name}": tensor for name, tensor in weights.items()}
    state |= {f"m.{name}": tensor * 0.01 for name, tensor in weights.items()}
    return state | {f"v.{name}": tensor * tensor * 0.001 for name, tensor in weights.items()}


def synced(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def timed(name: str, work, size: int, repeat: int = 3) -> None:
    times = []
    for i in range(repeat):
        begun = time.perf_counter()
        work(i)
        times.append(time.perf_counter() - begun)
    middle = statistics.median(times)
    print(f"{name:34s} {middle:7.3f} s  {size / middle / 1e9:6.2f} GB/s  ({min(times):.3f} to {max(times):.3f})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--layers", type=int, default=12)
    args = parser.parse_args()
    out = os.path.join(args.directory, "checkpoints-bench")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    state = large(args.layers)
    size = sum(tensor.nbytes for tensor in state.values())
    print(f"{len(state)} arrays, {size / 1e9:.2f} GB")

    def ours(i: int) -> None:
        with rekindle.Run(f"{out}/run-{i}") as run:
            run.save(1, state)

    def their_dcp(i: int) -> None:
        dcp.save(state, storage_writer=dcp.FileSystemWriter(f"{out}/dcp-{i}", sync_files=True), no_dist=True)

    def our_dcp(i: int) -> None:
        import rekindle.dcp

        dcp.save(state, storage_writer=rekindle.dcp.StorageWriter(f"{out}/our-dcp-{i}", 1), no_dist=True)

    def torch_save(i: int) -> None:
        torch.save(state, f"{out}/{i}.pt")
        synced(f"{out}/{i}.pt")

    def safetensors_save(i: int) -> None:
        safetensors.torch.save_file(state, f"{out}/{i}.safetensors")
        synced(f"{out}/{i}.safetensors")

    timed("rekindle, hashed and synced", ours, size)
    timed("safetensors.torch, synced", safetensors_save, size)
    timed("torch.save, synced", torch_save, size)
    timed("DCP, synced", their_dcp, size)
    timed("DCP through rekindle.dcp", our_dcp, size)
    timed("loading: rekindle, verified", lambda i: rekindle.load(f"{out}/run-{i}"), size)
    timed("loading: torch.load", lambda i: torch.load(f"{out}/{i}.pt", weights_only=True), size)

    copies = {name: torch.empty_like(tensor) for name, tensor in state.items()}
    timed("a copy in memory", lambda _: [copies[name].copy_(tensor) for name, tensor in state.items()], size, 5)
    del copies
    run = rekindle.Run(f"{out}/background", background=True, policy=rekindle.Policy(every_steps=1, keep_last=1))
    blocked = []
    for step in range(1, 5):
        state["model.wte"] += step
        begun = time.perf_counter()
        run.checkpoint(step, state)
        blocked.append(time.perf_counter() - begun)
        run.wait()
    run.close()
    print(f"blocked by a background save: {statistics.median(blocked[1:]):.3f} s (the first: {blocked[0]:.3f} s)", flush=True)
    del state
    shutil.rmtree(out)

    os.makedirs(out)
    small = {f"w{i}": torch.randn(2500) for i in range(10)}
    run = rekindle.Run(f"{out}/small", policy=rekindle.Policy(every_steps=1, keep_last=3))
    saves, begun, count = 0, time.perf_counter(), 0
    while time.perf_counter() - begun < 3:
        small["w0"] += 1
        saves += 1
        run.save(saves, small)
    print(f"small state, rekindle: {saves / (time.perf_counter() - begun):.0f} saves a second")
    run.close()
    begun = time.perf_counter()
    while time.perf_counter() - begun < 3:
        small["w0"] += 1
        count += 1
        torch.save(small, f"{out}/small.pt")
        synced(f"{out}/small.pt")
    print(f"small state, torch.save and fsync: {count / (time.perf_counter() - begun):.0f} saves a second")
    shutil.rmtree(out)


if __name__ == "__main__":
    main()
