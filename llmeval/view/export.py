"""The pages of the history as files in one folder: for a CI artifact, or a static site."""

import os
from pathlib import Path
from urllib.parse import quote

from llmeval.core.errors import UsageError
from llmeval.core.files import write_atomically
from llmeval.history.opening import OpenHistory
from llmeval.history.rows import RunRow
from llmeval.report.html.trend import REPORT
from llmeval.view.links import FileLinks, case_file
from llmeval.view.monitor_pages import monitor_file
from llmeval.view.page import NoSuchPage, Site
from llmeval.view.run_pages import case_page, compare_page, failing_of, run_page
from llmeval.view.suite_pages import board_page, flaky_page, home_page, suite_page

RUNS = 20
"""The newest complete runs of each suite that get a page."""
CASES = 200
"""Cases of a suite that get a page: those that fail in the newest runs."""
_FAILING_RUNS = 3


def export_pages(history: OpenHistory, folder: Path) -> int:
    """Write the pages; gives how many. Pages of an earlier export are replaced.

    Args:
        history: what they show.
        folder: where they go. It must be empty, new, or of an earlier export.

    Raises:
        UsageError: the folder has other files.
        StoreError: a page can't be written.
    """
    _check_folder(folder)
    store, query = history.store, history.query
    suites = [each.suite for each in store.suites(query.root)]
    runs = {
        suite: store.runs(
            query.where("suite", suite).where("status", "complete")._replace(limit=RUNS)
        )
        for suite in suites
    }
    links = FileLinks(_reports(runs, folder))
    site = Site(history, links, "Written by llmeval view --export from the run directories.")
    cases = {suite: _cases(site, rows) for suite, rows in runs.items()}
    for suite, rows in runs.items():
        links.written |= {f"suite-{suite}", f"flaky-{suite}", f"board-{suite}"}
        links.written |= {f"monitor-{suite}"} if _monitor(site, suite) else set()
        links.written |= {f"run-{row.run_id}" for row in rows}
        links.written |= {case_file(suite, case_id) for case_id in cases[suite]}
        if len(rows) > 1:
            links.written.add(f"compare-{rows[1].run_id}-{rows[0].run_id}")
    write_atomically(folder / "index.html", home_page(site).encode())
    pages = 1
    for suite, rows in runs.items():
        pages += _write_suite(site, folder, suite, rows, cases[suite])
    return pages


def _write_suite(site: Site, folder: Path, suite: str, rows: list[RunRow], cases: list[str]) -> int:
    texts = {
        f"suite-{suite}": suite_page(site, suite),
        f"flaky-{suite}": flaky_page(site, suite),
        f"board-{suite}": board_page(site, suite),
        **{f"run-{row.run_id}": run_page(site, row.run_id) for row in rows},
    }
    for case_id in cases:
        texts[case_file(suite, case_id)] = case_page(site, suite, case_id)
    pages = {name: text.encode() for name, text in texts.items()}
    if monitor := _monitor(site, suite):
        pages[f"monitor-{suite}"] = monitor
    if len(rows) > 1:
        name = f"compare-{rows[1].run_id}-{rows[0].run_id}"
        try:
            pages[name] = compare_page(site, rows[1].run_id, rows[0].run_id)
        except NoSuchPage as error:
            note = site.render("note", "Not comparable", "invalid", [], sentence=str(error))
            pages[name] = note.encode()
    for name, page in pages.items():
        write_atomically(folder / f"{name}.html", page)
    return len(pages)


def _monitor(site: Site, suite: str) -> bytes:
    """The page of a suite's monitor; empty without one."""
    try:
        return monitor_file(site, suite).read_bytes()
    except NoSuchPage:
        return b""


def _cases(site: Site, rows: list[RunRow]) -> list[str]:
    """The cases that fail in the newest runs."""
    addresses: dict[str, None] = {}
    for row in rows[:_FAILING_RUNS]:
        for case in failing_of(site, row)[0]:
            addresses[str(case["id"])] = None
    return list(addresses)[:CASES]


def _reports(runs: dict[str, list[RunRow]], folder: Path) -> dict[str, str]:
    """Where each run's report is, seen from the folder: only where it is close enough to be
    published together with it.
    """
    top = folder.resolve().parent
    addresses = {}
    for row in (row for rows in runs.values() for row in rows):
        report = Path(row.path) / REPORT
        if report.is_file() and report.is_relative_to(top):
            relative = os.path.relpath(report, folder.resolve())
            addresses[row.run_id] = quote(relative.replace(os.sep, "/"))
    return addresses


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        return
    others = [] if folder.is_dir() else [folder.name]
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "index.html").exists():
        others = sorted(path.name for path in folder.iterdir())
    if others:
        raise UsageError(
            f"--export {folder}: the folder has other files ({others[0]}); name a new one"
        )
