"""What is asked of arrays of each library: how they lie in memory, and how they are made of memory.

The native half calls `lay_out` for each value that is no plain one of Python, and `room` and `make` on the way back.
PyTorch and JAX are never imported here on the way out: a value of theirs can only be there when they are.
"""

from __future__ import annotations

import importlib
import random
import sys
from typing import Any, NamedTuple

import numpy as np

from ._errors import RekindleError

# Names of element types in the engine. What is not here is kept as another type, with its own name beside it.
_DTYPES = {
    "bool": "bool", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "float16": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64",
}  # fmt: skip
_NAMES = {engine: name for name, engine in _DTYPES.items()}
# The type of the parts of an element, and how many it has.
_FOREIGN = {
    "complex64": ("f32", 2), "complex128": ("f64", 2),
    "float8_e4m3fn": ("u8", 1), "float8_e4m3fnuz": ("u8", 1), "float8_e5m2": ("u8", 1),
    "float8_e5m2fnuz": ("u8", 1), "float8_e8m0fnu": ("u8", 1),
}  # fmt: skip
# Kernels read whole cache lines, and some of them sum in another order where lines begin elsewhere.
_ALIGNMENT = 64


class Layout(NamedTuple):
    """How an array lies in memory; see `Layout` in src/capture.rs."""

    library: str
    dtype: str
    shape: list[int]
    memory: np.ndarray
    axes: list[int] | None
    foreign: str | None
    scalar: bool
    device: str
    address: int
    span: int


def lay_out(value: object) -> Layout | dict[str, Any]:
    """The layout of an array; the parts of a typed key of JAX. Raises TypeError with what to do instead."""
    if isinstance(value, (np.ndarray, np.generic)):
        return _numpy(value)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _torch(torch, value)
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(value, jax.Array):
        return _jax(jax, value)
    raise TypeError(_remedy(value))


def _types(name: str, shape: tuple[int, ...]) -> tuple[str, list[int], str | None]:
    """Element type and shape in the engine, and the type that they stand for, if that is another."""
    if name in _DTYPES:
        return _DTYPES[name], list(shape), None
    if name in _FOREIGN:
        engine, parts = _FOREIGN[name]
        return engine, [*shape, parts] if parts > 1 else list(shape), name
    raise TypeError(f"its elements are of type {name}, which is not kept; convert it to one of {', '.join(_DTYPES)}")


def _order(strides: tuple[int, ...]) -> list[int]:
    """The dimensions as they lie in memory: the outermost first."""
    return sorted(range(len(strides)), key=lambda axis: -strides[axis])


def _numpy(value: np.ndarray | np.generic) -> Layout:
    scalar = isinstance(value, np.generic)
    if not scalar and type(value) not in (np.ndarray, np.memmap):
        raise TypeError(f"it is a {type(value).__name__}, of which only the elements would come back; save numpy.asarray of it")
    if not value.dtype.isnative:
        raise TypeError("its bytes are in the order of another machine; save .astype(x.dtype.newbyteorder('='))")
    dtype, shape, foreign = _types(value.dtype.name, value.shape)
    array = np.asarray(value)
    device, address, span, axes = "cpu", 0, 0, None
    if not scalar and array.size:
        address, end = np.lib.array_utils.byte_bounds(array)
        span = end - address
    if not array.flags.c_contiguous:
        order = _order(array.strides)
        if array.transpose(order).flags.c_contiguous:
            axes, array = order, array.transpose(order)
            shape = _types(value.dtype.name, array.shape)[1]
        else:
            array = np.ascontiguousarray(array)
    return Layout("numpy", dtype, shape, _bytes(array), axes, foreign, scalar, device, address, span)


def _bytes(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1).view(np.uint8)


def _torch(torch: Any, value: Any) -> Layout:
    nn = torch.nn
    if type(value) not in (torch.Tensor, nn.Parameter, getattr(nn, "Buffer", nn.Parameter)):
        raise TypeError(
            f"it is a {type(value).__name__}, a tensor of a kind of its own; save plain tensors (x.full_tensor(), "
            "x.dequantize()), or a distributed state with rekindle.dcp"
        )
    if value.layout != torch.strided or value.is_quantized:
        raise TypeError(f"it is a tensor of layout {value.layout}; save x.to_dense(), or x.dequantize()")
    if value.device.type == "meta":
        raise TypeError("it is on the meta device and has no elements; make it before it is saved")
    tensor = value.detach()
    if tensor.is_conj() or tensor.is_neg():
        tensor = tensor.resolve_conj().resolve_neg()
    name = str(tensor.dtype).removeprefix("torch.")
    dtype, shape, foreign = _types(name, tuple(tensor.shape))
    address = span = 0
    if tensor.numel():
        last = sum((extent - 1) * stride for extent, stride in zip(tensor.shape, tensor.stride()))
        address, span = tensor.data_ptr(), (last + 1) * tensor.element_size()
    device, axes = str(tensor.device), None
    if tensor.device.type != "cpu":
        tensor = tensor.cpu()
    if not tensor.is_contiguous():
        order = _order(tensor.stride())
        permuted = tensor.permute(order)
        if permuted.is_contiguous():
            axes, tensor = order, permuted
            shape = _types(name, tuple(tensor.shape))[1]
        else:
            tensor = tensor.contiguous()
    memory = tensor.reshape(-1).view(torch.uint8).numpy()
    return Layout("torch", dtype, shape, memory, axes, foreign, False, device, address, span)


def _jax(jax: Any, value: Any) -> Layout | dict[str, Any]:
    if not value.is_fully_addressable:
        raise TypeError("it lies on devices of other processes; gather it first (multihost_utils.process_allgather)")
    if jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        return {"impl": str(jax.random.key_impl(value)), "data": jax.random.key_data(value)}
    array = np.ascontiguousarray(np.asarray(value))
    dtype, shape, foreign = _types(array.dtype.name, value.shape)
    # Arrays of JAX do not change, so that none shares its memory with another in a way that could be seen.
    return Layout("jax", dtype, shape, _bytes(array), None, foreign, False, "jax", 0, 0)


def _remedy(value: object) -> str:
    """Why a value cannot be saved, and what can be saved in its place."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    remedies = {
        "set": "a set has no order; save sorted(x)",
        "frozenset": "a set has no order; save sorted(x)",
        "range": "save list(x), or its start, stop and step",
        "bytearray": "save bytes(x)",
        "complex": "save its real and imaginary part, or numpy.complex128(x)",
        "collections.deque": "save list(x)",
        "collections.defaultdict": "its factory is code, which no checkpoint holds; save dict(x)",
        "torch.dtype": "save str(x)",
        "torch.device": "save str(x)",
        "torch.Size": "save tuple(x)",
        "torch._C.Generator": "save x.get_state()",
    }
    if name in remedies:
        return f"it is of type {name}: {remedies[name]}"
    if isinstance(value, np.random.Generator):
        return "it is a numpy.random.Generator: save x.bit_generator.state, and set that again"
    if isinstance(value, np.random.RandomState):
        return "it is a numpy.random.RandomState: save x.get_state(), and x.set_state(...) again"
    if isinstance(value, random.Random):
        return "it is a random.Random: save x.getstate(), and x.setstate(...) again"
    for base in (bool, int, float, str, bytes, dict, list, tuple):
        if isinstance(value, base):
            return f"it is of type {name}, which would come back as a plain {base.__name__}; save {base.__name__}(x)"
    if hasattr(value, "state_dict"):
        return f"it is of type {name}: save x.state_dict(), and load that again"
    if callable(value):
        return f"it is of type {name}: code is never saved; save what it is made from"
    return f"it is of type {name}, which has no place in a checkpoint; save its fields as a dict"


def room(count: int) -> np.ndarray:
    """Memory for so many bytes."""
    try:
        memory = np.empty(count + _ALIGNMENT, np.uint8)
    except (MemoryError, ValueError, OverflowError) as error:
        raise MemoryError(f"there is no memory for {count} bytes") from error
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + count]


def make(
    library: str,
    dtype: str,
    shape: tuple[int, ...],
    memory: np.ndarray,
    axes: list[int] | None,
    foreign: str | None,
    scalar: bool,
) -> Any:
    """An array of `library` in the memory of `memory`."""
    name = foreign or _NAMES[dtype]
    if foreign is not None and _FOREIGN[foreign][1] > 1:
        shape = shape[:-1]
    inverse = None if axes is None else [axes.index(axis) for axis in range(len(axes))]
    if library == "torch":
        torch = _imported("torch")
        tensor = torch.from_numpy(memory).view(getattr(torch, name)).reshape(shape)
        return tensor if inverse is None else tensor.permute(inverse)
    array = memory.view(_numpy_dtype(name)).reshape(shape)
    if inverse is not None:
        array = array.transpose(inverse)
    if scalar:
        return array[()]
    return _imported("jax.numpy").asarray(array) if library == "jax" else array


def _numpy_dtype(name: str) -> np.dtype:
    try:
        return np.dtype(name)
    except TypeError:
        return np.dtype(getattr(_imported("ml_dtypes"), name))


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise RekindleError(
            f"the checkpoint holds arrays that need {package}, which cannot be imported: {error}",
            f"pip install {package}",
        ) from error


def jax_key(parts: dict[str, Any]) -> Any:
    """A typed key of JAX."""
    return _imported("jax.random").wrap_key_data(parts["data"], impl=parts["impl"])


def place(like: Any, value: Any) -> Any:
    """`value`, with its tensors on the devices of those at the same places in `like`."""
    torch = sys.modules.get("torch")
    if torch is None:
        return value
    moved: dict[int, Any] = {}

    def walk(like: Any, value: Any) -> Any:
        if isinstance(value, torch.Tensor) and isinstance(like, torch.Tensor):
            if like.device == value.device:
                return value
            return moved.setdefault(id(value), value.to(like.device))
        if isinstance(value, dict) and isinstance(like, dict):
            for key in value:
                if key in like:
                    value[key] = walk(like[key], value[key])
        elif isinstance(value, (list, tuple)) and isinstance(like, (list, tuple)) and len(like) == len(value):
            return type(value)(walk(a, b) for a, b in zip(like, value))
        return value

    return walk(like, value)
