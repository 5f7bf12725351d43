"""The pages of the history: what they show, in which order, and what hostile texts can't do."""

import re
from pathlib import Path

import pytest

from llmeval.core.errors import UsageError
from llmeval.core.monitor_record import MonitorRecord, StreamCount
from llmeval.history.opening import open_history
from llmeval.monitor.journal import Journal
from llmeval.view.export import export_pages
from llmeval.view.links import ServedLinks, case_file
from llmeval.view.monitor_pages import monitor_file
from llmeval.view.page import NoSuchPage, Site
from llmeval.view.run_pages import case_page, compare_page, report_file, run_page
from llmeval.view.suite_pages import board_page, flaky_page, home_page, suite_page
from tests.support.history_runs import git, past_run

HOSTILE = "<script>alert(1)</script>'\"&<img src=x onerror=alert(2)>\u202e\x1b[31m"
RUNS = [f"202601{day:02d}T090000Z-{day:06x}" for day in (1, 2, 3)]


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    for number, run_id in enumerate(RUNS):
        past_run(
            folder,
            run_id,
            {"facts": [1.0, float(number % 2), 0.0]},
            git=git("main", f"{number}ab"),
            candidate={"name": f"model-{number}"},
        )
    return folder


def hostile_runs(reports: Path) -> Path:
    """Runs whose every text that is not a plain name is hostile."""
    for run_id in RUNS[:2]:
        past_run(
            reports,
            run_id,
            {HOSTILE: [1.0, 0.0]},
            git={"commit": HOSTILE, "branch": HOSTILE, "dirty": True},
            candidate={"name": HOSTILE},
            environment=HOSTILE,
            suite_file=HOSTILE,
        )
    return reports


def all_pages(site: Site, suite: str, run_id: str, case_id: str) -> list[str]:
    return [
        home_page(site),
        suite_page(site, suite),
        flaky_page(site, suite),
        board_page(site, suite),
        run_page(site, run_id),
        case_page(site, suite, case_id),
    ]


def test_pages_show_the_runs(reports: Path) -> None:
    with open_history(reports) as history:
        site = Site(history, ServedLinks(), "here")
        home, suite, flaky, board, run, case = all_pages(site, "qa", RUNS[2], "c2")
        compared = compare_page(site, RUNS[0], RUNS[1]).decode()
    assert 'href="/suite/qa"' in home
    assert suite.count('name="a"') == 3
    assert 'action="/compare"' in suite
    assert "c1" in flaky
    assert "model-2" in board
    assert "Compare with the run before" in run
    assert "Failing since 0ab0000 (2026-01-01), 3 runs." in case
    assert "vs. A" in compared


def test_hostile_texts_are_texts(tmp_path: Path) -> None:
    with open_history(hostile_runs(tmp_path)) as history:
        site = Site(history, ServedLinks(), HOSTILE)
        pages = all_pages(site, "qa", RUNS[1], "c1")
    for page in pages:
        assert "<script" not in page
        assert "<img" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
        assert "default-src &#39;none&#39;" in page


def test_names_that_are_not_there(reports: Path) -> None:
    with open_history(reports) as history:
        site = Site(history, ServedLinks(), "here")
        for make in (
            lambda: suite_page(site, "../../etc"),
            lambda: run_page(site, "../passwd"),
            lambda: case_page(site, "qa", "nothing"),
            lambda: board_page(site, "qa", by="path"),
            lambda: compare_page(site, RUNS[0], "x"),
            lambda: compare_page(site, RUNS[0], RUNS[0]),
            lambda: report_file(site, RUNS[0]),
        ):
            with pytest.raises(NoSuchPage):
                make()


def test_a_report_that_is_a_link_is_not_served(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (reports / "qa" / RUNS[0] / "report.html").symlink_to(tmp_path / "secret")
    with open_history(reports) as history, pytest.raises(NoSuchPage):
        report_file(Site(history, ServedLinks(), "here"), RUNS[0])


def test_older_runs_are_on_the_next_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import llmeval.view.suite_pages as pages

    monkeypatch.setattr(pages, "ROWS", 2)
    for run_id in RUNS:
        past_run(tmp_path, run_id, {"facts": [1.0]})
    with open_history(tmp_path) as history:
        site = Site(history, ServedLinks(), "here")
        first = suite_page(site, "qa")
        assert f"before={RUNS[1]}" in first
        assert RUNS[0] in suite_page(site, "qa", before=RUNS[1])


def test_exported_pages_lead_to_each_other(reports: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    (reports / "qa" / RUNS[2] / "report.html").write_text("the report")
    with open_history(reports) as history:
        written = export_pages(history, folder)
    pages = {path.name: path.read_text() for path in folder.glob("*.html")}
    assert len(pages) == written
    assert f"{case_file('qa', 'c2')}.html" in pages
    assert f"compare-{RUNS[1]}-{RUNS[2]}.html" in pages
    for name, text in pages.items():
        assert "<form" not in text
        for target in re.findall(r'<a href="([^"#]+)"', text):
            assert (folder / target).exists(), (name, target)
    assert f"../reports/qa/{RUNS[2]}/report.html" in pages[f"run-{RUNS[2]}.html"]


def test_the_monitor_of_a_suite_is_among_its_pages(reports: Path, tmp_path: Path) -> None:
    folder = reports / "qa" / "monitor"
    count = StreamCount(metric="facts", answers=10, passed=2, state="alarm", evidence=900.0)
    record = MonitorRecord(
        seq=1, prev=None, kind="look", day="2026-11-30", at="2026-12-01T04:00:00Z", suite="qa",
        counts=(count,), hash="0" * 64,
    )  # fmt: skip
    folder.mkdir()
    with open_history(reports) as history:
        site = Site(history, ServedLinks(), "here")
        assert "Monitor:" not in home_page(site)
        Journal(folder).append(record)
        (folder / "monitor.html").write_text("the monitor")
        for page in (home_page(site), suite_page(site, "qa")):
            assert "Monitor: alarm (2026-11-30)" in page and '"/monitor/qa"' in page
        assert monitor_file(site, "qa").read_text() == "the monitor"
        export_pages(history, tmp_path / "pages")
        assert 'href="monitor-qa.html"' in (tmp_path / "pages" / "suite-qa.html").read_text()
        assert (tmp_path / "pages" / "monitor-qa.html").read_text() == "the monitor"
        (folder / "monitor.html").unlink()
        (tmp_path / "secret").write_text("x")
        (folder / "monitor.html").symlink_to(tmp_path / "secret")
        for name in ("qa", "../../etc"):
            with pytest.raises(NoSuchPage):
                monitor_file(site, name)


def test_an_export_does_not_go_among_other_files(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    refused = pytest.raises(UsageError, match=r"other files \(thesis.txt\)")
    with open_history(reports) as history, refused:
        export_pages(history, tmp_path / "full")


def test_pages_of_no_runs(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        assert "No runs yet" in home_page(Site(history, ServedLinks(), "here"))


def test_a_run_that_continues_is_no_green(tmp_path: Path) -> None:
    run = past_run(tmp_path, RUNS[0], {"facts": [1.0]}, status="running", ended=None)
    (run.path / "summary.json").unlink()
    with open_history(tmp_path) as history:
        site = Site(history, ServedLinks(), "here")
        home, page = home_page(site), run_page(site, RUNS[0])
    assert "running" in home
    assert "hero invalid" in page
    assert "PASS" not in home + page
