"""How states are computed: what checkpoints say of it. No part of the state."""

from __future__ import annotations

import platform
import sys
from typing import Any


def environment() -> dict[str, str]:
    """Versions of Python and of the array libraries that the program uses, and what of them changes bits."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "torch", "jax"):
        version = getattr(sys.modules.get(name), "__version__", None)
        if version is not None:
            found[name] = str(version)
    torch = sys.modules.get("torch")
    return found | _of_torch(torch) if hasattr(torch, "get_num_threads") else found


def _of_torch(torch: Any) -> dict[str, str]:
    found = {
        "torch threads": str(torch.get_num_threads()),
        "torch kernels": torch.backends.cpu.get_cpu_capability(),
        "torch deterministic": str(torch.are_deterministic_algorithms_enabled()),
        "torch matmul precision": torch.get_float32_matmul_precision(),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        cuda = torch.backends.cuda
        attention = {
            "flash": cuda.flash_sdp_enabled(),
            "memory efficient": cuda.mem_efficient_sdp_enabled(),
            "math": cuda.math_sdp_enabled(),
        }
        found |= {
            "cuda": str(torch.version.cuda),
            "cuda device": torch.cuda.get_device_name(),
            "cudnn benchmark": str(torch.backends.cudnn.benchmark),
            "attention": ", ".join(name for name, enabled in attention.items() if enabled),
        }
    return found
