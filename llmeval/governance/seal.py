"""Write the seal of a complete run, and the copies that its decision can be computed from later."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from llmeval import __version__
from llmeval.core.errors import LlmevalError, StoreError, UsageError
from llmeval.core.files import write_atomically
from llmeval.core.manifest import Manifest
from llmeval.core.merkle import cases_root
from llmeval.core.records import utc_now
from llmeval.core.seal import SEAL_SCHEMA, Seal, SealedFile
from llmeval.gate.baseline import lock_bytes, read_any
from llmeval.governance.canonical import read_strict, record_digest, sha256_of, shown_bytes
from llmeval.store.compressed import SUFFIX
from llmeval.store.directory import (
    ANSWERS,
    ATTEMPTS,
    CASES,
    LABELS,
    MANIFEST,
    RECORDS,
    SCORES,
    SUMMARY,
    RunDir,
)
from llmeval.store.draws import DRAWS
from llmeval.store.labels import BASELINE_LABELS, label_lines
from llmeval.store.people_files import files_of
from llmeval.store.record_lines import COMPRESSED, check_file

SEAL, EARLIER, INPUTS = "seal.json", "seals", "inputs"
"""The seal, the folder of earlier seals, and the folder of the copies."""
BASELINE_COPY = f"{INPUTS}/baseline.lock.json"
NEEDED = (MANIFEST, CASES, ANSWERS, SCORES, SUMMARY)
"""Every seal covers these. A file of records may be compressed."""
RECORDED = (*RECORDS, *COMPRESSED, MANIFEST, SUMMARY, ATTEMPTS)
"""What llmeval writes and nobody edits. Each of these that exists is sealed, as the bytes that are
on the disk.
"""
PEOPLE = (LABELS, BASELINE_LABELS, DRAWS)
"""People go on labelling, so a copy of these is sealed and the files themselves are not."""
COPIES = (*(f"{INPUTS}/{name}" for name in PEOPLE), BASELINE_COPY)
"""The copies that a decision can rest on. A seal that names another one is refused: a copy with the
name of a record would replace the record when the decision is computed again.
"""


class SealedRun(NamedTuple):
    """The seal of a run, and whether this call wrote it."""

    seal: Seal
    written: bool

    @property
    def digest(self) -> str:
        """The digest that approvals and statements name."""
        return record_digest(self.seal)


def seal_run(
    path: Path,
    inputs: Iterable[tuple[str, Path]] = (),
    authors: tuple[str, ...] = (),
    root: str | None = None,
) -> SealedRun:
    """Seal a complete run. A seal that still fits is kept; another one becomes its `previous`.

    Args:
        path: the run's directory.
        inputs: the files of the suite: a name for each, and where it is.
        authors: as `authors.authors_of`; empty: those of the seal before, if there is one.
        root: the root of the cases, of a run whose records this process has just read and
            checked: they are then not read again. None: all records are read.

    Raises:
        UsageError: the run is not complete.
        StoreError: a record was changed, or the directory can't be written.
    """
    run = RunDir(path)
    manifest = run.manifest()
    if manifest.status != "complete" or manifest.is_part or not run.has_summary():
        part = "a partial run" if manifest.selection is not None else manifest.status
        what = "a shard" if manifest.shard is not None else part
        raise UsageError(
            f"{path} can't be sealed: the run is {what}. Finish it with the same command, and seal"
            " it then"
        )
    for folder in (INPUTS, EARLIER):
        _refuse_link(path / folder)
    summary = run.summary()
    before = read_seal(path) if (path / SEAL).exists() else None
    copied = [*_copy_labels(path), *_copy_baseline(path, manifest)]
    names = [name for name in RECORDED if (path / name).exists()] + copied
    checked = {} if root is None else manifest.records or {}
    files = tuple(
        SealedFile(path=name, sha256=checked[name].sha256, bytes=(path / name).stat().st_size)
        if name in checked
        else sealed_file(path / name, name)
        for name in sorted(names)
    )
    _refuse_changed(run, manifest, files, unpack=root is None)
    seal = Seal(
        run_id=manifest.run_id,
        suite=manifest.suite,
        files=files,
        inputs=_inputs(inputs) or (() if before is None else before.inputs),
        baseline=BASELINE_COPY if BASELINE_COPY in copied else None,
        cases_root=root or cases_root((case.id, case.digest) for case in run.outlines()),
        decision=summary.gate.decision,
        exit_code=int(summary.gate.exit_code),
        sealed_at=utc_now(),
        llmeval=__version__,
        authors=authors or (() if before is None else before.authors),
        previous=None if before is None else record_digest(before),
    )
    if before is not None:
        if _content(before) == _content(seal):
            return SealedRun(before, False)
        kept = path / EARLIER / f"{record_digest(before)}.json"
        write_atomically(kept, shown_bytes(before))
    write_atomically(path / SEAL, shown_bytes(seal))
    return SealedRun(seal, True)


def read_seal(path: Path) -> Seal:
    """The seal of a run's directory.

    Raises:
        StoreError: there is none, or it can't be read.
    """
    return read_strict(path / SEAL, Seal, SEAL_SCHEMA)


def sealed_file(path: Path, name: str) -> SealedFile:
    """A file's digest and size, under a name.

    Raises:
        StoreError: it can't be read.
    """
    import hashlib

    from llmeval.core.files import store_error

    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
                size += len(part)
    except OSError as error:
        raise store_error(path, error) from None
    return SealedFile(path=name, sha256=digest.hexdigest(), bytes=size)


def _refuse_changed(
    run: RunDir, manifest: Manifest, files: Iterable[SealedFile], *, unpack: bool
) -> None:
    """Refuse records that are not those of the manifest. `unpack`: compare compressed files too,
    whose content was not just read.

    Raises:
        StoreError: names the file, and the line where it can.
    """
    stated = manifest.records or {}
    for file in files:
        name = file.path.removesuffix(SUFFIX)
        if name not in RECORDS:
            continue
        if name not in stated or (name == file.path and stated[name].sha256 != file.sha256):
            run.verify()
            raise UsageError(f"{run.path / file.path}: is not the file that the manifest names")
        if name != file.path and unpack:
            check_file(run.path / name, stated[name])


def _content(seal: Seal) -> tuple[object, ...]:
    """What of a seal says something about the run."""
    return (
        seal.run_id,
        seal.suite,
        seal.files,
        seal.inputs,
        seal.authors,
        seal.cases_root,
        seal.decision,
    )


def _refuse_link(path: Path) -> None:
    """Refuse a link, which could lead out of the run's directory.

    Raises:
        StoreError: it is one.
    """
    if path.is_symlink():
        raise StoreError(f"{path}: is a link, and a run is sealed without links. Remove it")


def _inputs(named: Iterable[tuple[str, Path]]) -> tuple[SealedFile, ...]:
    return tuple(sealed_file(path, name) for name, path in sorted(named))


def _copy_labels(run: Path) -> list[str]:
    """Copies of what people said so far: the decision may rest on it."""
    copied = []
    for name in PEOPLE:
        place = f"{INPUTS}/{name}"
        _refuse_link(run / name)
        if files_of(run / name):
            write_atomically(run / place, label_lines(run / name))
            copied.append(place)
        else:
            (run / place).unlink(missing_ok=True)
    return copied


def _copy_baseline(run: Path, manifest: Manifest) -> list[str]:
    """The lock file that the run was compared with; of a run's directory, its values as a lock
    file. Without a baseline that can be read the run says INVALID, and there is nothing to copy.
    """
    copy = run / BASELINE_COPY
    try:
        if manifest.baseline is not None and Path(manifest.baseline).exists():
            write_atomically(copy, lock_bytes(read_any(Path(manifest.baseline))))
            return [BASELINE_COPY]
    except LlmevalError:
        pass
    copy.unlink(missing_ok=True)
    return []


def digest_of_file(path: Path) -> str:
    """The sha256 of a file's bytes, as hex."""
    return sha256_of(path.read_bytes())
