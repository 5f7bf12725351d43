"""`llmeval doctor --ci`: models and machine as a test suite that is never green by omission."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import serve, verdict
from tests.support.suites import write_suite

YES = verdict("correct", "It is Canberra.")


def _tests(suite: Path, *more: object) -> tuple[int, dict[str, dict[str, Any]], Any]:
    done = llmeval("doctor", suite, "--ci", "--json", "--reports", suite.parent / "runs", *more)
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    return done.returncode, {test["name"]: test for test in document["tests"]}, document


def _suite(folder: Path, url: str, params: str = "{temperature: 0}") -> Path:
    path = write_suite(folder, url, n=2)
    text = path.read_text()
    assert "model: cand," in text
    path.write_text(text.replace("model: cand,", f"model: cand, params: {params},", 1))
    return path


def _answers(body: dict[str, Any], earlier: int) -> Any:
    return YES if body["model"] == "judge" else "Canberra"


def test_all_is_well(tmp_path: Path) -> None:
    with serve(_answers) as server:
        code, tests, document = _tests(_suite(tmp_path, server.url), "--junit", tmp_path / "j.xml")
    assert code == 0 and document["ok"], tests
    passed = {name for name, test in tests.items() if test["state"] == "passed"}
    assert {"endpoint: candidate", "same answer twice: candidate", "clock", "disk: home"} <= passed
    assert tests["versions"]["state"] == "skipped" and tests["versions"]["detail"]
    root = ET.parse(tmp_path / "j.xml").getroot()[0]
    assert root.get("failures") == root.get("errors") == "0"
    assert int(root.get("skipped", "0")) == document["counts"]["skipped"] > 0


def test_an_endpoint_that_is_away(tmp_path: Path) -> None:
    """What could not be tested is an error, so the exit code is 3 and not 1."""
    with serve(_answers) as server:
        suite = _suite(tmp_path, server.url)
    code, tests, document = _tests(suite, "--junit", tmp_path / "j.xml")
    assert code == 3 and not document["ok"]
    assert tests["endpoint: candidate"]["state"] == "failed"
    assert tests["latency: candidate"]["state"] == "error"
    assert ET.parse(tmp_path / "j.xml").getroot()[0].get("errors") == "2"


@pytest.mark.parametrize(
    ("handler", "params", "more", "failing"),
    [
        (lambda b, n: YES if b["model"] == "judge" else f"Canberra {n}", "{temperature: 0}", (), "same answer twice: candidate"),
        (lambda b, n: YES if b["model"] == "judge" else " ", "{temperature: 0}", (), "endpoint: candidate"),
        (lambda b, n: f"Well: {YES}" if b["model"] == "judge" else "x", "{temperature: 0}", (), "schema"),
        (_answers, "{temperature: 0}", ("--max-latency", "0"), "latency: candidate"),
    ],
)  # fmt: skip
def test_a_failure(tmp_path: Path, handler: Any, params: str, more: Any, failing: str) -> None:
    with serve(handler) as server:
        code, tests, _ = _tests(_suite(tmp_path, server.url, params), *more)
    failed = [name for name, test in tests.items() if test["state"] == "failed"]
    assert code == 1 and len(failed) == 1 and failed[0].startswith(failing)
    assert tests[failed[0]]["fix"]


def test_a_sampled_model_is_not_held_to_one_answer(tmp_path: Path) -> None:
    with serve(_answers) as server:
        code, tests, _ = _tests(_suite(tmp_path, server.url, "{temperature: 0.7}"))
    assert code == 0 and tests["same answer twice: candidate"]["state"] == "skipped"


def test_a_clock_in_the_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmeval.api import infrastructure_tests

    later = infrastructure_tests._moment("2999-01-01T00:00:00")
    monkeypatch.setattr(infrastructure_tests, "_installed", lambda: later)
    with serve(_answers) as server:
        code, tests, _ = _tests(_suite(tmp_path, server.url))
    assert code == 1 and "before llmeval was installed" in tests["clock"]["detail"]


def test_other_software_than_the_baseline(tmp_path: Path) -> None:
    with serve(_answers) as server:
        suite = _suite(tmp_path, server.url)
        runs = tmp_path / "runs"
        assert llmeval("run", suite, "--reports", runs).returncode != 2
        run = next((runs).glob("*/2*"))
        text = suite.read_text()
        gate = f"gate: {{regression: {{baseline: {run}, margins: {{correctness: 0.1}}}}}}"
        suite.write_text(text[: text.index("gate:")] + gate + "\n")
        assert _tests(suite)[1]["versions"]["state"] == "passed"
        _older(run)
        code, tests, _ = _tests(suite)
    assert code == 1 and "llmeval 0.0.1 -> " in tests["versions"]["detail"]


def _older(run: Path) -> None:
    """The manifest of a run by another version."""
    from msgspec import structs

    from llmeval.store.directory import RunDir
    from llmeval.store.writer import write_manifest

    manifest = RunDir(run).manifest()
    older = structs.replace(manifest.llmeval, version="0.0.1")
    write_manifest(run, structs.replace(manifest, llmeval=older))


@pytest.mark.parametrize("arguments", [("--ci",), ("--ci", "--no-ask"), ("--junit", "j.xml")])
def test_the_tests_need_a_suite_and_calls(arguments: tuple[str, ...]) -> None:
    done = llmeval("doctor", *arguments)
    assert done.returncode == 2 and "the tests need a suite" in done.stderr
