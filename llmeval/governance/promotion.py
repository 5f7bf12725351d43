"""Whether a run allows the release of what it tested: its seal, its decision, its approvals."""

from dataclasses import dataclass
from pathlib import Path

from llmeval.core.approvals import ApprovalPolicy
from llmeval.core.errors import StoreError, UsageError
from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision
from llmeval.core.seal import Seal
from llmeval.governance.verified_run import Trusted, policy_check, refuse_unapproved
from llmeval.governance.verify import check_seal
from llmeval.store.directory import RunDir
from llmeval.store.grids import read_grid


@dataclass(frozen=True, slots=True)
class ReleaseBasis:
    """What a promotion rests on. `overridden_by`: the people who release a run that did not PASS;
    empty where it passed.
    """

    manifest: Manifest
    seal: Seal
    digest: str
    overridden_by: tuple[str, ...] = ()


def release_basis(run: Path) -> ReleaseBasis:
    """What allows the release of a run's candidate.

    Raises:
        UsageError: nothing allows it, with the reason and the way out.
        StoreError: the run, its seal or an approval can't be read.
    """
    _refuse_partial(run, RunDir(run).manifest())
    check = check_seal(run)
    if check.problems:
        raise _refused(run, f"it is not what was sealed: {check.problems[0]}")
    manifest = RunDir(run).manifest()
    seal = check.seal
    if seal.decision is Decision.INVALID or seal.decision is None:
        raise _refused(
            run,
            f"its decision is {seal.decision or 'none (`gate: none`)'}, which shows nothing that"
            " can be released. No override helps: repeat the run",
        )
    refuse_unapproved(run)
    overridden = () if seal.decision is Decision.PASS else _overrides(run, manifest, seal)
    if seal.decision is not Decision.PASS and not overridden:
        raise _refused(
            run,
            f"its decision is {seal.decision}, and only a PASS is promoted. To release it anyway:"
            f" `llmeval approve {run} --decision override --by NAME --role ROLE --reason TEXT"
            " --until DATE`",
        )
    return ReleaseBasis(manifest, seal, check.digest, overridden)


def _refuse_partial(run: Path, manifest: Manifest) -> None:
    """Refuse a run that has not seen all cases of its suite, or is one cell of an unfinished grid.

    Raises:
        UsageError: it is one.
    """
    if manifest.status != "complete":
        raise _refused(run, "it is not complete")
    if manifest.shard is not None:
        raise _refused(run, "it is a shard; `llmeval merge` makes the whole run")
    if manifest.selection is not None:
        raise _refused(run, f"it is a partial run. {manifest.selection.sentence}")
    if manifest.cases.limit is not None:
        raise _refused(run, f"it is a partial run: --limit {manifest.cases.limit}")
    if manifest.grid is None:
        return
    try:
        cells = read_grid(run.parent).cells
    except StoreError as error:
        raise _refused(run, f"it is a cell of a grid that can't be read: {error}") from None
    if manifest.run_id not in [cell.run_id for cell in cells]:
        raise _refused(run, f"{run.parent} is not the grid that it belongs to")
    absent = [cell.name for cell in cells if not _is_complete(run.parent / cell.run_id)]
    if absent:
        raise _refused(
            run, f"its grid lacks the cell {absent[0]}; the same `run` command continues the grid"
        )


def _is_complete(run: Path) -> bool:
    try:
        return RunDir(run).manifest().status == "complete"
    except StoreError:
        return False


def _overrides(run: Path, manifest: Manifest, seal: Seal) -> tuple[str, ...]:
    """The people with a valid override; none where one more person rejects the run."""
    policy = manifest.approvals or ApprovalPolicy()
    signers = None
    if policy.signers is not None:  # `refuse_unapproved` has compared the file with the seal
        signers = Path(manifest.suite_file).parent / policy.signers
    met = policy_check(run, manifest, seal, policy, Trusted(signers=signers))
    if not (met.met and met.overridden):
        return ()
    names = [
        f"{row.approval.by} ({row.approval.role})"
        for row in met.counted
        if row.approval.decision == "override" and not row.ignored
    ]
    return tuple(dict.fromkeys(names))


def _refused(run: Path, why: str) -> UsageError:
    return UsageError(f"{run} is not promoted: {why}")
