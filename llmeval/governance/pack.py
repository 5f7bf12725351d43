"""Write an evidence pack: what sealed runs rest on, in one zip file with an index of digests."""

import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

from llmeval import __version__
from llmeval.core.errors import UsageError
from llmeval.core.files import write_atomically
from llmeval.core.pack_index import PackedChain, PackedRun, PackIndex
from llmeval.core.seal import SealedFile
from llmeval.governance.audit import AUDIT, read_chain
from llmeval.governance.canonical import sha256_of, shown_bytes
from llmeval.governance.clause_map import read_map, table_of
from llmeval.governance.monitoring_summary import monitor_file, monitoring_summary
from llmeval.governance.pack_files import files_of_run
from llmeval.governance.pack_readme import readme
from llmeval.governance.verify import check_seal
from llmeval.store.directory import RunDir

INDEX, README = "index.json", "README.md"
_TIME = (1980, 1, 1, 0, 0, 0)
"""Of each entry, the first time that a zip file can state: the same files give the same pack."""
_MODE = 0o100644 << 16


def write_pack(runs: Sequence[Path], out: Path, maps: Iterable[str] = ()) -> PackIndex:
    """Write a pack of sealed runs. The same files give the same bytes.

    Args:
        runs: their directories. out: the zip file; it is replaced.
        maps: names of the tables of clauses to add (`clause_map.names()`).

    Raises:
        UsageError: a run does not fit its seal or is named twice, or there is no such map.
        StoreError: a file can't be read or written.
    """
    contents: dict[str, bytes] = {}
    packed: list[PackedRun] = []
    chains: dict[Path, PackedChain] = {}
    absent: list[str] = []
    monitors: list[Path] = []
    for path in runs:
        check = check_seal(path)
        if check.problems:
            raise UsageError(f"{path} is not what was sealed: {check.problems[0]}")
        manifest, seal = RunDir(path).manifest(), check.seal
        folder = f"runs/{seal.run_id}"
        if any(run.path == folder for run in packed):
            raise UsageError(f"the run {seal.run_id} is named twice")
        files = files_of_run(path, seal, manifest)
        contents |= {f"{folder}/{name}": file.read_bytes() for name, file in files.paths.items()}
        contents |= {f"{folder}/{name}": data for name, data in files.contents.items()}
        absent += [f"{seal.run_id}: {text}" for text in files.absent]
        packed.append(
            PackedRun(
                path=folder,
                run_id=seal.run_id,
                suite=seal.suite,
                seal=check.digest,
                decision=seal.decision,
            )
        )
        _add_chain(Path(manifest.suite_file).parent / AUDIT, chains, contents)
        monitor = monitor_file(path)
        if monitor is not None and monitor not in monitors:
            monitors.append(monitor)
            name = f"monitoring/{len(monitors)}"
            contents[f"{name}.jsonl"] = monitor.read_bytes()
            contents[f"{name}.md"] = monitoring_summary(monitor, seal.suite).encode()
    for name in maps:
        contents[f"maps/{name}.md"] = table_of(read_map(name), contents).encode()
    index = PackIndex(
        llmeval=__version__,
        runs=tuple(sorted(packed, key=lambda run: run.path)),
        chains=tuple(chains.values()),
        maps=tuple(sorted(maps)),
        absent=tuple(absent),
    )
    contents[README] = readme(index, contents).encode()
    index = _with_files(index, contents)
    write_atomically(out, zip_bytes({**contents, INDEX: shown_bytes(index)}))
    return index


def _with_files(index: PackIndex, contents: dict[str, bytes]) -> PackIndex:
    from msgspec.structs import replace

    files = tuple(
        SealedFile(path=name, sha256=sha256_of(data), bytes=len(data))
        for name, data in sorted(contents.items())
    )
    return replace(index, files=files)


def _add_chain(path: Path, chains: dict[Path, PackedChain], contents: dict[str, bytes]) -> None:
    """Add the chain next to a suite, once for all runs of it.

    Raises:
        UsageError: it is damaged.
    """
    if path.resolve() in chains or not path.is_file():
        return
    check = read_chain(path)
    if check.problems:
        raise UsageError(f"{check.problems[0]}. Restore it from git")
    name = f"audit/{len(chains) + 1}.jsonl"
    contents[name] = path.read_bytes()
    anchor = check.ends[0] if len(check.ends) == 1 else None
    chains[path.resolve()] = PackedChain(path=name, anchor=anchor)


def zip_bytes(contents: dict[str, bytes]) -> bytes:
    """A zip file with these entries in the order of their names, all with the same time."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in sorted(contents.items()):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = _MODE
            entry.create_system = 3  # the same on Windows
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 6)
    return buffer.getvalue()
