"""Statements about a sealed run, as in-toto writes them (Statement v1).

Three predicates, each with its own readers:

- `test-result/v0.1`: PASSED, WARNED or FAILED, and the rules of the gate.
- `svr/v0.2`: properties that hold. What is missing is not claimed, so a policy that reads it fails
  closed.
- llmeval's own `evaluation/v1`: metrics with their intervals, methods, rates and digests.

Source: github.com/in-toto/attestation, spec/v1 and spec/predicates.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from llmeval import __version__
from llmeval.core.errors import UsageError
from llmeval.core.manifest import Manifest
from llmeval.core.records import utc_now
from llmeval.core.results import Decision, RuleDecision, Summary
from llmeval.core.seal import Seal
from llmeval.governance.canonical import record_digest

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VERIFICATION = "https://in-toto.io/attestation/svr/v0.2"
EVALUATION = "urn:llmeval:attestation:evaluation:v1"
VERIFIER = f"urn:llmeval:verifier:{__version__}"
_SUBJECT = re.compile(r"(.+)=sha256:([0-9a-fA-F]{64})\Z", re.S)

Json = dict[str, object]


class Subject(NamedTuple):
    """What was tested. `digests`: by algorithm, such as sha256 or gitCommit."""

    name: str
    digests: dict[str, str]

    def resource(self) -> Json:
        """As a ResourceDescriptor."""
        return {"name": self.name, "digest": self.digests}


def subject_of(text: str) -> Subject:
    """The subject of `--subject NAME=sha256:HEX`.

    Raises:
        UsageError: another form.
    """
    match = _SUBJECT.match(text)
    if match is None:
        raise UsageError(f"--subject {text}: must be NAME=sha256: and 64 hex digits")
    return Subject(match[1], {"sha256": match[2].lower()})


def default_subjects(manifest: Manifest) -> list[Subject]:
    """The candidate, by what the run knows of it.

    Local weights: the digest of their files. An API model has no digest. The canonical
    identity of the candidate and the commit of the application take its place.
    """
    subjects = [
        Subject(
            f"candidate:{manifest.candidate.name}",
            {"sha256": manifest.digests.candidate.removeprefix("sha256:")},
        )
    ]
    git = manifest.git
    if git is not None and git.commit and not git.dirty:
        subjects.append(Subject("application", {"gitCommit": git.commit}))
    return subjects


class SealedSummary(NamedTuple):
    """A sealed run: what the statements are about."""

    seal: Seal
    manifest: Manifest
    summary: Summary


def statement(subjects: Sequence[Subject], kind: str, predicate: Json) -> Json:
    """A Statement v1.

    Raises:
        UsageError: no subject has a digest.
    """
    complete = [each for each in subjects if all(each.digests.values()) and each.digests]
    if not complete:
        raise UsageError("there is nothing to attest: name it by --subject NAME=sha256:HEX")
    return {
        "_type": STATEMENT,
        "subject": [each.resource() for each in complete],
        "predicateType": kind,
        "predicate": predicate,
    }


def seal_named_by(payload: Mapping[str, object]) -> str | None:
    """The digest of the seal that one of llmeval's statements is about, from the place where its
    kind has it; None where it names none.
    """
    match payload:
        case {"predicateType": str(kind), "predicate": {"configuration": list(parts)}}:
            seals = [
                each for each in parts if isinstance(each, dict) and each.get("name") == "seal"
            ]
            named = seals[0].get("digest") if kind == TEST_RESULT and len(seals) == 1 else None
        case {"predicateType": str(kind), "predicate": {"verifier": {"llmeval_seal": named}}}:
            named = named if kind == VERIFICATION else None
        case {"predicateType": str(kind), "predicate": {"seal": named}}:
            named = named if kind == EVALUATION else None
        case _:
            return None
    digest = named.get("sha256") if isinstance(named, dict) else None
    return digest if isinstance(digest, str) else None


class StatedApproval(NamedTuple):
    """What one person decided about a run, as statements name it."""

    by: str
    role: str
    decision: str
    """approve, reject or override."""
    at: str
    until: str | None
    sha256: str
    """Of the file of the approval."""
    signed: bool
    """Whether the file has a signature next to it. `ignored` says whether it was checked."""
    ignored: str
    """Why it does not count; empty if it does."""


class StatedApprovals(NamedTuple):
    """What people decided about a run, and whether that meets the policy of its suite."""

    approved: bool = False
    """Whether the run PASSed and has the signed approvals that its suite demands."""
    overridden: bool = False
    """Whether people release the run although it did not PASS. The decision stays what it is."""
    policy: str = ""
    """sha256 of the policy; empty without one."""
    rows: tuple[StatedApproval, ...] = ()


NO_APPROVALS = StatedApprovals()


def test_result(run: SealedSummary, approvals: StatedApprovals) -> Json | None:
    """The predicate `test-result/v0.1`; None for a run that has no result: INVALID, incomplete, or
    without rules.

    That predicate knows no "inconclusive". INCONCLUSIVE is FAILED, or WARNED where the suite says
    `on_inconclusive: warn` or `pass`.
    """
    gate = run.summary.gate
    if gate.decision is None or gate.decision is Decision.INVALID:
        return None
    if run.summary.status != "complete":
        return None
    lists: dict[str, list[str]] = {"PASSED": [], "WARNED": [], "FAILED": []}
    for rule in gate.rules:
        allowed = (rule.on_inconclusive or run.manifest.gate.on_inconclusive) != "fail"
        lists[_result(rule.decision, allowed)].append(rule_name(rule))
    return {
        "result": _result(gate.decision, int(gate.exit_code) == 0),
        "configuration": [*_configuration(run), *_approval_files(approvals)],
        "passedTests": lists["PASSED"],
        "warnedTests": lists["WARNED"],
        "failedTests": lists["FAILED"],
    }


def _result(decision: Decision, allowed: bool) -> str:
    """The word of the predicate. `allowed`: whether the suite lets an INCONCLUSIVE one through."""
    if decision is Decision.PASS:
        return "PASSED"
    if decision is Decision.INCONCLUSIVE and allowed:
        return "WARNED"
    return "FAILED"


def rule_name(rule: RuleDecision) -> str:
    """A rule's name: kind, metric and slice, such as `floor facts @ topic=law`."""
    parts = [rule.rule, *([rule.metric] if rule.metric else [])]
    return " ".join(parts) + (f" @ {rule.slice}" if rule.slice else "")


def _configuration(run: SealedSummary) -> list[Json]:
    """Suite, cases, judges and baseline by digest."""
    digests, seal = run.manifest.digests, run.seal
    named = {
        "suite": digests.suite,
        "cases": digests.cases,
        "checks": digests.checks,
        **{f"judge:{name}": value for name, value in digests.judges.items()},
        "seal": record_digest(seal),
    }
    named |= {f"input:{file.path}": file.sha256 for file in seal.inputs}
    named |= {file.path: file.sha256 for file in seal.files if file.path == seal.baseline}
    return [
        {"name": name, "digest": {"sha256": value.removeprefix("sha256:")}}
        for name, value in named.items()
        if value
    ]


def _approval_files(approvals: StatedApprovals) -> list[Json]:
    """The approvals and overrides that count, as ResourceDescriptors. The result does not change by
    them: an override of a FAILED run is next to its FAILED.
    """
    return [
        {
            "name": f"{row.decision}:{row.by}",
            "digest": {"sha256": row.sha256},
            "annotations": {"role": row.role, "at": row.at, "until": row.until or ""},
        }
        for row in approvals.rows
        if not row.ignored
    ]


def verification(run: SealedSummary, approvals: StatedApprovals = NO_APPROVALS) -> Json | None:
    """The predicate `svr/v0.2`: the properties that hold; None where none does.

    Args:
        run: the run.
        approvals: what people decided about it.
    """
    gate, judges = run.summary.gate, run.manifest.judges
    passed = gate.decision is Decision.PASS and run.summary.status == "complete"
    certified = bool(judges) and all(each.trust == "TRUSTED" for each in judges.values())
    data = run.manifest.data
    checked = data is not None and data.failed is None and not data.count("error")
    properties = [
        name
        for name, holds in (
            ("LLMEVAL_GATE_PASS", passed),
            ("LLMEVAL_JUDGE_CERTIFIED", certified),
            ("LLMEVAL_DATA_CHECKED", checked and data is not None and data.cases == data.of),
            ("LLMEVAL_APPROVED", approvals.approved),
        )
        if holds
    ]
    if not properties:
        return None
    return {
        "verifier": {
            "id": VERIFIER,
            "policies": [{"name": "approvals", "digest": {"sha256": approvals.policy}}]
            if approvals.approved
            else [],
            "llmeval_seal": {"sha256": record_digest(run.seal)},
        },
        "timeCreated": utc_now(),
        "properties": properties,
    }


def evaluation(run: SealedSummary, approvals: StatedApprovals = NO_APPROVALS) -> Json:
    """llmeval's own predicate: what was measured, how sure it is, and by which rules."""
    summary, manifest, seal = run.summary, run.manifest, run.seal
    return {
        "run": {"id": summary.run_id, "suite": summary.suite, "status": summary.status},
        "seal": {"sha256": record_digest(seal), "sealedAt": seal.sealed_at},
        "started": manifest.started,
        "ended": manifest.ended,
        "candidate": {
            "name": manifest.candidate.name,
            "digest": manifest.digests.candidate,
            "note": "" if manifest.candidate.host is None else PROVIDER_NOTE,
        },
        "cases": {"n": manifest.cases.n, "root": seal.cases_root},
        "decision": gate_of(summary),
        "approvals": [row._asdict() for row in approvals.rows],
        "overridden": approvals.overridden,
        "alpha": manifest.gate.alpha,
        "beta": manifest.gate.beta,
        "rules": [
            {
                "rule": rule_name(rule),
                "decision": str(rule.decision),
                "estimate": rule.estimate,
                "low": rule.low,
                "high": rule.high,
                "threshold": rule.threshold,
                "baseline": rule.baseline,
            }
            for rule in summary.gate.rules
        ],
        "metrics": [
            {
                "metric": each.metric,
                "slice": each.slice,
                "n": each.n,
                "passRate": each.pass_rate,
                "low": each.low,
                "high": each.high,
                "level": each.level,
                "method": each.method,
                "trust": each.trust,
            }
            for each in summary.metrics
        ],
        "judges": {
            name: {
                "digest": manifest.digests.judges.get(name),
                "trust": judge.trust,
                "certificate": judge.certificate_digest,
            }
            for name, judge in manifest.judges.items()
        },
        "llmeval": manifest.llmeval.version,
    }


PROVIDER_NOTE = (
    "The provider can change this model without notice. Its identity is what the run requested."
)


def gate_of(summary: Summary) -> str:
    """The decision as text; `NONE` where the gate has no rule."""
    return "NONE" if summary.gate.decision is None else str(summary.gate.decision)
