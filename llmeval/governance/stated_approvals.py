"""The approvals and overrides of a run, as its statements name them."""

from pathlib import Path

from llmeval.core.approvals import ApprovalPolicy
from llmeval.governance.approvals import CountedApproval
from llmeval.governance.canonical import record_digest
from llmeval.governance.seal import digest_of_file, read_seal
from llmeval.governance.statements import StatedApproval, StatedApprovals
from llmeval.governance.verified_run import Trusted, is_approved, policy_check
from llmeval.store.directory import RunDir


def approvals_of(run: Path) -> StatedApprovals:
    """What people decided about a sealed run, by the policy of its suite. Without a policy every
    decision about the present seal is named, and the run is not called approved.

    The file of signers is the one next to the suite. Where it is missing no decision counts.

    Args:
        run: its directory.

    Raises:
        StoreError: the run, its seal or an approval can't be read.
    """
    manifest, seal = RunDir(run).manifest(), read_seal(run)
    policy = manifest.approvals or ApprovalPolicy()
    signers = None
    if policy.signers is not None:
        signers = Path(manifest.suite_file).parent / policy.signers
    unchecked = ""
    if signers is not None and not signers.is_file():
        unchecked = f"no signature was checked: {policy.signers} is not next to the suite"
        signers = None
    check = policy_check(run, manifest, seal, policy, Trusted(signers=signers))
    stated = manifest.approvals is not None
    return StatedApprovals(
        approved=is_approved(run),
        overridden=check.overridden and check.met and stated,
        policy=record_digest(policy) if stated else "",
        rows=tuple(_row(each, unchecked) for each in check.counted),
    )


def _row(counted: CountedApproval, unchecked: str) -> StatedApproval:
    approval = counted.approval
    return StatedApproval(
        by=approval.by,
        role=approval.role,
        decision=approval.decision,
        at=approval.at,
        until=approval.until,
        sha256=digest_of_file(counted.path),
        signed=Path(f"{counted.path}.sig").is_file(),
        ignored=counted.ignored or unchecked,
    )
