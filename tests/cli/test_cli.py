"""The command line as scripts see it: exit codes, streams, JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import ROOT, llmeval
from tests.support.endpoint import reply, serve
from tests.support.suites import answer, write_suite


@pytest.mark.parametrize(
    ("floor", "policy", "code", "decision"),
    [
        ("0.5", "fail", 0, "PASS"),
        ("0.99", "fail", 1, "FAIL"),
        ("0.8", "fail", 4, "INCONCLUSIVE"),
        ("0.8", "warn", 0, "INCONCLUSIVE"),
        ("0.8", "pass", 0, "INCONCLUSIVE"),
    ],
)
def test_decisions_have_exit_codes(
    tmp_path: Path, floor: str, policy: str, code: int, decision: str
) -> None:
    gate = f"gate: {{floors: {{contains: {floor}}}, on_inconclusive: {policy}}}\n"
    with serve(answer) as endpoint:
        done = llmeval(
            "run",
            write_suite(tmp_path, endpoint.url, 50, gate),
            "--out",
            tmp_path / "out",
            "--json",
        )
    assert done.returncode == code, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["gate"]["decision"], summary["gate"]["exit_code"]) == (decision, code)


def test_an_untrusted_judge_cannot_make_a_rule_pass(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 50, "gate: {floors: {correctness: 0.5}}\n")
        done = llmeval("run", suite, "--out", tmp_path / "out")
    assert done.returncode == 4
    assert "UNTRUSTED" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "none.yaml"], "no such file"),
        (["run"], "Missing argument"),
        (["rum"], "No such command 'rum'"),
        (["run", "x.yaml", "--limit", "many"], "--limit"),
        (["check", "text", "--check", "contians: x"], "did you mean 'contains'"),
        (["checks", "show", "nothing"], "unknown check"),
    ],
)
def test_wrong_usage_exits_2(tmp_path: Path, arguments: list[str], told: str) -> None:
    done = llmeval(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_evaluated_exits_5(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        assert llmeval("run", write_suite(tmp_path, endpoint.url, 0)).returncode == 5


def test_a_broken_endpoint_exits_3(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", 2)
    suite.write_text(suite.read_text().replace("model: cand,", "model: cand, timeout: 1,"))
    with serve(lambda body, n: (401, {"error": {"message": "no"}}, {})) as endpoint:
        done = llmeval(
            "run", write_suite(tmp_path, endpoint.url, 3), "--out", tmp_path / "out", "--json"
        )
    assert done.returncode == 3
    assert json.loads(done.stdout)["counts"]["errors"] == 3


def test_an_unexpected_exception_exits_3_with_a_log(tmp_path: Path) -> None:
    """1 must mean that the gate failed, and a traceback would exit 1."""
    (tmp_path / "broken.py").write_text("from llmeval.cli import app\napp.entry_point = lambda _: 1 / 0\n"
                                        "from llmeval.cli.main import main\nmain()\n")  # fmt: skip
    done = subprocess.run(
        [sys.executable, tmp_path / "broken.py"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 3
    assert "internal error: ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
    log = Path(done.stderr.strip().rpartition(" ")[2])
    assert "Traceback" in log.read_text()
    log.unlink()


def test_people_and_machines_get_their_own_streams(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 5)
        for_people = llmeval("run", suite, "--out", tmp_path / "a")
        for_machines = llmeval("run", suite, "--out", tmp_path / "b", "--json")
    assert "report.html" in for_people.stdout
    assert json.loads(for_machines.stdout)["counts"]["cases"] == 5


def test_report_rebuilds_what_was_deleted(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        llmeval("run", write_suite(tmp_path, endpoint.url, 5), "--out", tmp_path / "out")
    before = json.loads((tmp_path / "out" / "summary.json").read_text())
    for name in ("summary.json", "report.html", "junit.xml", "summary.md"):
        (tmp_path / "out" / name).unlink()
    assert llmeval("report", tmp_path / "out").returncode == 0
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == before
    assert (tmp_path / "out" / "report.html").exists()


def test_runs_are_listed_and_shown(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 5)
        llmeval("run", suite, "--reports", tmp_path / "r")
        llmeval("run", suite, "--reports", tmp_path / "r")
    listed: list[dict[str, Any]] = json.loads(
        llmeval("runs", "list", "--reports", tmp_path / "r", "--json").stdout
    )
    assert [row["passed"] for row in listed] == [4, 4]
    assert listed[0]["run_id"] >= listed[1]["run_id"]
    shown = llmeval("runs", "show", listed[1]["run_id"], "--reports", tmp_path / "r", "--json")
    assert json.loads(shown.stdout)["run_id"] == listed[1]["run_id"]
    assert llmeval("runs", "show", "nothing", "--reports", tmp_path / "r").returncode == 3


def test_validate_and_schema_call_nothing(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", 5)
    done = llmeval("validate", suite, "--json")
    assert (done.returncode, json.loads(done.stdout)["cases"]) == (0, 5)
    suite.write_text(suite.read_text().replace("contains:", "contians:"))
    broken = llmeval("validate", suite)
    assert broken.returncode == 2
    assert (
        f"{suite}:9: checks[0].contians: unknown check 'contians'; did you mean 'contains'"
        in broken.stderr
    )
    schema = json.loads(llmeval("schema").stdout)
    assert set(schema["required"]) >= {"suite", "cases", "candidate"}
    assert "contains" in json.loads(llmeval("schema", "--checks").stdout)


def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        done = llmeval("run", write_suite(tmp_path, endpoint.url, 12), "--dry-run", "--json")
        assert not endpoint.requests
    assert [(row["role"], row["calls"]) for row in json.loads(done.stdout)] == [
        ("candidate", 12), ("judge:correctness", 12),
    ]  # fmt: skip


def test_a_dry_run_knows_what_the_last_run_took(tmp_path: Path) -> None:
    def handler(body: dict[str, Any], earlier: int) -> Any:
        text = answer(body)
        usage = {
            "prompt_tokens": len(str(body["messages"])) // 3,
            "completion_tokens": 7 if body["model"] == "cand" else 31,
        }
        return reply(text, usage=usage)

    with serve(handler) as endpoint:
        suite = write_suite(
            tmp_path, endpoint.url, 20, extra="prices: {cand: {input: 1, output: 2}}\n"
        )
        before = json.loads(
            llmeval("run", suite, "--dry-run", "--json", "--reports", tmp_path / "reports").stdout
        )
        llmeval("run", suite, "--limit", "10", "--no-cache", "--reports", tmp_path / "reports")
        after = json.loads(
            llmeval("run", suite, "--dry-run", "--json", "--reports", tmp_path / "reports").stdout
        )
        full = json.loads(
            llmeval("run", suite, "--no-cache", "--json", "--reports", tmp_path / "reports").stdout
        )
    assert [row["based_on"] for row in before] == [None, None]
    for row in after:
        calls = full["calls"][row["role"]]
        assert row["based_on"]
        assert row["calls"] == calls["made"]
        assert row["input_tokens"] == pytest.approx(calls["input_tokens"], rel=0.05)
        assert row["output_tokens"] == calls["output_tokens"]
    assert after[0]["cost_usd"] == pytest.approx(full["calls"]["candidate"]["cost_usd"], rel=0.05)


def test_another_candidate_by_name_or_specification(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 3, judge=False)
        spec = f"{{provider: openai, model: rc, base_url: '{endpoint.url}'}}"
        assert llmeval("run", suite, "--out", tmp_path / "a", "--candidate", spec).returncode == 0
        assert endpoint.count("rc") == 3
        assert "there is no model 'cant'" in llmeval("run", suite, "--candidate", "cant").stderr


def test_init_writes_a_suite_that_is_valid(tmp_path: Path) -> None:
    assert llmeval("init", cwd=tmp_path).returncode == 0
    assert llmeval("validate", "suites/first.yaml", cwd=tmp_path).returncode == 0
    again = llmeval("init", cwd=tmp_path)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    for name in ("qa", "format", "grounded"):
        folder = tmp_path / name / "suites"
        assert llmeval("init", folder, "--example", name, cwd=tmp_path).returncode == 0
        done = llmeval("validate", folder / f"{name}.yaml", cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_check_shows_what_it_found() -> None:
    done = llmeval(
        "check", "It is Paris.", "--check", "contains: Paris", "--check", "max_words: 2", "--json"
    )
    assert done.returncode == 1
    assert [(row["metric"], row["passed"]) for row in json.loads(done.stdout)] == [
        ("contains", True),
        ("max_words", False),
    ]
    assert llmeval("check", "It is Paris.", "--check", "contains: Paris").returncode == 0


def test_the_cache_is_told_and_pruned(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    with serve(answer) as endpoint:
        llmeval(
            "run",
            write_suite(tmp_path, endpoint.url, 5),
            "--out",
            tmp_path / "out",
            LLMEVAL_HOME=home,
        )
    assert (
        json.loads(llmeval("cache", "stats", "--json", LLMEVAL_HOME=home).stdout)["replies"] == 10
    )
    assert (
        json.loads(llmeval("cache", "prune", "--days", "0", "--json", LLMEVAL_HOME=home).stdout)[
            "deleted"
        ]
        == 10
    )
    assert json.loads(llmeval("cache", "stats", "--json", LLMEVAL_HOME=home).stdout)["replies"] == 0


@pytest.mark.parametrize("example", ["qa", "format", "grounded"])
@pytest.mark.parametrize("folder", [".", "suites"])
def test_a_copied_example_is_valid_wherever_it_lies(
    tmp_path: Path, example: str, folder: str
) -> None:
    made = llmeval("init", folder, "--example", example, "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout)
    assert all(
        (tmp_path / path).resolve().is_relative_to((tmp_path / folder).resolve())
        for path in found["files"]
    )
    done = llmeval("validate", found["suite"], "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_leaves_does_not_change_the_exit_code(tmp_path: Path) -> None:
    """`llmeval run ... | head -0` of a run that PASSes: rich would exit with 1, which means that
    the gate failed.
    """
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 5, judge=False)
        command = [
            sys.executable,
            "-m",
            "llmeval",
            "run",
            str(suite),
            "--out",
            str(tmp_path / "run"),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            told = process.stderr.read()
        assert process.returncode == 0, told
    assert b"Traceback" not in told


def test_a_command_is_built_alone_and_a_mistake_has_all_of_them_for_its_suggestion() -> None:
    from llmeval.cli.app import entry_point

    for first in ("run", "runs"):  # a command, and a group of commands
        built = entry_point(first)
        assert list(getattr(built, "commands")) == [first]  # noqa: B009
    done = llmeval("rnu")
    assert done.returncode == 2 and "'run'" in done.stderr
    assert "simulate" in llmeval("--help").stdout
