"""Whether the weights of two models fit into memory together. If not, the candidate is freed before
the judge is loaded.
"""

import json
import math
import struct
from collections.abc import Iterable
from pathlib import Path

from llmeval.models.local.engine_pool import WeightsKey
from llmeval.models.local.weights import base_of

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
SPARE = 1.25
"""Memory use in proportion to the weights, with keys and values, activations and gaps of the
allocator.
"""


def fit_together(keys: Iterable[WeightsKey], free: int | None = None) -> bool:
    """Whether all these models can be loaded at once. Each device is considered alone.

    Args:
        keys: the models to load; equal keys are loaded once.
        free: free bytes of each device; None measures them.
    """
    needed: dict[str, float] = {}
    for key in set(keys):
        needed[key.device] = needed.get(key.device, 0.0) + SPARE * weights_size(
            base_of(key.folder), key.dtype
        )
    return all(
        size <= (available(device) if free is None else free) for device, size in needed.items()
    )


def weights_size(folder: Path, dtype: str) -> int:
    """Bytes of a model's weights after loading as `dtype`. They are counted from the headers of its
    safetensors files; without these, the size of its .bin files counts.
    """
    elements = sum(_elements(path) for path in folder.glob("*.safetensors"))
    if elements:
        return elements * BYTES.get(dtype, 4)
    return sum(path.stat().st_size for path in folder.glob("*.bin"))


def available(device: str) -> int:
    """Free bytes of a device."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(
            int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")
        )
    except (OSError, StopIteration, ValueError):
        return 2**63  # not Linux: no figure, and the operating system can swap


def _elements(path: Path) -> int:
    """The count of numbers in a safetensors file. Its format: eight bytes of length, then a JSON
    header with every tensor's shape.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(
        math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__"
    )
