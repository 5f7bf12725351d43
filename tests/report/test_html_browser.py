"""The page in a real browser: nothing hostile happens; mouse, keyboard and screen reader reach
everything.
"""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmeval.history.runs import recorded
from llmeval.report.html import write_html
from llmeval.report.html.overview import write_overview
from llmeval.store.directory import RunDir
from tests.report import html_samples as samples
from tests.support.chromium import CHROMIUM, launched

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; name one in CHROMIUM"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
LABELS = "Object.entries(localStorage).find(([key]) => key.startsWith('llmeval.labels.'))[1]"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


def make_report(root: Path, n: int) -> Path:
    """A report of `n` rows with a baseline and one earlier run."""
    before = samples.sample_run(
        root / "before", n, quality=0.85, hostile=False, run_id="20261101T000000Z-aaaaaa"
    )
    run = samples.sample_run(root / "run", n, quality=0.6)
    write_html(RunDir(run), root / "report.html", baseline=RunDir(before))
    return root / "report.html"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_report(tmp_path_factory.mktemp("report"), 60)


@pytest.fixture(scope="module")
def small_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_report(tmp_path_factory.mktemp("small"), 22)


class Watched:
    """A page and everything it did that it should not."""

    def __init__(self, browser: Any, path: Path, hash_: str = "", **options: Any) -> None:
        self.context = browser.new_context(
            **{"viewport": {"width": 1300, "height": 800}, **options}
        )
        self.page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on(
            "console",
            lambda m: (
                self.trouble.append(f"{m.type}: {m.text}")
                if m.type in ("error", "warning")
                else None
            ),
        )
        self.page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        self.page.on("dialog", lambda d: (self.trouble.append(f"dialog: {d.message}"), d.dismiss()))
        self.page.on("popup", lambda _: self.trouble.append("popup"))
        self.page.on("request", self._request)
        self.page.goto(path.as_uri() + hash_)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.trouble.append(f"request: {request.url}")

    def ready(self) -> Any:
        self.page.wait_for_selector("html[data-ready]", state="attached")
        return self.page

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.trouble == []


def test_hostile_text_is_inert_everywhere(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#case=his-00009") as watched:
        page = watched.ready()
        page.wait_for_selector("#case-title")
        shown = page.locator("#answer").evaluate("""node => {
            const copy = node.cloneNode(true);
            copy.querySelectorAll("sup").forEach((mark) => mark.remove());
            return copy.textContent;
        }""")
        assert "</script><script>alert(1)</script><img src=x onerror=alert(2)>" in shown
        assert page.locator("#cases img, #cases iframe, #cases a[href^=http]").count() == 0
        titles = page.locator("#answer .hid").evaluate_all(
            "nodes => nodes.map((node) => node.textContent)"
        )
        assert {"⟨U+202E⟩", "⟨ESC⟩", "⟨NUL⟩", "⟨U+E0041⟩"} <= set(titles)
        for _ in range(60):
            page.keyboard.press("j")
        page.goto(report.as_uri() + "#decision")
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")


def test_injected_markup_does_not_run(browser: Any, report: Path) -> None:
    """Even if text did become markup, the policy stops it: the browser says so in the console."""
    with Watched(browser, report) as watched:
        page = watched.ready()
        refused = page.evaluate(
            """() => {
                try { document.body.innerHTML = '<img src=x onerror=alert(9)>'; } catch (error) { return error.name; }
                return 'taken';
            }"""
        )
        assert refused == "TypeError"
        assert any("Trusted" in text for text in watched.trouble)
        watched.trouble.clear()


def test_a_megabyte_on_one_line_is_folded(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#case=geo-00012") as watched:
        page = watched.ready()
        button = page.locator("#answer button.more")
        assert "1,000,000" in button.inner_text()
        assert len(page.locator("#answer").inner_text()) < 30_000
        button.click()
        assert page.locator("#answer").evaluate("node => node.textContent.length") >= 1_000_000


def test_deep_link_opens_the_case_and_back_returns_to_the_queue(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#case=geo-00004&q=slice:topic=geography") as watched:
        page = watched.ready()
        assert page.locator("#case-title").inner_text() == "geo-00004"
        assert page.locator("#search").input_value() == "slice:topic=geography"
        assert "15 of 60 answers" in page.locator("#count").inner_text()
        page.keyboard.press("Escape")
        sync_api.expect(page).not_to_have_url(re.compile("case="))
        assert page.evaluate("document.activeElement.getAttribute('role')") == "grid"


def test_any_case_id_can_be_linked_to(browser: Any, tmp_path: Path) -> None:
    name = 'a b&c="x"/é%41+#?\n<i>'
    scores = [
        samples.Score(
            case_id=name,
            repeat=i,
            metric="m m",
            status=samples.Status.FAIL,
            value=0.0,
            passed=False,
        )
        for i in (0, 1)
    ]
    answers = [samples.Answer(case_id=name, repeat=i, output=f"number {i}") for i in (0, 1)]
    summary = samples.summary_of("r", [], [], [])
    about = samples.manifest("r", 1, repeats=2)
    run = samples.write_run(
        tmp_path / "run", [samples.Case(name, {"question": "q"})], answers, scores, summary, about
    )
    write_html(RunDir(run), tmp_path / "report.html")
    with Watched(browser, tmp_path / "report.html") as watched:
        page = watched.ready()
        page.locator("#worst summary").nth(1).click()
        page.locator("#worst .open").nth(1).click()
        sync_api.expect(page.locator("#answer")).to_have_text("number 1")
        page.reload()
        sync_api.expect(page.locator("#answer")).to_have_text("number 1")
        page.keyboard.press("k")
        sync_api.expect(page.locator("#answer")).to_have_text("number 0")
        page.reload()
        sync_api.expect(page.locator("#answer")).to_have_text("number 0")


def test_review_begins_at_the_first_case(browser: Any, report: Path) -> None:
    with Watched(browser, report) as watched:
        page = watched.ready()
        page.locator(".next a").click()
        sync_api.expect(page.locator(".detail .line")).to_contain_text("1 of 60")
        assert page.locator(".row[aria-selected=true]").count() == 1
        page.keyboard.press("j")
        sync_api.expect(page.locator(".detail .line")).to_contain_text("2 of 60")


def test_unknown_case_is_said(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#case=nobody") as watched:
        assert "This run has no case nobody." in watched.ready().locator(".pane").inner_text()


def test_queue_order_and_filters(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#view=cases") as watched:
        page = watched.ready()
        first = page.locator(".row .sign").evaluate_all("nodes => nodes.map((node) => node.title)")
        assert first[0].startswith("Run problem")
        order = [
            "Run problem",
            "Regression",
            "Disagreement",
            "New failure",
            "Known failure",
            "Fixed",
            "Passing",
        ]
        ranks = [
            next(i for i, name in enumerate(order) if title.startswith(name)) for title in first
        ]
        assert ranks == sorted(ranks)
        page.get_by_role("button", name="Regression").click()
        assert "q=s:regressed" in page.url
        regressions = page.locator("#count").inner_text()
        page.locator("#search").fill("s:fail")
        sync_api.expect(page.locator("#count")).not_to_have_text(regressions)
        failing = int(page.locator("#count").inner_text().split()[0])
        assert page.locator("#live").inner_text() == page.locator("#count").inner_text()
        page.locator("#search").fill("s:fail metric:correctness")
        sync_api.expect(page.locator("#count")).to_contain_text(" of 60 answers")
        sync_api.expect(page.locator("#count")).not_to_have_text(regressions)
        both = int(page.locator("#count").inner_text().split()[0])
        page.locator("#search").fill("s:fail !metric:correctness")
        sync_api.expect(page.locator("#count")).to_have_text(f"{failing - both} of 60 answers")
        page.locator("#search").fill("no such words")
        sync_api.expect(page.locator("#count")).to_have_text("0 of 60 answers")
        assert "No answer matches" in page.locator(".pane").inner_text()


def test_words_are_found_in_the_full_texts_when_asked(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#view=cases&q=attacker.invalid") as watched:
        page = watched.ready()
        assert page.locator("#count").inner_text() == "0 of 60 answers"
        page.get_by_role("button", name="Search full texts").click()
        sync_api.expect(page.locator("#count")).to_have_text("1 of 60 answers")
        assert "full=1" in page.url


def test_groups_and_pages(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#view=cases&group=topic&page=1") as watched:
        page = watched.ready()
        assert page.locator(".pages tbody tr").count() == 60
        page.get_by_role("button", name="Table").click()
        assert page.locator(".ghead").first.inner_text().startswith("topic: ")


def test_keyboard_alone_reaches_a_verdict(browser: Any, report: Path) -> None:
    with Watched(browser, report) as watched:
        page = watched.ready()
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.wait_for_selector("#case-title")
        page.keyboard.press("Enter")
        page.keyboard.press("2")
        page.wait_for_selector(".vote[aria-pressed=true]")
        label = json.loads(page.evaluate(LABELS))
        wanted = {
            "label_id",
            "run_id",
            "case_id",
            "repeat",
            "metric",
            "output_digest",
            "human_verdict",
            "judge_verdict",
            "comment",
            "reviewer",
            "blind",
            "sampling",
            "probability",
            "at",
        }
        assert wanted <= label.keys()
        assert label["human_verdict"] != label["judge_verdict"]
        page.get_by_role("button", name="Save 1 label").focus()
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert json.loads(Path(download.value.path()).read_text()) == label
        page.keyboard.press("?")
        page.get_by_label("Single keys are on").uncheck()
        page.keyboard.press("Escape")
        before = page.url
        page.keyboard.press("j")
        assert page.url == before


def test_blind_hides_the_judges_verdict_until_the_vote(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#case=geo-00000&q=sample:20") as watched:
        page = watched.ready()
        page.get_by_role("button", name="Hide verdicts").click()
        page.goto(report.as_uri() + "#case=geo-00004&q=sample:20")
        sync_api.expect(page.locator("#case-title")).to_have_text("geo-00004")
        judge = page.locator(".score", has_text="correctness").first
        assert "hidden" in judge.inner_text()
        assert "quote" not in judge.inner_text()
        judge.get_by_role("button", name="Fail").click()
        page.wait_for_selector(".vote[aria-pressed=true]")
        label = json.loads(page.evaluate(LABELS))
        assert label["blind"] is True
        assert label["sampling"] == "random"
        assert label["probability"] == pytest.approx(20 / 60)


def test_a_verdict_that_was_seen_is_not_blind_any_more(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#case=geo-00004") as watched:
        page = watched.ready()
        page.get_by_role("button", name="Hide verdicts").click()
        page.keyboard.press("2")
        page.wait_for_selector(".vote[aria-pressed=true]")
        assert json.loads(page.evaluate(LABELS))["blind"] is False
        page.keyboard.press("u")
        sync_api.expect(page.locator(".vote[aria-pressed=true]")).to_have_count(0)


def test_findings_sit_on_code_points(browser: Any, tmp_path: Path) -> None:
    text = "😀😀 two , three\u200d 👩\u200d👧 end"
    at = text.index(" ,")
    score = samples.Score(
        case_id="c",
        metric="punctuation",
        status=samples.Status.FAIL,
        value=0.0,
        passed=False,
        evidence=(samples.Span(at, at + 2, "space before", "r"),),
    )
    run = samples.write_run(
        tmp_path / "run",
        [samples.Case("c", {"question": "q"})],
        [samples.Answer(case_id="c", output=text)],
        [score],
        samples.summary_of("r", [], [], []),
        samples.manifest("r", 1),
    )
    write_html(RunDir(run), tmp_path / "report.html")
    with Watched(browser, tmp_path / "report.html", "#case=c") as watched:
        page = watched.ready()
        assert page.locator("#answer mark.find").evaluate_all(
            "nodes => nodes.map((n) => n.textContent)"
        ) == [" ,"]
        assert page.locator("#answer .hid").evaluate_all(
            "nodes => nodes.map((n) => n.textContent)"
        ) == ["⟨U+200D⟩"]


def test_history_shows_past_runs_and_hides_while_blind(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#case=geo-00004") as watched:
        page = watched.ready()
        line = page.locator(".history tr", has_text="correctness")
        assert re.search(r"2026-11-01 00:00: (passed|failed) \(assistant\)", line.inner_text())
        page.get_by_role("button", name="Hide verdicts").click()
        sync_api.expect(page.locator(".history")).to_have_count(0)


def test_word_diff_marks_what_changed(browser: Any, tmp_path: Path) -> None:
    def run(name: str, output: str) -> Path:
        score = samples.Score(
            case_id="c", metric="m", status=samples.Status.PASS, value=1.0, passed=True
        )
        case = samples.Case("c", {"question": "q"})
        return samples.write_run(
            tmp_path / name,
            [case],
            [samples.Answer(case_id="c", output=output)],
            [score],
            samples.summary_of(name, [], [], []),
            samples.manifest(name, 1),
        )

    before, now = (
        run("a", "The treaty was signed in 1887 by both sides."),
        run("b", "The treaty was ended in 1878 by both sides."),
    )
    write_html(RunDir(now), tmp_path / "report.html", baseline=RunDir(before))
    with Watched(browser, tmp_path / "report.html", "#case=c") as watched:
        page = watched.ready()
        texts = "nodes => nodes.map((n) => n.textContent)"
        assert page.locator("#cases del").evaluate_all(texts) == ["signed", "1887"]
        assert page.locator("#cases ins").evaluate_all(texts) == ["ended", "1878"]
        page.keyboard.press("d")
        sync_api.expect(page.locator("#cases ins")).to_have_count(0)


def test_readable_without_scripts_and_styles(browser: Any, report: Path) -> None:
    with Watched(browser, report, java_script_enabled=False) as watched:
        page = watched.page
        text = page.locator("body").inner_text()
        assert "FAIL" in text
        assert "is below the floor of 80%" in text
        assert page.locator("#worst details").count() > 10
        assert not page.locator("#cases").is_visible()
        assert page.get_by_role("button").count() == 0
        assert page.locator(".js").evaluate_all("nodes => nodes.every((node) => node.hidden)")


AXE = importlib.util.find_spec("axe_playwright_python")
AXE_SOURCE = (
    (Path(AXE.origin).parent / "axe.min.js").read_text()
    if AXE is not None and AXE.origin is not None
    else ""
)


@pytest.mark.skipif(AXE is None, reason="axe is not installed (pip install axe-playwright-python)")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("hash_", ["", "#case=his-00009", "#view=cases&page=1&group=topic"])
def test_axe_finds_nothing(browser: Any, small_report: Path, theme: str, hash_: str) -> None:
    with Watched(browser, small_report, hash_, color_scheme=theme) as watched:
        page = watched.ready()
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
        page.evaluate(AXE_SOURCE)
        found = page.evaluate(
            f"axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations']}})"
        )
        assert [
            (v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found["violations"]
        ] == []
        watched.trouble.clear()


@pytest.mark.skipif(AXE is None, reason="axe is not installed (pip install axe-playwright-python)")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_of_all_suites_is_accessible_and_fits(
    browser: Any, tmp_path: Path, theme: str
) -> None:
    for suite, day in (("qa", 1), ("qa", 2), ("law", 1)):
        run_id = f"2026110{day}T120000Z-aaaaaa"
        samples.sample_run(tmp_path / suite / run_id, 12, run_id=run_id, hostile=False, suite=suite)
    write_overview(recorded(tmp_path), tmp_path / "index.html")
    size = {"width": 360, "height": 700}
    with Watched(browser, tmp_path / "index.html", color_scheme=theme, viewport=size) as watched:
        watched.page.evaluate(AXE_SOURCE)
        found = watched.page.evaluate(
            f"axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations']}})"
        )
        assert [
            (v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found["violations"]
        ] == []
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= 360
        watched.trouble.clear()


def test_print_cuts_nothing_off(browser: Any, report: Path) -> None:
    with Watched(
        browser, report, viewport={"width": 688, "height": 900}
    ) as watched:  # A4 less its margins
        page = watched.ready()
        page.emulate_media(media="print")
        wide = "nodes => nodes.filter((n) => n.scrollWidth > n.clientWidth).map((n) => n.innerText.slice(0, 80))"
        assert page.locator("#report .scroll").evaluate_all(wide) == []


@pytest.mark.parametrize("width", [360, 390, 820, 1024])
def test_narrow_tables_show_every_column(browser: Any, report: Path, width: int) -> None:
    with Watched(browser, report, viewport={"width": width, "height": 700}) as watched:
        cut = """nodes => nodes
            .filter((n) => n.scrollWidth > n.clientWidth)
            .map((n) => n.innerText.slice(0, 80))"""
        assert watched.ready().locator("#report .scroll").evaluate_all(cut) == []


@pytest.mark.parametrize("width", [360, 1024, 1440])
def test_no_column_is_as_narrow_as_a_letter(browser: Any, report: Path, width: int) -> None:
    narrow = """nodes => nodes
        .filter((n) => n.offsetParent && n.innerText.trim().length > 8 && !n.querySelector(".sr"))
        .filter((n) => {
            const style = getComputedStyle(n);
            const inside = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
            return n.clientWidth && n.clientWidth - inside < 64;
        })
        .map((n) => n.innerText.slice(0, 80))"""
    for hash_ in ("", "#case=his-00009"):
        with Watched(browser, report, hash_, viewport={"width": width, "height": 700}) as watched:
            page = watched.ready()
            page.evaluate("document.querySelectorAll('details').forEach((n) => (n.open = true))")
            assert page.locator("td, th, dd, dt, li, p").evaluate_all(narrow) == []


def test_cases_that_are_still_loading_are_announced(browser: Any, report: Path) -> None:
    with Watched(browser, report, "#decision") as watched:
        page = watched.ready()
        page.add_init_script("Response.prototype.text = () => new Promise(() => {})")
        page.reload()
        page.locator("nav [data-view=cases]").click()
        sync_api.expect(page.get_by_role("status").first).to_have_text("Loading the cases…")
        assert not page.locator("#report").is_visible()


def test_a_damaged_file_still_shows_the_report(browser: Any, report: Path, tmp_path: Path) -> None:
    html = report.read_text()
    start = html.index('id="index">') + len('id="index">')
    (tmp_path / "cut.html").write_text(html[:start] + html[start + 40 :])
    with Watched(browser, tmp_path / "cut.html") as watched:
        page = watched.page
        sync_api.expect(page.get_by_role("alert")).to_contain_text("this file is damaged")
        assert page.locator("#decision-word").inner_text() == "FAIL"
        watched.trouble.clear()  # the browser's console names the reason


@pytest.mark.parametrize("width", [360, 820, 1300])
def test_no_sideways_scrolling(browser: Any, report: Path, width: int) -> None:
    for hash_ in ("", "#case=his-00009"):
        with Watched(browser, report, hash_, viewport={"width": width, "height": 700}) as watched:
            wide = watched.ready().evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1]


def test_data_next_to_the_text_is_shown_and_inert(browser: Any, tmp_path: Path) -> None:
    score = samples.Score(
        case_id="c", metric="m", status=samples.Status.PASS, value=1.0, passed=True
    )
    data = {"ids": ["d1", samples.HOSTILE], "state": {"<b>step</b>": 3}}
    run = samples.write_run(
        tmp_path / "run",
        [samples.Case("c", {"question": "q"})],
        [samples.Answer(case_id="c", output="text", data=data)],
        [score],
        samples.summary_of("run", [], [], []),
        samples.manifest("run", 1),
    )
    write_html(RunDir(run), tmp_path / "report.html")
    with Watched(browser, tmp_path / "report.html", "#case=c") as watched:
        page = watched.ready()
        shown = page.locator("details.about", has_text="Data of this answer").inner_text()
        assert "d1" in shown
        assert "<b>step</b>" in shown
        assert "</script><script>alert(1)</script>" in shown
        assert page.locator("#cases b, #cases img, #cases a[href^=http]").count() == 0
