"""The page of all suites: what stands first, what it says, where it leads."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmeval.core.results import Decision, GateResult
from llmeval.history.runs import recorded
from llmeval.report.html.overview import write_overview
from llmeval.store.directory import summary_bytes
from tests.report import html_samples as samples
from tests.report.test_html_page import Page
from tests.support.rundirs import seal


def write(
    root: Path, suite: str, day: int, decision: Decision | None, *, ended: bool = True
) -> Path:
    """A run of `suite` that came to `decision`; without a summary when it did not end."""
    run_id = f"202611{day:02}T120000Z-aaaaaa"
    path = samples.sample_run(root / suite / run_id, 12, run_id=run_id, hostile=False, suite=suite)
    summary = msgspec.json.decode((path / "summary.json").read_bytes(), type=samples.Summary)
    gate = GateResult(decision=decision, exit_code=0, reason=f"the reason of {suite}")
    (path / "summary.json").write_bytes(
        summary_bytes(msgspec.structs.replace(summary, suite=suite, gate=gate))
    )
    if not ended:
        (path / "summary.json").unlink()
    return path


def overview(root: Path) -> tuple[Page, list[dict[str, Any]]]:
    rows = write_overview(recorded(root), root / "index.html")
    return Page(root / "index.html"), rows


def test_suites_that_need_a_look_stand_first(tmp_path: Path) -> None:
    write(tmp_path, "calm", 1, Decision.PASS)
    write(tmp_path, "broken", 1, Decision.PASS)
    write(tmp_path, "broken", 2, Decision.FAIL)
    write(tmp_path, "begun", 1, Decision.PASS, ended=False)
    write(tmp_path, "unsure", 1, Decision.INCONCLUSIVE)
    page, rows = overview(tmp_path)
    assert [(row["suite"], row["state"], row["runs"]) for row in rows] == [
        ("broken", "FAIL", 2), ("begun", "not finished", 1), ("unsure", "INCONCLUSIVE", 1), ("calm", "PASS", 1),
    ]  # fmt: skip
    assert "1 of 4 suites fails" in page.text
    assert "the reason of broken" in page.text
    assert page.text.count("Its latest run did not end.") == 1


@pytest.mark.parametrize(
    ("decisions", "title"),
    [
        ([Decision.PASS, Decision.PASS], "All 2 suites pass"),
        ([Decision.FAIL, Decision.FAIL, Decision.PASS], "2 of 3 suites fail"),
        ([Decision.PASS], "suite0 passes"),
        ([None], "suite0 decides nothing"),
        ([], "No runs yet"),
    ],
)
def test_the_title_says_the_worst(
    tmp_path: Path, decisions: list[Decision | None], title: str
) -> None:
    for i, decision in enumerate(decisions):
        write(tmp_path, f"suite{i}", 1, decision)
    assert title in overview(tmp_path)[0].text


def test_links_lead_only_to_reports_that_are_there_and_nothing_is_fetched(tmp_path: Path) -> None:
    with_report = write(tmp_path, "qa", 1, Decision.PASS)
    (with_report / "report.html").write_text("")
    write(tmp_path, "qa", 2, Decision.PASS)
    page, _ = overview(tmp_path)
    hrefs = {
        attrs["href"]
        for tag, attrs in page.tags
        if tag == "a" and not str(attrs["href"]).startswith("#")
    }
    assert hrefs == {"qa/20261101T120000Z-aaaaaa/report.html"}
    assert not [tag for tag, _ in page.tags if tag in ("script", "img", "iframe", "object")]
    assert "script-src" not in str([attrs for tag, attrs in page.tags if tag == "meta"])


def test_names_of_candidates_are_text(tmp_path: Path) -> None:
    path = write(tmp_path, "qa", 1, Decision.PASS)
    seal(path, candidate={"name": "<img src=x>\u202e"})
    page, _ = overview(tmp_path)
    assert "<img src=x>⟨U+202E⟩" in page.text
