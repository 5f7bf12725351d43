"""A regression by people's labels: which labels count, at which rates, and whose answers a
certificate's labels are of.
"""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from llmeval.core.errors import UsageError
from llmeval.core.manifest import Digests
from llmeval.core.records import Label
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.baseline import baseline_of_run, lock_bytes, read_baseline
from llmeval.gate.baseline_runs import joined
from llmeval.gate.decide import decide
from llmeval.gate.human_labels import people_of
from llmeval.gate.rules.judge_arms import allowed_shift, other_answers
from llmeval.gate.rules.judged_floors import evidence_for
from llmeval.gate.rules.labelled_regression import draw_share
from llmeval.gate.run_pass import aggregate_run
from llmeval.review.draw import keep
from llmeval.review.pair_draw import draw_pairs
from llmeval.store.directory import RunDir
from llmeval.store.labels import BASELINE_LABELS, append, read, text_digest
from tests.support.manifests import manifest_record
from tests.support.runs import JUDGED, run_of

N = 300
GATE = {
    "floors": {},
    "alpha": 0.05,
    "beta": 0.05,
    "max_unscored": 0.02,
    "on_inconclusive": "fail",
}
Truth = Callable[[str, int], bool]
"""Whether people pass the answer of a run to a case."""


def two_runs(folder: Path, **about: Any) -> tuple[RunDir, RunDir]:
    """A baseline, and a run of which the judge says the same of nearly every case. The judge is
    UNTRUSTED unless `about` has another.
    """
    verdicts = [float(i % 5 > 0) for i in range(N)]
    before = run_of(
        folder / "before", {JUDGED: verdicts}, repeats=1, gate={**GATE, "regression": None}
    )
    gate = {**GATE, "regression": {"baseline": str(before.path), "margins": {JUDGED: 0.1}}}
    judges = {JUDGED: {"digest": "sha256:" + "d4" * 32, "trust": "UNTRUSTED"}}
    now = [1 - value if i % 25 == 3 else value for i, value in enumerate(verdicts)]
    made = {"repeats": 1, "gate": gate, "judges": judges, **about}
    return before, run_of(folder / "now", {JUDGED: now}, **made)


def labelled(before: RunDir, run: RunDir, truth: Truth, n: int = 200, seed: int = 0) -> None:
    """Draw, and label all of it as it is."""
    made, drawn = draw_pairs(run, before, baseline_of_run(before), JUDGED, n, seed)
    keep(run, made)
    for each in drawn:
        mine = each.answer.text.startswith("now")
        row = Label(
            run_id="now" if mine else "before",
            case_id=each.place.case_id,
            metric=JUDGED,
            output_digest=text_digest(each.answer.text),
            human_verdict="pass" if truth(each.place.case_id, mine) else "fail",
            reviewer="ada",
            sampling="stratified",
            probability=0.5,
        )
        append(run.path, [row], "labels.jsonl" if mine else BASELINE_LABELS)


def rule_of(run: RunDir) -> RuleDecision:
    """The one rule, decided."""
    manifest = run.manifest()
    (rule,) = decide(aggregate_run(run, manifest), manifest, ()).rules
    return rule


def fallen(share: float) -> Truth:
    """People pass four of five on both sides, but of the candidate's a share fell."""
    source = random.Random(5)
    worse = {f"c{i}" for i in range(N) if source.random() < share}
    return lambda case, mine: int(case[1:]) % 5 > 0 and not (mine and case in worse)


@pytest.mark.parametrize(
    ("share", "n", "decision"),
    [
        (0.0, 200, Decision.PASS),
        (0.3, 200, Decision.FAIL),
        (0.07, 60, Decision.INCONCLUSIVE),
    ],
)
def test_people_decide_where_an_untrusted_judge_sees_no_change(
    tmp_path: Path, share: float, n: int, decision: Decision
) -> None:
    before, run = two_runs(tmp_path)
    first = rule_of(run)
    assert first.decision is Decision.INCONCLUSIVE
    assert "People's labels of this run decide it without the judge" in first.reason
    labelled(before, run, fallen(share), n)
    rule = rule_of(run)
    assert rule.decision is decision, rule.reason
    assert f"{n} labels on {n // 2} of 300 paired cases" in rule.reason
    assert ("more labels would decide in 4 of 5 tries" in rule.reason) is (
        decision is Decision.INCONCLUSIVE
    )
    assert bool(rule.fell) is (share > 0)
    assert rule.level == pytest.approx(1 - 0.05 * 0.75)


def reviewed_again(run: RunDir, reviewer: str, at: str, verdict: str) -> None:
    """Labels of the candidate's drawn answers that people failed, once more."""
    rows = [
        structs.replace(label, reviewer=reviewer, at=at, human_verdict=verdict)
        for label in read(run.path / "labels.jsonl")
        if label.human_verdict == "fail"
    ]
    append(run.path, rows)


def test_reviewers_who_differ_never_make_a_decision_easier(tmp_path: Path) -> None:
    before, run = two_runs(tmp_path)
    labelled(before, run, fallen(0.3), 200)
    clear = rule_of(run)
    assert clear.decision is Decision.FAIL and "reviewers differ" not in clear.reason
    reviewed_again(run, "bob", "2026-11-30T10:00:00Z", "pass")
    rule = rule_of(run)
    assert rule.decision is Decision.INCONCLUSIVE
    assert rule.low is not None and clear.low is not None and rule.low <= clear.low + 1e-9
    assert rule.high is not None and clear.high is not None and rule.high > clear.high
    assert "of the drawn answers reviewers differ or nobody is sure" in rule.reason


def test_one_reviewer_who_contradicts_themselves(tmp_path: Path) -> None:
    before, run = two_runs(tmp_path)
    labelled(before, run, fallen(0.3), 200)
    reviewed_again(run, "ada", "", "pass")
    at_once = rule_of(run)
    assert at_once.decision is Decision.INCONCLUSIVE, "both are without a time: neither counts"
    assert "reviewers differ or nobody is sure" in at_once.reason
    reviewed_again(run, "ada", "2026-11-30T10:00:00Z", "pass")
    later = rule_of(run)
    assert "a reviewer changed the verdict, and the later one counts" in later.reason


def test_a_further_draw_decides_at_what_the_first_left(tmp_path: Path) -> None:
    before, run = two_runs(tmp_path)
    labelled(before, run, fallen(0.0), 100)
    labelled(before, run, fallen(0.0), 100, seed=1)
    rule = rule_of(run)
    assert "200 labels on 100 of 300 paired cases" in rule.reason
    assert rule.level == pytest.approx(1 - 0.05 * 0.75 * 0.25)
    assert sum(draw_share(number) for number in range(1, 40)) == pytest.approx(1)


def test_labels_of_other_verdicts_or_another_baseline_do_not_count(tmp_path: Path) -> None:
    before, run = two_runs(tmp_path)
    labelled(before, run, fallen(0.3))
    (path,) = (run.path / "draws").glob("*.jsonl")
    path.write_text(path.read_text().replace('"both_pass"', '"fell"', 1))
    rule = rule_of(run)
    assert rule.decision is Decision.INCONCLUSIVE
    assert "the verdicts are not those that the pairs were drawn by" in rule.reason
    path.write_text(path.read_text().replace('"baseline":"before"', '"baseline":"other"'))
    assert "labels on" not in rule_of(run).reason


def test_labels_of_pairs_are_no_sample_for_a_floor(tmp_path: Path) -> None:
    before, run = two_runs(tmp_path)
    labelled(before, run, fallen(0.0))
    verdicts, drawn = people_of(run.path)
    assert len(verdicts) == 100 and not drawn


def test_labels_of_cases_in_clusters_count_as_fewer(tmp_path: Path) -> None:
    alone, few = (tmp_path / name for name in ("alone", "few"))
    rules = {}
    for folder, about in ((alone, {}), (few, {"clusters": [f"g{i % 60}" for i in range(N)]})):
        before, run = two_runs(folder, **about)
        labelled(before, run, fallen(0.0), 200)
        rules[folder] = rule_of(run)
    one, many = rules[alone], rules[few]
    assert one.decision is Decision.PASS and many.decision is Decision.INCONCLUSIVE
    assert one.estimate == many.estimate and many.assumptions[0].startswith("the 60 clusters")
    assert one.low is not None and many.low is not None and many.low < one.low


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"judges": {}, "checks": [{"metric": JUDGED}]}, "has no judge"),
        ({"cases": {"n": N + 1}}, "the run stopped early"),
    ],
)
def test_where_labels_of_pairs_can_not_decide(tmp_path: Path, about: Any, why: str) -> None:
    before, run = two_runs(tmp_path, **about)
    with pytest.raises(UsageError, match=why):
        draw_pairs(run, before, baseline_of_run(before), JUDGED, 100)


def three_answers(folder: Path) -> tuple[RunDir, RunDir]:
    """As `two_runs`, with 3 answers a case: the judge passes all further answers of the baseline,
    and none of the candidate's.
    """
    before, run = two_runs(folder)
    both = []
    for each, further in ((before, 1.0), (run, 0.0)):
        gate = msgspec.to_builtins(each.manifest().gate)
        verdicts = [float(score.value or 0) for unit in each.units() for score in unit.scores]
        judges = {JUDGED: {"digest": "sha256:" + "d4" * 32, "trust": "UNTRUSTED"}}
        more = [{JUDGED: [further] * N}] * 2
        shutil.rmtree(each.path)
        both.append(
            run_of(each.path, {JUDGED: verdicts}, more=more, repeats=3, gate=gate, judges=judges)
        )
    return both[0], both[1]


@pytest.mark.parametrize(("share", "decision"), [(0.0, Decision.PASS), (0.3, Decision.FAIL)])
def test_of_several_answers_people_label_the_first(
    tmp_path: Path, share: float, decision: Decision
) -> None:
    before, run = three_answers(tmp_path)
    labelled(before, run, fallen(share))
    rule = rule_of(run)
    assert rule.decision is decision, rule.reason
    assert "200 labels on 100 of 300 paired cases" in rule.reason
    assert "12 rose" not in rule.reason and "Of 3 answers to a case they labelled the first" in (
        rule.reason
    )
    places = {label.repeat for label in read(run.path / "labels.jsonl")}
    assert places == {0}


@pytest.mark.parametrize(("share", "decision"), [(0.0, Decision.PASS), (0.3, Decision.FAIL)])
def test_of_several_runs_people_label_the_newest(
    tmp_path: Path, share: float, decision: Decision
) -> None:
    lock, alone = tmp_path / "two.lock.json", {**GATE, "regression": None}
    gate = {**GATE, "regression": {"baseline": str(lock), "margins": {JUDGED: 0.1}}}
    before, run = two_runs(tmp_path, gate=gate)
    older = run_of(tmp_path / "older", {JUDGED: [1.0] * N}, repeats=1, gate=alone)
    one, two = (baseline_of_run(each) for each in (older, before))
    lock.write_bytes(lock_bytes(joined([structs.replace(one, digests=two.digests), two])))
    made, drawn = draw_pairs(run, before, read_baseline(lock), JUDGED, 200)
    assert made.baseline == "before" and len(drawn) == 200
    labelled(before, run, fallen(share))
    rule = rule_of(run)
    assert rule.decision is decision, rule.reason
    assert "the answers of before, the newest of the baseline's 2 runs" in rule.reason
    assert "its mean over 2 runs" not in rule.reason


def test_a_lock_file_without_single_answers_is_named(tmp_path: Path) -> None:
    before, run = three_answers(tmp_path)
    old = structs.replace(baseline_of_run(before), first=msgspec.UNSET)
    with pytest.raises(UsageError, match="approve its runs again"):
        draw_pairs(run, before, old, JUDGED, 100)


def test_another_run_than_the_baseline_is_refused(tmp_path: Path) -> None:
    before, run = two_runs(tmp_path)
    with pytest.raises(UsageError, match="--baseline-run"):
        draw_pairs(run, run, baseline_of_run(before), JUDGED, 100)


def digests(name: str) -> dict[str, Any]:
    return {"candidate": f"sha256:{name}", "prompt": "sha256:p", "judges": {}}


def arm(name: str, sensitivity: tuple[float, float, float]) -> dict[str, Any]:
    value, low, high = sensitivity
    return {
        "name": name,
        "system": Digests(**digests(name)).system,
        "sensitivity": {"value": value, "low": low, "high": high},
        "specificity": {"value": 0.9, "low": 0.85, "high": 0.94},
    }


OLD, NEW, ALIKE = (
    arm("old", (0.85, 0.82, 0.88)), arm("new", (0.95, 0.93, 0.97)), arm("new", (0.87, 0.84, 0.9))
)  # fmt: skip


@pytest.mark.parametrize(
    ("arms", "shift", "said"),
    [
        ([], 0.02, ""),
        ([OLD], 0.02, ""),
        ([OLD, ALIKE], 0.02, ""),
        (
            [OLD, NEW],
            0.1361,
            "sensitivity is 85.0% on the answers of old and 95.0% on those of new",
        ),
    ],
)
def test_arms_that_contradict_the_shift_widen_it(
    tmp_path: Path, arms: list[Any], shift: float, said: str
) -> None:
    before, _ = two_runs(tmp_path)
    baseline: Any = baseline_of_run(before)
    baseline = type(baseline)(
        **{
            name: getattr(baseline, name)
            for name in baseline.__struct_fields__
            if name != "digests"
        },
        digests=Digests(**digests("old")),
    )
    manifest = manifest_record(
        digests=digests("new"), judges={JUDGED: {"trust": "TRUSTED", "arms": arms}}
    )
    allowed, note = allowed_shift(manifest, baseline, JUDGED)
    assert allowed == pytest.approx(shift, abs=1e-3)
    assert said in note


@pytest.mark.parametrize(("arms", "others"), [([OLD], "old"), ([OLD, NEW], ""), ([], "")])
def test_a_floor_says_whose_answers_its_labels_are_of(
    tmp_path: Path, arms: list[Any], others: str
) -> None:
    table = {"pass_pass": 138, "pass_fail": 22, "fail_pass": 12, "fail_fail": 128}
    judge = {"trust": "TRUSTED", "labels": table, "arms": arms}
    manifest = manifest_record(digests=digests("new"), judges={JUDGED: judge})
    _, run = two_runs(tmp_path)
    assert other_answers(manifest, JUDGED) == others
    evidence = evidence_for(aggregate_run(run, run.manifest()), manifest, JUDGED, None)
    assert evidence is not None
    assert evidence.shift == (0.02 if others else 0.0)
    assert ("which are of other answers (old" in evidence.shown) is bool(others)
