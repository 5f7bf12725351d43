"""First hours as new users have them, each from start to end: what they type, and what they see.

The first hour in a notebook is `tests/test_notebook.py`.
"""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.chromium import CHROMIUM, launched
from tests.support.command import llmeval

RIGHT = """\
ANSWERS = {"Japan": "Tokyo", "water": "H2O", "week": "seven", "Hamlet": "William Shakespeare",
           "planet": "Jupiter"}


def answer(text: str) -> str:
    return next(f"It is {right}." for word, right in ANSWERS.items() if word in text)
"""


def test_at_a_terminal(tmp_path: Path) -> None:
    """A suite for a function, a red run, a correction, a green run, and their comparison."""
    written = llmeval("init", "--target", "python", cwd=tmp_path)
    assert "Now: llmeval run suites/first.yaml" in written.stdout
    assert "5 cases" in llmeval("validate", "suites/first.yaml", cwd=tmp_path).stdout
    red = llmeval("run", "suites/first.yaml", cwd=tmp_path, COLUMNS="80")
    assert red.returncode == 1
    assert "FAIL" in red.stdout
    assert "capital-japan" in red.stdout
    assert "Tokyo" in red.stdout  # what was expected
    assert "I do not know." in red.stdout  # and what came
    assert "report.html" in red.stdout
    (tmp_path / "suites" / "app_first.py").write_text(RIGHT)
    green = llmeval("run", "suites/first.yaml", cwd=tmp_path)
    assert green.returncode == 0, green.stdout
    assert "PASS" in green.stdout
    ids = sorted(path.name for path in (tmp_path / "reports" / "first").glob("2*"))
    compared = llmeval("compare", *ids, cwd=tmp_path)
    assert compared.returncode == 0, compared.stderr
    assert "5 cases in both" in compared.stdout


def test_in_ci(tmp_path: Path) -> None:
    """The command of the CI job that `init` writes: exit code, annotations, summary, JUnit."""
    llmeval("init", "--target", "recorded", cwd=tmp_path)
    job = (tmp_path / ".github" / "workflows" / "llmeval.yml").read_text()
    command = next(line for line in job.splitlines() if "run: llmeval" in line)
    done = llmeval(
        *command.partition("llmeval ")[2].split(),
        cwd=tmp_path,
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(tmp_path / "step.md"),
    )
    assert done.returncode == 1
    assert "::error" in done.stdout + done.stderr
    summary = (tmp_path / "step.md").read_text()
    assert "FAIL" in summary
    assert "days-week" in summary
    junit = next((tmp_path / "reports").rglob("junit.xml"))
    cases = ElementTree.parse(junit).getroot().iter("testcase")
    failed = {case.get("name") for case in cases if case.find("failure") is not None}
    assert any("days-week" in str(name) for name in failed)
    assert "decision" in failed


def test_from_promptfoo(tmp_path: Path) -> None:
    """A configuration is imported, and its suite runs with another candidate."""
    (tmp_path / "promptfooconfig.yaml").write_text(
        "description: Capitals\n"
        "prompts: ['What is the capital of {{country}}?']\n"
        "providers: [openai:gpt-4o-mini]\n"
        "tests:\n"
        "  - vars: {country: Japan}\n"
        "    assert: [{type: icontains, value: tokyo}]\n"
        "  - vars: {country: Peru}\n"
        "    assert: [{type: icontains, value: lima}]\n"
    )
    (tmp_path / "app.py").write_text(
        "def answer(text):\n    return 'It is Tokyo.' if 'Japan' in text else 'It is Quito.'\n"
    )
    taken = llmeval("import", "promptfoo", "promptfooconfig.yaml", "--json", cwd=tmp_path)
    assert taken.returncode == 0, taken.stderr
    suite = json.loads(taken.stdout)["suites"][0]
    done = llmeval(
        "run", suite, "--candidate", "{provider: python, function: 'app:answer'}", cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    assert "1 passed" in done.stdout
    assert "It is Quito." in done.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_reviewer_with_a_browser(tmp_path: Path) -> None:
    """The report of a red run: the title and the first screen say FAIL and name the failing case."""
    llmeval("init", "--target", "recorded", cwd=tmp_path)
    llmeval("run", "suites/first.yaml", cwd=tmp_path)
    report = next((tmp_path / "reports").rglob("report.html"))
    problems: list[str] = []
    for browser in launched():
        page = browser.new_page(viewport={"width": 1024, "height": 900})
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(report.as_uri())
        assert "FAIL" in page.title()
        shown = page.inner_text("body")
        assert "FAIL" in shown
        assert "days-week" in shown
        assert page.evaluate("document.documentElement.scrollWidth") <= 1024
        assert problems == []
