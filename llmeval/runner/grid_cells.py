"""The cells of a grid: one suite with each candidate and each prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from llmeval.core.errors import UsageError
from llmeval.core.manifest import GridCellRecord
from llmeval.core.records import digest
from llmeval.runner.manifest import make_manifest
from llmeval.runner.model_roles import ModelRoles
from llmeval.runner.options import Options
from llmeval.runner.plan import RunPlan, make_roles, plan
from llmeval.runner.resume import run_identity
from llmeval.suite.loader import Suite
from llmeval.suite.matrix import with_prompt, without_matrix
from llmeval.suite.model_schema import BaseModelSpec, TransformersSpec

MOST_CELLS = 25
"""Runs are compared by letters, and one letter is for the baseline."""


@dataclass(frozen=True)
class PlannedCell:
    """One cell. `options` are those of its run, without its directory."""

    candidate: str
    prompt: str
    """Empty where the grid has one prompt."""
    suite: Suite
    options: Options
    plan: RunPlan
    shared: bool
    """Whether the cells share their models. Local weights are loaded and freed by each cell."""

    @property
    def name(self) -> str:
        """The name of the column."""
        return ", ".join(filter(None, (self.candidate, self.prompt)))

    def options_of(self, grid: str, path: Path) -> Options:
        """The options of its run. The directory is named after the run's id."""
        place = GridCellRecord(grid=grid, candidate=self.candidate, prompt=self.prompt)
        return replace(self.options, out=path, run_id=path.name, grid=place, resume=False)


def plan_cells(
    suite: Suite, options: Options, candidates: Sequence[str], prompts: Sequence[str]
) -> list[PlannedCell]:
    """Plan every cell, so that what is wrong with one is an error before the first call.

    Args:
        suite: the suite; its `matrix` states the axes that are not given.
        options: of the whole grid.
        candidates: names or specifications, as `--candidate` takes them.
        prompts: templates or their paths.

    Raises:
        UsageError, SuiteError: too many cells, two of them are equal, or one can't be planned.
    """
    matrix = suite.spec.matrix
    models: list[str | BaseModelSpec | None] = [*candidates]
    texts: list[str | None] = [*prompts]
    if matrix is not None:
        models = models or [*matrix.candidate]
        texts = texts or [*matrix.prompt]
    pairs = list(product(models or [options.candidate], texts or [options.prompt]))
    if len(pairs) > MOST_CELLS:
        raise UsageError(
            f"the grid has {len(pairs)} cells; the most is {MOST_CELLS}. Leave out candidates or"
            " prompts"
        )
    alone = without_matrix(suite)
    names = _prompt_names([text for text in texts if text is not None])
    shared = None if _local(alone, models) else make_roles(alone, options)
    cells = [_cell(alone, options, model, text, names, shared) for model, text in pairs]
    _refuse_equal(cells)
    if len(names) > 1:
        _refuse_own_messages(cells[0])
    return cells


def identity_of(cells: Sequence[PlannedCell]) -> str:
    """Digest of what decides how all cells are answered and scored."""
    return digest([run_identity(make_manifest(cell.plan, cell.options, "")) for cell in cells])


async def close_cells(cells: Sequence[PlannedCell]) -> None:
    """Close every model of the cells once, and their caches."""
    models = {id(model): model for cell in cells for model in cell.plan.closing}
    for model in models.values():
        await model.close()
    for cache in {id(cell.plan.cache): cell.plan.cache for cell in cells}.values():
        if cache is not None:
            cache.close()


def _cell(
    suite: Suite,
    options: Options,
    model: str | BaseModelSpec | None,
    prompt: str | None,
    names: dict[str, str],
    shared: ModelRoles | None,
) -> PlannedCell:
    own = replace(options, out=None, prompt=prompt)
    if isinstance(model, BaseModelSpec):
        suite = replace(suite, spec=suite.spec.model_copy(update={"candidate": model}))
        own = replace(own, candidate=None)
    elif model is not None:
        own = replace(own, candidate=model)
    if prompt is not None:
        suite = with_prompt(suite, prompt)
    planned = plan(suite, own, roles=shared)
    name = names.get(prompt or "", "") if len(names) > 1 else ""
    return PlannedCell(planned.candidate.name, name, suite, own, planned, shared=shared is not None)


def _prompt_names(prompts: Sequence[str]) -> dict[str, str]:
    """Short names: of a file its name without the ending, of a text its number."""
    names = {
        text: Path(text).stem if "\n" not in text and "{" not in text else f"prompt {number}"
        for number, text in enumerate(prompts, 1)
    }
    twice = len(set(names.values())) < len(names)
    return {text: text if twice else name for text, name in names.items()}


def _local(suite: Suite, models: Sequence[str | BaseModelSpec | None]) -> bool:
    """Whether a model has its weights in this process: those are freed after each run."""
    candidates = [suite.spec.candidate if model is None else model for model in models or [None]]
    judges = [model for judge in suite.spec.judges.values() for _, model in judge.models]
    specs = (
        suite.spec.models.get(each) if isinstance(each, str) else each
        for each in (*candidates, *judges)
    )
    return any(isinstance(spec, TransformersSpec) for spec in specs)


def _refuse_equal(cells: Sequence[PlannedCell]) -> None:
    """Two columns of the same answers would look like a confirmation."""
    seen: dict[tuple[str, str], str] = {}
    for cell in cells:
        manifest = make_manifest(cell.plan, cell.options, "")
        key = (manifest.digests.candidate, manifest.digests.prompt)
        if key in seen:
            raise UsageError(
                f"the cells {seen[key]!r} and {cell.name!r} are the same model with the same"
                " prompt: leave out one of them"
            )
        seen[key] = cell.name


def _refuse_own_messages(cell: PlannedCell) -> None:
    """Refuse several prompts for cases that do not use the prompt."""
    for case in cell.plan.cases:
        if case.messages:
            raise UsageError(
                f"the case {case.id} has its own `messages`, so another prompt has no effect on it:"
                " remove them, or run the grid with one prompt"
            )
