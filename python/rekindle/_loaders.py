"""Loaders that tell where they are, in the place of those that cannot."""

from __future__ import annotations

import torch
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, SequentialSampler

from ._errors import StateError

try:
    from torchdata.stateful_dataloader import StatefulDataLoader
    from torchdata.stateful_dataloader.sampler import RandomSampler as StatefulRandomSampler
except ImportError as error:
    raise ImportError(
        f"exact resume of a loader needs torchdata, which cannot be imported: {error}\nhint: pip install torchdata"
    ) from error


def stateful(loader: DataLoader) -> StatefulDataLoader:
    """A loader of the same data that can be resumed within an epoch.

    A `RandomSampler` without a generator gets one, seeded by torch's own: its order is another one than the loader
    had, and as random.

    Raises StateError for samplers that cannot tell where they are.
    """
    if isinstance(loader, StatefulDataLoader):
        return loader
    how: dict[str, object] = {}
    if not isinstance(loader.dataset, IterableDataset):
        if loader.batch_size is None and loader.batch_sampler is not None:
            how["batch_sampler"] = _require_state(loader.batch_sampler)
        else:
            how |= {"sampler": _sampler(loader.sampler), "batch_size": loader.batch_size, "drop_last": loader.drop_last}
    else:
        how |= {"batch_size": loader.batch_size, "drop_last": loader.drop_last}
    return StatefulDataLoader(
        loader.dataset,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        generator=loader.generator,
        prefetch_factor=loader.prefetch_factor,
        persistent_workers=loader.persistent_workers,
        in_order=getattr(loader, "in_order", True),
        **how,
    )


def _sampler(sampler: object) -> object:
    if type(sampler) is RandomSampler:
        generator = sampler.generator
        if generator is None:
            generator = torch.Generator()
            generator.manual_seed(int(torch.empty((), dtype=torch.int64).random_().item()))
        return StatefulRandomSampler(sampler.data_source, sampler.replacement, sampler._num_samples, generator)
    return sampler if isinstance(sampler, SequentialSampler) else _require_state(sampler)


def _require_state(sampler: object) -> object:
    if hasattr(sampler, "state_dict") or hasattr(iter(sampler), "state_dict"):  # type: ignore[call-overload]
        return sampler
    raise StateError(
        f"the sampler is a {type(sampler).__name__}, which cannot tell where it is",
        "use a RandomSampler, a SequentialSampler, or one whose iterator has state_dict and load_state_dict",
    )
