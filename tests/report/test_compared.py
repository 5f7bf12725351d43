"""A comparison at a terminal and as a page."""

import base64
import hashlib
import io
from pathlib import Path

import pytest
from rich.console import Console

from llmeval.compare.compare import compare
from llmeval.compare.comparison import Comparison
from llmeval.report.comparison_console import print_comparison
from llmeval.report.html.comparison_page import write_comparison
from llmeval.store.directory import RunDir
from tests.report.test_html_page import Page
from tests.support.runs import run_of

GOOD = [1.0] * 60 + [0.0] * 20
BAD = [0.0] * 25 + [1.0] * 35 + [0.0] * 20


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunDir]:
    folder = tmp_path_factory.mktemp("runs")
    tags = [{"topic": "<b>law</b>" if i < 30 else "tax"} for i in range(80)]
    odd = {"judges": {"correctness": "sha256:other"}}
    return [
        run_of(folder / "a", {"m": GOOD, "correctness": GOOD}, tags=tags),
        run_of(folder / "b", {"m": BAD, "correctness": GOOD}, tags=tags),
        run_of(folder / "c", {"m": GOOD, "correctness": GOOD}, tags=tags, digests=odd),
    ]


@pytest.fixture(scope="module")
def found(runs: list[RunDir]) -> Comparison:
    return compare(runs)


def test_the_terminal_says_what_moved(found: Comparison) -> None:
    out = io.StringIO()
    print_comparison(Console(file=out, width=160), found)
    text = out.getvalue()
    assert "B vs. A: worse on m (−31.2); no difference shown on correctness." in text
    assert "C vs. A: no difference shown on m; not comparable on correctness." in text
    assert "another judge scored C (c)" in text
    assert "0/55/25" in text
    assert "m, B: 25 fell  c0, c1, c2" in text
    assert "and 15 more" in text
    assert "correctness: 80 cases that all have, without C (not comparable)" in text
    assert "topic=<b>law</b>" in text
    assert "measured otherwise" in text


def test_the_page_is_one_file_that_runs_one_script(
    tmp_path: Path, found: Comparison, runs: list[RunDir]
) -> None:
    path = tmp_path / "deep" / "page.html"
    write_comparison(found, runs, path)
    page, raw = Page(path), path.read_text()
    (policy,) = [
        a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    digest = base64.b64encode(hashlib.sha256(page.script.encode()).digest()).decode()
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}'; style-src")
    assert "b" not in {tag for tag, _ in page.tags}
    assert "http" not in raw.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "Ranking by m" in page.text
    assert "UNTRUSTED" in page.text
    assert page.text.count("another judge scored") == 2  # at the metric, and in its section


def test_every_answer_is_in_the_page_and_differences_come_first(
    tmp_path: Path, found: Comparison, runs: list[RunDir]
) -> None:
    path = tmp_path / "page.html"
    write_comparison(found, runs, path)
    page = Page(path)
    rows, index = page.rows(), page.index()
    assert (len(rows), len(index["id"])) == (80, 80)
    assert [cell[0]["text"] for cell in rows[0]["cells"]] == [f"{run} says c0" for run in "abc"]
    assert page.meta()["metrics"] == ["correctness", "m"]
    assert index["state"][0] == "pfp"
    assert index["metrics"][0] == "pp|pf|pp"
    assert "b says c19" in page.text  # the first rows are there for browsers without scripts


def test_a_large_comparison_holds_what_differs_and_says_what_it_leaves_out(
    tmp_path: Path, found: Comparison, runs: list[RunDir], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmeval.report.html.answer_table.MOST_ROWS", 30)
    path = tmp_path / "page.html"
    write_comparison(found, runs, path)
    page = Page(path)
    kept = {row["id"] for row in page.rows()}
    assert len(kept) == 30
    assert {f"c{i}" for i in range(25)} <= kept  # their outcomes differ
    assert page.index()["chunk"].count(-1) == 50
    assert "holds the answers of 30 of 80 cases" in " ".join(page.text.split())
