"""Floors on people's scale: error rates hold where a judge errs, and labels say which estimator may
speak.
"""

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from llmeval.core.draw import Draw, Stratum
from llmeval.core.manifest import Manifest
from llmeval.core.records import Answer, Case, Label, Score, Status
from llmeval.core.results import Decision
from llmeval.gate.aggregate import MetricSample, RunAggregate
from llmeval.gate.human_labels import labels_of
from llmeval.gate.rules.judged_floors import decide_judged_floor, evidence_for
from llmeval.gate.rules.label_evidence import LabelEvidence, bounds
from llmeval.gate.rules.single_run import own_rules
from llmeval.stats.estimation.correction import adjusted_rogan_gladen
from llmeval.stats.estimation.label_counts import LabelCounts, Provenance
from llmeval.store.directory import Unit
from llmeval.store.draws import keep_draw
from llmeval.store.labels import append
from llmeval.store.writer import write_manifest
from tests.support.manifests import GATE, manifest_record

RIGHT, WRONG = 0.92, 0.15
"""The planted judge: how often it passes good answers, and bad ones."""
BANK = LabelEvidence(LabelCounts(138, 22, 12, 128), Provenance.BANK)


def judged(good: bool, source: random.Random) -> bool:
    return source.random() < (RIGHT if good else WRONG)


def selection(passes: list[bool], size: int = 1) -> MetricSample:
    clusters = tuple(i // size for i in range(len(passes)))
    return MetricSample(
        len(passes), sum(passes), 0, 0, tuple(map(float, passes)), clusters, tuple(passes)
    )


def counted(pairs: list[tuple[bool, bool]]) -> LabelCounts:
    cells = [(True, True), (True, False), (False, True), (False, False)]
    return LabelCounts(*(pairs.count(cell) for cell in cells))


def test_the_bank_is_rogan_and_gladen() -> None:
    rule = decide_judged_floor("m", None, selection([True] * 320 + [False] * 80), 0.7, 0.05, BANK)
    assert rule is not None
    expected = adjusted_rogan_gladen(BANK.counts, 320, 400, 0.9)
    assert rule.estimate == expected.rate
    assert (rule.low, rule.high) == (expected.low, pytest.approx(expected.high))
    assert (
        "the judge passes 80.0% (320 of 400 cases); corrected by the 300 labels of its certificate"
        in rule.reason
    )
    assert rule.tipping_point == pytest.approx((rule.low or 0) - 0.7)


@pytest.mark.parametrize("provenance", [Provenance.BANK, Provenance.BY_VERDICT])
@pytest.mark.parametrize("size", [1, 10])
def test_wrong_decisions_at_the_floor_are_rare(provenance: Provenance, size: int) -> None:
    """People's pass rate is the floor itself: PASS and FAIL each in at most 5 % of runs. The raw
    rate would do neither.
    """
    source, rounds, wrong = (
        random.Random(7),
        100,
        {Decision.PASS: 0, Decision.FAIL: 0, Decision.INCONCLUSIVE: 0},
    )
    for _ in range(rounds):
        rates = [
            min(1, max(0, 0.8 + (0.0 if size == 1 else source.uniform(-0.2, 0.2))))
            for _ in range(400 // size)
        ]
        truth = [source.random() < rates[i // size] for i in range(400)]
        passes = [judged(good, source) for good in truth]
        if provenance is Provenance.BANK:
            labels = counted([(judged(i < 100, source), i < 100) for i in range(200)])
        else:
            kept = source.sample(range(400), 120)
            labels = counted([(passes[i], truth[i]) for i in kept])
        rule = decide_judged_floor(
            "m", None, selection(passes, size), 0.8, 0.05, LabelEvidence(labels, provenance)
        )
        assert rule is not None
        wrong[rule.decision] += 1
    limit = rounds * 0.05 + 2.5 * math.sqrt(rounds * 0.05 * 0.95)
    assert max(wrong[Decision.PASS], wrong[Decision.FAIL]) <= limit, wrong


def test_clusters_widen_the_bounds() -> None:
    passes = ([True] * 9 + [False]) * 40
    for evidence in (BANK, LabelEvidence(LabelCounts(80, 10, 5, 25), Provenance.BY_VERDICT)):
        alone, together = (bounds(selection(passes, size), evidence, 0.05) for size in (1, 5))
        assert together.low <= alone.low
        assert together.high >= alone.high


def test_what_would_decide_is_said() -> None:
    rule = decide_judged_floor("m", None, selection([True] * 80 + [False] * 20), 0.8, 0.05, BANK)
    assert rule is not None
    assert rule.decision is Decision.INCONCLUSIVE
    assert "more cases like these" in rule.reason or "more labels like these" in rule.reason


def test_lost_verdicts_count_against_each_claim() -> None:
    """320 of 400 pass a floor of .7 on people's scale; with 80 more lost they don't, and so for
    FAIL.
    """
    for floor, found in ((0.7, Decision.PASS), (0.95, Decision.FAIL)):
        known = selection([True] * 320 + [False] * 80)
        for missing, expected in ((0, found), (80, Decision.INCONCLUSIVE)):
            rule = decide_judged_floor(
                "m", None, replace(known, unscored=missing), floor, 0.05, BANK
            )
            assert rule is not None and rule.decision is expected, rule
            assert ("80 more are missing and may be right or wrong; " in rule.reason) is bool(
                missing
            )
            assert ("80 missing results prevent a decision" in rule.reason) is bool(missing)


def manifest(trust: str, *, repeats: int = 1, **more: Any) -> Manifest:
    labels = dict(zip(LabelCounts._fields, BANK.counts, strict=True))
    judge = {
        "trust": trust,
        "trust_reason": "no labels",
        "labels": labels,
        "when": "always",
        **more,
    }
    return manifest_record(
        gate={**GATE, "floors": {"m": 0.5}}, judges={"m": judge}, repeats=repeats, cases={"n": 300}
    )


def run(tmp_path: Path, n: int = 300, left: int = 0) -> RunAggregate:
    """A run of n judged cases with the labels that are there; the last `left` were left to
    people.
    """
    labels = labels_of(tmp_path)
    aggregate = RunAggregate(
        tmp_path,
        people=labels.verdicts,
        drawn=labels.drawn,
        undecided=labels.undecided,
        revised=labels.revised,
    )
    for i in range(n):
        passed = i % 5 != 0
        answer, status = Answer(case_id=f"c{i}", output="x"), Status.PASS if passed else Status.FAIL
        score = Score(
            case_id=f"c{i}",
            metric="m",
            status=status,
            value=float(passed),
            passed=passed,
            source="judge",
        )
        if i >= n - left:
            score = Score(
                case_id=f"c{i}",
                metric="m",
                status=Status.NEEDS_REVIEW,
                source="judge",
                unscored="for a person",
            )
        aggregate.add(Unit(Case(f"c{i}", {}), answer, (score,)))
    return aggregate


def test_which_labels_count(tmp_path: Path) -> None:
    """Those of the run if enough were drawn at random; a certificate's only for the trusted judge
    alone.
    """
    aggregate = run(tmp_path)
    assert evidence_for(aggregate, manifest("TRUSTED"), "m", None) == BANK
    assert evidence_for(aggregate, manifest("TRUSTED", when="uncertain"), "m", None) is None
    assert evidence_for(aggregate, manifest("UNTRUSTED"), "m", None) is None
    several = manifest("TRUSTED", repeats=3)
    assert evidence_for(aggregate, several, "m", None) is None, (
        "a case passes with all three: the judge errs otherwise there"
    )
    weighted = dict(zip(LabelCounts._fields, (90.5, 10.0, 2.5, 40.0), strict=True))
    found = evidence_for(aggregate, manifest("TRUSTED", weighted=weighted), "m", None)
    assert found is not None and found.counts == (90.5, 10, 2.5, 40), (
        "labels drawn by verdict correct by their weights"
    )
    assert found.shown == "the 300 labels of its certificate"
    assert evidence_for(aggregate, manifest("TRUSTED"), "other", None) is None
    append(tmp_path, [label(i, sampling="triage") for i in range(100)])
    aggregate = run(tmp_path)
    assert evidence_for(aggregate, manifest("TRUSTED"), "m", None) == BANK, (
        "what was picked says nothing about the rest"
    )
    append(tmp_path, [label(i, sampling="stratified", probability=0.4) for i in range(100, 220)])
    assert evidence_for(run(tmp_path), manifest("UNTRUSTED"), "m", None) is None, (
        "no draw is recorded: a label does not make itself a random sample"
    )
    keep_draw(tmp_path, draw_of(range(100, 220)))
    aggregate = run(tmp_path)
    found = evidence_for(aggregate, manifest("UNTRUSTED"), "m", None)
    assert found is not None
    assert (found.provenance, found.counts) == (Provenance.BY_VERDICT, LabelCounts(96, 0, 0, 24))
    (rule,) = own_rules(aggregate, manifest("UNTRUSTED"))
    assert rule.decision is Decision.PASS, "labels of this very run carry the claim, not the judge"
    assert "120 labels of this run, drawn at random" in rule.reason


def test_reviewers_who_differ_count_against_both_claims(tmp_path: Path) -> None:
    keep_draw(tmp_path, draw_of(range(100, 220)))
    append(tmp_path, [label(i, sampling="stratified", probability=0.4) for i in range(100, 220)])
    (clear,) = own_rules(run(tmp_path), manifest("UNTRUSTED"))
    against = [
        structs.replace(
            label(i, sampling="stratified"),
            label_id=f"b{i}",
            reviewer="bob",
            human_verdict="fail" if i % 5 else "pass",
        )
        for i in range(100, 160)
    ]
    append(tmp_path, against)
    aggregate = run(tmp_path)
    evidence = evidence_for(aggregate, manifest("UNTRUSTED"), "m", None)
    assert evidence is not None and evidence.counts == LabelCounts(48, 0, 0, 12)
    assert (evidence.open_passes, evidence.open_fails) == (48, 12)
    (rule,) = own_rules(aggregate, manifest("UNTRUSTED"))
    assert (clear.decision, rule.decision) == (Decision.PASS, Decision.INCONCLUSIVE)
    assert rule.low is not None and clear.low is not None and rule.low < clear.low - 0.1
    assert rule.high is not None and clear.high is not None and rule.high > clear.high
    assert "60 more answers have no verdict that people agree on" in rule.reason
    assert "decide: settle them" in rule.reason
    settled = [
        structs.replace(each, label_id=f"s{each.label_id}", adjudication=True, human_verdict=right)
        for each in against
        for right in ["pass" if each.human_verdict == "fail" else "fail"]
    ]
    append(tmp_path, settled)
    (again,) = own_rules(run(tmp_path), manifest("UNTRUSTED"))
    assert (again.decision, again.low) == (clear.decision, clear.low)


def test_drawn_answers_without_a_label_count_against_both_claims(tmp_path: Path) -> None:
    """A reviewer may have left out the answers that are hard to judge, or that fail."""
    keep_draw(tmp_path, draw_of(range(100, 220)))
    seen = [label(i, sampling="stratified") for i in range(100, 220) if i % 5 or i % 2]
    append(tmp_path, seen)
    aggregate = run(tmp_path)
    evidence = evidence_for(aggregate, manifest("UNTRUSTED"), "m", None)
    assert evidence is not None and (evidence.open_passes, evidence.open_fails) == (0, 12)
    (blank,) = own_rules(aggregate, manifest("UNTRUSTED"))
    assert "12 more answers have no verdict that people agree on" in blank.reason
    failing = [label(i, sampling="stratified") for i in range(100, 220, 10)]
    append(tmp_path, failing)
    (rule,) = own_rules(run(tmp_path), manifest("UNTRUSTED"))
    assert blank.low is not None and rule.low is not None and blank.low <= rule.low
    withdrawn = [
        structs.replace(each, label_id=f"w{each.label_id}", human_verdict="withdrawn")
        for each in failing
    ]
    append(tmp_path, withdrawn)
    (again,) = own_rules(run(tmp_path), manifest("UNTRUSTED"))
    assert (again.decision, again.low) == (blank.decision, blank.low)


def test_an_adjudication_without_a_dispute_settles_nothing(tmp_path: Path) -> None:
    keep_draw(tmp_path, draw_of(range(100, 220)))
    votes = [label(i, sampling="stratified", probability=0.4) for i in range(100, 220)]
    append(tmp_path, votes)
    (clear,) = own_rules(run(tmp_path), manifest("UNTRUSTED"))
    overruled = [
        structs.replace(
            each, label_id=f"a{n}", reviewer="cy", adjudication=True, human_verdict="pass"
        )
        for n, each in enumerate(votes)
        if each.human_verdict == "fail" and n % 2
    ]
    append(tmp_path, overruled)
    (rule,) = own_rules(run(tmp_path), manifest("UNTRUSTED"))
    assert clear.low is not None and rule.low is not None and rule.low <= clear.low
    assert "12 more answers have no verdict that people agree on" in rule.reason


def test_a_reviewer_who_changes_their_mind_is_named(tmp_path: Path) -> None:
    keep_draw(tmp_path, draw_of(range(100, 220)))
    first = [label(i, sampling="stratified", at="2026-11-01T10:00:00Z") for i in range(100, 220)]
    append(tmp_path, first)
    later = [
        structs.replace(each, label_id=f"n{n}", at="2026-11-02T10:00:00Z", human_verdict="pass")
        for n, each in enumerate(first)
    ]
    append(tmp_path, later)
    (rule,) = own_rules(run(tmp_path), manifest("UNTRUSTED"))
    assert "on 24 a reviewer changed the verdict, and the later one counts" in rule.reason


def test_what_people_decided_is_no_sample_of_the_judge(tmp_path: Path) -> None:
    """Verdicts that were left to people agree with their labels by definition: the judge would look
    better than it is.
    """
    keep_draw(tmp_path, draw_of(range(180, 300)))
    append(tmp_path, [label(i, sampling="stratified", probability=0.4) for i in range(180, 300)])
    assert evidence_for(run(tmp_path, left=40), manifest("TRUSTED"), "m", None) is None
    found = evidence_for(run(tmp_path), manifest("TRUSTED"), "m", None)
    assert found is not None
    assert found.counts.n == 120


def test_a_draw_of_another_run_is_no_sample_of_this_one(tmp_path: Path) -> None:
    """A folder may keep the labels and draws of an earlier run."""
    append(tmp_path, [label(i, sampling="stratified", probability=0.4) for i in range(100, 220)])
    keep_draw(tmp_path, draw_of(range(100, 220)))
    write_manifest(tmp_path, manifest_record(run_id="r"))
    assert len(labels_of(tmp_path).drawn) == 120
    write_manifest(tmp_path, manifest_record(run_id="later"))
    assert labels_of(tmp_path).drawn == frozenset()


def draw_of(cases: range) -> Draw:
    """The record that these cases of the 300 were drawn, by verdict."""
    drawn = {f"0:c{i}": int(i % 5 == 0) for i in cases}
    strata = (
        Stratum("pass", "judge", 240, len(cases) * 4 // 5),
        Stratum("fail", "judge", 60, len(cases) // 5),
    )
    return Draw(
        draw_id="d", run_id="r", metric="m", n=len(cases), seed=0, strata=strata, drawn=drawn
    )


def label(i: int, **more: Any) -> Label:
    return Label(
        label_id=f"l{i}",
        case_id=f"c{i}",
        metric="m",
        human_verdict="pass" if i % 5 else "fail",
        **more,
    )
