"""A certificate's calibration map: what a judge states becomes how often it is right; its verdict
stays.
"""

import asyncio
import json
import math
import random
from dataclasses import replace

import pytest
from msgspec import structs

from llmeval.core.certificate import Certificate
from llmeval.core.records import Answer, Score, Status
from llmeval.judges.assurance.certify import certify
from llmeval.judges.assurance.labelled_answers import LabelledAnswer
from llmeval.judges.calibration_map import Calibration, calibration_of
from llmeval.models.base import Request
from tests.support.judging import Fake, judge_of
from tests.support.planted import items

SLOPE = 0.5


def overconfident(n: int = 400) -> tuple[Certificate, str]:
    """A decision model whose stated log-odds are twice the true ones, certified on n answers."""
    source, chances, labelled = random.Random(5), dict[str, float](), list[LabelledAnswer]()
    for item in items(n):
        stated = source.uniform(0.02, 0.98)
        true = 1 / (1 + math.exp(-SLOPE * math.log(stated / (1 - stated))))
        text = f"reply {item.case.id} ."
        chances[text] = stated
        people = {"ada": source.random() < true}
        labelled.append(
            replace(item, answer=Answer(case_id=item.case.id, output=text), people=people)
        )

    def said(request: Request) -> str:
        text = next(text for text in chances if text in request.messages[0].content)
        shares = {
            "correct": chances[text],
            "partially_correct": 0.0,
            "incorrect": 1 - chances[text],
        }
        return json.dumps({"verdict": shares})

    judge = judge_of(Fake(said), decides=True)
    return asyncio.run(certify(judge, labelled, suite="s", days=90, version="1")), judge.digest


def test_a_certified_map_mends_the_stated_probability_and_not_the_verdict() -> None:
    certificate, digest = overconfident()
    found = calibration_of(certificate, digest)
    assert found is not None
    assert found(0.95) == pytest.approx(1 / (1 + math.exp(-SLOPE * math.log(19))), abs=0.1)
    score = Score(
        case_id="a",
        metric="m",
        status=Status.PASS,
        value=1.0,
        passed=True,
        source="judge",
        confidence=0.95,
    )
    mended = found.mended(score)
    assert (mended.status, mended.passed, mended.value) == (Status.PASS, True, 1.0)
    assert mended.confidence == pytest.approx(found(0.95))
    assert mended.details is not None and mended.details["calibrated"]["stated"] == 0.95
    lower = found.mended(structs.replace(score, status=Status.FAIL, passed=False, value=0.0))
    assert lower.confidence == pytest.approx(1 - found(0.05))


def test_it_is_for_the_certified_judge_only_and_where_it_helped() -> None:
    certificate, digest = overconfident(200)
    assert certificate.probabilities is not None
    assert calibration_of(certificate, "sha256:another") is None
    assert calibration_of(structs.replace(certificate, expires="2020-01-01"), digest) is None
    assert calibration_of(structs.replace(certificate, probabilities=None), digest) is None
    worse = {**certificate.probabilities, "brier": 0.0}
    assert calibration_of(structs.replace(certificate, probabilities=worse), digest) is None


@pytest.mark.parametrize(
    "fields", [{"source": "check", "confidence": 0.9}, {"source": "judge", "confidence": None}]
)
def test_what_no_judge_stated_is_left_alone(fields: dict[str, object]) -> None:
    score = Score(case_id="a", metric="m", status=Status.PASS, value=1.0, passed=True, **fields)  # type: ignore[arg-type]
    assert Calibration("platt", {"slope": 0.5, "intercept": 0.0}).mended(score) is score


def test_less_sure_than_a_coin_is_said_as_one() -> None:
    score = Score(
        case_id="a",
        metric="m",
        status=Status.PASS,
        value=1.0,
        passed=True,
        source="judge",
        confidence=0.6,
    )
    assert Calibration("platt", {"slope": 1.0, "intercept": -3.0}).mended(score).confidence == 0.5
