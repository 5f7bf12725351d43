"""Has a trusted judge changed since its certificate? Its anchors are judged again in every run,
without the cache.

Each verdict is a line of `judge_probes.jsonl`. The alarm needs so many changed verdicts that an
unchanged judge reaches them in less than 2 % of runs. Then the certificate is void, and the judge
is UNTRUSTED. Several runs of this suite together can also raise the alarm, for changes that no
single run shows.
"""

from msgspec import structs

from llmeval.core.certificate import Certificate
from llmeval.core.judge_probe import JudgeProbe
from llmeval.core.manifest import Manifest
from llmeval.core.records import Score
from llmeval.judges.assurance.certificate import read_certificate
from llmeval.runner.plan import RunPlan
from llmeval.runner.services import PastAnchors
from llmeval.store.writer import RunWriter


async def judge_anchors(
    plan: RunPlan, writer: RunWriter, manifest: Manifest, past_anchors: PastAnchors
) -> Manifest:
    """Judge the anchors of every trusted judge, and record each verdict.

    Returns:
        The manifest with the results of the anchors, and the trust that follows from them.

    Raises:
        StoreError: the run directory can't be written.
    """
    entries = dict(manifest.judges)
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
        )  # imports numpy, which most runs do not need

        scores = await anchor_scores(judge, certificate)
        for score in scores:
            if score is not None:
                plan.budget.spend(score.cost_usd)
        writer.judge_probes(_judge_probes(name, judge.digest, certificate, scores))
        anchors, trust = outcome(certificate, scores, past_anchors(manifest, name))
        entries[name] = structs.replace(entries[name], anchors=anchors)
        if trust is not None:
            entries[name] = structs.replace(
                entries[name], trust=trust.state, trust_reason=trust.reason
            )
    return structs.replace(manifest, judges=entries)


def _judge_probes(
    metric: str, digest: str, certificate: Certificate, scores: list[Score | None]
) -> list[JudgeProbe]:
    """One line for each anchor: the expected verdict, the verdict of this run, and the cost of the
    call.
    """
    return [
        _judge_probe(
            JudgeProbe(
                kind="anchor",
                metric=metric,
                judge=digest,
                case_id=anchor.case.id,
                expected=anchor.passed,
            ),
            score,
        )
        for anchor, score in zip(certificate.anchors, scores, strict=True)
    ]


def _judge_probe(judge_probe: JudgeProbe, score: Score | None) -> JudgeProbe:
    if score is None:
        return structs.replace(judge_probe, unscored="the judge did not answer", failed=True)
    return structs.replace(
        judge_probe,
        passed=score.passed,
        unscored=score.unscored,
        attempts=score.attempts,
        cached=score.cached,
        usage=score.usage,
        cost_usd=score.cost_usd,
    )
