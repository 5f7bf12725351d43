"""The three example projects: each planted fault is detected by the suite as it is shipped, and the
unchanged application passes.
"""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import llmeval
from llmeval.core.results import Decision
from llmeval.runner.options import Options
from tests.applications import planted_faults as faults
from tests.support.command import llmeval as command
from tests.support.endpoint import Handler, serve

LINES = {"rag": 25, "agent": 30, "extract": 25}
"""By project, the most lines that its suite may have."""


def run_against(
    name: str, handler: Handler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> llmeval.Run:
    """A run of a shipped suite against a service."""
    with serve(handler) as server:
        monkeypatch.setenv(f"{name.upper()}_URL", server.url)
        suite, options = faults.SUITES / f"{name}.yaml", Options(out=tmp_path / "run")
        return llmeval.run(suite, environment="service", options=options)


def failures(run: llmeval.Run) -> dict[str, str]:
    """By metric, the reasons of all scores that failed."""
    reasons: dict[str, str] = {}
    for _, block in run.directory.scores():
        for score in block:
            if score.passed is False:
                reasons[score.metric] = f"{reasons.get(score.metric, '')}\n{score.reason}"
    return reasons


@pytest.mark.parametrize("name", LINES)
def test_a_suite_is_short_and_has_no_python(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (faults.SUITES / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    app = (faults.SUITES / f"{name}_app.py").read_text(encoding="utf-8").splitlines()
    with capsys.disabled():
        print(f"\n{name}.yaml: {len(lines)} lines; {name}_app.py: {len(app)} lines")
    assert len(lines) <= LINES[name]
    assert len(app) <= 60


@pytest.mark.parametrize("name", LINES)
def test_the_unchanged_application_passes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_against(name, faults.service(name), tmp_path, monkeypatch)
    assert (run.summary.gate.decision, run.summary.gate.exit_code) == (Decision.PASS, 0)
    assert failures(run) == {}


@pytest.mark.parametrize(
    ("name", "fault", "metric", "reason"),
    [
        ("rag", faults.retrieval_misses, "retrieval.recall", "0; expected at least 1"),
        ("rag", faults.unsupported_claim, "grounding", "helicopter"),
        ("rag", faults.cites_another, "citations_support", "not:"),
        ("rag", faults.cites_nothing_real, "cites_only", "manual-12"),
        ("rag", faults.empty_reply, "facts", "does not state"),
        ("agent", faults.wrong_order, "tool_calls", '“order” is "4711", expected "4713"'),
        ("agent", faults.loop_of_lookups, "tool_calls", "not wanted: find_order"),
        ("agent", faults.only_says_so, "equal", "4711: 39.9 is missing"),
        ("agent", faults.ten_times_the_amount, "tool_calls", "“amount” is 399, expected 39.9"),
        ("agent", faults.ten_times_the_amount, "equal", "is 399, expected 39.9"),
        ("agent", faults.forbidden_call, "tool_calls", "forbidden: close_account()"),
        ("agent", faults.FlakyOneInThree(), "equal", "4711: 39.9 is missing"),
        ("agent", faults.out_of_policy, "equal", "4712"),
        ("extract", faults.thousands, "json_fields.total", "read as a decimal point"),
        ("extract", faults.swapped_dates, "json_fields.date", "day and month are swapped"),
        ("extract", faults.missing_field, "json_fields.currency", "the field is missing"),
        ("extract", faults.number_as_text, "json_fields.total", "a number as text"),
        ("extract", faults.prose_around, "json_fields", "prose around the JSON"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_detected(
    name: str,
    fault: faults.Fault,
    metric: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = run_against(name, faults.service(name, fault), tmp_path, monkeypatch)
    assert (run.summary.gate.decision, run.summary.gate.exit_code) == (Decision.FAIL, 1)
    assert reason in failures(run)[metric]


def test_a_server_error_is_a_failure_and_is_sent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = faults.service("rag", faults.server_error)
    run = run_against("rag", handler, tmp_path, monkeypatch)
    assert (run.summary.gate.decision, run.summary.gate.exit_code) == (Decision.FAIL, 1)
    (broken,) = (answer for answer in run.directory.answers() if answer.error is not None)
    assert (broken.error.kind if broken.error else "", broken.attempts) == ("application", 1)
    assert "the index is being rebuilt" in failures(run)["facts"]


def test_a_slow_tenth_of_the_replies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = faults.service("extract", faults.slow_tenth())
    run = run_against("extract", handler, tmp_path, monkeypatch)
    assert (run.summary.gate.decision, run.summary.gate.exit_code) == (Decision.FAIL, 1)
    assert failures(run) == {}
    assert "latency.p95" in run.summary.gate.reason


def test_an_index_without_half_of_the_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_against("rag", faults.half_the_documents(), tmp_path, monkeypatch)
    assert run.summary.gate.decision is Decision.FAIL
    assert {"facts", "retrieval", "retrieval.recall"} <= failures(run).keys()
    assert run.summary.counts.failed >= 7


def test_the_reports_name_the_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_against(
        "extract", faults.service("extract", faults.missing_field), tmp_path, monkeypatch
    )
    assert "(json_fields.currency)" in run.summary.gate.reason
    junit = (run.path / "junit.xml").read_text(encoding="utf-8")
    assert "Details: json_fields.currency: the field is missing" in junit
    summary = (run.path / "summary.md").read_text(encoding="utf-8")
    assert "currency: the field is missing" in summary


@pytest.mark.parametrize("name", LINES)
def test_init_writes_an_example_that_runs(name: str, tmp_path: Path) -> None:
    written = command("init", tmp_path / "suites", "--example", name, cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    files = {path.name for path in (tmp_path / "suites").rglob("*") if path.is_file()}
    assert files == {f"{name}.yaml", f"{name}_app.py", f"{name}.jsonl"}
    run = command("run", tmp_path / "suites" / f"{name}.yaml", "--out", "run", cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr


def test_an_application_runs_as_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = subprocess.Popen(
        [sys.executable, str(faults.SUITES / "rag_app.py"), str(port)], stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        monkeypatch.setenv("RAG_URL", f"http://127.0.0.1:{port}")
        suite, options = faults.SUITES / "rag.yaml", Options(out=tmp_path / "run")
        run = llmeval.run(suite, environment="service", options=options)
        assert run.summary.gate.exit_code == 0
    finally:
        app.terminate()
        app.wait(10)


def _wait(port: int) -> None:
    """Until the service accepts connections."""
    for _ in range(200):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the service did not start")
