"""Has a trusted judge changed since its certificate? Its anchors are judged again in every run,
past the cache.

Each verdict is a line of `canaries.jsonl`. As many changed verdicts as an unchanged judge gives in
less than 2 % of runs raise the alarm: the certificate says nothing about the judge any more, and
the run says UNTRUSTED. So do changes that no single run shows but the runs of this suite do
together.
"""

from collections.abc import Iterator
from typing import Any

from llmeval.core.records import SCHEMA, Score, to_json
from llmeval.judges.assurance.certificate import Certificate, read_certificate
from llmeval.runner.plan import RunPlan
from llmeval.store.writer import RunWriter


async def judge_anchors(plan: RunPlan, writer: RunWriter, manifest: dict[str, Any]) -> None:
    """Judge the anchors of every trusted judge; record each verdict, and in the manifest what they
    came to.

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
        from llmeval.judges.assurance.anchors import (
            anchor_scores,
            outcome,
        )  # brings numpy, which most runs don't need

        scores = await anchor_scores(judge, certificate)
        for score in scores:
            if score is not None:
                plan.budget.spend(score.cost_usd)
        writer.canaries(list(_lines(name, judge.digest, certificate, scores)))
        entry = manifest["judges"][name]
        entry["anchors"], trust = outcome(certificate, scores, plan.past(manifest, name))
        if trust is not None:
            entry.update(trust=trust.state, trust_reason=trust.reason)


def _lines(
    metric: str, digest: str, certificate: Certificate, scores: list[Score | None]
) -> Iterator[bytes]:
    """A line an anchor: what was expected, what came, and what asking cost."""
    for anchor, score in zip(certificate.anchors, scores, strict=True):
        given = (
            {"passed": None, "unscored": "the judge did not answer", "failed": True}
            if score is None
            else {
                "passed": score.passed,
                "unscored": score.unscored,
                "attempts": score.attempts,
                "cached": score.cached,
                "usage": score.usage,
                "cost_usd": score.cost_usd,
            }
        )
        named = {
            "schema": SCHEMA,
            "kind": "anchor",
            "metric": metric,
            "judge": digest,
            "case_id": anchor.case.id,
        }
        yield to_json({**named, "expected": anchor.passed, **given})
