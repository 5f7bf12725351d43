"""Adapters (LoRA) in PEFT's format: a folder with `adapter_config.json` and
`adapter_model.safetensors`, merged into its base in memory.

W' = W + s B A, with s = alpha / r, or alpha / sqrt(r) where the adapter says `use_rslora`.
Source: E. Hu et al., LoRA (2021), section 4.1. What this module can't merge exactly is refused.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmeval.core.errors import ModelError
from llmeval.core.records import digest

if TYPE_CHECKING:
    from torch import Tensor

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
_KEY = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])(\.default)?\.weight$")
_NOT_WEIGHTS = (
    "auto_mapping", "base_model_name_or_path", "inference_mode", "peft_version", "revision",
)  # fmt: skip
"""Keys of the configuration that do not change what is merged."""
_REFUSED = (
    "alora_invocation_tokens", "exclude_modules_weights", "fan_in_fan_out", "layer_replication",
    "lora_bias", "megatron_config", "modules_to_save", "target_parameters",
    "trainable_token_indices",
)  # fmt: skip
_CHANGED_BASES = ("pissa", "olora", "corda", "loftq")
"""Kinds of `init_lora_weights` that change the base's own weights too."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter's folder. `base`: as its configuration names it. `config`: the whole of that."""

    folder: Path
    base: str
    config: Mapping[str, object]

    @property
    def base_folder(self) -> Path | None:
        """The base's folder, looked up from the adapter's; None for another name."""
        named = Path(self.base).expanduser()
        return next(
            (place for place in (self.folder / named, named) if (place / "config.json").is_file()),
            None,
        )

    @property
    def config_digest(self) -> str:
        """sha256 (hex) of what the configuration says about the merge; not of the base's place."""
        kept = {key: value for key, value in self.config.items() if key not in _NOT_WEIGHTS}
        return digest(kept).removeprefix("sha256:")


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter."""
    return (folder / ADAPTER_CONFIG).is_file()


def read_adapter(folder: Path) -> Adapter:
    """The adapter of a folder.

    Raises:
        ModelError: its configuration is not one, or asks for what can't be merged exactly.
    """
    path = folder / ADAPTER_CONFIG
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path, f"can't be read: {error}") from None
    if not isinstance(config, dict):
        raise _unusable(path, "is not an object")
    base = config.get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise _unusable(path, "names no base: base_model_name_or_path")
    if config.get("peft_type") != "LORA":
        raise _unusable(path, f"peft_type is {config.get('peft_type')}; only LORA can be merged")
    if config.get("bias", "none") != "none":
        raise _unusable(path, f"bias is {config['bias']}; only `none` can be merged")
    refused = [
        key
        for key, value in config.items()
        if value and (key in _REFUSED or (key.startswith("use_") and key != "use_rslora"))
    ]
    if refused:
        raise _unusable(path, f"{refused[0]} is set; merge the adapter with PEFT instead")
    start = str(config.get("init_lora_weights", "")).lower()
    if start.startswith(_CHANGED_BASES):
        raise _unusable(path, f"init_lora_weights is {start}, which changes the base too")
    if not (folder / ADAPTER_WEIGHTS).is_file():
        raise ModelError(f"{folder.name}: there is no {ADAPTER_WEIGHTS}", kind="config")
    return Adapter(folder, base, config)


def merge(model: Any, adapter: Adapter) -> None:
    """Add an adapter to the weights of its base, in place. Each product is computed in float32.

    Raises:
        ModelError: a tensor of the adapter does not fit the base. No tensor is left out.
    """
    import torch

    pairs = _pairs(adapter)
    with torch.no_grad():
        for module, (down, up) in sorted(pairs.items()):
            weight = _weight(model, module, adapter)
            rank = down.shape[0]
            if (up.shape[1], up.shape[0], down.shape[1]) != (rank, *weight.shape):
                raise _unusable(
                    adapter.folder / ADAPTER_WEIGHTS,
                    f"{module} is {tuple(up.shape)} x {tuple(down.shape)}, and the base has"
                    f" {tuple(weight.shape)}: it is an adapter of another base",
                )
            change = _scale(adapter, module, rank) * (up.float() @ down.float())
            weight.copy_((weight.float() + change.to(weight.device)).to(weight.dtype))


def _pairs(adapter: Adapter) -> "dict[str, tuple[Tensor, Tensor]]":
    """(A, B) by module."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = adapter.folder / ADAPTER_WEIGHTS
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise _unusable(path, f"can't be read: {error}") from None
    sides: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        match = _KEY.match(name)
        if match is None or tensor.ndim != 2:
            raise _unusable(path, f"{name} can't be merged; merge the adapter with PEFT instead")
        sides.setdefault(match["module"], {})[match["side"]] = tensor
    if not sides:
        raise _unusable(path, "holds no weights of LoRA")
    alone = next((name for name, both in sides.items() if len(both) < 2), None)
    if alone is not None:
        raise _unusable(path, f"{alone} has lora_A or lora_B alone")
    return {name: (both["A"], both["B"]) for name, both in sides.items()}


def _weight(model: Any, module: str, adapter: Adapter) -> "Tensor":
    import torch

    try:
        inner = model.get_submodule(module)
    except AttributeError:
        inner = None
    if not isinstance(inner, torch.nn.Linear):
        raise _unusable(
            adapter.folder / ADAPTER_WEIGHTS,
            f"{module} is not a linear map of the base: it is an adapter of another base",
        )
    return inner.weight


def _scale(adapter: Adapter, module: str, rank: int) -> float:
    config = adapter.config
    stated = _patterned(config, "rank_pattern", module, config.get("r"))
    alpha = _patterned(config, "alpha_pattern", module, config.get("lora_alpha"))
    if stated != rank or not isinstance(alpha, int | float):
        raise _unusable(
            adapter.folder / ADAPTER_CONFIG,
            f"says rank {stated} and lora_alpha {alpha} of {module}, whose weights have {rank}",
        )
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _patterned(config: Mapping[str, object], key: str, module: str, default: object) -> object:
    """A module's own value. PEFT matches the patterns with the end of the module's name."""
    patterns = config.get(key)
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return default


def _unusable(path: Path, why: str) -> ModelError:
    return ModelError(f"{path.parent.name}/{path.name}: {why}", kind="config")
