"""A certified judge that changes is noticed by the anchors of its certificate, and the run says so."""

import json
from pathlib import Path
from typing import Any

from tests.cli.test_cli import llmeval
from tests.support.endpoint import serve, verdict
from tests.support.suites import answer, write_suite


def labels(path: Path, n: int = 120) -> Path:
    """Right and wrong answers to the suite's questions."""
    rows = [
        {"case_id": f"c{i:04d}", "output": f"It is {'value' if i % 2 else 'other'}-{i}.", "human_verdict": bool(i % 2)}
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
        suite.write_text(suite.read_text().replace("attacks: false", "attacks: false, certificate: c/x.json"))
        home = {"LLMEVAL_HOME": str(tmp_path / "home")}
        made = llmeval("judge", "certify", suite, "--labels", labels(tmp_path / "l.jsonl"), "--json", **home)
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
    lines = [json.loads(line) for line in (tmp_path / "two" / "canaries.jsonl").read_text().splitlines()]
    assert len(lines) == 50 and sum(line["expected"] != line["passed"] for line in lines) == 25


def test_show_tells_what_would_void_it(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 120)
        (shown,) = json.loads(llmeval("judge", "show", suite, "--json").stdout)
    assert (shown["trust"], shown["certificate"]) == ("UNTRUSTED", None)
    assert shown["voided_by"]["protocol"]["name"] == "reference"
    missing = llmeval("judge", "certify", f"{suite}:style", "--labels", tmp_path / "x.jsonl")
    assert missing.returncode == 2 and "the suite's judges: correctness" in missing.stderr
