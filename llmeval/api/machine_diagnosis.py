"""What `llmeval doctor` checks on this machine.

Python, packages, terminal, disk, cache and the bundled model.
"""

import functools
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from llmeval import __version__
from llmeval.core.errors import LlmevalError, install_hint

_EXTRAS = {
    "local": (("torch", "transformers", "gguf"), "local weights"),
    "data": (("datasets", "pandas"), "Parquet, hf:// and data frames"),
    "postgres": (("psycopg",), "the history of a team on PostgreSQL"),
    "openai": (("openai",), "`client:`, an OpenAI client of your own"),
    "harper": (("harper",), "English grammar in `punctuation`"),
    "code": (("tree_sitter",), "`code` in languages other than Python"),
}
_LEAST = (3, 11)
_LEAST_FREE = 500 * 10**6


@dataclass(frozen=True)
class Diagnosis:
    """The result of one check of the machine or the suite."""

    what: str
    state: Literal["ok", "note", "bad"]
    """`bad`: a run is not possible. `note`: a run is possible, with a restriction."""
    detail: str
    fix: str = ""
    """What to do about it. Empty when the state is `ok`."""


def diagnose_machine(reports: Path) -> Iterator[Diagnosis]:
    """The checks that need no suite."""
    yield _python()
    yield from _extras()
    yield _terminal()
    yield _folder("home", _home(), "set LLMEVAL_HOME to a folder that you may write to")
    yield _folder(
        "reports",
        reports,
        "name another with --reports, or change into a folder that you may write to",
    )
    yield _cache()
    yield _history(reports)
    yield _bundled()


def _history(reports: Path) -> Diagnosis:
    """Which database of past runs is used: pages and lists of another one would be empty."""
    from llmeval.history.opening import address, is_server, open_store
    from llmeval.history.postgres import without_password

    name = without_password(address()) if is_server() else address()
    try:
        open_store(reports.resolve()).close()
    except LlmevalError as error:
        fix = "`llmeval history index` adds the runs that it lacks, when it can be used again"
        return Diagnosis("history", "note", str(error), fix)
    return Diagnosis("history", "ok", name)


def _python() -> Diagnosis:
    version = (
        f"llmeval {__version__} on Python {platform.python_version()}, {platform.system()}"
        f" {platform.machine()}"
    )
    if sys.version_info[:2] < _LEAST:
        return Diagnosis("python", "bad", version, "install Python 3.11 or newer")
    return Diagnosis("python", "ok", version)


def _extras() -> Iterator[Diagnosis]:
    for extra, (modules, use) in _EXTRAS.items():
        missing = [name for name in modules if find_spec(name) is None]
        if missing:
            message = f"not installed ({', '.join(missing)}): {use}"
            yield Diagnosis(
                f"extra {extra}", "note", message, f"if you need it: {install_hint(extra)}"
            )
        else:
            yield Diagnosis(
                f"extra {extra}", "ok", ", ".join(f"{name} {_version(name)}" for name in modules)
            )


@functools.cache
def _version(module: str) -> str:
    try:
        return version({"harper": "harper-py", "tree_sitter": "tree-sitter"}.get(module, module))
    except PackageNotFoundError:
        return ""


def _terminal() -> Diagnosis:
    encoding = (sys.stdout.encoding or "").lower()
    size = shutil.get_terminal_size().columns
    text = f"{encoding or 'no encoding'}, {size} columns" + (
        "" if sys.stdout.isatty() else ", not a terminal"
    )
    if "utf" not in encoding:
        return Diagnosis(
            "terminal", "note", text, "answers in other scripts need UTF-8: export PYTHONUTF8=1"
        )
    if sys.stdout.isatty() and size < 80:
        return Diagnosis("terminal", "note", text, "tables need 80 columns")
    return Diagnosis("terminal", "ok", text)


def _home() -> Path:
    from llmeval.core.resources import home

    return home()


def _folder(what: str, path: Path, fix: str) -> Diagnosis:
    """Whether a folder, or the nearest one above that exists, can be written and has room."""
    there = next(
        folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists()
    )
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Diagnosis(what, "bad", f"{path} can't be written", fix)
    free = shutil.disk_usage(there).free
    text = f"{path}, {free / 1e9:.1f} GB free"
    if free < _LEAST_FREE:
        return Diagnosis(what, "bad", text, f"free some space, or {fix}")
    return Diagnosis(what, "ok", text)


def _cache() -> Diagnosis:
    from llmeval.models.client.cache import Cache

    try:
        cache = Cache(_home())
        cache_stats = cache.stats()
        cache.close()
    except LlmevalError as error:
        return Diagnosis("cache", "bad", str(error), "`llmeval run --no-cache` does without it")
    return Diagnosis(
        "cache", "ok", f"{cache_stats.replies:,} replies, {cache_stats.bytes / 2**20:.1f} MiB"
    )


def _bundled() -> Diagnosis:
    from llmeval.models.local import pull

    here = [model.name for model in pull.available() if pull.is_pulled(model.name)]
    if here:
        return Diagnosis("bundled model", "ok", ", ".join(here))
    return Diagnosis(
        "bundled model",
        "note",
        "not on this machine yet",
        "fetched when first used, or: llmeval models pull",
    )
