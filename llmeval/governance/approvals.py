"""Approvals of sealed runs: files that are committed, and whether they meet the policy."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from llmeval.core.approvals import APPROVAL_SCHEMA, ApprovalPolicy, RunApproval
from llmeval.core.errors import LlmevalError, UsageError
from llmeval.core.files import write_atomically
from llmeval.core.person_names import name_problem, person_key, person_name
from llmeval.core.records import utc_now
from llmeval.core.results import Decision
from llmeval.core.seal import Seal
from llmeval.governance.canonical import read_strict, record_digest, shown_bytes
from llmeval.governance.ssh import is_signed_by, sign_file, signing_key
from llmeval.governance.verify import check_seal

FOLDER = "approvals"


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """What a person states. `decision`: approve, reject or override. `until`: the last day, ISO.
    `ssh`: the key that signs; None: no signature.
    """

    by: str
    role: str
    decision: str
    reason: str
    until: str | None = None
    ssh: Path | None = None


def approve_run(run: Path, folder: Path, request: ApprovalRequest) -> Path:
    """Write one person's decision about a sealed run.

    Args:
        run: its directory. folder: of the approvals. request: what the person states.

    Returns:
        The file. With a key, its signature is in `<name>.sig`.

    Raises:
        UsageError: a run that does not fit its seal, an approval of a run that did not PASS, an
            override of an INVALID run or without a last day, or an impossible value.
    """
    check = check_seal(run)
    if check.problems:
        raise UsageError(f"{run} is not what was sealed: {check.problems[0]}")
    _refuse(check.seal, request)
    approval = RunApproval(
        suite=check.seal.suite,
        run_id=check.seal.run_id,
        seal=check.digest,
        by=person_name(request.by, "--by"),
        role=person_name(request.role, "--role"),
        decision=request.decision,  # type: ignore[arg-type]  # checked by the command
        reason=_reason(request.reason),
        at=utc_now(),
        until=request.until,
    )
    name = re.sub(r"[^\w.-]+", "-", approval.by)[:60]
    unique = hashlib.sha256(approval.by.encode()).hexdigest()[:8]
    path = folder / f"{approval.run_id}-{name}-{unique}.json"
    Path(f"{path}.sig").unlink(missing_ok=True)
    write_atomically(path, shown_bytes(approval))
    if request.ssh is not None:
        try:
            sign_file(path, request.ssh)
        except LlmevalError:
            path.unlink()
            raise
    return path


def _refuse(seal: Seal, request: ApprovalRequest) -> None:
    if request.until is not None:
        try:
            last = date.fromisoformat(request.until)
        except ValueError:
            raise UsageError(
                f"--until {request.until}: must be a date such as 2027-01-31"
            ) from None
        if last < datetime.now(UTC).date():
            raise UsageError(f"--until {request.until} is over already")
    if request.decision == "approve" and seal.decision is not Decision.PASS:
        raise UsageError(
            f"run {seal.run_id} is {seal.decision or 'without a decision'}, and only a PASS can be"
            " approved. To release it anyway: --decision override --until DATE"
        )
    if request.decision == "override":
        if seal.decision is Decision.INVALID:
            raise UsageError(f"run {seal.run_id} is INVALID: it shows nothing that can be released")
        if request.until is None:
            raise UsageError("an override needs its last day: --until DATE")


def _reason(value: str) -> str:
    if not value.strip():
        raise UsageError("--reason must not be empty")
    return value.strip()


class CountedApproval(NamedTuple):
    """An approval, whether it counts, and if not, why."""

    path: Path
    approval: RunApproval
    ignored: str = ""


class PolicyCheck(NamedTuple):
    """Whether approvals meet a policy. `problems`: what is missing, in words; empty if they do.
    `overridden`: a run that did not PASS has a valid override.
    """

    counted: tuple[CountedApproval, ...]
    problems: tuple[str, ...]
    overridden: bool

    @property
    def met(self) -> bool:
        """Whether the policy is met."""
        return not self.problems


def read_approvals(folders: Iterable[Path], run_id: str) -> list[tuple[Path, RunApproval]]:
    """The approvals of a run in these folders.

    Raises:
        StoreError: a file can't be read: what a person decided must not be passed over.
    """
    approvals = {}
    for folder in folders:
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            approval = read_strict(path, RunApproval, APPROVAL_SCHEMA)
            if approval.run_id == run_id:
                approvals[path.resolve()] = approval
    return list(approvals.items())


def check_policy(
    seal: Seal,
    approvals: Sequence[tuple[Path, RunApproval]],
    policy: ApprovalPolicy,
    signers: Path | None,
    now: datetime | None = None,
) -> PolicyCheck:
    """Hold the approvals of a run against a policy.

    Args:
        seal: of the run. approvals: with their files. policy: what is demanded.
        signers: the file of keys that the reader trusts; None: names are claims.
        now: the time; default: the present, UTC.

    Raises:
        UsageError: the file of signers is missing.
    """
    moment = now or datetime.now(UTC)
    rows = [
        CountedApproval(path, each, _ignored(path, each, seal, policy, signers, moment))
        for path, each in approvals
    ]
    newest: dict[str, CountedApproval] = {}
    for row in sorted(rows, key=lambda row: row.approval.at):
        if not row.ignored:
            newest[person_key(row.approval.by)] = row
    problems = [
        f"{each.approval.by} ({each.approval.role}) rejects the run: {each.approval.reason}"
        for each in newest.values()
        if each.approval.decision == "reject"
    ]
    action = "approve" if seal.decision is Decision.PASS else "override"
    rows_agreed = [row for row in newest.values() if row.approval.decision == action]
    agreed = [row.approval for row in rows_agreed]
    if signers is not None:
        problems += _shared_keys(rows_agreed)
    if policy.signers is not None and signers is None:
        problems.append(
            f"the policy demands signatures ({policy.signers}): name the file of keys that you"
            " trust, --signers FILE"
        )
    if policy.not_author and not seal.authors:
        problems.append("the authors are not known: the run was not made in a git checkout")
    if len(agreed) < policy.min:
        problems.append(f"{len(agreed)} of {policy.min} people {action} the run")
    missing = missing_roles(policy.roles, agreed)
    if missing:
        problems.append(f"no {action} in the role {', '.join(missing)}")
    return PolicyCheck(tuple(rows), tuple(problems), action == "override" and bool(agreed))


def _shared_keys(rows: Sequence[CountedApproval]) -> list[str]:
    """Two names with one key are one person."""
    owners: dict[str | None, str] = {}
    problems = []
    for row in rows:
        key = signing_key(Path(f"{row.path}.sig"))
        other = owners.setdefault(key, row.approval.by)
        if key is None or other != row.approval.by:
            problems.append(f"{other} and {row.approval.by} sign with the same key")
    return problems


def missing_roles(roles: Sequence[str], approvals: Sequence[RunApproval]) -> list[str]:
    """The roles that no approval has; each approval is by another person already."""
    held = {each.role for each in approvals}
    return [role for role in roles if role not in held]


def _ignored(
    path: Path,
    approval: RunApproval,
    seal: Seal,
    policy: ApprovalPolicy,
    signers: Path | None,
    now: datetime,
) -> str:
    """Why an approval does not count; empty if it does."""
    if approval.seal != record_digest(seal) or approval.suite != seal.suite:
        return "it is of another seal: the run was sealed again after it"
    if approval.until is not None and approval.until < now.date().isoformat():
        return f"it ended on {approval.until}"
    if approval.decision == "reject":
        return ""  # a changed signature or an old date must not hide what a person decided
    for what, text in (("name", approval.by), ("role", approval.role)):
        problem = name_problem(text)
        if problem:
            return f"its {what} {problem}"
    try:
        moment = datetime.fromisoformat(approval.at)
    except ValueError:
        return f"its time {approval.at!r} is not one"
    if moment > now + timedelta(minutes=10):
        return "its time is in the future"
    if policy.max_age_days is not None and now - moment > timedelta(days=policy.max_age_days):
        return f"it is older than {policy.max_age_days} days"
    if policy.not_author and author_digest(approval.by) in seal.authors:
        return "the person is an author of the change"
    if signers is not None:
        signature = Path(f"{path}.sig")
        if not is_signed_by(path.read_bytes(), signature, approval.by, signers):
            return f"it has no valid signature of {approval.by}"
    return ""


def author_digest(name: str) -> str:
    """What a seal keeps of an author's name or address: the sha256 of its `person_key`."""
    return hashlib.sha256(person_key(name).encode()).hexdigest()
