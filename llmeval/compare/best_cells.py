"""Which cells of a grid may be the best: the same rule as for runs (`compare.best`), with the names
of the cells. It decides nothing: each cell keeps the decision of its own gate.
"""

from collections.abc import Mapping
from string import ascii_uppercase
from typing import NamedTuple

from llmeval.compare.compare import LEVEL, best_of
from llmeval.compare.comparison import BestRuns
from llmeval.compare.loaded_run import load
from llmeval.core.grid_record import GridRecord
from llmeval.store.run_store import RunStore


class ComparedCell(NamedTuple):
    """A cell with a run. `decision`: of its own gate; None without a gate."""

    name: str
    run_id: str
    decision: str | None


class BestCells(NamedTuple):
    """The cells that may be the best, metric by metric."""

    level: float
    """Probability that the best cell is among those named, on all metrics at once, at least."""
    metrics: tuple[BestRuns, ...]
    """Empty where fewer than two cells have a run."""
    cells: dict[str, ComparedCell]
    """By the letter that `metrics` names them by."""
    missing: tuple[str, ...]
    """Names of the cells without a run. Any of them may be better than all others."""

    @property
    def unproven(self) -> tuple[ComparedCell, ...]:
        """Cells that may be the best on some metric although their own gate is not PASS."""
        among = {letter for best in self.metrics for letter in best.among}
        return tuple(
            cell
            for letter, cell in self.cells.items()
            if letter in among and cell.decision not in (None, "PASS")
        )


def best_cells(record: GridRecord, runs: Mapping[str, RunStore], level: float = LEVEL) -> BestCells:
    """Compare the cells of a grid with the best of them.

    Args:
        record: the grid. runs: by run id. level: of the claim on all metrics at once, in (0, 1).

    Raises:
        StoreError: a run's records can't be read.
    """
    present = [cell for cell in record.cells if cell.run_id in runs]
    sides = [
        load(letter, runs[cell.run_id], cell.name)
        for letter, cell in zip(ascii_uppercase, present, strict=False)
    ]
    decisions = (each.summary.gate.decision if each.summary else None for each in sides)
    return BestCells(
        level,
        best_of(sides, level) if len(sides) > 1 else (),
        {
            side.letter: ComparedCell(cell.name, cell.run_id, decision and str(decision))
            for side, cell, decision in zip(sides, present, decisions, strict=True)
        },
        tuple(cell.name for cell in record.cells if cell.run_id not in runs),
    )
