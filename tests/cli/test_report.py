"""`llmeval report` as people and CI call it: a run's page, and the page of all suites."""

import json
from pathlib import Path

import pytest

from tests.report.html_samples import sample_run
from tests.report.test_html_page import Page
from tests.support.command import llmeval


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for day in ("01", "02"):
        run_id = f"202611{day}T120000Z-aaaaaa"
        sample_run(folder / "qa" / run_id, 12, run_id=run_id, hostile=False)
    return folder


def test_a_page_of_all_suites(reports: Path) -> None:
    done = llmeval("report", "--index", reports, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(row["suite"], row["runs"], row["latest"]) for row in found["suites"]] == [
        ("qa", 2, "20261102T120000Z-aaaaaa")
    ]
    assert Path(found["page"]).exists()
    assert "2 runs, latest 20261102T120000Z-aaaaaa" in llmeval("report", "--index", reports).stdout


def test_every_row_in_full_when_asked(reports: Path) -> None:
    first = llmeval("report", "latest", "--reports", reports, "--embed", "all")
    assert (
        "summary.json did not match the records" in first.stderr
    )  # the sample's figures are its own
    done = llmeval("report", "latest", "--reports", reports, "--embed", "all")
    assert done.stderr == ""
    assert len(Page(reports / "qa" / "20261102T120000Z-aaaaaa" / "report.html").rows()) == 12


@pytest.mark.parametrize(("arguments", "said"), [
    ([], "name a run"), (["latest", "--index", "."], "a run and --index at once"), (["--index", "nowhere"], "no such directory"),
])  # fmt: skip
def test_what_to_do_is_said(arguments: list[str], said: str) -> None:
    done = llmeval("report", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
