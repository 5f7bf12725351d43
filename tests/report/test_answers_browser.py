"""Answers side by side in a real browser: filters, keys, word differences, narrow windows, print."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmeval.compare.compare import compare
from llmeval.core.records import Answer, Case
from llmeval.report.html.comparison_page import write_comparison
from llmeval.store.directory import RunDir
from tests.report import html_samples as samples
from tests.report.test_html_browser import AXE, AXE_SOURCE, RULES, Watched
from tests.support.chromium import CHROMIUM, launched
from tests.support.runs import _score as score_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; name one in CHROMIUM"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
N = 90
WIDTHS = (390, 1024, 1440, 1920)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


def side(folder: Path, name: str, wrong: set[int]) -> RunDir:
    """A run of 90 cases; the answers to `wrong` fail, and the first answer is hostile."""
    cases = [
        Case(
            f"c{i}", {"question": f"What is {i}?"}, references=(f"v{i}",), digest=f"sha256:{i:064x}"
        )
        for i in range(N)
    ]
    answers = [
        Answer(
            case_id=case.id,
            output=samples.HOSTILE
            if i == 0
            else f"The value is {'other' if i in wrong else 'right'} for number {i}.",
        )
        for i, case in enumerate(cases)
    ]
    scores = [
        score_of(case.id, metric, 0.0 if i in wrong else 1.0)
        for i, case in enumerate(cases)
        for metric in ("facts", "correctness")
    ]
    about = samples.manifest(name, N)
    return RunDir(samples.write_run(folder / name, cases, answers, scores, None, about))


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grid")
    wrong = [set(), {3, 50}, {3, 70, 71}]
    runs = [side(folder, f"run{at}", each) for at, each in enumerate(wrong)]
    path = folder / "grid.html"
    write_comparison(compare(runs), runs, path, names=["small", "large", "a-very-long-name-" * 4])
    return path


def ids(page: Any) -> list[str]:
    return [str(node.get_attribute("data-id")) for node in page.query_selector_all("#rows > tr")]


def pressed(page: Any) -> str:
    return str(page.inner_text("[data-show][aria-pressed=true]"))


def test_rows_filters_search_and_keys(browser: Any, page_file: Path) -> None:
    with Watched(browser, page_file) as watched:
        page = watched.ready()
        assert ids(page)[:4] == ["c3", "c50", "c70", "c71"]  # different outcomes first
        assert len(ids(page)) == 40
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.locator("#rows > tr").nth(79).wait_for(state="attached")
        page.keyboard.press("o")
        page.wait_for_selector("#rows > tr:nth-child(4):last-child")
        assert pressed(page) == "Different outcome 4"
        assert page.inner_text("#live") == "4 of 90 cases"
        page.select_option("#metric", "1")
        assert pressed(page) == "Different outcome 4"
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("a")
        page.keyboard.press("/")
        page.keyboard.type("number 71")
        page.wait_for_selector("#rows > tr[data-id=c71]:only-child")
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.dataset.id") == "c71"
        page.keyboard.press("Enter")
        assert "whole" in page.evaluate("document.activeElement.className")
        page.fill("#search", "no such words")
        page.wait_for_selector("text=No case fits")
        assert watched.trouble == []


def test_word_differences_against_any_column(browser: Any, page_file: Path) -> None:
    with Watched(browser, page_file) as watched:
        page = watched.ready()
        row = page.locator("#rows > tr[data-id=c70]")
        assert row.locator("ins").all_inner_texts() == ["other"]  # only in the third column
        assert row.locator("td").nth(1).locator("text=same as A").count() == 1
        page.select_option("#against", "2")
        page.wait_for_selector("#rows > tr[data-id=c70] td:nth-child(2) ins")
        assert row.locator("td").nth(2).locator("ins").count() == 0
        page.select_option("#against", "-1")
        page.wait_for_selector("#rows:not(:has(ins))")
        assert watched.trouble == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_and_the_hostile_answer_is_text(
    browser: Any, page_file: Path, width: int
) -> None:
    size = {"width": width, "height": 900}
    with Watched(browser, page_file, viewport=size) as watched:
        page = watched.ready()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.fill("#search", "alert(1)")
        page.wait_for_selector("#rows > tr[data-id=c0]:only-child")
        assert "<script>alert(1)</script>" in page.inner_text("#rows > tr[data-id=c0]")
        assert watched.trouble == []


@pytest.mark.skipif(AXE is None, reason="axe is not installed (pip install axe-playwright-python)")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_accessible(browser: Any, page_file: Path, theme: str) -> None:
    with Watched(browser, page_file, color_scheme=theme) as watched:
        page = watched.ready()
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
        page.evaluate(AXE_SOURCE)
        result = page.evaluate(
            f"axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations']}})"
        )
        assert [
            (v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in result["violations"]
        ] == []
        watched.trouble.clear()


def test_the_page_prints_and_needs_no_script(browser: Any, page_file: Path) -> None:
    with Watched(browser, page_file) as watched:
        page = watched.ready()
        assert page.pdf()[:5] == b"%PDF-"
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    text = re.sub(r"\s+", " ", page.inner_text("main"))
    assert "The value is other for number 70." in text
    assert "Without scripts, this page shows the first 20 cases" in text
    assert not page.is_visible("#search")
    context.close()
