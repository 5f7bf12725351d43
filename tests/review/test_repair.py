"""Which cases people's labels speak against: repeatedly, in one direction, or because people
differ.
"""

from pathlib import Path
from typing import Any

import pytest

from llmeval.core.records import Answer, Case, Label, Score, Status
from llmeval.review.repair import evidence
from llmeval.store.directory import RunDir
from llmeval.store.labels import append, text_digest
from tests.report.html_samples import manifest, summary_of, write_run
from tests.support.command import llmeval


def make(
    tmp_path: Path, name: str, judge: str = "fail", digest: str = "sha256:1", repeats: int = 1
) -> RunDir:
    """A run of one case, every answer of which got the same verdict."""
    ok = judge == "pass"
    scores = [
        Score(
            case_id="c",
            repeat=i,
            metric="correctness",
            source="judge",
            status=Status(judge),
            value=float(ok),
            passed=ok,
        )
        for i in range(repeats)
    ]
    answers = [Answer(case_id="c", repeat=i, output=f"{name} {i}") for i in range(repeats)]
    case = Case("c", {"question": "q"}, digest=digest)
    return RunDir(
        write_run(
            tmp_path / name,
            [case],
            answers,
            scores,
            summary_of(name, [], [], []),
            manifest(name, 1),
        )
    )


def say(
    run: RunDir,
    verdict: Any,
    reviewer: str = "ada",
    repeat: int = 0,
    judge: str = "fail",
    **more: Any,
) -> None:
    label = Label(
        label_id=f"{run.path.name}-{reviewer}-{repeat}-{verdict}-{more.get('at', '')}", case_id="c", repeat=repeat,
        metric="correctness", human_verdict=verdict, judge_verdict=judge, reviewer=reviewer, **more,
        output_digest=text_digest(f"{run.path.name} {repeat}"),
    )  # fmt: skip
    append(run.path, [label])


@pytest.mark.parametrize(
    ("judge", "finding"), [("fail", "reference too narrow"), ("pass", "reference too loose")]
)
def test_people_against_the_judge_on_two_answers(tmp_path: Path, judge: str, finding: str) -> None:
    run = make(tmp_path, "a", judge, repeats=3)
    other = {"pass": "fail", "fail": "pass"}[judge]
    say(run, other, judge=judge)
    assert evidence(run) == [], "once is not repeatedly"
    say(run, other, repeat=1, judge=judge, comment="look")
    (found,) = evidence(run)
    assert (found.finding, found.answers, found.comments) == (finding, 2, ("look",))
    assert max(found.narrow, found.loose) == 2 and found.advice


def test_most_of_the_labelled_answers_must_speak_against_it(tmp_path: Path) -> None:
    run = make(tmp_path, "a", repeats=4)
    for repeat, verdict in enumerate(("pass", "pass", "fail", "fail")):
        say(run, verdict, repeat=repeat)
    assert evidence(run) == []


def test_other_runs_count_when_they_asked_the_same(tmp_path: Path) -> None:
    run, same, changed = (
        make(tmp_path, n, digest=d) for n, d in (("a", "1"), ("b", "1"), ("c", "2"))
    )
    say(run, "pass")
    say(changed, "pass")
    assert evidence(run) == []
    say(same, "pass")
    (found,) = evidence(run)
    assert (found.narrow, set(found.run_ids)) == (2, {"a", "b"})
    assert evidence(run, other_runs=False) == []
    (same.path / "labels.jsonl").write_text("{}\n")
    assert evidence(run) == [], "a neighbour that can't be read says nothing"


def test_reviewers_who_differ_and_reviewers_who_cannot_tell(tmp_path: Path) -> None:
    differ, unsure = make(tmp_path / "1", "a"), make(tmp_path / "2", "b")
    say(differ, "pass")
    say(differ, "fail", "bob")
    assert [(each.finding, each.differ) for each in evidence(differ)] == [("ambiguous", 1)]
    say(differ, "fail", "cy", adjudication=True)
    assert [each.finding for each in evidence(differ)] == ["ambiguous"], (
        "a decision does not make it clear"
    )
    say(unsure, "unsure")
    assert evidence(unsure) == []
    say(unsure, "unsure", "bob")
    assert [(each.finding, each.unsure) for each in evidence(unsure)] == [("ambiguous", 2)]


def test_withdrawn_and_stale_labels_say_nothing(tmp_path: Path) -> None:
    run = make(tmp_path, "a", repeats=2)
    say(run, "pass", at="2026-01-01T00:00:00Z")
    say(run, "pass", repeat=1, at="2026-01-01T00:00:00Z")
    assert len(evidence(run)) == 1
    say(run, "withdrawn", repeat=1, at="2026-01-02T00:00:00Z")
    assert evidence(run) == []


def test_labels_stats_prints_them(tmp_path: Path) -> None:
    run = make(tmp_path, "a", repeats=2)
    say(run, "pass")
    say(run, "pass", repeat=1)
    done = llmeval("labels", "stats", run.path)
    assert done.returncode == 0, done.stderr
    assert (
        "c · correctness: reference too narrow (people pass what failed 2; 2 answers)"
        in done.stdout
    )
    assert "add the answers that people accept" in done.stdout
