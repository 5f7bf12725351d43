"""Certificates: a judge with planted errors is measured right, and the certificate says what it may
be used for.
"""

import asyncio
import json
import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from llmeval.core.certificate import Certificate
from llmeval.core.errors import SuiteError, UsageError
from llmeval.core.records import Answer, Case, Message, Score, Status
from llmeval.judges.assurance.anchors import anchor_scores, outcome
from llmeval.judges.assurance.certificate import parts_of, read_certificate, trust
from llmeval.judges.assurance.certificate_markdown import page
from llmeval.judges.assurance.certify import certify
from llmeval.judges.assurance.labelled_answers import LabelledAnswer, from_file
from llmeval.judges.assurance.measures import JudgedAnswer
from llmeval.judges.assurance.probes import probe
from llmeval.judges.judge import Judge
from llmeval.judges.protocol import load_protocol
from llmeval.models.base import Reply, Request
from llmeval.models.client.caller import Caller
from llmeval.models.client.limiter import Limiter
from tests.support.planted import Planted, items, planted_judge

ROOT = Path(__file__).parent.parent.parent
CASE = Case("c", {"question": "?"})


def made(model: Planted, labelled: list[LabelledAnswer]) -> Certificate:
    return asyncio.run(certify(planted_judge(model), labelled, suite="s", days=90, version="1"))


def test_a_good_judge_is_trusted() -> None:
    found = made(Planted(0.95, 0.92), items(300))
    assert found.trusted and found.labels == 300
    assert found.figures["sensitivity"].low < 0.95 < found.figures["sensitivity"].high
    assert found.figures["specificity"].low < 0.92 < found.figures["specificity"].high
    assert found.youden_lower is not None and 0.6 < found.youden_lower < 0.87
    assert found.retest is not None and found.retest["value"] == 1.0
    assert len(found.anchors) == 50 and sum(anchor.passed for anchor in found.anchors) == 25
    wrong = found.counts["pass_fail"] + found.counts["fail_pass"]
    assert len(found.disagreements) == wrong > 0


def test_a_guessing_judge_is_not() -> None:
    found = made(Planted(0.5, 0.5), items(300))
    assert not found.trusted and found.anchors == ()
    assert "0.60 is needed" in found.reason


@pytest.mark.parametrize(
    ("labelled", "reason"),
    [
        (items(99), "100 labels are needed"),
        (items(200, rate=0.9), "30 labels of either kind are needed, the smaller has 20"),
    ],
)
def test_few_labels_certify_nothing(labelled: list[LabelledAnswer], reason: str) -> None:
    found = made(Planted(1.0, 1.0), labelled)
    assert not found.trusted and reason in found.reason


def test_noise_shows_in_the_retest() -> None:
    found = made(Planted(0.95, 0.95, noise=0.2), items(120))
    assert found.retest is not None and found.retest["value"] < 0.8
    assert found.natural == pytest.approx(1 - found.retest["value"])


def test_odd_answers_count_for_nothing() -> None:
    with pytest.raises(UsageError, match="labels sample"):
        made(Planted(1, 1), items(120, sampling="triage"))
    found = made(Planted(1, 1), items(120) + items(50, start=500, sampling="triage"))
    assert (found.labels, found.provenance["left_out"]) == (120, 50)
    assert "assumption" in found.provenance["allows"]
    random = made(Planted(1, 1), items(120, sampling="random", probability=0.5))
    assert "assumed" not in random.provenance["allows"]
    with pytest.raises(UsageError, match="mixed"):
        made(Planted(1, 1), items(60) + items(60, start=500, sampling="random", probability=0.5))


def drawn_by_verdict(
    source: random.Random, rate: float, sensitivity: float, specificity: float
) -> list[JudgedAnswer]:
    """200 labelled answers of a run of 1,000: 100 that the judge fails and 100 that it passes, or
    all where there are fewer.
    """
    sides: dict[bool, list[bool]] = {True: [], False: []}
    for _ in range(1000):
        right = source.random() < rate
        sides[source.random() < (sensitivity if right else 1 - specificity)].append(right)
    fails = min(100, len(sides[False]))
    found = []
    for passed, n in ((False, fails), (True, 200 - fails)):
        score = Score(
            case_id="c", metric="m", status=Status.PASS if passed else Status.FAIL, passed=passed
        )
        for right in source.sample(sides[passed], n):
            item = LabelledAnswer(
                CASE,
                (),
                Answer(case_id="c"),
                {"ada": right},
                sampling="stratified",
                probability=n / len(sides[passed]),
            )
            found.append(JudgedAnswer(item, score))
    return found


def test_unequal_chances_are_weighted_back() -> None:
    """100 right answers; the judge passes 80, of which every fourth was labelled, and fails 20, all
    labelled.
    """
    model = Planted(0.8, 1.0)
    everything = items(4000, rate=1.0) + items(400, rate=0.0, start=9000)
    verdicts = {each.id for each in made(model, everything).disagreements}
    drawn = [
        replace(item, sampling="stratified", probability=1.0 if item.case.id in verdicts else 0.25)
        for number, item in enumerate(everything)
        if item.case.id in verdicts or number % 4 == 0
    ]
    whole, part = made(model, everything), made(model, drawn)
    truth = whole.figures["sensitivity"].value
    assert truth is not None and part.figures["sensitivity"].value == pytest.approx(truth, abs=0.01)
    assert part.figures["sensitivity"].low < truth < part.figures["sensitivity"].high


def test_slices_arms_and_people() -> None:
    labelled = [
        replace(
            item,
            arm="a" if number % 2 else "b",
            slices={"topic": "x" if number % 3 else "y"},
            people={"ada": bool(item.verdict), "bob": bool(item.verdict), "cy": bool(item.verdict)},
        )
        for number, item in enumerate(items(200))
    ]
    labelled[0] = replace(labelled[0], people={"ada": True, "bob": False, "cy": True})
    found = made(Planted(0.95, 0.95), labelled)
    assert found.labels == 199
    assert [group.name for group in found.arms] == ["a", "b"]
    assert [group.name for group in found.slices] == ["topic=x", "topic=y"]
    assert sum(group.n for group in found.slices) == 199
    assert found.people is not None and len(found.people["pairs"]) == 3
    assert found.alt_test is not None and found.alt_test["passes"]


@pytest.mark.parametrize("name", ["verbosity", "formatting", "authority", "own name"])
def test_probes_find_what_was_planted_and_nothing_else(name: str) -> None:
    found = asyncio.run(probe(planted_judge(Planted(0.8, 0.8, biases={name: 0.5})), items(200)))
    assert [each.name for each in found if each.found] == [name]
    assert all(
        each.detectable is not None and 0.03 < each.detectable < 0.25
        for each in found
        if not each.note
    )
    assert [each.name for each in found if each.note] == ["reference order", "position"]


class Compares:
    """A pairwise judge that knows which answer is right, but takes the first one on so many of ten
    questions.
    """

    identity: ClassVar[dict[str, Any]] = {"provider": "test", "model": "compares"}

    def __init__(self, biased: int) -> None:
        self.biased = biased

    async def answer(self, request: Request) -> Reply:
        text = request.messages[-1].content
        number = int(text.split("What is ")[1].split("?")[0])
        right = text.index("value-", text.index("BEGIN FIRST")) < text.index("BEGIN SECOND")
        word = "first" if right or number % 10 < self.biased else "second"
        return Reply(text=json.dumps({"difference": "", "verdict": word}))

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("biased", [0, 3])
def test_the_position_probe_swaps_the_answers(biased: int) -> None:
    judge = Judge(
        "better", Caller(Compares(biased), Limiter(9), None), load_protocol("pairwise", ROOT), {}
    )
    pairs = []
    for number, item in enumerate(items(100, rate=1.0)):
        wrong = f"It is other-{number} ."
        case = msgspec.structs.replace(
            item.case, references=(), fields={**item.case.fields, "other": wrong}
        )
        pairs.append(replace(item, case=case))
    found = {each.name: each for each in asyncio.run(probe(judge, pairs))}["position"]
    # the right answer stands first: it always wins there, and in second place on the questions
    # without the bias
    assert (found.n, found.became_fail, found.became_pass, found.found) == (
        100,
        10 * biased,
        0,
        biased > 0,
    )


def test_a_certificate_is_for_one_judge_and_a_while(tmp_path: Path) -> None:
    judge, path = planted_judge(Planted(1, 1)), tmp_path / "c.json"
    certificate = asyncio.run(certify(judge, items(200), suite="s", days=30, version="1"))
    path.write_bytes(msgspec.json.encode(certificate))
    assert read_certificate(path) == certificate
    assert trust(judge.digest, path) == ("TRUSTED", certificate.reason)
    assert trust(judge.digest, path, today=date.max) == (
        "UNTRUSTED", f"its certificate expired on {certificate.expires}: certify it again"
    )  # fmt: skip
    other = Judge("correctness", judge.caller, judge.protocol, {"temperature": 1})
    state, reason = trust(other.digest, path, parts_of(other))
    assert state == "UNTRUSTED" and "void" in reason and "params.temperature was 0, is 1" in reason
    assert trust(judge.digest, None).state == "UNTRUSTED"
    path.write_text("{}")
    with pytest.raises(SuiteError, match="can't be read as a judge's certificate"):
        trust(judge.digest, path)
    broken = {**msgspec.to_builtins(certificate), "counts": {"pass_pass": 3}}
    path.write_bytes(msgspec.json.encode(broken))
    with pytest.raises(SuiteError, match="missing required field `pass_fail`"):
        read_certificate(path)


def test_the_page_shows_texts_of_others_as_text() -> None:
    labelled = items(120)
    hostile = msgspec.structs.replace(
        labelled[0].answer, output="<img src=x> | **bold** [x](javascript:1)\n# head"
    )
    labelled[0] = replace(labelled[0], answer=hostile)
    text = page(made(Planted(1, 1), labelled))
    (row,) = (line for line in text.splitlines() if "javascript" in line)
    assert "\\<img src=x\\> \\| \\*\\*bold\\*\\* \\[x\\](javascript:1) \\# head" in row
    assert text.startswith("# TRUSTED: the judge of correctness in s\n")


def asked(case: Case) -> tuple[Message, ...]:
    return (Message("user", str(case.fields["question"])),)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"case_id": "x"}, "output"),
        ({"case_id": "x", "output": "a", "human_verdict": "pass"}, "no case 'x'"),
        ({"case_id": "x", "output": "a", "question": "q", "human_verdict": "meh"}, "'meh'"),
        (
            {
                "case_id": "x",
                "output": "a",
                "question": "q",
                "human_verdict": "pass",
                "sampling": "random",
            },
            "probability",
        ),
    ],
)
def test_a_wrong_line_of_labels_is_named(
    tmp_path: Path, line: dict[str, Any], message: str
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text("\n" + json.dumps(line) + "\n")
    with pytest.raises(UsageError, match=rf"labels.jsonl:2: .*{message}"):
        from_file(path, {}, asked)


def test_labels_of_one_answer_are_put_together(tmp_path: Path) -> None:
    row = {"case_id": "x", "output": "a", "question": "q", "kind": "k"}
    lines = [
        {**row, "reviewer": "ada", "human_verdict": "correct"},
        {**row, "reviewer": "bob", "human_verdict": "incorrect"},
        {**row, "reviewer": "cy", "human_verdict": "unsure"},
        {**row, "reviewer": "dan", "human_verdict": "fail", "adjudication": True},
        {**row, "output": "b", "human_verdict": True},
    ]
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    first, second = from_file(path, {}, asked)
    assert (first.people, first.decided, first.verdict) == (
        {"ada": True, "bob": False},
        False,
        False,
    )
    assert (second.verdict, second.slices) == (True, {"kind": "k"})


class Stands:
    """A model that is only known by its identity."""

    def __init__(self, identity: dict[str, Any]) -> None:
        self.identity = identity

    async def answer(self, request: Request) -> Reply:
        raise AssertionError

    async def close(self) -> None:
        raise AssertionError


def test_the_shipped_certificate_is_of_the_shipped_judge() -> None:
    """On any machine: nothing in the judge's digest depends on where it runs."""
    from llmeval.suite.loader import load_suite

    suite = load_suite(ROOT / "suites" / "qa.yaml")
    spec = suite.judge("correctness")
    assert spec.certificate is not None
    found = read_certificate(ROOT / "suites" / spec.certificate)
    model: Any = Stands(found.parts["model"])
    judge = Judge(
        "correctness",
        Caller(model, Limiter(1), None),
        load_protocol(spec.prompt, ROOT),
        spec.params,
    )
    assert judge.digest == found.judge
    assert (found.parts["model"]["device"], found.parts["model"]["dtype"]) == ("cpu", "float32")
    assert (found.labels, found.trusted) == (202, False)
    assert str(ROOT) not in (ROOT / "suites" / spec.certificate).read_text()


def test_intervals_hold_what_was_planted() -> None:
    """40 judges: a 95 % interval misses more than 6 of them with a probability below 1 %."""
    from llmeval.judges.assurance.certify import judge_all
    from llmeval.judges.assurance.measures import measured

    missed = {"sensitivity": 0, "specificity": 0, "youden": 0, "lower": 0}
    for seed in range(40):
        judged = asyncio.run(judge_all(planted_judge(Planted(0.85, 0.9, seed=seed)), items(100)))
        found = measured(judged)
        for name, truth in {"sensitivity": 0.85, "specificity": 0.9, "youden": 0.75}.items():
            measure = getattr(found, name)
            missed[name] += not measure.low <= truth <= measure.high
        missed["lower"] += found.youden_lower > 0.75
    assert max(missed.values()) <= 6


@pytest.mark.parametrize("rate", [0.8, 0.95])
def test_labels_drawn_by_verdict_claim_no_more_than_is_so(rate: float) -> None:
    """`labels sample` draws half from the judge's fails, which are few: 60 judges of .9/.9, of
    1,000 answers each.

    J's bound, and the bound of people's rate behind a later run, pass the truth in 5 % at most:
    more than 8 of 60 has a probability below 1 %. Counted without weights the second one passes it
    in all 60.
    """
    from llmeval.judges.assurance.measures import effective_counts, measured
    from llmeval.stats.estimation.correction import decision_bounds
    from llmeval.stats.estimation.label_counts import Provenance

    wrong = {"youden": 0, "floor": 0, "specificity": 0}
    for seed in range(60):
        judged = drawn_by_verdict(random.Random(seed), rate, 0.9, 0.9)
        found = measured(judged)
        wrong["youden"] += found.youden_lower > 0.8
        wrong["specificity"] += not found.specificity.low <= 0.9 <= found.specificity.high
        passes = round(1000 * (0.9 * rate + 0.1 * (1 - rate)))
        low = decision_bounds(effective_counts(judged), passes, 1000, Provenance.BANK).low
        wrong["floor"] += low > rate
    assert max(wrong.values()) <= 8, wrong


@pytest.mark.parametrize(
    ("model", "trusted"), [(Planted(0.95, 0.95), True), (Planted(0.95, 0.95, drift=0.3), False)]
)
def test_anchors_see_drift(model: Planted, trusted: bool) -> None:
    certificate = made(Planted(0.95, 0.95), items(200))
    scores = asyncio.run(anchor_scores(planted_judge(model), certificate))
    figures, trust = outcome(certificate, scores)
    assert (trust is None) is trusted
    assert (figures.n, figures.alarm, figures.changed >= 4) == (50, 4, not trusted)


def test_a_judge_that_does_not_answer_is_not_called_changed() -> None:
    certificate = made(Planted(0.95, 0.95), items(200))
    scores = asyncio.run(anchor_scores(planted_judge(Planted(0.95, 0.95)), certificate))
    figures, trust = outcome(certificate, [*scores[:30], *[None] * 20])
    assert trust is None and figures.lost == 20
    _, trust = outcome(certificate, [*scores[:20], *[None] * 30])
    assert trust is not None and "only 20 of its 50 anchors could be judged" in trust.reason


def test_effective_counts_are_kishs() -> None:
    """Equal weights change nothing; weights 1 and 3 on the right answers leave (n + 3n)^2 / (n +
    9n) of 2n.
    """
    from llmeval.judges.assurance.certify import judge_all
    from llmeval.judges.assurance.measures import counts_of, effective_counts

    judge = planted_judge(Planted(1.0, 1.0))
    even = asyncio.run(judge_all(judge, items(100, sampling="random", probability=0.25)))
    assert effective_counts(even) == pytest.approx(counts_of(even))
    mixed = [
        replace(item, probability=1.0 if n % 2 else 1 / 3)
        for n, item in enumerate(items(100, rate=1.0))
    ]
    assert sum(effective_counts(asyncio.run(judge_all(judge, mixed)))) == pytest.approx(
        200**2 / 500
    )
