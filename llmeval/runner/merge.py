"""Merges the shards of one run: they are checked first, then their records are joined into one run
directory.

Values of the whole run (rules, quarantine, results of the judges' attacks and anchors) are taken
from shard 1.
"""

import hashlib
import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs

from llmeval.core.checksums import digest_number, digest_of_sum
from llmeval.core.errors import StoreError
from llmeval.core.files import PRIVATE, store_error, write_atomically
from llmeval.core.manifest import (
    Digests,
    Manifest,
    RecordFile,
    ShardOrigin,
    ShardRecord,
    SoftwareRecord,
)
from llmeval.runner.manifest import new_run_id
from llmeval.store.compressed import LIMIT, compressed, frames
from llmeval.store.directory import JUDGE_PROBES, MANIFEST, RECORDS, RunDir
from llmeval.store.record_lines import size_of
from llmeval.store.writer import write_manifest

_NAMED = 5
_SAME = ("llmeval", "environment", "repeats", "seed")


@dataclass(frozen=True)
class ShardRun:
    """One shard, with its run directory."""

    run: RunDir
    manifest: Manifest

    shard: ShardRecord
    """Its shard record."""

    @property
    def index(self) -> int:
        """Its number, from 1."""
        return self.shard.index

    def __str__(self) -> str:
        return f"shard {self.index} of {self.shard.of} ({self.run.path})"


def find_parts(folders: Iterable[Path]) -> list[ShardRun]:
    """The shards at these directories, or at most two levels below them, by number.

    Raises:
        StoreError: one of them contains no shard, or a run that is not a shard.
    """
    parts = {}
    for folder in folders:
        shards = [
            path for depth in ("", "*/", "*/*/") for path in sorted(folder.glob(depth + MANIFEST))
        ]
        if not shards:
            raise StoreError(f"{folder}: there is no run directory here")
        for path in shards:
            run = RunDir(path.parent)
            manifest = run.manifest()
            if manifest.shard is None:
                raise StoreError(
                    f"{run.path}: a whole run, not a shard: it was not made with `run --shard i/N`"
                )
            parts[path.resolve()] = ShardRun(run, manifest, manifest.shard)
    return sorted(parts.values(), key=lambda part: part.index)


def check_parts(parts: Sequence[ShardRun]) -> None:
    """Check that all shards of one run exist once and ended, and that every case is in exactly one
    of them.

    Raises:
        StoreError: the check fails; names what is missing, duplicate or different, and the fix.
    """
    for part in parts:
        part.run.verify()
    first = parts[0]
    for part in parts[1:]:
        _check_same(first, part)
    of, held = first.shard.of, [part.index for part in parts]
    for one, next_ in itertools.pairwise(parts):
        if one.index == next_.index:
            raise StoreError(f"{one} and {next_} are the same shard; name only one of them")
    if absent := sorted(set(range(1, of + 1)) - set(held)):
        missing = ", ".join(f"{index}/{of}" for index in absent)
        raise StoreError(
            f"missing: shard {missing}; run each with `llmeval run SUITE --shard i/{of}`"
        )
    for part in parts:
        if part.manifest.status != "complete":
            raise StoreError(
                f"{part} is {part.manifest.status}; end it first: llmeval run"
                f" {part.manifest.suite_file} --shard {part.index}/{of} --out {part.run.path}"
            )
    _check_cases(parts)


def _check_same(first: ShardRun, other: ShardRun) -> None:
    one, two = first.shard, other.shard
    differing = [name for name in ("of", "n") if getattr(one, name) != getattr(two, name)]
    differing += [
        field.name
        for field in structs.fields(Digests)
        if getattr(one.digests, field.name) != getattr(two.digests, field.name)
    ]
    differing += [name for name in _SAME if _stated(first, name) != _stated(other, name)]
    if differing:
        names = ", ".join(
            {"of": "number of shards", "n": "number of cases"}.get(name, name) for name in differing
        )
        raise StoreError(f"{first} and {other} are not of the same run; they differ in: {names}")


def _stated(part: ShardRun, name: str) -> Any:
    value = getattr(part.manifest, name)
    return value.version if isinstance(value, SoftwareRecord) else value


def _check_cases(parts: Sequence[ShardRun]) -> None:
    """Check that every case of the suite is in exactly one shard."""
    seen: dict[int, int] = {}  # numbers, not texts: a third of the memory
    total = 0
    for number, part in enumerate(parts):
        for case in part.run.outlines():
            key = int.from_bytes(hashlib.blake2b(case.id.encode(), digest_size=8).digest())
            before = len(seen)
            first = seen.setdefault(key, number)
            if first != number:
                raise StoreError(f"case {case.id} is in {parts[first]} and in {part}")
            if len(seen) > before:
                total += digest_number(case.digest)
    expected = parts[0].shard
    if len(seen) != expected.n or digest_of_sum(total) != expected.digests.cases:
        short = [
            f"{part} has {sum(1 for _ in part.run.cases()):,} of {part.manifest.cases.n:,} cases"
            for part in parts
            if sum(1 for _ in part.run.cases()) != part.manifest.cases.n
        ]
        differences = "; ".join(short[:_NAMED]) or "their content differs from the suite"
        raise StoreError(f"the shards have {len(seen):,} of {expected.n:,} cases: {differences}")


def merged_manifest(parts: Sequence[ShardRun]) -> Manifest:
    """The manifest of the whole run."""
    base = parts[0].manifest
    manifests = [part.manifest for part in parts]
    return structs.replace(
        base,
        shard=None,
        run_id=new_run_id(),
        started=min(manifest.started for manifest in manifests),
        ended=max(manifest.ended or "" for manifest in manifests),
        unfinished_calls=_sums(manifest.unfinished_calls for manifest in manifests),
        wall_s=max(manifest.wall_s or 0.0 for manifest in manifests),
        digests=parts[0].shard.digests,
        cases=structs.replace(base.cases, n=parts[0].shard.n),
        candidate=structs.replace(
            base.candidate,
            returned_models=_united(each.candidate.returned_models for each in manifests),
            fingerprints=_united(each.candidate.fingerprints for each in manifests),
        ),
        sessions=tuple(
            sorted(
                (session for manifest in manifests for session in manifest.sessions),
                key=lambda session: session.started,
            )
        ),
        command=tuple(sys.argv),
        merged_from=tuple(_origin(part) for part in parts),
    )


def _sums(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _united(names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted(set(itertools.chain.from_iterable(names))))


def _origin(part: ShardRun) -> ShardOrigin:
    manifest = part.manifest
    hosts = {name: judge.host for name, judge in manifest.judges.items()}
    return ShardOrigin(
        shard=str(part.index),
        run_id=manifest.run_id,
        cases=manifest.cases.n,
        started=manifest.started,
        ended=manifest.ended,
        wall_s=manifest.wall_s,
        git=manifest.git,
        llmeval=manifest.llmeval,
        hosts={"candidate": manifest.candidate.host, **hosts},
    )


def differing_environments(parts: Sequence[ShardRun]) -> tuple[str, ...]:
    """Warnings about shards that did not run with the same software, commit or endpoints."""
    differences = []
    first = _origin(parts[0])
    for part in parts[1:]:
        origin = _origin(part)
        names = [
            name
            for name in ("git", "llmeval", "hosts")
            if getattr(origin, name) != getattr(first, name)
        ]
        if names:
            words = {"git": "commit", "llmeval": "Python or packages", "hosts": "endpoints"}
            what = ", ".join(words[name] for name in names)
            differences.append(
                f"{part} ran with other {what} than shard 1, which tested the judges with attacks"
                " and anchors"
            )
    return tuple(differences)


def join(parts: Sequence[ShardRun], out: Path, manifest: Manifest) -> Manifest:
    """Write the run directory. The manifest comes last, so that an interrupted merge does not look
    like a run.

    Returns:
        The manifest as written, with the digests of the joined files.

    Raises:
        StoreError: the directory already contains a run or can't be written, or a shard changed
            meanwhile.
    """
    if (out / MANIFEST).exists():
        raise StoreError(f"{out} already contains a run; name another directory with --out")
    records = dict[str, RecordFile]()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in RECORDS:
            for left in (out / name, compressed(out / name)):
                left.unlink(missing_ok=True)  # of a merge that was interrupted, or a link
            records[name] = _join_file(parts, out, name)
        if not records[JUDGE_PROBES].lines:
            (out / JUDGE_PROBES).unlink()
    except OSError as error:
        raise store_error(out, error) from None
    whole = structs.replace(manifest, records=records)
    write_manifest(out, whole)
    return whole


def _join_file(parts: Sequence[ShardRun], out: Path, name: str) -> RecordFile:
    """Write one file of records; a large one is compressed at once."""
    number, content = 0, hashlib.sha256()

    def joined() -> Iterator[bytes]:
        nonlocal number
        for part in parts:
            for _, line in part.run.lines(name):
                content.update(line)
                number += 1
                yield line

    if sum(size_of(part.run.path / name) for part in parts) > LIMIT:
        write_atomically(compressed(out / name), frames(joined()), mode=PRIVATE)
    else:
        write_atomically(out / name, joined(), mode=PRIVATE)
    return RecordFile(number, content.hexdigest())
