"""`llmeval review` as a person uses it: the command in a terminal, the page in a browser, labels in
the run.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmeval.store.case_comments import read_comments
from llmeval.store.directory import LABELS
from llmeval.store.labels import append, read
from tests.report.html_samples import sample_run
from tests.report.test_html_browser import AXE, RULES, sync_api
from tests.review.test_reviewers import label
from tests.support.chromium import CHROMIUM, launched
from tests.support.rundirs import seal

ROOT = Path(__file__).parent.parent.parent
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; name one in CHROMIUM"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


class Command:
    """`llmeval review` in a process of its own."""

    def __init__(self, run: Path, reviewer: str, *more: str, kind: str = "open") -> None:
        command = [
            sys.executable,
            "-m",
            "llmeval",
            "review",
            kind,
            str(run),
            "--no-open",
            "--reviewer",
            reviewer,
            *more,
        ]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        out = self.process.stderr if "--json" in more else self.process.stdout
        assert out is not None
        self.url = next(
            found[0]
            for line in out
            if (found := re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line))
        )

    def end(self) -> tuple[str, int]:
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=20)
        return out, self.process.returncode

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end()


class Reviewer:
    """A browser of one's own, and everything it did that it should not."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(
            **{"viewport": {"width": 1300, "height": 900}, **options}
        )
        self.trouble: list[str] = []
        self.origin = url.partition("/?")[0]
        self.page = self.tab(url)

    def tab(self, url: str) -> Any:
        page = self.context.new_page()
        page.on(
            "console",
            lambda m: self.trouble.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("dialog", lambda dialog: (self.trouble.append(dialog.message), dialog.dismiss()))
        page.on("request", self._request)
        page.goto(url)
        page.wait_for_selector("html[data-ready]", state="attached")
        page.wait_for_selector("#case-title")
        return page

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.origin + "/", "data:")):
            self.trouble.append(request.url)

    def __enter__(self) -> "Reviewer":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.trouble == []


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return sample_run(tmp_path / "run", 30)


def progress(page: Any, text: str) -> None:
    sync_api.expect(page.locator(".progress .num")).to_have_text(text)


def test_vote_blind_undo_comment_and_end(browser: Any, run: Path) -> None:
    with Command(run, "ada", "--n", "12") as command:
        with Reviewer(browser, command.url) as ada:
            page = ada.page
            assert "token" not in page.url
            total = page.locator(".progress .num").inner_text().split()[-1]
            progress(page, f"0 of {total}")
            assert (
                page.locator(".score .status").evaluate_all(
                    "n => new Set(n.map(e => e.innerText)).size"
                )
                == 1
            )
            assert page.locator("#answer mark").count() == 0, "what checks found would tell"
            page.keyboard.press("1")
            progress(page, f"1 of {total}")
            sync_api.expect(page.locator(".score").first).not_to_contain_text("hidden until")
            assert "hidden" not in page.locator(".score").first.inner_text()
            page.keyboard.press("u")
            progress(page, f"0 of {total}")
            page.keyboard.press("2")
            progress(page, f"1 of {total}")
            page.keyboard.press("c")
            page.get_by_role("textbox", name="Comment").fill("the year is wrong </script>")
            page.get_by_role("button", name="Keep").click()
            sync_api.expect(page.locator(".votes").first).to_contain_text(
                "the year is wrong </script>"
            )
            page.keyboard.press("n")
            page.keyboard.press("3")
            progress(page, f"2 of {total}")
            page.reload()
            progress(page, f"2 of {total}")
        out, code = command.end()
    assert code == 0
    assert "5 records saved" in out and "llmeval judge certify suites/qa.yaml:correctness" in out
    labels = read(run / LABELS)
    assert [label.human_verdict for label in labels] == [
        "pass",
        "withdrawn",
        "fail",
        "fail",
        "unsure",
    ]
    assert [label.blind for label in labels] == [True, False, False, False, True]
    assert {label.reviewer for label in labels} == {"ada"}
    assert labels[3].comment == "the year is wrong </script>"


def test_what_was_seen_is_not_judged_blind(browser: Any, run: Path) -> None:
    with Command(run, "ada") as command, Reviewer(browser, command.url) as ada:
        ada.page.keyboard.press("b")
        sync_api.expect(ada.page.locator(".score").first).not_to_contain_text("hidden until")
        ada.page.keyboard.press("b")
        sync_api.expect(ada.page.locator(".score").first).to_contain_text("hidden until")
        ada.page.keyboard.press("1")
        sync_api.expect(ada.page.locator(".progress .num")).to_contain_text("1 of")
    assert [label.blind for label in read(run / LABELS)] == [False]


def test_what_a_check_decided_in_the_judges_place_is_voted_on(browser: Any, run: Path) -> None:
    text = (run / "scores.jsonl").read_text()
    (run / "scores.jsonl").write_text(text.replace('"source":"judge"', '"source":"check"'))
    seal(run)
    with Command(run, "ada") as command, Reviewer(browser, command.url) as ada:
        assert "correctness" in ada.page.locator(".score").first.inner_text()
        assert (
            ada.page.locator(".score", has_text="hidden until").count()
            == ada.page.locator(".score").count()
        )
        ada.page.keyboard.press("1")
        sync_api.expect(ada.page.locator(".progress .num")).to_contain_text("1 of")
    assert [label.metric for label in read(run / LABELS)] == ["correctness"]


def test_two_tabs_and_two_reviewers_differ_and_decide(browser: Any, run: Path) -> None:
    with Command(run, "ada") as one, Command(run, "bob") as other:
        with Reviewer(browser, one.url) as ada, Reviewer(browser, other.url) as bob:
            second = ada.tab(one.url)
            title = ada.page.locator("#case-title").inner_text()
            assert bob.page.locator("#case-title").inner_text() == title, "both have the same queue"
            ada.page.keyboard.press("1")
            sync_api.expect(ada.page.locator(".progress .num")).to_contain_text("1 of")
            second.evaluate("dispatchEvent(new Event('focus'))")
            sync_api.expect(second.locator(".progress .num")).to_contain_text("1 of")
            assert "ada" not in bob.page.locator(".detail").inner_text()
            bob.page.keyboard.press("2")
            sync_api.expect(bob.page.locator(".opinions")).to_contain_text("Reviewers differ")
            bob.page.get_by_role("button", name="To decide 1").click()
            sync_api.expect(bob.page.locator("#count")).to_have_text("1 of 30 answers")
            bob.page.locator(".votes").first.get_by_role("button").first.click()
            sync_api.expect(bob.page.get_by_role("button", name="To decide 0")).to_be_visible()
            assert bob.page.locator("#live").inner_text() != ""
        labels = read(run / LABELS)
    assert [(label.reviewer, label.adjudication) for label in labels] == [
        ("ada", False),
        ("bob", False),
        ("bob", True),
    ]


def test_hostile_answers_are_inert(browser: Any, run: Path) -> None:
    with (
        Command(run, "ada", "--n", "100", "--random-share", "1") as command,
        Reviewer(browser, command.url) as ada,
    ):
        for case in ("his-00009", "geo-00012"):
            ada.page.evaluate(f"location.hash = '#case={case}'")
            sync_api.expect(ada.page.locator("#case-title")).to_have_text(case)
            ada.page.keyboard.press("2")
            sync_api.expect(ada.page.locator(".vote[aria-pressed=true]").first).to_be_visible()
        assert ada.page.locator("#cases img, #cases iframe, #cases a[href^=http]").count() == 0


def test_a_server_that_is_gone_is_said(browser: Any, run: Path) -> None:
    with Command(run, "ada", "--json") as command, Reviewer(browser, command.url) as ada:
        out, code = command.end()
        assert (code, json.loads(out)["added"]) == (0, 0)
        ada.page.keyboard.press("1")
        sync_api.expect(ada.page.get_by_role("alert")).to_contain_text("does not answer")
        sync_api.expect(ada.page.locator(".progress .num")).to_contain_text("0 of")
        ada.trouble.clear()  # the browser's own word for the refused connection


@pytest.mark.skipif(AXE is None, reason="axe is not installed (pip install axe-playwright-python)")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_while_reviewing(browser: Any, run: Path, theme: str) -> None:
    assert AXE is not None and AXE.origin is not None
    source = (Path(AXE.origin).parent / "axe.min.js").read_text()
    with (
        Command(run, "ada") as command, Command(run, "bob") as other,
        Reviewer(browser, command.url, color_scheme=theme) as ada, Reviewer(browser, other.url) as bob,
    ):  # fmt: skip
        bob.page.keyboard.press("1")
        sync_api.expect(bob.page.locator(".progress .num")).to_contain_text("1 of")
        for key in ("", "2"):
            if key:
                ada.page.keyboard.press(key)
                sync_api.expect(ada.page.locator(".opinions")).to_be_visible()
            ada.page.evaluate(source)
            found = ada.page.evaluate(
                f"axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations']}})"
            )
            assert [
                (v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found["violations"]
            ] == []


@pytest.mark.parametrize("width", [390, 820])
def test_no_sideways_scrolling_while_reviewing(browser: Any, run: Path, width: int) -> None:
    with Command(run, "ada") as command, Reviewer(browser, command.url) as ada:
        ada.page.set_viewport_size({"width": width, "height": 800})
        wide = ada.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]


def test_an_adjudicator_sees_all_votes_and_comments_on_the_case(browser: Any, run: Path) -> None:
    case = "law-00003"
    append(run, [label("ada", "pass", comment="it is stated"), label("ben", "fail", comment="no")])
    with Command(run, "cleo", kind="adjudicate") as command:
        with Reviewer(browser, command.url) as cleo:
            page = cleo.page
            assert page.locator("#case-title").inner_text() == case
            opinions = page.locator(".opinions.open")
            sync_api.expect(opinions).to_contain_text("it is stated")
            sync_api.expect(opinions).to_contain_text("ben")
            page.get_by_role("button", name="Comment on this case").click()
            page.get_by_role("dialog").get_by_role("textbox").fill("the law changed in May")
            page.get_by_role("dialog").get_by_role("button", name="Keep").click()
            sync_api.expect(page.locator("#case-comments")).to_contain_text("changed in May")
            page.locator(".score", has_text="correctness").get_by_role(
                "button", name="Fail", exact=True
            ).click()
            sync_api.expect(page.locator(".progress .num")).to_have_text("1 of 1")
        assert "2 records saved" in command.end()[0]
    (decision,) = [each for each in read(run / LABELS) if each.adjudication]
    assert (decision.reviewer, decision.human_verdict) == ("cleo", "fail")
    (comment,) = read_comments(run)
    assert (comment.author, comment.text) == ("cleo", "the law changed in May")
