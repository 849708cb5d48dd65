"""`torch.distributed.checkpoint` on runs: ranks write their parts, and the coordinator makes the one commit.

>>> dcp.save(state, storage_writer=rekindle.dcp.StorageWriter("runs/big", step=100))
>>> dcp.load(state, storage_reader=rekindle.dcp.StorageReader("runs/big"))           # on any number of ranks

A checkpoint is there as a whole or not at all, whichever rank dies at whatever moment; every byte is verified when it
is read; and what was there before is not written again. Metadata are plain records of the run: `dcp`'s own file is
pickled, and is neither written nor read. Ranks share a file system.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

try:
    import torch
    from torch.distributed.checkpoint import storage
    from torch.distributed.checkpoint.metadata import (
        BytesStorageMetadata,
        ChunkStorageMetadata,
        Metadata,
        MetadataIndex,
        TensorProperties,
        TensorStorageMetadata,
    )
    from torch.distributed.checkpoint.planner import LoadItemType, LoadPlan, LoadPlanner, SavePlan, SavePlanner, WriteItemType
    from torch.distributed._shard._utils import narrow_tensor_by_index
    from torch.distributed.checkpoint.storage import WriteResult
    from torch.futures import Future
except ImportError as error:
    raise ImportError(f"rekindle.dcp needs PyTorch, which cannot be imported: {error}\nhint: pip install torch") from error

from . import Policy, Run, state_hash
from ._errors import DoesNotFit
from ._rekindle import Part, Reader

# Element types that parts hold as they are; others go as bytes, and come back by their name.
_PLAIN = {torch.bool, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.uint16, torch.uint32,
          torch.uint64, torch.float16, torch.bfloat16, torch.float32, torch.float64}  # fmt: skip


class StorageWriter(storage.StorageWriter):
    """Saves a distributed state as the checkpoint `step` of a run.

    run: the directory; made by the coordinator when it is not there.
    step: counts up; or, with `checkpoint_id`, what stands behind its @: "runs/big@100".
    policy: what is kept of the run; `every_steps` and `every_seconds` do not count.
    metrics: numbers by name.

    Raises as `rekindle.Run.save`. What is neither a tensor nor a value that `rekindle.Run` takes is refused.
    """

    def __init__(
        self,
        run: str | os.PathLike[str] | None = None,
        step: int | None = None,
        *,
        policy: Policy | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._path, self._step, self._policy = run, step, policy
        self._metrics = None if metrics is None else dict(metrics)
        self._run: Run | None = None

    def reset(self, checkpoint_id: str | os.PathLike[str] | None = None) -> None:
        if checkpoint_id is not None:
            run, _, step = os.fspath(checkpoint_id).rpartition("@")
            if not run or not step.isdigit():
                raise ValueError(f"checkpoint_id is `{checkpoint_id}`, but must be RUN@STEP")
            self._path, self._step = run, int(step)

    @classmethod
    def validate_checkpoint_id(cls, checkpoint_id: str | os.PathLike[str]) -> bool:
        run, _, step = os.fspath(checkpoint_id).rpartition("@")
        return bool(run) and step.isdigit()

    def set_up_storage_writer(self, is_coordinator: bool, *args: Any, **kwargs: Any) -> None:
        if self._path is None or self._step is None:
            raise ValueError("name the run and the step: StorageWriter(run, step), or checkpoint_id=\"RUN@STEP\"")
        # The right to write is taken before any rank writes its part.
        self._run = Run(self._path, policy=self._policy) if is_coordinator else None

    def prepare_local_plan(self, plan: SavePlan) -> SavePlan:
        return plan

    def prepare_global_plan(self, plans: list[SavePlan]) -> list[SavePlan]:
        return plans

    def write_data(self, plan: SavePlan, planner: SavePlanner) -> Future[list[WriteResult]]:
        try:
            results = self._write(plan, planner)
        except BaseException:
            if self._run is not None:
                self._run.close()
            raise
        future: Future[list[WriteResult]] = Future()
        future.set_result(results)
        return future

    def _write(self, plan: SavePlan, planner: SavePlanner) -> list[WriteResult]:
        assert self._path is not None
        part = Part(self._path)
        results = []
        for item in plan.items:
            if item.type == WriteItemType.BYTE_IO:
                value = planner.lookup_object(item.index)
                # Raises for what has no place in a checkpoint.
                state_hash({item.index.fqn: value})
                results.append(WriteResult(item.index, 0, {"object": value}))
                continue
            tensor = planner.resolve_data(item).detach().cpu().contiguous()
            results.append(WriteResult(item.index, tensor.nbytes, {"array": part.array(_as_plain(tensor))}))
        record = part.finish()
        for result in results:
            result.storage_data["part"] = record
        return results

    def finish(self, metadata: Metadata, results: list[list[WriteResult]]) -> None:
        assert self._run is not None and self._step is not None
        with self._run as run:
            places: dict[MetadataIndex, list[int]] = {}
            objects: dict[str, Any] = {}
            parts = []
            for number, rank in enumerate(results):
                parts.append(rank[0].storage_data["part"] if rank else '{"pack":null,"arrays":[]}')
                for result in rank:
                    if "object" in result.storage_data:
                        objects[result.index.fqn] = result.storage_data["object"]
                    else:
                        places[result.index] = [number, result.storage_data["array"]]
            run._save_parts(self._step, parts, _records(metadata, places, objects), self._metrics)
        self._run = None


def _as_plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor if tensor.dtype in _PLAIN else tensor.reshape(-1).view(torch.uint8)


def _records(metadata: Metadata, places: dict[MetadataIndex, list[int]], objects: dict[str, Any]) -> dict[str, Any]:
    """The state as a run holds it: what tensors are, their shards by the corner at which each begins, and values."""
    tensors, shards = {}, {}
    for name, found in metadata.state_dict_metadata.items():
        if isinstance(found, BytesStorageMetadata):
            continue
        tensors[name] = {
            "dtype": str(found.properties.dtype).removeprefix("torch."),
            "size": list(found.size),
            "requires_grad": found.properties.requires_grad,
            "shards": [[list(chunk.offsets), list(chunk.sizes)] for chunk in found.chunks],
        }
        by_corner = {tuple(index.offset or ()): place for index, place in places.items() if index.fqn == name}
        shards[name] = [{"$part": by_corner[tuple(chunk.offsets)]} for chunk in found.chunks]
    return {"tensors": tensors, "shards": shards, "objects": objects, "planner": metadata.planner_data}


class StorageReader(storage.StorageReader):
    """Loads a distributed state from a checkpoint of a run, on any number of ranks.

    address: RUN, RUN@latest~2, RUN@1200, RUN@best or RUN@TAG.

    Raises as `rekindle.load`.
    """

    def __init__(self, address: str | os.PathLike[str] | None = None) -> None:
        super().__init__()
        self._address = address
        self._reader: Reader | None = None
        self._tensors: dict[str, Any] = {}

    def reset(self, checkpoint_id: str | os.PathLike[str] | None = None) -> None:
        if checkpoint_id is not None:
            self._address = checkpoint_id

    @classmethod
    def validate_checkpoint_id(cls, checkpoint_id: str | os.PathLike[str]) -> bool:
        return isinstance(checkpoint_id, (str, os.PathLike))

    @property
    def step(self) -> int:
        """The step of the checkpoint."""
        return self._opened().step

    def _opened(self) -> Reader:
        if self._reader is None:
            if self._address is None:
                raise ValueError('name the checkpoint: StorageReader("RUN"), or checkpoint_id="RUN"')
            self._reader = Reader(self._address)
        return self._reader

    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:
        self._tensors = self._opened().load("tensors")
        found: dict[str, Any] = {name: _tensor_metadata(tensor) for name, tensor in self._tensors.items()}
        found |= {name: BytesStorageMetadata() for name in self._opened().load("objects")}
        return Metadata(state_dict_metadata=found, planner_data=self._opened().load("planner"))

    def set_up_storage_reader(self, metadata: Metadata, is_coordinator: bool, *args: Any, **kwargs: Any) -> None:
        if not self._tensors:
            self._tensors = self._opened().load("tensors")

    def prepare_local_plan(self, plan: LoadPlan) -> LoadPlan:
        return plan

    def prepare_global_plan(self, plans: list[LoadPlan]) -> list[LoadPlan]:
        return plans

    def read_data(self, plan: LoadPlan, planner: LoadPlanner) -> Future[None]:
        for item in plan.items:
            name = item.storage_index.fqn
            if item.type == LoadItemType.BYTE_IO:
                # The planner unpickles what it is given: a plain value that is pickled here.
                buffer = io.BytesIO()
                torch.save(self._opened().load(["objects", name]), buffer)
                buffer.seek(0)
                planner.load_bytes(item, buffer)
                continue
            shard = self._shard(name, item.storage_index)
            source = narrow_tensor_by_index(shard, item.storage_offsets, item.lengths)
            target = planner.resolve_tensor(item).detach()
            if target.size() != source.size():
                raise DoesNotFit(f"`{name}` has a part of shape {list(source.shape)}, {list(target.shape)} is expected")
            target.copy_(source)
            planner.commit_tensor(item, target)
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def _shard(self, name: str, index: MetadataIndex) -> torch.Tensor:
        tensor = self._tensors[name]
        corners = [tuple(offsets) for offsets, _ in tensor["shards"]]
        number = corners.index(tuple(index.offset)) if index.offset is not None else index.index or 0
        values = self._opened().load(["shards", name, str(number)])
        dtype = getattr(torch, tensor["dtype"])
        return values if values.dtype == dtype else values.view(dtype).reshape(tensor["shards"][number][1])


def _tensor_metadata(tensor: dict[str, Any]) -> TensorStorageMetadata:
    return TensorStorageMetadata(
        properties=TensorProperties(dtype=getattr(torch, tensor["dtype"]), requires_grad=tensor["requires_grad"]),
        size=torch.Size(tensor["size"]),
        chunks=[
            ChunkStorageMetadata(offsets=torch.Size(offsets), sizes=torch.Size(sizes))
            for offsets, sizes in tensor["shards"]
        ],
    )
