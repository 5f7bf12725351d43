"""Promotion from Python: the weights that a run tested become what is served."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.core.errors import StoreError, UsageError
from llmeval.governance.promotion import ReleaseBasis, release_basis

if TYPE_CHECKING:
    from llmeval.suite.loader import Suite
    from llmeval.suite.model_schema import BaseModelSpec


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion that is done. `before`: what was served until now; None at the first one.
    `changed`: False where the link was there already.
    """

    link: Path
    model: Path
    before: Path | None
    changed: bool
    basis: ReleaseBasis

    def document(self) -> dict[str, object]:
        """The promotion as plain values, for JSON."""
        return {
            "promoted": True,
            "changed": self.changed,
            "link": str(self.link),
            "model": str(self.model),
            "before": None if self.before is None else str(self.before),
            "run_id": self.basis.seal.run_id,
            "decision": str(self.basis.seal.decision),
            "seal": self.basis.digest,
            "overridden_by": list(self.basis.overridden_by),
        }


def promote(
    run: str | Path, to: str | Path, *, model: str | Path | None = None, actor: str = ""
) -> Promotion:
    """Let a link point at the weights that a run tested. The switch is atomic.

    Args:
        run: the directory of the run.
        to: the link, such as `models/production`. A folder is refused: it can't be switched
            atomically.
        model: the folder of the weights; None: the one that the run's suite names.
        actor: who promotes, for `audit.jsonl`.

    Raises:
        UsageError: the run does not allow it, or the weights are not those that it tested.
        StoreError: the run can't be read, or the link can't be written.
    """
    run, link = Path(run), Path(to)
    basis = release_basis(run)
    folder = _folder_of(run, basis, None if model is None else Path(model))
    if link.exists() and not link.is_symlink():
        raise UsageError(
            f"{link} is a {'folder' if link.is_dir() else 'file'}, and only a link can be switched"
            f" atomically. Move it away, for example: mv {link} {link}-before"
        )
    _refuse_other_bytes(run, folder, basis)
    before = link.resolve() if link.is_symlink() else None
    changed = before != folder
    if changed:
        _switch(link, folder)
    _record(basis, link, actor)
    return Promotion(link, folder, before, changed, basis)


def _folder_of(run: Path, basis: ReleaseBasis, named: Path | None) -> Path:
    """The folder of the candidate's weights, without links.

    Raises:
        UsageError: the candidate is not a folder, or it is not there.
    """
    if named is None:
        named = _of_suite(run, basis)
    if not named.is_dir():
        raise UsageError(f"{run} is not promoted: {named} is not a folder; name it with --model")
    return named.resolve()


def _of_suite(run: Path, basis: ReleaseBasis) -> Path:
    from llmeval.core.errors import SuiteError
    from llmeval.suite.loader import load_suite
    from llmeval.suite.model_schema import TransformersSpec

    manifest, path = basis.manifest, Path(basis.manifest.suite_file)
    try:
        suite = load_suite(path, manifest.environment)
        spec = _candidate_of(suite, manifest.candidate.name)
    except SuiteError as error:
        raise UsageError(
            f"{run} is not promoted: its suite does not name the folder of the weights ({error})."
            " Name it with --model"
        ) from None
    if not isinstance(spec, TransformersSpec):
        raise UsageError(
            f"{run} is not promoted: the candidate {manifest.candidate.name} has no weights on this"
            " machine, so nothing can be compared with the run"
        )
    return suite.base / spec.model


def _candidate_of(suite: "Suite", name: str) -> "BaseModelSpec":
    """The candidate of a run: one of `models`, or one that the suite has in place.

    Raises:
        SuiteError: the suite has no such candidate now.
    """
    matrix = suite.spec.matrix
    for stated in [suite.spec.candidate, *([] if matrix is None else matrix.candidate)]:
        if stated is None or isinstance(stated, str) or name in suite.spec.models:
            continue
        in_place, spec = suite.model(stated, ("candidate",))
        if in_place == name:
            return spec
    return suite.model(name, ("candidate",))[1]


def _refuse_other_bytes(run: Path, folder: Path, basis: ReleaseBasis) -> None:
    """Refuse weights that are not the ones that the run tested. Every byte is read now.

    Raises:
        UsageError: they are others.
    """
    from llmeval.core.errors import ModelError
    from llmeval.models.local.weights import file_digests

    tested = basis.manifest.candidate.identity.get("files")
    if not isinstance(tested, Mapping) or not tested:
        raise UsageError(
            f"{run} is not promoted: it records no digests of files, so the weights that it tested"
            " are unknown. Only local weights (`provider: transformers`) can be promoted"
        )
    try:
        now = file_digests(folder, fresh=True)
    except (ModelError, OSError) as error:
        raise UsageError(f"{run} is not promoted: {error}") from None
    names = sorted(name for name in {*tested, *now} if tested.get(name) != now.get(name))
    if names:
        raise UsageError(
            f"{run} is not promoted: {folder} holds other files than the run tested:"
            f" {', '.join(names[:5])}. Run the suite with these weights"
        )


def _switch(link: Path, folder: Path) -> None:
    """Replace the link in one step: a reader sees the old target or the new one."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(os.path.relpath(folder, link.parent.resolve()))
        temporary.replace(link)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"{link}: the link can't be written: {error.strerror or error}") from None


def _record(basis: ReleaseBasis, link: Path, actor: str) -> None:
    """Add the event to the chain next to the suite, where there is one."""
    from llmeval.governance.audit import AUDIT, append_event

    chain = Path(basis.manifest.suite_file).parent / AUDIT
    if not chain.exists():
        return
    note = f"{link.name} is the candidate {basis.manifest.candidate.name}"
    if basis.overridden_by:
        note += f"; {basis.seal.decision}, overridden by {', '.join(basis.overridden_by)}"
    append_event(chain, actor, "promoted", f"run {basis.seal.run_id}", basis.digest, note)
