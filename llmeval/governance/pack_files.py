"""What an evidence pack holds: the kinds of its files, and which files of a run are packed."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import msgspec

from llmeval.core.errors import LlmevalError
from llmeval.core.manifest import Manifest
from llmeval.core.redaction import has_secret
from llmeval.core.seal import Seal, SealedFile
from llmeval.governance.approvals import FOLDER, read_approvals
from llmeval.governance.attest import FILES
from llmeval.governance.canonical import shown_bytes
from llmeval.governance.seal import EARLIER, SEAL, sealed_file
from llmeval.store.compressed import SUFFIX
from llmeval.store.record_lines import COMPRESSED

KINDS = {
    "seal": "runs/*/seal.json",
    "earlier seals": "runs/*/seals/*.json",
    "manifest": "runs/*/manifest.json",
    "cases": "runs/*/cases.jsonl",
    "answers": "runs/*/answers.jsonl",
    "scores": "runs/*/scores.jsonl",
    "summary": "runs/*/summary.json",
    "judge probes": "runs/*/judge_probes.jsonl",
    "labels": "runs/*/inputs/*labels.jsonl",
    "baseline": "runs/*/inputs/baseline.lock.json",
    "statements": "runs/*/attestation*.json",
    "approvals": f"runs/*/{FOLDER}/*.json",
    "signatures": "runs/*/*.sig",
    "data check": "runs/*/data_check.json",
    "certificates": "runs/*/certificates/*",
    "suite files": "runs/*/suite/*",
    "audit chain": "audit/*.jsonl",
    "monitoring": "monitoring/*",
}
"""The kinds of files that a map may name, each with the pattern of its paths in a pack. Large
records are compressed: their paths end in `.zst`.
"""
LARGEST_INPUT = 2 * 2**20
"""A larger file of the suite is named by its digest alone."""


def kind_of(path: str) -> str | None:
    """The kind of a file of a pack by its path; None for README.md, index.json and tables."""
    plain = path.removesuffix(SUFFIX) if PurePosixPath(path).name in COMPRESSED else path
    return next((kind for kind, form in KINDS.items() if fnmatchcase(plain, form)), None)


class RunFiles(msgspec.Struct):
    """The files of one run for a pack. `absent`: what the pack can't hold, with the reason."""

    paths: dict[str, Path]
    """By their place in the run's folder of the pack."""
    contents: dict[str, bytes]
    """Files that are written for the pack, by their place."""
    absent: list[str]


def files_of_run(run: Path, seal: Seal, manifest: Manifest) -> RunFiles:
    """The files of a sealed run that belong into a pack.

    Raises:
        StoreError: an approval can't be read.
    """
    run_files = RunFiles(paths={SEAL: run / SEAL}, contents={}, absent=[])
    run_files.paths |= {file.path: run / file.path for file in seal.files}
    for path in (*sorted((run / EARLIER).glob("*.json")), *_statements(run)):
        if path.is_file() and not path.is_symlink():
            run_files.paths[path.relative_to(run).as_posix()] = path
    beside = Path(manifest.suite_file).parent
    folders = [run / FOLDER, beside / FOLDER]
    for path, _ in read_approvals(folders, seal.run_id):
        run_files.paths[f"{FOLDER}/{path.name}"] = path
        signature = Path(f"{path}.sig")
        if signature.is_file():
            run_files.paths[f"{FOLDER}/{signature.name}"] = signature
    if manifest.data is not None:
        run_files.contents["data_check.json"] = shown_bytes(manifest.data)
    certificates = {judge.certificate for judge in manifest.judges.values() if judge.certificate}
    for file in seal.inputs:
        _add_input(run_files, beside, file, certificates)
    return run_files


def _add_input(run_files: RunFiles, beside: Path, file: SealedFile, certificates: set[str]) -> None:
    """Add a file of the suite, if it is there, small, and still what was sealed."""
    path = beside / file.path
    name = PurePosixPath(file.path).name
    if file.bytes > LARGEST_INPUT:
        run_files.absent.append(f"{file.path}: larger than {LARGEST_INPUT // 2**20} MiB")
        return
    try:
        same = path.is_file() and sealed_file(path, file.path) == file
    except LlmevalError:
        same = False
    if not same:
        run_files.absent.append(
            f"{file.path}: is not there, or was changed since the run was sealed"
        )
        return
    if has_secret(path.read_bytes()):
        run_files.absent.append(f"{file.path}: contains a key, which a pack must not pass on")
        return
    folder = "certificates" if file.path in certificates else "suite"
    run_files.paths[f"{folder}/{file.sha256[:8]}-{name}"] = path


def _statements(run: Path) -> Iterator[Path]:
    for name in FILES.values():
        yield run / name
        yield run / name.replace(".json", ".dsse.json")
        yield run / f"{name}.sig"
