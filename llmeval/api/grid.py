"""A grid: one suite with several candidates and prompts, each cell an ordinary run."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from msgspec import structs

from llmeval.api.deciding import finish, rebuild
from llmeval.api.own_thread import own_loop
from llmeval.api.retiring import check_retired
from llmeval.api.running import carry_out, warnings_of
from llmeval.api.view import PathLike, Run, load_run
from llmeval.core.errors import ExitCode, LlmevalError, StoreError, UsageError, worst_of
from llmeval.core.files import shown_path
from llmeval.core.grid_record import GridCell, GridRecord
from llmeval.core.records import utc_now
from llmeval.store.directory import GRIDS, MANIFEST, RunDir
from llmeval.store.grids import GRID, GRID_PAGE, read_grid, write_grid
from llmeval.suite.loader import Suite

if TYPE_CHECKING:
    from llmeval.compare.best_cells import BestCells
    from llmeval.runner.grid_cells import PlannedCell
    from llmeval.runner.options import Options
    from llmeval.store.run_observer import RunObserver

_LOCK = "grid.lock"
_ENDS_ALL = ("budget", "quota", "outage")
"""Endings after which no further cell begins: it could not get an answer either."""


@dataclass(frozen=True)
class GridResult:
    """The runs of a grid by cell, in the order of the columns."""

    folder: Path
    record: GridRecord
    runs: dict[str, Run] = field(default_factory=dict)
    """By run id; a cell that has none here is missing."""
    problems: dict[str, str] = field(default_factory=dict)
    """By run id, why a cell is missing."""
    page: Path | None = None
    """The page with the answers side by side; None with fewer than two cells."""
    best: "BestCells | None" = None
    """Which cells may be the best, if the grid was run with `best`. It decides nothing."""

    @property
    def missing(self) -> list[GridCell]:
        """Cells without a run."""
        return [cell for cell in self.record.cells if cell.run_id not in self.runs]

    @property
    def exit_code(self) -> int:
        """The worst of all cells. A missing cell counts as INVALID."""
        codes = [
            ExitCode.INTERRUPTED if run.interrupted else ExitCode(run.summary.gate.exit_code)
            for run in self.runs.values()
        ]
        codes += [ExitCode.INVALID for _ in self.missing]
        return worst_of(codes)


@own_loop
def run_grid(
    suite: Suite,
    *,
    candidates: Sequence[str] = (),
    prompts: Sequence[str] = (),
    options: "Options | None" = None,
    best: bool = False,
    observers: Callable[[int, int, GridCell], "Sequence[RunObserver]"] = lambda at, of, cell: (),
    warn: Callable[[str], None] = lambda line: None,
) -> GridResult:
    """Run every cell that is not complete yet, and write the page of the grid.

    All cells are planned before the first call. They share the models' limits, the cache and the
    budget. The same call within 24 hours continues the cells that are missing
    (`Options.resume`), and so does one with the same `Options.out`. In a running event loop (a
    notebook) the grid runs in a separate thread, as `run` does.

    Args:
        suite: the suite. Its `matrix` states the axes that are not given here.
        candidates: names from `models`, or specifications.
        prompts: templates, or paths of templates.
        options: as for `run`; `out` is the folder of the grid.
        best: say which cells may be the best, ties included.
        observers: makes the observers of a cell from its number, the number of cells, and itself.
        warn: called before the first call with each warning.

    Raises:
        UsageError, SuiteError: nothing was called. StoreError: the folder can't be used.
    """
    from llmeval.runner.event_loop import loop_factory
    from llmeval.runner.grid_cells import close_cells, plan_cells
    from llmeval.runner.options import Options

    chosen = options or Options()
    if chosen.shard is not None:
        raise UsageError("--shard with a grid: run each cell by itself (--candidate, --prompt)")
    cells = plan_cells(suite, chosen, candidates, prompts)
    begun: set[int] = set()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            for line in dict.fromkeys(line for cell in cells for line in warnings_of(cell.plan)):
                warn(line)
            first = cells[0].plan
            if first.selection is None:
                check_retired(suite, first.retired, first.cases, chosen.baseline)
            folder, record, lock = _begin(suite, chosen, cells, best, warn)
            with lock:
                if best and not record.best:
                    record = structs.replace(record, best=True)
                    write_grid(folder, record)
                result = GridResult(folder, record)
                _run_cells(result, cells, observers, runner, begun)
        finally:  # a cell with its own models has closed them
            open_ = [cell for at, cell in enumerate(cells) if cell.shared or at not in begun]
            runner.run(close_cells(open_))
    return _with_page(result)


def rebuild_cells(folder: PathLike) -> GridResult:
    """A grid from its folder: each cell is decided again from its records, and the page is written.

    Raises:
        StoreError: the folder is not that of a grid, or its record was changed.
    """
    path = Path(folder)
    result = GridResult(path, read_grid(path))
    for cell in result.record.cells:
        try:
            _refuse_other_run(path / cell.run_id, result.record, cell)
            result.runs[cell.run_id] = rebuild(path / cell.run_id)
        except LlmevalError as error:
            result.problems[cell.run_id] = str(error)
    return _with_page(result)


def write_grid_page(grid: GridResult) -> Path | None:
    """Write `grid.html`: the cells side by side. None where fewer than two cells have a run."""
    from llmeval.report.html.grid_page import write_grid_html

    return write_grid_html(
        grid.folder / GRID_PAGE,
        grid.record,
        {run_id: run.directory for run_id, run in grid.runs.items()},
        grid.exit_code,
        grid.best,
    )


def _with_page(grid: GridResult) -> GridResult:
    """The grid with its best cells, where they are wanted, and with its page."""
    if grid.record.best:
        from llmeval.compare.best_cells import best_cells

        runs = {run_id: run.directory for run_id, run in grid.runs.items()}
        grid = replace(grid, best=best_cells(grid.record, runs))
    return replace(grid, page=write_grid_page(grid))


def _run_cells(
    result: GridResult,
    cells: "Sequence[PlannedCell]",
    observers: "Callable[[int, int, GridCell], Sequence[RunObserver]]",
    runner: asyncio.Runner,
    begun: set[int],
) -> None:
    """Run what is not complete, one cell after the other; each result goes into `result`, and the
    number of each cell that began into `begun`.
    """
    for number, (cell, place) in enumerate(zip(result.record.cells, cells, strict=True), 1):
        path = result.folder / cell.run_id
        try:
            if _complete(path):
                _refuse_other_run(path, result.record, cell)
                result.runs[cell.run_id] = finish(load_run(path))
                continue
            options = place.options_of(result.record.grid_id, path)
            watch = observers(number, len(cells), cell)
            begun.add(number - 1)
            run = carry_out(place.plan, options, watch, runner=runner if place.shared else None)
        except LlmevalError as error:
            result.problems[cell.run_id] = str(error)
            continue
        result.runs[cell.run_id] = run
        if run.interrupted or run.directory.manifest().ending in _ENDS_ALL:
            return


def _refuse_other_run(path: Path, grid: GridRecord, cell: GridCell) -> None:
    """Refuse a run in the folder of a cell that is not the run of this cell.

    Raises:
        StoreError: it is another run, or one of another suite or grid.
    """
    manifest = RunDir(path).manifest()
    place = None if manifest.grid is None else manifest.grid.grid
    if (manifest.run_id, manifest.suite, place) != (cell.run_id, grid.suite, grid.grid_id):
        raise StoreError(
            f"{path}: holds run {manifest.run_id} of {manifest.suite}, which is not the run of this"
            " cell. Remove the folder, and run the grid again"
        )


def _complete(path: Path) -> bool:
    """Whether a cell has every answer. Its result is computed again from its records."""
    run = RunDir(path)
    if not run.exists() or run.manifest().status != "complete":
        return False
    return run.has_summary() and run.summary().status == "complete"


def _begin(
    suite: Suite,
    options: "Options",
    cells: "Sequence[PlannedCell]",
    best: bool,
    warn: Callable[[str], None],
) -> tuple[Path, GridRecord, FileLock]:
    """The folder and record of the grid, new or continued, and its lock."""
    from llmeval.runner.grid_cells import identity_of
    from llmeval.runner.manifest import new_run_id

    identity = identity_of(cells)
    if options.out is not None and (options.out / GRID).exists():
        record = read_grid(options.out)
        if record.identity != identity:
            raise UsageError(
                f"{options.out} contains another grid: its cells, cases, checks, judges or gate"
                " differ. Name another folder with --out, or run without --out"
            )
        if not _unfinished(options.out, record):
            raise UsageError(
                f"{options.out} contains a grid that is complete. For a new one name another folder"
                " with --out, or run without --out"
            )
        return options.out, record, FileLock(options.out / _LOCK, timeout=0)
    grids = options.reports / suite.name / GRIDS
    if options.resume and options.out is None:
        earlier = _find_unfinished(grids, identity, warn)
        if earlier is not None:
            return earlier
    grid_id = new_run_id()
    folder = options.out or grids / grid_id
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty, and is not the folder of a grid")
    record = GridRecord(
        grid_id=grid_id,
        suite=suite.name,
        suite_file=shown_path(suite.path),
        started=utc_now(),
        identity=identity,
        cells=tuple(
            GridCell(run_id=new_run_id(), candidate=cell.candidate, prompt=cell.prompt)
            for cell in cells
        ),
        best=best,
    )
    write_grid(folder, record)
    return folder, record, FileLock(folder / _LOCK, timeout=0)


def _find_unfinished(
    grids: Path, identity: str, warn: Callable[[str], None]
) -> tuple[Path, GridRecord, FileLock] | None:
    """The newest grid of the same command, if a cell is missing and it began within 24 hours."""
    from llmeval.runner.resume import WITHIN

    for folder in sorted(grids.glob("*/"), key=lambda path: path.name, reverse=True):
        try:
            record = read_grid(folder)
        except StoreError:
            continue
        if record.identity != identity:
            continue
        left = _unfinished(folder, record)
        if not left or datetime.now(UTC) - datetime.fromisoformat(record.started) > WITHIN:
            return None
        lock = FileLock(folder / _LOCK, timeout=0)
        try:
            with lock:
                pass
        except Timeout:
            warn(f"another llmeval is running the grid {record.grid_id}: a new one starts")
            return None
        done = len(record.cells) - left
        warn(
            f"continues the grid {record.grid_id}, which has {done} of {len(record.cells)} cells"
            " (--new starts a new grid)"
        )
        return folder, record, lock
    return None


def _unfinished(folder: Path, record: GridRecord) -> int:
    """How many cells are not complete. One that can't be read is not."""
    left = 0
    for cell in record.cells:
        try:
            path = folder / cell.run_id
            there = (path / MANIFEST).exists()
            left += not there or RunDir(path).manifest().status != "complete"
        except StoreError:
            left += 1
    return left
