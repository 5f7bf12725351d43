"""What became of a case in past runs: read from their records, marked in the page's rows."""

from pathlib import Path
from typing import Any

from llmeval.core.records import digest
from llmeval.report.html.history import History
from llmeval.report.html.trend import earlier_runs
from llmeval.store.directory import RunDir
from tests.report import html_samples as samples
from tests.report.test_html_page import build
from tests.support.rundirs import record_lines

IDS = [f"2026110{day}T120000Z-aaaaa{day}" for day in range(1, 6)]
P, F = samples.Status.PASS, samples.Status.FAIL


def write(
    root: Path, run_id: str, outcomes: dict[tuple[str, int], samples.Status], **about: Any
) -> RunDir:
    """A run of cases that are named by their outcome on the metric m."""
    ids = sorted({case_id for case_id, _ in outcomes})
    digests = about.pop("case_digests", {})
    cases = [samples.Case(i, {"question": i}, digest=digest(digests.get(i, i))) for i in ids]
    answers = [samples.Answer(case_id=i, repeat=r, output="text") for i, r in outcomes]
    scores = [
        samples.Score(
            case_id=i,
            repeat=r,
            metric="m",
            status=status,
            passed=status is P,
            value=float(status is P),
        )
        for (i, r), status in outcomes.items()
    ]
    manifest = samples.manifest(run_id, len(ids), **about)
    path = samples.write_run(
        root / run_id, cases, answers, scores, samples.summary_of(run_id, [], answers, []), manifest
    )
    return RunDir(path)


def history(run: RunDir, **options: Any) -> History:
    found = History(earlier_runs(run, run.manifest()), **options)
    for case in run.outlines():
        found.add_case(case)
    return found


def test_a_letter_for_each_past_run_oldest_first(tmp_path: Path) -> None:
    write(tmp_path, IDS[0], {("a", 0): P, ("gone", 0): P})
    write(tmp_path, IDS[1], {("a", 0): F, ("b", 0): samples.Status.ERROR})
    run = write(tmp_path, IDS[2], {("a", 0): P, ("b", 0): P, ("new", 0): P})
    found = history(run)
    assert [past.run_id for past in found.runs] == IDS[:2]
    assert found.of(samples.Case("a", {})) == {"m": "pf"}
    assert found.of(samples.Case("b", {})) == {"m": ".e"}
    assert found.of(samples.Case("new", {})) == {}


def test_the_worst_repeat_counts(tmp_path: Path) -> None:
    write(tmp_path, IDS[0], {("a", 1): F, ("a", 0): P, ("a", 2): P}, repeats=3)
    run = write(tmp_path, IDS[1], {("a", 0): P})
    assert history(run).of(samples.Case("a", {})) == {"m": "f"}


def test_the_last_score_of_a_key_counts(tmp_path: Path) -> None:
    before = write(tmp_path, IDS[0], {("a", 0): F})
    again = samples.Score(case_id="a", metric="m", status=P, passed=True, value=1.0)
    with (before.path / "scores.jsonl").open("ab") as file:
        file.write(record_lines([again]))
    assert history(write(tmp_path, IDS[1], {("a", 0): P})).of(samples.Case("a", {})) == {"m": "p"}


def test_a_case_that_asked_something_else_says_so(tmp_path: Path) -> None:
    write(
        tmp_path,
        IDS[0],
        {("a", 0): F, ("b", 0): F},
        digests={"cases": "other", "judges": {}},
        case_digests={"a": "sha256:old"},
    )
    run = write(tmp_path, IDS[1], {("a", 0): P, ("b", 0): P})
    found = history(run)
    assert found.of(samples.Case("a", {})) == {}
    assert found.of(samples.Case("b", {})) == {"m": "f"}


def test_what_is_read_is_bounded(tmp_path: Path) -> None:
    runs = [write(tmp_path, run_id, {("a", 0): P}) for run_id in IDS[:4]]
    size = (runs[0].path / "scores.jsonl").stat().st_size
    assert [past.run_id for past in history(runs[3], most_bytes=2 * size).runs] == IDS[1:3]


def test_the_page_holds_it_and_links_to_reports_that_are_there(tmp_path: Path) -> None:
    first = write(tmp_path, IDS[0], {("a", 0): P})
    write(tmp_path, IDS[1], {("a", 0): F})
    (first.path / "report.html").write_text("")
    run = write(tmp_path, IDS[2], {("a", 0): P})
    page = build(run.path, run.path)
    meta, (row,) = page.meta(), page.rows()
    assert row["past"] == {"m": "pf"}
    assert [past["href"] for past in meta["past"]] == [f"../{IDS[0]}/report.html", ""]
    assert [past["when"] for past in meta["past"]] == ["2026-11-01 12:00", "2026-11-02 12:00"]
    unsteady = 1 << meta["flags"].index("unsteady")
    assert page.index()["flags"][0] & unsteady
    hrefs = [attrs.get("href") for tag, attrs in page.tags if tag == "a"]
    assert f"../{IDS[0]}/report.html" in hrefs


def test_a_served_page_leads_nowhere_else(tmp_path: Path) -> None:
    first = write(tmp_path, IDS[0], {("a", 0): P})
    (first.path / "report.html").write_text("")
    run = write(tmp_path, IDS[1], {("a", 0): P})
    assert [
        past["href"] for past in build(tmp_path / "page", run.path, served=True).meta()["past"]
    ] == [""]
