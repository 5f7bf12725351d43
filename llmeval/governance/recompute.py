"""The decision of a sealed run, computed again from its sealed records alone."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import msgspec
from msgspec import structs

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.errors import StoreError
from llmeval.core.files import PRIVATE, write_atomically
from llmeval.core.manifest import Manifest
from llmeval.core.results import Summary
from llmeval.core.seal import Seal
from llmeval.gate.summary import summarise
from llmeval.governance.seal import COPIES, INPUTS, RECORDED, SEAL
from llmeval.store.directory import SUMMARY, RunDir

TEXTS = ("reason", "remarks")
"""Sentences for people. They name paths, which differ where a run was moved. They follow from the
values that are compared.
"""


def recomputed(run: Path, seal: Seal) -> Summary:
    """What the sealed records come to. No suite is read, no model is called, nothing is written
    into the run's directory.

    Raises:
        LlmevalError: the records can't be read.
    """
    with _sealed_copy(run, seal) as copy:
        directory = RunDir(copy)
        return summarise(directory, _manifest(copy, directory.manifest(), seal))


@contextmanager
def _sealed_copy(run: Path, seal: Seal) -> Iterator[Path]:
    """A folder with the sealed files alone, the copies of people's labels at their places."""
    folder = Path(tempfile.mkdtemp(prefix="llmeval-verify-"))
    try:
        for file in seal.files:
            if (file.path in RECORDED and file.path != SUMMARY) or file.path in COPIES:
                _linked(run / file.path, folder / file.path.removeprefix(f"{INPUTS}/"))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _linked(source: Path, place: Path) -> None:
    """The same file under another name, without a copy where the system can do that."""
    try:
        os.symlink(source.resolve(), place)
    except OSError:
        shutil.copyfile(source, place)


def _manifest(folder: Path, manifest: Manifest, seal: Seal) -> Manifest:
    """The manifest, with the sealed lock file as its baseline."""
    regression = manifest.gate.regression
    if regression is None or regression.baseline is None:
        return manifest
    if seal.baseline is None:
        place = folder / "no-baseline.lock.json"
    else:
        place = folder / Path(seal.baseline).name
        _still_valid(place, _day_of(seal))
    regression = structs.replace(regression, baseline=str(place))
    return structs.replace(manifest, gate=structs.replace(manifest.gate, regression=regression))


def _day_of(seal: Seal) -> date:
    try:
        return date.fromisoformat(seal.sealed_at[:10])
    except ValueError:
        raise StoreError(f"{SEAL}: sealed_at is not a time: {seal.sealed_at!r}") from None


def _still_valid(place: Path, sealed_on: date) -> None:
    """Take the last day from an approval that was valid when the run was sealed: the decision is of
    that day. The digest of a lock file leaves out this date.
    """
    lock = msgspec.json.decode(place.read_bytes(), type=BaselineLock)
    approved = lock.approved
    if approved is None or approved.expires is None or lock.expired(sealed_on):
        return
    text = msgspec.json.decode(place.read_bytes())
    text["approved"]["expires"] = None
    place.unlink()
    write_atomically(place, msgspec.json.encode(text), mode=PRIVATE)
