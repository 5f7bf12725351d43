"""Does a run still say what was sealed? Digests, the data, and the decision from the records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llmeval.core.errors import LlmevalError
from llmeval.core.leaf_differences import first_differences, leaf_differences
from llmeval.core.manifest import RecordFile
from llmeval.core.merkle import cases_root
from llmeval.core.seal import Seal, SealedFile
from llmeval.governance.canonical import record_digest
from llmeval.governance.recompute import TEXTS, recomputed
from llmeval.governance.seal import (
    BASELINE_COPY,
    COPIES,
    EARLIER,
    NEEDED,
    RECORDED,
    SEAL,
    read_seal,
    sealed_file,
)
from llmeval.store.compressed import SUFFIX
from llmeval.store.directory import SUMMARY, RunDir


@dataclass(frozen=True, slots=True)
class SealCheck:
    """What the check of a seal shows. `problems`: what does not match, in words, each with its
    file; empty where all does.
    """

    seal: Seal
    problems: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The digest of the seal, as hex."""
        return record_digest(self.seal)

    @property
    def verified(self) -> bool:
        """Whether all matches."""
        return not self.problems


def check_seal(run: Path, *, records_are_checked: bool = False) -> SealCheck:
    """Hold a run against its seal: each file, the cases, and the decision.

    Nothing is asked of a network, a model or the suite.

    Args:
        run: its directory.
        records_are_checked: the caller reads the records, checks them against the manifest and
            computes the decision. They are then not read here: the seal is held against the
            digests of the manifest.

    Raises:
        StoreError: the run or its seal can't be read.
    """
    seal = read_seal(run)
    stated = (RunDir(run).manifest().records or {}) if records_are_checked else {}
    problems = [*_structure(run, seal), *_files(run, seal, stated)]
    if not problems:  # the decision of changed records says nothing
        problems = list(_stated(run, seal))
        if not records_are_checked:
            problems += _decision(run, seal)
    return SealCheck(seal, (*problems, *_earlier(run, seal)))


def _structure(run: Path, seal: Seal) -> Iterator[str]:
    names = [file.path for file in seal.files]
    plain = [name.removesuffix(SUFFIX) for name in names]
    for name in NEEDED:
        if name not in plain:
            yield f"{SEAL}: does not cover {name}"
    if len(set(plain)) != len(plain):
        yield f"{SEAL}: names a file twice"
    for name in RECORDED:
        if name not in names and (run / name).exists():
            yield f"{name}: is in the directory, and {SEAL} does not cover it"
    for name in names:
        if name not in RECORDED and name not in COPIES:
            yield f"{name}: {SEAL} names it, and it is not a file that llmeval seals"
    if seal.baseline is not None and seal.baseline not in names:
        yield f"{SEAL}: does not cover the baseline {seal.baseline}"
    if seal.baseline not in (None, BASELINE_COPY):
        yield f"{SEAL}: names {seal.baseline} as the baseline, which can only be {BASELINE_COPY}"


def _files(run: Path, seal: Seal, stated: Mapping[str, RecordFile]) -> Iterator[str]:
    """Files that are not what was sealed. `stated`: records that are not read."""
    for file in seal.files:
        record = stated.get(file.path)
        if record is not None and record.sha256 == file.sha256:
            continue
        problem = _file_problem(run, file)
        if problem:
            yield f"{file.path}: {problem}"


def _file_problem(run: Path, file: SealedFile) -> str:
    if not is_inside(file.path):
        return "the path leaves the directory"
    path = run / file.path
    if any(
        part.is_symlink() for part in (path, *path.parents) if part != run and run in part.parents
    ):
        return "is a link; a sealed file is never one"
    if not path.is_file():
        return "is missing"
    actual = sealed_file(path, file.path)
    if actual == file:
        return ""
    advice = " (`llmeval seal --again` seals a run with new labels)" if file.path == SUMMARY else ""
    return (
        f"was changed after the run was sealed: {actual.bytes:,} bytes, sha256"
        f" {actual.sha256[:12]}..; sealed were {file.bytes:,} bytes, sha256"
        f" {file.sha256[:12]}..{advice}"
    )


def is_inside(path: str) -> bool:
    """Whether a path with `/` stays in the folder that it is relative to, on every system."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not path.startswith("/")
        and ".." not in parts
        and not set(path) & set("\\:\0")
    )


def _stated(run: Path, seal: Seal) -> Iterator[str]:
    """What the seal says about the run, next to what the run says."""
    directory = RunDir(run)
    manifest = directory.manifest()
    if (manifest.run_id, manifest.suite) != (seal.run_id, seal.suite):
        yield (
            f"{SEAL}: is of run {seal.run_id} of {seal.suite}, the manifest of {manifest.run_id} of"
            f" {manifest.suite}"
        )
    summary = directory.summary()
    stated = (summary.gate.decision, int(summary.gate.exit_code))
    if stated != (seal.decision, seal.exit_code):
        yield f"{SEAL}: says {seal.decision}, {SUMMARY} says {summary.gate.decision}"


def _decision(run: Path, seal: Seal) -> Iterator[str]:
    """What the records come to."""
    directory = RunDir(run)
    summary = directory.summary()
    if cases_root((case.id, case.digest) for case in directory.outlines()) != seal.cases_root:
        yield f"{SEAL}: cases_root does not fit cases.jsonl"
    try:
        now = recomputed(run, seal)
    except LlmevalError as error:
        yield f"the decision can't be computed from the records: {error}"
        return
    differing = leaf_differences(summary, now, TEXTS)
    if differing:
        yield (
            f"{SUMMARY}: the records come to something else: {first_differences(differing)}. Use"
            f" llmeval {seal.llmeval}, which sealed the run, to see whether the version matters"
        )


def _earlier(run: Path, seal: Seal) -> Iterator[str]:
    """The seals before this one, back to the first."""
    from llmeval.core.seal import SEAL_SCHEMA
    from llmeval.governance.canonical import read_strict

    seen = {record_digest(seal)}
    previous = seal.previous
    while previous is not None:
        name = f"{EARLIER}/{previous}.json"
        if previous in seen:
            yield f"{name}: the seals form a circle"
            return
        seen.add(previous)
        if not (run / name).is_file():
            yield f"{name}: is missing; the seal names it as the one before"
            return
        before = read_strict(run / name, Seal, SEAL_SCHEMA)
        if record_digest(before) != previous or before.run_id != seal.run_id:
            yield f"{name}: is not the seal that the later one names"
            return
        previous = before.previous
