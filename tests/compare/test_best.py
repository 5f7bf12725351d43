"""The best of several runs: ties are shown as ties, and nothing unfit is the best."""

import json
from pathlib import Path

import numpy as np
import pytest

from llmeval.compare.best import best_set
from llmeval.compare.best_cells import best_cells
from llmeval.compare.compare import compare
from llmeval.core.grid_record import GridCell, GridRecord
from llmeval.report.comparison_words import best_lines, best_sentence
from llmeval.stats.estimation.difference import difference
from tests.compare.test_make import GOOD, N, checks, fallen
from tests.support.command import llmeval
from tests.support.runs import run_of


def test_a_tie_is_a_tie_and_a_clear_loser_is_out(tmp_path: Path) -> None:
    columns = {"a": fallen(*range(40)), "b": GOOD, "c": fallen(5)}
    runs = [run_of(tmp_path / name, {"m": column}) for name, column in columns.items()]
    (best,) = compare(runs, best=True).best
    assert best.among == ("B", "C") and best.rate == pytest.approx(0.05)
    a, b, c = best.contenders
    assert a.low < -40 / N < 0 and a.high == 0
    assert b.low < 0 < b.high and c.low < 0
    said = best_sentence(best)
    assert "B and C tie: at 95% confidence the best is one of them" in said
    assert "A is not the best" in said
    (alone,) = compare([runs[0], runs[2]], best=True).best
    assert alone.among == ("B",) and alone.contenders[1].low == 0
    assert "B is the best at 95% confidence" in best_sentence(alone)
    assert compare(runs).best == ()


def test_all_metrics_share_the_level(tmp_path: Path) -> None:
    columns = {"a": GOOD, "b": fallen(*range(6))}
    one = [run_of(tmp_path / name, {"m": column}) for name, column in columns.items()]
    assert compare(one, best=True).best[0].among == ("A",)
    more = {f"x{i}": GOOD for i in range(9)}
    ten = [run_of(tmp_path / f"{n}2", {"m": column, **more}) for n, column in columns.items()]
    best = compare(ten, best=True).best
    assert best[0].among == ("A", "B") and best[0].rate == pytest.approx(0.005)


def test_what_is_unfit_is_never_the_best(tmp_path: Path) -> None:
    some = [0.0 if i % 3 else 1.0 for i in range(N)]
    a, b = (run_of(tmp_path / name, {"punctuation": some}) for name in "ab")
    perfect = [1.0] * N
    unfit = [
        run_of(tmp_path / "c", {"punctuation": perfect}, checks=checks("punctuation")),
        run_of(tmp_path / "d", {"punctuation": perfect[:100]}),
        run_of(tmp_path / "e", {"punctuation": perfect}, content="2"),
        run_of(tmp_path / "f", {"punctuation": perfect}, status="running"),
        run_of(tmp_path / "g", {"other": perfect}),
    ]
    best = compare([a, b, *unfit], best=True).best[0]
    assert best.among == ("A", "B") and sorted(best.left_out) == ["C", "D", "E", "F", "G"]
    for part in ("another check", "its cases are not those", "incomplete", "no such metric"):
        assert any(part in why for why in best.left_out.values()), part


def test_a_missing_result_is_the_worst_for_each_run(tmp_path: Path) -> None:
    some = [0.0 if i % 2 else 1.0 for i in range(N)]
    hidden = [None if value == 0 else value for value in some]
    runs = [run_of(tmp_path / "a", {"m": some}), run_of(tmp_path / "b", {"m": hidden})]
    assert compare(runs, best=True).best[0].among == ("A", "B")


@pytest.mark.parametrize("size", [1, 5])
def test_the_best_of_equals_is_seldom_out(size: int) -> None:
    """Four runs alike, the worst case; 150 tries, so 5 % and two standard errors are 8.6 %."""
    rng, wrong, count, rate = np.random.default_rng(8), 0, 4, 0.05 / 3
    clusters = np.repeat(np.arange(60 // size), size).tolist() if size > 1 else None
    for _ in range(150 if size == 1 else 30):
        chance = np.repeat(rng.beta(4, 1, 60 // size), size)
        runs = (rng.random((count, 60)) < chance).astype(float)
        leads = {
            (i, j): difference((runs[j] - runs[i]).tolist(), clusters, 1 - 2 * rate)
            for i in range(count)
            for j in range(i + 1, count)
        }
        wrong += not best_set(leads, count, rate).among[0]
    assert wrong <= (12 if size == 1 else 3)


def test_the_command_says_which(tmp_path: Path) -> None:
    for name, column in {"a": GOOD, "b": fallen(*range(40)), "c": fallen(3)}.items():
        run_of(tmp_path / name, {"m": column})
    words = ("compare", tmp_path / "a", tmp_path / "b", tmp_path / "c", "--best")
    assert "A and C tie" in llmeval(*words, cwd=tmp_path).stdout
    document = json.loads(llmeval(*words, "--json", cwd=tmp_path).stdout)
    assert [each["among"] for each in document["best"][0]["contenders"]] == [True, False, True]


def _grid(*cells: tuple[str, str]) -> GridRecord:
    return GridRecord(
        grid_id="g",
        suite="qa",
        suite_file="qa.yaml",
        started="2026-12-01T00:00:00Z",
        identity="sha256:0",
        cells=tuple(GridCell(run_id=name, candidate=name, prompt=prompt) for name, prompt in cells),
    )


def test_cells_go_by_their_names_and_a_missing_one_may_be_better(tmp_path: Path) -> None:
    columns = {"small": fallen(*range(40)), "large": GOOD}
    runs = {name: run_of(tmp_path / name, {"m": column}) for name, column in columns.items()}
    best = best_cells(_grid(("small", "brief"), ("large", "brief"), ("huge", "")), runs)
    assert best.missing == ("huge",) and best.cells["B"].name == "large, brief"
    first, missing, last = best_lines(best)
    assert '"large, brief" is the best at 95% confidence' in first
    assert '"small, brief" is not the best' in first
    assert "Without a run, so not compared: huge." in missing
    assert "decides nothing" in last
    alone = best_cells(_grid(("small", ""), ("huge", "")), {"small": runs["small"]})
    assert "there is no best one" in best_lines(alone)[0]


@pytest.mark.parametrize(
    ("selected", "among"),
    [
        ({"failed_of": "r"}, ("A", "B")),
        ({"cases": ["c0", "c1"]}, ("A", "B")),
        ({"tags": ["topic=law"]}, ("C",)),
    ],
)
def test_cases_that_were_chosen_by_their_results_have_no_best(
    tmp_path: Path, selected: dict[str, object], among: tuple[str, ...]
) -> None:
    """Cases that one run failed are chosen against it; the cases of a tag are not."""
    a, b = (run_of(tmp_path / name, {"m": GOOD}) for name in "ab")
    c = run_of(tmp_path / "c", {"m": [1.0] * N}, selection={"n": N, "of": 200, **selected})
    (best,) = compare([a, b, c], best=True).best
    assert best.among == among
    assert ("named one by one" in best.left_out.get("C", "")) == ("C" not in among)
