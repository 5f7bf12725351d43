"""A certified judge that changes is noticed by the anchors of its certificate, and the run says
so.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from tests.support.command import llmeval
from tests.support.endpoint import serve, verdict
from tests.support.rundirs import seal
from tests.support.suites import answer, write_suite


def labels(path: Path, n: int = 120) -> Path:
    """Right and wrong answers to the suite's questions."""
    rows = [
        {
            "case_id": f"c{i:04d}",
            "output": f"It is {'value' if i % 2 else 'other'}-{i}.",
            "human_verdict": bool(i % 2),
        }
        for i in range(n)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_changed_judge_is_noticed(tmp_path: Path) -> None:
    changed = False

    def handler(body: dict[str, Any], earlier: int) -> str:
        said = answer(body)
        if body["model"] == "judge" and changed and "other-" in body["messages"][-1]["content"]:
            return verdict("correct")
        return said

    with serve(handler) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 120, "gate: {floors: {correctness: 0.6}}\n")
        suite.write_text(
            suite.read_text().replace("attacks: false", "attacks: false, certificate: c/x.json")
        )
        home = {"LLMEVAL_HOME": str(tmp_path / "home")}
        made = llmeval(
            "judge", "certify", suite, "--labels", labels(tmp_path / "l.jsonl"), "--json", **home
        )
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout)["trusted"] is True
        assert (tmp_path / "c" / "x.md").read_text().startswith("# TRUSTED")
        before = endpoint.count("judge")
        first = llmeval("run", suite, "--out", tmp_path / "one", "--json", **home)
        assert first.returncode == 0, first.stdout + first.stderr
        assert endpoint.count("judge") - before >= 50  # anchors go past the cache
        assert json.loads(first.stdout)["calls"]["anchors:correctness"]["made"] == 50
        changed = True
        second = llmeval("run", suite, "--out", tmp_path / "two", **home)
        assert second.returncode == 4, second.stdout + second.stderr
    judge = json.loads((tmp_path / "two" / "manifest.json").read_text())["judges"]["correctness"]
    assert judge["trust"] == "UNTRUSTED" and "25 of 50 anchors" in judge["trust_reason"]
    assert judge["anchors"]["alarm"] == 4
    good = json.loads((tmp_path / "one" / "manifest.json").read_text())["judges"]["correctness"]
    assert (good["trust"], good["anchors"]["changed"]) == ("TRUSTED", 0)
    lines = [
        json.loads(line)
        for line in (tmp_path / "two" / "judge_probes.jsonl").read_text().splitlines()
    ]
    assert len(lines) == 50 and sum(line["expected"] != line["passed"] for line in lines) == 25


def test_show_tells_what_would_void_it(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 120)
        (shown,) = json.loads(llmeval("judge", "show", suite, "--json").stdout)
    assert (shown["trust"], shown["certificate"]) == ("UNTRUSTED", None)
    assert shown["voided_by"]["protocol"]["name"] == "reference"
    missing = llmeval("judge", "certify", f"{suite}:style", "--labels", tmp_path / "x.jsonl")
    assert missing.returncode == 2 and "the suite's judges: correctness" in missing.stderr


def test_drift_that_no_run_shows_alone_is_seen_over_the_runs(tmp_path: Path) -> None:
    """3 of 50 changed is below the alarm of 4; two dozen such runs are not chance. They count with
    this certificate only.
    """
    turned: set[str] = set()

    def handler(body: dict[str, Any], earlier: int) -> str:
        text = body["messages"][-1]["content"]
        if body["model"] == "judge" and any(f"is other-{word}." in text for word in turned):
            return verdict("correct")
        return answer(body)

    with serve(handler) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 120, "gate: {floors: {correctness: 0.6}}\n")
        suite.write_text(
            suite.read_text().replace("attacks: false", "attacks: false, certificate: c/x.json")
        )
        environment = {"LLMEVAL_HOME": str(tmp_path / "home")}
        made = llmeval(
            "judge",
            "certify",
            suite,
            "--labels",
            labels(tmp_path / "l.jsonl"),
            "--json",
            **environment,
        )
        wrong = [
            each["case"]["id"] for each in json.loads(made.stdout)["anchors"] if not each["passed"]
        ]
        turned = {case[1:].lstrip("0") or "0" for case in wrong[:3]}
        reports = tmp_path / "reports"
        assert llmeval("run", suite, "--reports", reports, **environment).returncode == 0
        (first,) = reports.glob("*/*")
        for number in range(23):
            copy = shutil.copytree(first, first.with_name(f"20250101T0000{number:02}Z-000000"))
            seal(copy, run_id=copy.name)
        command = ("judge", "show", suite, "--reports", reports, "--json")
        (shown,) = json.loads(llmeval(*command, **environment).stdout)
        last = llmeval(
            "run", suite, "--reports", reports, "--out", tmp_path / "last", **environment
        )
        certificate = tmp_path / "c" / "x.json"
        certificate.write_text(certificate.read_text() + "\n")
        (anew,) = json.loads(llmeval(*command, **environment).stdout)
    assert (shown["trust"], shown["anchors"]["runs"], shown["anchors"]["changed"]) == (
        "UNTRUSTED",
        24,
        72,
    )
    assert last.returncode == 4
    judge = json.loads((tmp_path / "last" / "manifest.json").read_text())["judges"]["correctness"]
    assert (judge["trust"], judge["anchors"]["changed"], judge["anchors"]["drift"]["runs"]) == (
        "UNTRUSTED",
        3,
        25,
    )
    assert "it drifts: over the last 25 runs 75 of 1250 anchors" in judge["trust_reason"]
    assert (anew["trust"], anew["anchors"]["runs"]) == ("TRUSTED", 0)
