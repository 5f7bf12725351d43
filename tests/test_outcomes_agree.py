"""One case, one outcome: the console, summary.json, summary.md, report.html, junit.xml, CI
annotations and pytest agree.
"""

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.outcome import Outcome
from llmeval.testing import case_results
from tests.report.test_html_page import Page
from tests.support.command import llmeval as command
from tests.support.endpoint import serve

OWN = "tests.support.own"
CASES: dict[str, tuple[str | None, list[Any], str, str]] = {
    # id: (answer, checks, what the judge says, outcome)
    "pass": ("ok", [{"contains": "ok"}], "sure", "pass"),
    "fail": ("no", [{"contains": "ok"}], "sure", "fail"),
    "judged-fail": ("ok", [{"contains": "ok"}], "against", "fail"),
    "unsure": ("ok", [{"contains": "ok"}], "unsure", "needs_review"),
    "fail-unsure": ("no", [{"contains": "ok"}], "unsure", "fail"),
    "unscored": ("ok", [{"contains": "ok"}], "broken", "unscored"),
    "fail-unscored": ("no", [{"contains": "ok"}], "broken", "unscored"),
    "no-answer": (None, [{"contains": "ok"}], "sure", "error"),
    "crash": ("ok", [f"{OWN}:crash"], "sure", "error"),
    "one-applies": ("ok", [f"{OWN}:none"], "sure", "pass"),
    "aside": ("no", [{"contains": "ok"}], "sure", "quarantined"),
}
UNJUDGED: dict[str, tuple[str | None, list[Any], str, str]] = {
    "none-applies": ("ok", [f"{OWN}:none"], "", "error"),
    "plain-pass": ("ok", [{"contains": "ok"}], "", "pass"),
    "plain-fail": ("no", [{"contains": "ok"}], "", "fail"),
}
WAITING: dict[str, tuple[str | None, list[Any], str, str]] = {
    "judged": ("ok", [{"contains": "ok"}], "sure", "pass"),
    "judged-too": ("no", [{"contains": "ok"}], "sure", "fail"),
    "waits-and-fails": ("no", [{"contains": "ok"}], "sure", "not_scored"),
}
LETTERS = {
    "pass": "p",
    "fail": "f",
    "needs_review": "o",
    "unscored": "u",
    "error": "e",
    "not_scored": "n",
}
MARKS = {"fail": "✘", "needs_review": "?", "unscored": "!", "error": "!", "not_scored": "·"}
TAGS = {
    "fail": "failure",
    "needs_review": "skipped",
    "unscored": "error",
    "error": "error",
    "not_scored": "error",
}
TESTED = {
    "pass": "passed",
    "fail": "failed",
    "needs_review": "needs_review",
    "unscored": "missing",
    "error": "missing",
    "not_scored": "missing",
}
COUNTED = {"pass": "passed", "fail": "failed", "needs_review": "needs_review", "unscored": "unscored", "error": "errors",
           "not_scored": "not_scored"}  # fmt: skip


def judge(body: dict[str, Any], earlier: int) -> Any:
    """A decision model: sure, sure of the opposite, unsure, or no verdict at all."""
    says = body["state"]["question"].split()[-1]
    if says == "broken":
        return {"answers": {}}
    share = {"sure": 0.99, "against": 0.01, "unsure": 0.5}[says]
    options = body["questions"]["verdict"]["criteria"]
    shares = {word: {"correct": share, "incorrect": 1 - share}.get(word, 0.0) for word in options}
    return {"answers": {"verdict": {"type": "choice", "choice": "?", "probabilities": shares}}}


def write(folder: Path, url: str, cases: dict[str, tuple[str | None, list[Any], str, str]]) -> Path:
    """A suite of recorded answers, with a judge where a case says what it says."""
    rows = [
        {"id": name, "question": f"What? {says}", "reference": "ok", "checks": checks}
        for name, (_, checks, says, _) in cases.items()
    ]
    answers = [
        {"id": name, "output": text} for name, (text, *_) in cases.items() if text is not None
    ]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    judged = any(says for _, _, says, _ in cases.values())
    if "aside" in cases:
        entry = "- {case: aside, reason: known, owner: ada, expires: 2099-01-01}\n"
        (folder / "quarantine.yaml").write_text(entry)
    path = folder / "suite.yaml"
    path.write_text(
        f"suite: outcomes\ncases: {json.dumps(rows)}\nprompt: '{{{{ question }}}}'\n"
        "candidate: {provider: replay, source: answers.jsonl}\n"
        f"models: {{jev: {{provider: systemone, model: jev, base_url: '{url}', api_key: k}}}}\n"
        + ("judges: {correctness: {cascade: [jev], audit: 0, attacks: false}}\n" if judged else "")
        + "gate: {floors: {contains: 0.99}, max_unscored: 0.9}\n"
    )
    return path


@pytest.mark.parametrize(
    ("cases", "options"),
    [(CASES, ()), (UNJUDGED, ()), (WAITING, ("--max-calls", 5))],
    ids=["judged", "unjudged", "stopped"],
)
def test_all_say_the_same(
    tmp_path: Path,
    cases: dict[str, tuple[str | None, list[Any], str, str]],
    options: tuple[object, ...],
) -> None:
    with serve(judge) as endpoint:
        suite, out = write(tmp_path, endpoint.url, cases), tmp_path / "run"
        done = command(
            "run",
            suite,
            "--out",
            out,
            "--no-cache",
            "--concurrency",
            1,
            "--format",
            "github",
            *options,
        )
    assert done.returncode in (1, 3, 4), done.stderr
    expected = {name: outcome for name, (*_, outcome) in cases.items() if outcome != "quarantined"}
    troubled = {name: outcome for name, outcome in expected.items() if outcome != "pass"}
    counts = json.loads((out / "summary.json").read_text())["counts"]
    assert {key: counts[key] for key in COUNTED.values()} == {
        key: Counter(COUNTED[outcome] for outcome in expected.values())[key]
        for key in COUNTED.values()
    }
    assert counts["cases"] == len(expected)
    assert _console(done.stdout, cases) == {
        name: MARKS[outcome] for name, outcome in troubled.items()
    }
    assert _markdown((out / "summary.md").read_text()) == set(troubled)
    page = Page(out / "report.html").index()
    states = dict(zip(page["id"], page["state"], strict=True))
    assert {name: states[name] for name in expected} == {
        name: LETTERS[each] for name, each in expected.items()
    }
    assert _junit(out / "junit.xml") == {name: TAGS[outcome] for name, outcome in troubled.items()}
    assert _annotated(done.stderr) == set(troubled)
    tested = {name: result.outcome for name, result in case_results(llmeval.load_run(out)).items()}
    assert tested == {name: TESTED.get(outcome, "allowed") for name, (*_, outcome) in cases.items()}


def _console(text: str, cases: Any) -> dict[str, str]:
    """The mark of each case in the table of those that did not pass."""
    marks = "".join(re.escape(mark) for mark in {*MARKS.values()})
    found = re.findall(rf"^([{marks}]) ([\w-]+)(?: |$)", text, re.M)
    return {name: mark for mark, name in found if name in cases}


def _markdown(text: str) -> set[str]:
    return set(re.findall(r"<details><summary><code>(.*?)</code>:", text))


def _junit(path: Path) -> dict[str, str]:
    """The tag of each case that did not pass; without the gate and what is set aside."""
    found = {}
    for case in (
        ET.parse(path).getroot().iterfind("testsuite[@name='llmeval.outcomes.cases']/testcase")
    ):
        for child in case:
            if not str(child.get("message")).startswith("set aside"):
                found[str(case.get("name"))] = child.tag
    return found


def _annotated(text: str) -> set[str]:
    return set(re.findall(r"^::warning title=llmeval outcomes%3A ([\w-]+)", text, re.M))


def test_every_outcome_is_tried() -> None:
    tried = {outcome for cases in (CASES, UNJUDGED, WAITING) for *_, outcome in cases.values()}
    assert tried == {*map(str, Outcome), "quarantined"}
    for table in (LETTERS, TESTED, COUNTED):
        assert set(table) == set(map(str, Outcome))


def test_junit_says_that_a_person_decides(tmp_path: Path) -> None:
    with serve(judge) as endpoint:
        suite = write(tmp_path, endpoint.url, {"unsure": CASES["unsure"], "fail": CASES["fail"]})
        command("run", suite, "--out", tmp_path / "run", "--no-cache")
    root = ET.parse(tmp_path / "run" / "junit.xml").getroot()
    (skipped,) = [
        case.find("skipped") for case in root.iter("testcase") if case.get("name") == "unsure"
    ]
    assert skipped is not None
    assert "needs review" in str(skipped.get("message"))


def test_what_people_decided_counts_everywhere(tmp_path: Path) -> None:
    from llmeval.core.records import Label
    from llmeval.store.labels import append

    with serve(judge) as endpoint:
        suite, out = (
            write(
                tmp_path,
                endpoint.url,
                {name: CASES[name] for name in ("unsure", "fail-unsure", "pass")},
            ),
            tmp_path / "run",
        )
        command("run", suite, "--out", out, "--no-cache")
    append(
        out,
        [
            Label(case_id=name, metric="correctness", human_verdict="pass")
            for name in ("unsure", "fail-unsure")
        ],
    )
    done = command("report", out, "--format", "github")
    counts = json.loads((out / "summary.json").read_text())["counts"]
    assert (counts["passed"], counts["failed"], counts["needs_review"]) == (2, 1, 0)
    page = Page(out / "report.html").index()
    assert dict(zip(page["id"], page["state"], strict=True)) == {
        "unsure": "p",
        "fail-unsure": "f",
        "pass": "p",
    }
    assert _junit(out / "junit.xml") == {"fail-unsure": "failure"}
    assert _annotated(done.stderr) == {"fail-unsure"}
    assert {name: each.outcome for name, each in case_results(llmeval.load_run(out)).items()} == {
        "unsure": "passed", "fail-unsure": "failed", "pass": "passed",
    }  # fmt: skip
