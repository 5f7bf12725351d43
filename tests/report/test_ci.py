"""What CI servers read: bounded, escaped, and never an order that a model wrote."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from llmeval.core.results import Decision
from llmeval.report.ci.annotations import MOST, Annotation, RunNotice, annotations
from llmeval.report.ci.dispatch import tell
from llmeval.report.ci.format import Format, detect
from llmeval.report.ci.github import SUMMARY_BYTES, add_summary, command
from llmeval.report.safe_text import one_line
from tests.report.test_texts import HOSTILE, rule, summary, trouble, view

ORDER = re.compile(r"^::(error|warning|notice) ([^:]*)::(.*)$")


def told(folder: Path, n: int = 30, decision: Decision = Decision.FAIL, code: int = 1) -> RunNotice:
    fell = replace_fell(rule(decision), ("c7", "c9"))
    troubles = [replace(trouble(f"c{i}"), source=f"data/q,a.jsonl:{i + 1}") for i in range(n)]
    return RunNotice(folder, folder, view(summary(decision, code, fell), troubles))


def replace_fell(made: object, fell: tuple[str, ...]) -> object:
    from msgspec import structs

    return structs.replace(made, fell=fell)  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("environment", "format_"),
    [({"GITHUB_ACTIONS": "true"}, "github"), ({"GITLAB_CI": "true"}, "gitlab"), ({"TF_BUILD": "True"}, "azure"),
     ({"JENKINS_URL": "http://x"}, "plain"), ({}, "plain")],
)  # fmt: skip
def test_the_server_is_known_by_its_variables(environment: dict[str, str], format_: str) -> None:
    assert detect(environment) == Format(format_)


def test_annotations_are_few_and_cases_that_fell_come_first(tmp_path: Path) -> None:
    lines = tell(told(tmp_path), Format.GITHUB, {})
    assert len(lines) == MOST
    found = [ORDER.match(line) for line in lines]
    assert all(found), "one order a line, and nothing else"
    assert lines[0].startswith("::error title=llmeval s%3A FAIL,file=suites/s.yaml::")
    assert "title=llmeval s%3A c7,file=data/q%2Ca.jsonl,line=8::" in lines[1]
    assert "c9" in lines[2]
    assert "and 22 more cases: see " in lines[-1]


def test_a_green_run_has_one_line(tmp_path: Path) -> None:
    (line,) = tell(told(tmp_path, decision=Decision.PASS, code=0), Format.GITHUB, {})
    assert line.startswith("::notice ")
    assert len(annotations(told(tmp_path, n=3))) == 4, "no rest, no line about it"


def test_what_a_model_wrote_is_no_order() -> None:
    line = command(Annotation("warning", HOSTILE, HOSTILE + "100%", "a:b,c.jsonl", 3))
    assert "\n" not in line
    assert "\r" not in line
    assert line.endswith("100%25")
    assert ",file=a%3Ab%2Cc.jsonl,line=3::" in line
    assert "##vso[" not in one_line("x ##vso[task.setvariable variable=a]b ##[add-mask]c", 200)
    assert "##[" not in one_line("##[add-mask]c", 200)


def test_outputs_and_summary_land_where_the_runner_says(tmp_path: Path) -> None:
    environment = {
        "GITHUB_ACTIONS": "1",
        "GITHUB_OUTPUT": str(tmp_path / "o"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "s"),
    }
    tell(told(tmp_path), Format.AUTO, environment)
    outputs = dict(line.split("=", 1) for line in (tmp_path / "o").read_text().splitlines())
    assert (outputs["decision"], outputs["exit-code"], outputs["run-id"]) == ("FAIL", "1", "r1")
    assert (tmp_path / "s").read_text().startswith("<!-- llmeval:s -->\n## ")


def test_a_summary_stays_below_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "s"
    for _ in range(4):
        add_summary(path, "## first\n" + "é" * 30 + "\n" + ("line\n" * 60_000))
    assert path.stat().st_size <= SUMMARY_BYTES
    text = path.read_text()
    assert text.startswith("## first")
    assert text.rstrip().endswith("More in report.html.")


def test_gitlab_gets_metrics_and_azure_its_orders(tmp_path: Path) -> None:
    assert tell(told(tmp_path), Format.GITLAB, {}) == []
    text = (tmp_path / "metrics.txt").read_text()
    assert 'llmeval_pass_rate{suite="s",metric="facts"} 0.700\n' in text
    assert text.endswith("# EOF\n")
    lines = tell(told(tmp_path), Format.AZURE, {})
    assert lines[0].startswith(
        "##vso[task.logissue type=error;sourcepath=suites/s.yaml]llmeval s: FAIL"
    )
    assert lines[1].startswith(
        "##vso[task.logissue type=warning;sourcepath=data/q,a.jsonl;linenumber=8]"
    )
    assert all("##vso" not in line[5:] for line in lines)
