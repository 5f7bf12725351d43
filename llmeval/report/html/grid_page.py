"""The page of a grid: its cells compared, and their answers side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from llmeval.compare.best_cells import BestCells
from llmeval.compare.compare import compare
from llmeval.core.errors import ExitCode
from llmeval.core.grid_record import GridRecord
from llmeval.core.results import Decision
from llmeval.report.baseline_run import baseline_run
from llmeval.report.comparison_words import best_lines
from llmeval.report.html.comparison_page import write_comparison
from llmeval.store.directory import RunDir

_WORDS = {
    ExitCode.PASS: ("PASS", "pass"),
    ExitCode.GATE_FAILED: ("FAIL", "fail"),
    ExitCode.INCONCLUSIVE: ("INCONCLUSIVE", "unsure"),
    ExitCode.INTERRUPTED: ("INTERRUPTED", "invalid"),
}
"""The word and colour of the worst cell; every other one is INVALID."""


class GridTitle(NamedTuple):
    """What the page says first."""

    word: str
    tone: str
    sentence: str
    missing: tuple[str, ...]
    """Names of the cells without a run."""
    cells: int
    """How many cells the grid has, also without a run."""


def write_grid_html(
    path: Path,
    record: GridRecord,
    runs: Mapping[str, RunDir],
    exit_code: int,
    best: BestCells | None = None,
) -> Path | None:
    """Write the page; None where fewer than two cells have a run.

    Args:
        path: where it goes.
        record: the grid.
        runs: by run id.
        exit_code: of the whole grid.
        best: the cells that may be the best, where the grid is asked for them.

    Raises:
        StoreError: a run's records can't be read.
    """
    cells = [cell for cell in record.cells if cell.run_id in runs]
    if len(cells) < 2:
        return None
    chosen = [runs[cell.run_id] for cell in cells]
    names = [cell.name for cell in cells]
    baseline = baseline_run(chosen[0], chosen[0].manifest())
    if baseline is not None:
        chosen, names = [baseline, *chosen], ["baseline", *names]
    title = _title(record, runs, exit_code)
    lines = () if best is None else best_lines(best)
    write_comparison(compare(chosen), chosen, path, names=names, grid=title, best=lines)
    return path


def _title(record: GridRecord, runs: Mapping[str, RunDir], exit_code: int) -> GridTitle:
    word, tone = _WORDS.get(ExitCode(exit_code), ("INVALID", "invalid"))
    decisions = [run.summary().gate.decision for run in runs.values()]
    passing = sum(decision is Decision.PASS for decision in decisions)
    if exit_code == 0 and passing < len(decisions):  # `gate: none`, or `on_inconclusive: pass`
        word, tone = ("NO DECISION", "plain") if passing == 0 else ("NOT ALL PASS", "unsure")
    missing = tuple(cell.name for cell in record.cells if cell.run_id not in runs)
    n = len(record.cells)
    sentence = f"{passing} of {n} cells {'passes its' if passing == 1 else 'pass their'} gate."
    if missing:
        sentence += f" {len(missing)} {'cell is' if len(missing) == 1 else 'cells are'} missing."
    return GridTitle(word, tone, sentence, missing, n)
