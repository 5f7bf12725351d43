"""Has a trusted judge changed since its certificate? Its anchors are judged again in every run, past the cache.

Each verdict is a line of `canaries.jsonl`. As many changed verdicts as an unchanged judge gives in less than 2 % of runs
raise the alarm: the certificate says nothing about the judge any more, and the run says UNTRUSTED.
"""

from typing import Any

from llmeval.engine.build import Plan
from llmeval.engine.store import append
from llmeval.judge.certificate import Certificate, read_certificate
from llmeval.records import SCHEMA, Score, to_json
from llmeval.rundir import CANARIES, RunDir


async def judge_anchors(plan: Plan, run: RunDir, manifest: dict[str, Any]) -> None:
    """Judge the anchors of every trusted judge; record each verdict, and in the manifest what they came to.

    Raises:
        StoreError: the run directory can't be written.
    """
    for name, judge in plan.judges.items():
        stated = plan.suite.judge(name).certificate
        if plan.trusts[name].state != "TRUSTED" or stated is None:
            continue
        certificate = read_certificate(plan.suite.base / stated)
        if not certificate.anchors:
            continue
        from llmeval.judge.anchors import anchor_scores, outcome  # brings numpy, which most runs don't need

        scores = await anchor_scores(judge, certificate)
        _record(run, name, judge.digest, certificate, scores)
        entry = manifest["judges"][name]
        entry["anchors"], trust = outcome(certificate, scores)
        if trust is not None:
            entry.update(trust=trust.state, trust_reason=trust.reason)


def _record(run: RunDir, metric: str, digest: str, certificate: Certificate, scores: list[Score | None]) -> None:
    lines = [
        to_json({
            "schema": SCHEMA, "kind": "anchor", "metric": metric, "judge": digest, "case_id": anchor.case.id,
            "expected": anchor.passed, "passed": None if score is None else score.passed,
            "unscored": "the judge did not answer" if score is None else score.unscored,
        }) + b"\n"
        for anchor, score in zip(certificate.anchors, scores, strict=True)
    ]  # fmt: skip
    append(run.path / CANARIES, b"".join(lines))
