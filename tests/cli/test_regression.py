"""The gate of regression as CI sees it: a baseline is approved, and later runs are compared with
it.
"""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

N = 60
GATE = (
    "gate: {regression: {baseline: base/t.lock.json, margins: {correctness: 0.1, contains: 0.1}}}\n"
)
CHECKED = "gate: {regression: {baseline: base/t.lock.json, margins: {contains: 0.1}}}\n"


def worse(body: dict[str, Any], earlier: int = 0) -> str:
    """As `answer`, but wrong on every second case too."""
    found = re.search(r"number (\d+)", body["messages"][-1]["content"])
    if body["model"] != "judge" and found is not None and int(found[1]) % 2 == 0:
        return f"It is other-{found[1]}."
    return answer(body, earlier)


def run(tmp_path: Path, says: Callable[..., Any], name: str, extra: str, *more: object) -> Any:
    with serve(says) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N, extra, judge=False)
        return llmeval("run", suite, "--out", tmp_path / name, "--no-cache", *more)


def approve(tmp_path: Path, name: str, *more: str) -> "subprocess.CompletedProcess[str]":
    return llmeval(
        "baseline", "approve", tmp_path / name, "--by", "ada", "--reason", "first release", *more
    )


def summary(tmp_path: Path, name: str) -> Any:
    return json.loads((tmp_path / name / "summary.json").read_text())


@pytest.fixture
def approved(tmp_path: Path) -> Path:
    first = run(tmp_path, answer, "first", CHECKED)
    assert first.returncode == 3
    assert "There is no baseline" in summary(tmp_path, "first")["gate"]["reason"]
    assert "llmeval baseline approve" in summary(tmp_path, "first")["gate"]["reason"]
    done = approve(tmp_path, "first")
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_the_same_candidate_again_passes(approved: Path) -> None:
    done = run(approved, answer, "again", CHECKED)
    assert done.returncode == 0, done.stdout + done.stderr
    (rule,) = summary(approved, "again")["gate"]["rules"]
    assert (rule["decision"], rule["estimate"], rule["n"], rule["threshold"]) == ("PASS", 0, N, 0.1)
    assert "contains did not move" in rule["reason"]
    assert rule["baseline"] == summary(approved, "first")["run_id"]
    assert rule["tipping_point"] > 0


def test_a_worse_candidate_fails_and_the_cases_are_named(approved: Path) -> None:
    done = run(approved, worse, "worse", CHECKED)
    assert done.returncode == 1, done.stdout + done.stderr
    (rule,) = summary(approved, "worse")["gate"]["rules"]
    assert "fell by 40.0 points" in rule["reason"]
    assert "is worse than the" in done.stdout
    text = (approved / "worse" / "summary.md").read_text()
    assert "Worse than the baseline on contains: c0002" in text
    assert rule["fell"][0] == "c0002"
    assert len(rule["fell"]) == 10
    assert 'name="regression contains"' in (approved / "worse" / "junit.xml").read_text()


def test_another_baseline_may_be_named(approved: Path) -> None:
    run(approved, worse, "worse", CHECKED)
    assert run(approved, worse, "again", CHECKED, "--baseline", approved / "worse").returncode == 0
    missing = run(approved, worse, "none", CHECKED, "--baseline", approved / "nowhere.json")
    assert missing.returncode == 2
    assert "nowhere.json: there is no such file" in missing.stderr
    unused = run(approved, worse, "unused", "", "--baseline", approved / "worse")
    assert unused.returncode == 2
    assert "has no regression rule" in unused.stderr


def test_a_floor_out_of_reach_is_told_before_the_first_call(tmp_path: Path) -> None:
    done = run(tmp_path, answer, "few", "gate: {floors: {contains: 0.96}}\n", "--limit", 20)
    told = "20 cases can't show 96.0% even if all pass"
    assert done.stderr.startswith("llmeval: gate.floors.contains: " + told)
    assert told in (tmp_path / "few" / "summary.md").read_text()
    assert told not in run(tmp_path, answer, "all", "gate: {floors: {contains: 0.95}}\n").stderr
    early = run(
        tmp_path, answer, "early", "gate: {stop: early, floors: {contains: 0.95}}\n"
    )  # half of alpha
    assert "60 cases can't show 95.0%" in early.stderr


def test_too_few_cases_do_not_decide(tmp_path: Path) -> None:
    tight = CHECKED.replace("0.1", "0.01")
    run(tmp_path, answer, "first", tight)
    approve(tmp_path, "first")
    assert run(tmp_path, answer, "again", tight).returncode == 4
    assert "more cases" in summary(tmp_path, "again")["gate"]["reason"]
    warn = tight.replace("gate: {", "gate: {on_inconclusive: warn, ")
    assert run(tmp_path, answer, "warned", warn).returncode == 0


def test_a_judge_that_changed_is_no_comparison(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N, GATE)
        llmeval("run", suite, "--out", tmp_path / "first", "--no-cache")
        assert approve(tmp_path, "first").returncode == 0
        assert llmeval("run", suite, "--out", tmp_path / "same", "--no-cache").returncode == 4
        suite.write_text(
            suite.read_text().replace(
                "model: judge, base_url", "params: {seed: 7}, model: judge, base_url"
            )
        )
        changed = llmeval("run", suite, "--out", tmp_path / "changed", "--no-cache")
    assert "UNTRUSTED" in summary(tmp_path, "same")["gate"]["reason"]
    assert changed.returncode == 3
    rules = {rule["metric"]: rule for rule in summary(tmp_path, "changed")["gate"]["rules"]}
    assert "the judge is not the one that scored the baseline" in rules["correctness"]["reason"]
    assert rules["contains"]["decision"] == "PASS"


def test_an_approval_that_is_over_does_not_count(approved: Path) -> None:
    lock = approved / "base" / "t.lock.json"
    lock.write_text(lock.read_text().replace('"expires": null', '"expires": "2020-01-31"'))
    assert run(approved, answer, "late", CHECKED).returncode == 3
    assert "expired on 2020-01-31" in summary(approved, "late")["gate"]["reason"]
    assert "(expired)" in llmeval("baseline", "show", lock).stdout
    refused = approve(approved, "first", "--expires", "2020-01-31")
    assert refused.returncode == 2
    assert "is over already" in refused.stderr


def test_a_broken_lock_file_is_told_before_the_first_call(approved: Path) -> None:
    (approved / "base" / "t.lock.json").write_text("{}")
    with serve(answer) as endpoint:
        done = llmeval(
            "run", write_suite(approved, endpoint.url, N, CHECKED, False), "--out", approved / "x"
        )
    assert done.returncode == 2
    assert "can't be read as a baseline" in done.stderr
    assert not endpoint.requests


def test_a_run_that_measured_nothing_is_no_baseline(approved: Path) -> None:
    def down(body: dict[str, Any], earlier: int) -> Any:
        return (400, {"error": {"message": "no"}}, {})

    run(approved, down, "down", CHECKED)
    refused = approve(approved, "down")
    assert refused.returncode == 2
    assert "can't be a baseline" in refused.stderr
    part = run(approved, answer, "part", CHECKED, "--max-calls", "5")
    assert part.returncode == 3
    assert "can't be a baseline" in approve(approved, "part").stderr


def test_proposals_tell_what_would_change(approved: Path) -> None:
    run(approved, worse, "worse", CHECKED)
    told = llmeval("baseline", "propose", approved / "worse")
    assert told.returncode == 0, told.stderr
    assert "+0 fixed, -24 regressed" in told.stdout
    assert "llmeval baseline approve" in told.stdout
    before = (approved / "base" / "t.lock.json").read_bytes()
    as_json = json.loads(llmeval("baseline", "propose", approved / "worse", "--json").stdout)
    assert len(as_json["changes"]["regressed"]) == 24
    assert (approved / "base" / "t.lock.json").read_bytes() == before
    shown = json.loads(
        llmeval("baseline", "show", approved / "base" / "t.lock.json", "--json").stdout
    )
    assert (shown["cases"], shown["approved"]["by"]) == (N, "ada")
    assert shown["metrics"] == [
        {"metric": "contains", "mean": pytest.approx(0.8), "n": N, "missing": 0}
    ]


def test_a_margin_on_nothing_names_its_line(tmp_path: Path) -> None:
    done = run(tmp_path, answer, "x", CHECKED.replace("contains", "containz"))
    assert done.returncode == 2
    assert re.search(r"suite\.yaml:\d+", done.stderr)
    assert "containz" in done.stderr


def test_cases_of_one_side_are_named_and_not_compared(approved: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(
            approved,
            endpoint.url,
            N + 1,
            CHECKED.replace("lock.json, ", "lock.json, max_gone: 2, "),
            judge=False,
        )
        lines = (approved / "cases.jsonl").read_text().splitlines()
        lines[1] = lines[1].replace("What is", "Tell me")
        (approved / "cases.jsonl").write_text("\n".join(lines[:3] + lines[4:]) + "\n")
        llmeval("run", suite, "--out", approved / "other", "--no-cache")
        (approved / "cases.jsonl").write_text(
            "\n".join(line.replace('"c0', '"d0') for line in lines) + "\n"
        )
        none = llmeval("run", suite, "--out", approved / "none", "--no-cache")
    (rule,) = summary(approved, "other")["gate"]["rules"]
    named = "Not compared: 1 new (c0060), 1 of the baseline not asked now (c0003), 1 changed since (c0001)."
    assert rule["reason"].endswith(named)
    assert (rule["n"], rule["decision"]) == (N - 2, "PASS")
    assert (
        "2 cases are gone or changed since the baseline, which `max_gone` allows: c0003, c0001."
        in (summary(approved, "other")["gate"]["reason"])
    )
    assert (
        "1 new case, 1 gone case, 1 changed case"
        in llmeval("baseline", "propose", approved / "other").stdout
    )
    assert none.returncode == 3
    gone, unpaired = summary(approved, "none")["gate"]["rules"]
    assert f"{N} gone, at most 2 may be" in gone["reason"], "all ids renamed"
    assert "no case is in both" in unpaired["reason"]


def test_equal_answers_need_no_second_verdict(tmp_path: Path) -> None:
    """The judge is not asked again about an answer of the baseline; about every other it is."""
    gate = "gate: {regression: {baseline: base/t.lock.json, margins: {correctness: 0.1}}}\n"
    found = {}
    with serve(lambda body, earlier=0: mode[0](body, earlier)) as endpoint:
        mode: list[Callable[..., Any]] = [answer]
        suite = write_suite(tmp_path, endpoint.url, N, gate)
        assert llmeval("run", suite, "--out", tmp_path / "first", "--no-cache").returncode == 3
        assert approve(tmp_path, "first").returncode == 0
        for name, says in (("same", answer), ("worse", worse)):
            mode[0] = says
            before = len(endpoint.requests)
            done = llmeval("run", suite, "--out", tmp_path / name, "--no-cache")
            found[name] = (done.returncode, len(endpoint.requests) - before)
    changed = sum(i % 2 == 0 and i % 5 != 0 for i in range(N))
    assert found["same"] == (4, N), "an untrusted judge can't pass"
    assert found["worse"] == (4, N + changed), "nor can it fail"
    scores = [
        json.loads(line) for line in (tmp_path / "worse" / "scores.jsonl").read_text().splitlines()
    ]
    kept = [score for score in scores if "byte for byte" in score["reason"]]
    assert len(kept) == N - changed
    assert {score["passed"] for score in kept} == {True, False}
    assert all(score["cached"] and score["source"] == "judge" for score in kept)
    assert summary(tmp_path, "worse")["reuse"]["verdicts"] == {
        "reused": N - changed,
        "of": N,
        "oldest": None,
    }
    assert summary(tmp_path, "worse")["calls"]["judge:correctness"]["made"] == changed
    rule = summary(tmp_path, "worse")["gate"]["rules"][0]
    assert rule["estimate"] == pytest.approx(-changed / N)


def judged(tmp_path: Path, url: str, params: str = "", build: str = "") -> Path:
    suite = write_suite(tmp_path, url, N, GATE)
    text = suite.read_text().replace("attacks: false", f"attacks: false{params}")
    text = text.replace("t.lock.json, ", "t.lock.json, max_gone: 1, ")
    suite.write_text(text.replace("model: judge, base_url", f"model: judge{build}, base_url"))
    return suite


def test_the_baseline_is_rejudged_and_its_candidate_not_asked(tmp_path: Path) -> None:
    kept = ("--reports", tmp_path / "reports")
    with serve(answer) as endpoint:
        llmeval("run", judged(tmp_path, endpoint.url), "--no-cache", *kept)
        (first,) = (tmp_path / "reports" / "t").iterdir()
        assert approve(tmp_path, first.relative_to(tmp_path).as_posix()).returncode == 0
        nothing = llmeval("run", tmp_path / "suite.yaml", "--rejudge", "--no-cache", *kept)
        suite = judged(tmp_path, endpoint.url, ", params: {temperature: 0.5}")
        (tmp_path / "cases.jsonl").write_text(
            (tmp_path / "cases.jsonl").read_text().replace("number 7?", "number 7 ?")
        )
        changed = llmeval("run", suite, "--no-cache", "--json", *kept)
        before = len(endpoint.requests)
        done = llmeval("run", suite, "--rejudge", "--no-cache", "--json", *kept)
        asked = [request["model"] for request in endpoint.requests[before:]]
        cases = (tmp_path / "cases.jsonl").read_text()
        (tmp_path / "cases.jsonl").write_text(cases.replace("?", "??"))
        other = llmeval("run", suite, "--rejudge", "--no-cache", "--json", *kept)
    assert (other.returncode, "no case is as the baseline had it" in other.stderr) == (3, True), (
        other.stderr
    )
    assert nothing.returncode == 4, nothing.stderr
    assert "nothing to rejudge" in nothing.stderr
    assert changed.returncode == 3
    assert "Run with --rejudge" in json.loads(changed.stdout)["gate"]["reason"]
    assert done.returncode == 4, done.stderr
    rules = {rule["metric"]: rule for rule in json.loads(done.stdout)["gate"]["rules"]}
    assert (rules["correctness"]["n"], rules["contains"]["decision"]) == (N - 1, "PASS")
    assert rules["correctness"]["reason"].endswith("Not compared: 1 changed since (c0007)."), (
        "the answer was to another case"
    )
    assert asked.count("cand") == N
    child = json.loads(
        (tmp_path / "reports" / "t" / rules["contains"]["baseline"] / "manifest.json").read_text()
    )
    assert child["parent_run"] == first.name


def test_a_judge_elsewhere_is_the_same_build_only_if_the_suite_says_so(tmp_path: Path) -> None:
    for build, code in (("", 3), (", build: judge-7b-2026", 4)):
        folder = tmp_path / f"b{code}"
        for name in ("first", "again"):
            with serve(answer) as endpoint:
                done = llmeval(
                    "run",
                    judged(folder, endpoint.url, build=build),
                    "--out",
                    folder / name,
                    "--no-cache",
                )
            if name == "first":
                assert approve(folder, "first").returncode == 0
        assert done.returncode == code, done.stdout
