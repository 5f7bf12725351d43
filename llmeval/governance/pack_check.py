"""Check an evidence pack, which may come from anyone: entries, digests, and each run in it."""

import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from llmeval.core.errors import LlmevalError, StoreError
from llmeval.core.pack_index import PACK_SCHEMA, PackIndex
from llmeval.governance.approvals import FOLDER
from llmeval.governance.audit import check_anchor, read_chain
from llmeval.governance.canonical import read_strict
from llmeval.governance.pack import INDEX
from llmeval.governance.seal import sealed_file
from llmeval.governance.verified_run import Trusted, VerifiedRun, verify_run
from llmeval.governance.verify import is_inside
from llmeval.store.compressed import SUFFIX, CompressedFile

MOST_FILES = 20_000
MOST_BYTES = 2 * 2**30
"""Of all files together, unpacked."""
MOST_RATIO = 200
"""Unpacked bytes for each byte of a pack above 64 MiB. JSON of real runs has 5 to 30."""
_SMALL = 64 * 2**20


@dataclass(frozen=True, slots=True)
class VerifiedPack:
    """What the check of a pack shows. `problems`: what does not hold, with the file; empty if all
    does. `runs`: those that could be read, by run id.
    """

    index: PackIndex
    runs: dict[str, VerifiedRun]
    problems: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Whether all holds."""
        return not self.problems


def verify_pack(pack: Path, trusted: Trusted) -> VerifiedPack:
    """Check a pack, and every run in it.

    Raises:
        UsageError: a policy, key or file of signers can't be used.
        StoreError: it is not a pack, or an entry of it is refused.
    """
    with _unpacked(pack) as folder:
        _refuse_large_records(pack, folder)
        index = read_strict(folder / INDEX, PackIndex, PACK_SCHEMA)
        problems = list(_differences(folder, index))
        runs: dict[str, VerifiedRun] = {}
        for each in index.runs if not problems else ():
            place = folder / each.path
            approvals = trusted.approvals or place / FOLDER
            try:
                run = verify_run(place, replace(trusted, approvals=approvals))
            except StoreError as error:
                problems.append(str(error).replace(f"{folder}/", ""))
                continue
            runs[each.run_id] = run
            problems += [f"{each.path}: {problem}" for problem in run.problems]
            stated = (each.run_id, each.suite, each.seal, each.decision)
            if stated != (run.seal.run_id, run.seal.suite, run.digest, run.seal.decision):
                problems.append(f"{INDEX}: {each.path} is not the run that the index names")
        problems += _chain_problems(folder, index) if not problems else []
        return VerifiedPack(index, runs, tuple(problems))


def _differences(folder: Path, index: PackIndex) -> Iterator[str]:
    """Where the files are not those of the index."""
    stated = {file.path: file for file in index.files}
    if len(stated) != len(index.files):
        yield f"{INDEX}: names a file twice"
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(there - stated.keys() - {INDEX}):
        yield f"{name}: is in the pack, and {INDEX} does not name it"
    for name, file in sorted(stated.items()):
        if name not in there:
            yield f"{name}: is missing"
        elif sealed_file(folder / name, name) != file:
            yield f"{name}: was changed after the pack was written"
    folders = {"/".join(name.split("/")[:2]) for name in there if name.startswith("runs/")}
    if folders != {run.path for run in index.runs} or len(folders) != len(index.runs):
        yield f"{INDEX}: its runs are not the folders in runs/"
    chains = {name for name in there if name.startswith("audit/")}
    if chains != {chain.path for chain in index.chains}:
        yield f"{INDEX}: its chains are not the files in audit/"


def _chain_problems(folder: Path, index: PackIndex) -> list[str]:
    problems = []
    for chain in index.chains:
        check = read_chain(folder / chain.path)
        problems += [text.replace(f"{folder}/", "") for text in check.problems]
        if chain.anchor is not None and (missing := check_anchor(check, chain.anchor)):
            problems.append(f"{chain.path}: {missing}")
    return problems


@contextmanager
def _unpacked(pack: Path) -> Iterator[Path]:
    """A folder with the files of a pack, which is removed at the end.

    Raises:
        StoreError: an entry is refused, or the pack can't be read.
    """
    folder = Path(tempfile.mkdtemp(prefix="llmeval-pack-"))
    try:
        with zipfile.ZipFile(pack) as archive:
            entries = archive.infolist()
            _refuse_entries(pack, entries)
            for entry in entries:
                _extract(archive, entry, folder / entry.filename)
        yield folder
    except LlmevalError:
        raise
    except (OSError, zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise StoreError(f"{pack}: can't be read as a pack: {error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_entries(pack: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse what llmeval does not write, before anything is unpacked."""
    if len(entries) > MOST_FILES:
        raise StoreError(f"{pack}: has {len(entries):,} files; at most {MOST_FILES:,} are read")
    total = sum(entry.file_size for entry in entries)
    if total > MOST_BYTES or total > max(_SMALL, MOST_RATIO * pack.stat().st_size):
        raise StoreError(f"{pack}: would unpack to {total:,} bytes, which is refused as too many")
    seen: set[str] = set()
    for entry in entries:
        problem = _entry_problem(entry)
        name = entry.filename.casefold()
        parents = {name[:place] for place, letter in enumerate(name) if letter == "/"}
        if name in seen:
            problem = "is in the pack twice"
        elif parents & seen:
            problem = "is below a file"
        if problem:
            raise StoreError(f"{pack}: {entry.filename!r} {problem}. llmeval writes no such pack")
        seen.add(name)


def _refuse_large_records(pack: Path, folder: Path) -> None:
    """Refuse compressed records by the sizes that their frames state, before any is decoded."""
    total = 0
    for path in folder.glob(f"runs/*/*{SUFFIX}"):
        with CompressedFile(path) as file:
            total += file.size
            if total > MOST_BYTES or file.size > max(_SMALL, MOST_RATIO * path.stat().st_size):
                raise StoreError(
                    f"{pack}: its records would unpack to {total:,} bytes or more, which is"
                    " refused as too many"
                )


def _entry_problem(entry: zipfile.ZipInfo) -> str:
    mode = entry.external_attr >> 16
    if not is_inside(entry.filename) or str(Path(entry.filename)) != entry.filename.replace(
        "/", os.sep
    ):
        return "leaves the folder, or is not a plain path"
    if entry.is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        return "is not a file"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in another way"
    return ""


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path) -> None:
    """Unpack one entry, never more than it states."""
    place.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with archive.open(entry) as source, place.open("xb") as target:
        while part := source.read(1 << 20):
            left -= len(part)
            if left < 0:
                raise StoreError(f"{entry.filename}: holds more than the pack states")
            target.write(part)
