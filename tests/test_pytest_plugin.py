"""Suites as tests: `pytest --llmeval`, and the assertions that people write themselves."""

import importlib
import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import llmeval
from llmeval.core.errors import UsageError
from llmeval.runner.options import Options

pytest_plugins = "pytester"
WRONG = ("c3", "c7")
# pytester takes a picture of sys.modules and puts it back after each test. Extension modules can't
# be loaded twice, so they are loaded before the first picture.
importlib.import_module("numpy")
importlib.import_module("pandas")
INSTALLED = bool(entry_points(group="pytest11", name="llmeval"))
PLUGIN = () if INSTALLED else ("-p", "llmeval.pytest_plugin")
"""An environment made before the entry point was there does not know the plugin."""


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """pytest in a process of its own, with this one plugin: others take longer to load than a test
    takes.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        return pytester.runpytest_subprocess("-p", "llmeval.pytest_plugin", *arguments)


def run_installed(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """pytest in a process of its own, with all plugins that are installed."""
    return pytester.runpytest_subprocess(*PLUGIN, *arguments)


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Path:
    """Ten cases, two of them answered wrongly; `ask` notes each call in calls.txt."""
    pytester.makepyfile(
        app=f"""
        import time
        from pathlib import Path

        def ask(text):
            time.sleep(0)
            number = text.split()[-1]
            with Path(__file__).with_name("calls.txt").open("a") as file:
                file.write(number + "\\n")
            return "wrong" if f"c{{number}}" in {WRONG!r} else f"It is r{{number}}."
        """
    )
    rows = [
        {
            "id": f"c{i}",
            "question": f"number {i}",
            "reference": f"r{i}",
            "tags": {"half": "ab"[i // 5]},
        }
        for i in range(10)
    ]
    (pytester.path / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (pytester.path / "other.yaml").write_text("no: suite\n")
    return write(pytester.path, "gate: {floors: {contains: 0.4}}\n")


def write(folder: Path, gate: str) -> Path:
    path = folder / "qa.yaml"
    path.write_text(
        "suite: qa\ncases: cases.jsonl\nprompt: 'What is {{ question }}'\n"
        "candidate: {provider: python, function: 'app:ask'}\nchecks: [{contains: '{{ reference }}'}]\n"
        + gate
    )
    return path


def calls(suite: Path) -> int:
    path = suite.with_name("calls.txt")
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_cases_that_the_gate_allows_do_not_fail(pytester: pytest.Pytester, suite: Path) -> None:
    done = run_installed(pytester, "--llmeval", "-rx")
    done.assert_outcomes(passed=9, xfailed=2)
    done.stdout.fnmatch_lines(
        ["qa: PASS: *report.html", "XFAIL qa.yaml::c3*within what the gate allows: contains: *"]
    )
    assert calls(suite) == 10


def test_cases_fail_where_the_gate_does_or_there_is_none(
    pytester: pytest.Pytester, suite: Path
) -> None:
    write(suite.parent, "gate: {floors: {contains: 0.99}}\n")
    done = run_pytest(pytester, "--llmeval", "qa.yaml")
    done.assert_outcomes(passed=8, failed=3)
    done.stdout.fnmatch_lines(
        ["Asked:    number 3", "Answered: wrong", "qa: FAIL: contains: 80.0% pass*", "Report: *"]
    )
    done.stdout.no_fnmatch_line("*Traceback*")
    write(suite.parent, "")
    done = run_pytest(pytester, "--llmeval")
    done.assert_outcomes(passed=8, failed=3)
    done.stdout.fnmatch_lines(["qa: FAIL: 2 of 10 cases fail: c3 (contains), c7 (contains).*"])
    write(suite.parent, "gate: none\n")
    run_pytest(pytester, "--llmeval").assert_outcomes(passed=8, failed=2, skipped=1)


def test_what_is_reused_is_chosen_and_said(pytester: pytest.Pytester, suite: Path) -> None:
    """A function without a build is asked in each session, unless it is said that its old answers
    are good enough.
    """
    for option, asked, told in (
        ("-q", 10, "qa: PASS: *report.html"),
        (
            "--llmeval-reuse",
            10,
            "qa: PASS: *report.html (10 of 10 answers reused from earlier runs, the oldest of *.)",
        ),
        ("--llmeval-refresh", 20, "qa: PASS: *report.html"),
        ("--llmeval-no-cache", 30, "qa: PASS: *report.html"),
    ):
        run_pytest(pytester, "--llmeval", option).stdout.fnmatch_lines([told])
        assert calls(suite) == asked
    done = run_pytest(pytester, "--llmeval", "--llmeval-no-cache", "--llmeval-reuse")
    done.stdout.fnmatch_lines(["--no-cache, --reuse and --refresh exclude one another*"])


def test_selection(pytester: pytest.Pytester, suite: Path) -> None:
    listed = run_pytest(pytester, "--llmeval", "--collect-only", "-q")
    listed.stdout.fnmatch_lines(["qa.yaml::c0", "qa.yaml::gate", "11 tests collected*"])
    assert calls(suite) == 0
    run_pytest(pytester, "--llmeval", "-k", "c3 or c4 or gate").assert_outcomes(
        passed=1, failed=1, skipped=1, deselected=8
    )
    assert calls(suite) == 2
    run_pytest(pytester, "--llmeval", "-x", "-k", "b").assert_outcomes(
        passed=2, failed=1, deselected=6
    )
    run_pytest(pytester, "--llmeval", "-k", "gate").assert_outcomes(passed=1, deselected=10)
    run_pytest(pytester, "--llmeval", "-m", "not llmeval").assert_outcomes(deselected=11)


def test_one_run_for_all_workers(pytester: pytest.Pytester, suite: Path) -> None:
    app = suite.with_name("app.py")  # slow, so that two workers would meet
    app.write_text(app.read_text().replace("sleep(0)", "sleep(0.1)"))
    run_installed(pytester, "--llmeval", "-n", "2").assert_outcomes(passed=9, xfailed=2)
    assert calls(suite) == 10


def test_a_suite_that_is_wrong_is_told_with_its_line(
    pytester: pytest.Pytester, suite: Path
) -> None:
    suite.write_text(suite.read_text().replace("checks:", "cheks:"))
    done = run_pytest(pytester, "--llmeval")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*qa.yaml:5: *cheks*checks*"])


def test_nothing_is_imported_or_collected_unasked(pytester: pytest.Pytester, suite: Path) -> None:
    assert run_installed(pytester).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    code = "import sys, llmeval.pytest_plugin; print([n for n in sys.modules if n.startswith(('llmeval.', 'msgspec', 'yaml', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['llmeval.pytest_plugin']"


def test_assert_suite(pytester: pytest.Pytester, suite: Path) -> None:
    options = Options(reports=pytester.path / "reports")
    run = llmeval.assert_suite(suite, options=options)
    assert run.decision == "PASS" and len(run.answers) == 10
    with pytest.raises(
        AssertionError, match=r"qa: FAIL: contains: 80.0% pass(.|\n)*c3: contains: (.|\n)*Report: "
    ):
        llmeval.assert_suite(
            write(suite.parent, "gate: {floors: {contains: 0.99}}\n"), options=options
        )
    with pytest.raises(AssertionError, match=r"qa: FAIL: 2 of 10 cases fail: c3 \(contains\)"):
        llmeval.assert_suite(write(suite.parent, ""), options=options)
    with pytest.raises(
        AssertionError, match=r"2 cases did not pass \(no gate: nothing was decided\)"
    ):
        llmeval.assert_suite(write(suite.parent, "gate: none\n"), options=options)


def test_score() -> None:
    scores = llmeval.score(
        "Paris , of course.",
        ["punctuation", {"contains": "{{ reference }}"}, {"max_words": 2}],
        reference="Paris",
    )
    assert {metric: score.passed for metric, score in scores.items()} == {
        "punctuation": False, "contains": True, "max_words": False,
    }  # fmt: skip
    with pytest.raises(UsageError, match="checks: .*no_such"):
        llmeval.score("x", ["no_such_check"])


def test_score_of_a_conversation() -> None:
    calls = [{"name": "look_up", "arguments": {}}]
    turns: list[dict[str, object]] = [
        {"user": "I am Bob.", "output": "Hello.", "tool_calls": calls},
        {"user": "Who am I?", "data": {"seen": 2}},
    ]
    scores = llmeval.score(
        "You are Bob.",
        [
            {"contains": "Bob"}, {"equal": {"got": "{{ turns[0].output }}", "want": "Hello."}},
            {"equal": {"got": "{{ data.seen }}", "want": 2}}, {"tool_call": "look_up"},
        ],
        turns=turns,
    )  # fmt: skip
    assert all(score.passed for score in scores.values()), scores
    for wrong in ([{"output": "x"}], [{"user": "a", "output": "another"}]):
        with pytest.raises(UsageError, match="turns: "):
            llmeval.score("You are Bob.", ["punctuation"], turns=wrong)
