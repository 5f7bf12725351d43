"""`llmeval view`: the pages of the history, served to a person's browser."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import unquote

from llmeval.history.indexing import update
from llmeval.report.html import assets
from llmeval.view.monitor_pages import POLICY, monitor_file
from llmeval.view.page import NoSuchPage, Site
from llmeval.view.run_pages import case_page, compare_page, report_file, run_page
from llmeval.view.style import policy
from llmeval.view.suite_pages import board_page, flaky_page, home_page, suite_page
from llmeval.web.guarded_server import GuardedHandler, GuardedServer, Listening, Refused

FRESH_SECONDS = 2.0
"""The directories are compared with the history at most so often."""
Query = dict[str, list[str]]
_HTML = "text/html; charset=utf-8"
_Page = TypeVar("_Page")


class ViewServer(GuardedServer):
    """Serves the pages of one history.

    Raises:
        UsageError: as `GuardedServer`.
    """

    def __init__(self, site: Site, listening: Listening) -> None:
        super().__init__(_Handler, policy(served=True), listening, "llmeval view")
        self._site, self._lock = site, threading.Lock()
        self._updated = time.monotonic()

    def page(self, make: Callable[[Site], _Page]) -> _Page:
        """A page of the history as it is now. One page at a time: they share one connection."""
        with self._lock:
            if time.monotonic() - self._updated > FRESH_SECONDS:
                history = self._site.history
                report = update(history.store, history.root)
                self._site = replace(self._site, history=replace(history, report=report))
                self._updated = time.monotonic()
            return make(self._site)


class _Handler(GuardedHandler):
    server: ViewServer

    def get(self, path: str, query: Query) -> None:
        try:
            if path.startswith("/report/"):
                self._report(_name(path))
            elif path.startswith("/monitor/"):
                self._monitor(_name(path))
            elif path == "/compare":
                self._compare((query.get("a") or [""])[0], (query.get("b") or [""])[0])
            else:
                self._page(self.server.page(_page_of(path, query)))
        except NoSuchPage as missing:
            raise Refused(HTTPStatus.NOT_FOUND, str(missing)) from None

    def _page(self, text: str) -> None:
        self.whole(HTTPStatus.OK, _HTML, text.encode())

    def _compare(self, first: str, second: str) -> None:
        """The page of a comparison has a script, and nothing else on it may run."""
        page = self.server.page(lambda site: compare_page(site, first, second))
        rules = f"{assets.policy(entry=assets.COMPARE)}; frame-ancestors 'none'"
        self.whole(HTTPStatus.OK, _HTML, page, **{"Content-Security-Policy": rules})

    def _monitor(self, suite: str) -> None:
        path = self.server.page(lambda site: monitor_file(site, suite))
        self.whole(HTTPStatus.OK, _HTML, path.read_bytes(), **{"Content-Security-Policy": POLICY})

    def _report(self, run_id: str) -> None:
        """A run's own report. It may come from anyone: only the script that this llmeval puts into
        reports may run, and it may send nothing.
        """
        path = self.server.page(lambda site: report_file(site, run_id))
        with path.open("rb") as file:
            size = path.stat().st_size
            rules = f"{assets.policy()}; frame-ancestors 'none'"
            self.head(HTTPStatus.OK, _HTML, size, **{"Content-Security-Policy": rules})
            shutil.copyfileobj(file, self.wfile, 1 << 20)


def _page_of(path: str, query: Query) -> Callable[[Site], str]:
    """What makes the page of an address.

    Raises:
        NoSuchPage: there is none.
    """

    def first(name: str, default: str = "") -> str:
        return (query.get(name) or [""])[0] or default

    if path == "/":
        return home_page
    kind, name = path.split("/")[1], _name(path)
    pages: dict[str, Callable[[Site], str]] = {
        "suite": lambda site: suite_page(site, name, first("branch"), first("before")),
        "flaky": lambda site: flaky_page(site, name),
        "board": lambda site: board_page(site, name, first("metric"), first("by", "candidate")),
        "case": lambda site: case_page(site, name, first("id"), first("metric")),
        "run": lambda site: run_page(site, name),
    }
    if kind not in pages or not name:
        raise NoSuchPage("there is nothing here")
    return pages[kind]


def _name(path: str) -> str:
    """The name after the kind of page. It is only ever looked up, never a path."""
    parts = path.split("/")
    return unquote(parts[2]) if len(parts) == 3 else ""
