"""All that `llmeval verify` checks of a run: seal, decision, approvals, signed statements."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml

from llmeval.core.approvals import ApprovalPolicy
from llmeval.core.errors import LlmevalError, UsageError
from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision
from llmeval.core.seal import Seal
from llmeval.governance.approvals import FOLDER, PolicyCheck, check_policy, read_approvals
from llmeval.governance.attest import FILES
from llmeval.governance.canonical import bounded_bytes, plain_strict
from llmeval.governance.dsse import payload_of, public_key
from llmeval.governance.seal import sealed_file
from llmeval.governance.statements import seal_named_by
from llmeval.governance.verify import check_seal
from llmeval.store.directory import RunDir


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the reader brings, and does not take from the run. `policy`: a YAML file. `signers`: ssh
    keys. `approvals`: the folder. `keys`: public keys of statements.
    """

    policy: Path | None = None
    signers: Path | None = None
    approvals: Path | None = None
    keys: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifiedRun:
    """What the check shows. `problems`: what does not hold; empty if all does. `notes`: what a
    reader must know besides.
    """

    seal: Seal
    digest: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Whether all holds."""
        return not self.problems


def verify_run(run: Path, trusted: Trusted) -> VerifiedRun:
    """Check a run.

    Raises:
        UsageError: a policy, key or file of signers can't be used.
        StoreError: the run, its seal or an approval can't be read.
    """
    check = check_seal(run)
    problems, notes = list(check.problems), list[str]()
    manifest = RunDir(run).manifest() if not problems else None
    policy = _policy(trusted.policy, manifest)
    if policy is not None and manifest is not None:
        met = policy_check(run, manifest, check.seal, policy, trusted)
        problems += [f"approvals: {each}" for each in met.problems]
        notes += _approval_notes(met, policy, trusted)
    if policy is None and manifest is not None:
        notes.append("The suite of this run demands no approvals, and --policy states none.")
    if trusted.keys:
        problems += _statement_problems(run, check.digest, trusted.keys)
    return VerifiedRun(check.seal, check.digest, tuple(problems), tuple(notes))


def policy_check(
    run: Path, manifest: Manifest, seal: Seal, policy: ApprovalPolicy, trusted: Trusted
) -> PolicyCheck:
    """Hold the approvals of a run against a policy.

    Raises:
        As `verify_run`.
    """
    folders = (
        [trusted.approvals]
        if trusted.approvals is not None
        else [run / FOLDER, Path(manifest.suite_file).parent / FOLDER]
    )
    return check_policy(seal, read_approvals(folders, seal.run_id), policy, trusted.signers)


def refuse_unapproved(run: Path) -> None:
    """Refuse a run whose suite demands approvals that it does not have.

    The file of signers is the one next to the suite, as the run's seal names it.

    Raises:
        UsageError: the approvals are missing, or the run does not fit its seal.
    """
    manifest = RunDir(run).manifest()
    policy = manifest.approvals
    if policy is None:
        return
    signers = None
    if policy.signers is not None:
        signers = Path(manifest.suite_file).parent / policy.signers
    check = verify_run(run, Trusted(signers=signers))
    problems = list(check.problems)
    if signers is not None and not problems:
        sealed = {file.path: file for file in check.seal.inputs}
        if sealed.get(str(policy.signers)) != sealed_file(signers, str(policy.signers)):
            problems.append(f"{signers} is not the file of signers that the run was sealed with")
    if problems:
        raise UsageError(
            f"{run}: the suite demands approvals, and they are not there: {problems[0]}."
            f" `llmeval approve {run} --by NAME --role ROLE --reason TEXT` writes one"
        )


def is_approved(run: Path) -> bool:
    """Whether the run PASSed, the suite demands signed approvals, and the run has them. An override
    is not an approval.
    """
    try:
        refuse_unapproved(run)
    except LlmevalError:
        return False
    policy = RunDir(run).manifest().approvals
    passed = RunDir(run).summary().gate.decision is Decision.PASS
    return passed and policy is not None and policy.signers is not None


def _policy(path: Path | None, manifest: Manifest | None) -> ApprovalPolicy | None:
    if path is None:
        return None if manifest is None else manifest.approvals
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if isinstance(document, dict) and set(document) == {"approvals"}:
            document = document["approvals"]
        if isinstance(document, dict) and "max_age" in document:
            age = str(document.pop("max_age")).removesuffix("d")
            document["max_age_days"] = int(age)
        return msgspec.convert(document, ApprovalPolicy)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"--policy {path}: is not a policy of approvals: {error}") from None


def _approval_notes(check: PolicyCheck, policy: ApprovalPolicy, trusted: Trusted) -> list[str]:
    notes = [
        f"{row.approval.decision} by {row.approval.by} ({row.approval.role})"
        + (f" does not count: {row.ignored}" if row.ignored else f": {row.approval.reason}")
        for row in check.counted
    ]
    if check.overridden:
        notes.append("An override lets this run through. Its decision is unchanged.")
    if trusted.signers is None and policy.signers is None:
        notes.append("The approvals are not signed: names are claims.")
    return notes


def _statement_problems(run: Path, digest: str, keys: tuple[Path, ...]) -> list[str]:
    """What is wrong with the signed statements of a run."""
    public = [public_key(path) for path in keys]
    problems, seen = [], 0
    for kind, name in FILES.items():
        path = run / name.replace(".json", ".dsse.json")
        if not path.is_file():
            if (run / name).is_file():
                problems.append(f"{name}: is not signed")
            continue
        seen += 1
        try:
            payload = payload_of(bounded_bytes(path), public, path.name)
            problems += _payload_problems(plain_strict(payload, path.name), kind, digest, path)
            plain = run / name
            if plain.is_symlink() or not plain.is_file() or bounded_bytes(plain) != payload:
                problems.append(f"{name}: is not the statement that {path.name} signs")
        except LlmevalError as error:
            problems.append(str(error))
    if not seen:
        problems.append("there is no signed statement: `llmeval attest RUN --sign` writes one")
    return problems


def _payload_problems(payload: object, kind: str, digest: str, path: Path) -> Iterator[str]:
    """What is wrong with a signed statement: its kind, and the seal at the place that names it. A
    digest at another place, such as a subject, says nothing about the run.
    """
    if not isinstance(payload, dict) or payload.get("predicateType") != kind:
        yield f"{path.name}: holds another kind of statement"
        return
    if seal_named_by(payload) != digest:
        yield f"{path.name}: is a statement about another seal"
