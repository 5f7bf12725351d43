"""The measurement of a judge says how far it is, and what is left in time and cost."""

import asyncio

from llmeval.core.records import Score, Status
from llmeval.judges.assurance.certify import certify, verdicts_needed
from llmeval.judges.assurance.probes import probe
from llmeval.judges.assurance.progress import CountedJudge, JudgingProgress
from tests.support.planted import Planted, items, planted_judge


def test_a_counted_judge_gives_the_same_certificate_within_the_plan() -> None:
    labelled = items(120)
    plain = asyncio.run(
        certify(planted_judge(Planted(0.95, 0.9)), labelled, suite="s", days=9, version="1")
    )
    progress = JudgingProgress(verdicts_needed(120, probes=True))
    seen: list[int] = []
    judge = CountedJudge(
        planted_judge(Planted(0.95, 0.9)), progress, lambda each: seen.append(each.done)
    )
    counted = asyncio.run(certify(judge, labelled, suite="s", days=9, version="1"))
    assert (counted.figures, counted.judge, counted.parts) == (
        plain.figures,
        plain.judge,
        plain.parts,
    )
    alone = progress.done
    assert 120 < alone <= verdicts_needed(120)
    asyncio.run(probe(judge, labelled))
    assert alone < progress.done <= progress.planned
    assert seen == list(range(1, progress.done + 1))


def test_the_sentence_estimates_from_what_was_spent() -> None:
    progress = JudgingProgress(planned=10)
    assert progress.sentence() == "0 of at most 10 verdicts"
    paid = Score(case_id="a", metric="m", status=Status.PASS, passed=True, value=1.0, cost_usd=0.5)
    progress.add(paid)
    assert progress.sentence().startswith(
        "1 of at most 10 verdicts, $0.5000 so far, about 0 s and $4.5"
    )
