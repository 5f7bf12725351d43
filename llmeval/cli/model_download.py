"""A progress bar for the one download that llmeval makes: a bundled model."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmeval.suite.loader import Suite


def pull_with_progress(name: str) -> Path:
    """Make a bundled model available, showing how far it is; returns at once when it is here.

    Raises:
        LlmevalError: no such model, no network, a wrong hash, no room; each with the fix.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from llmeval.models.local import pull

    if pull.is_pulled(name):
        return pull.path(name)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(name, total=1.0)

        def show(stage: str, share: float) -> None:
            bar.update(task, description=f"{name}: {stage}", completed=share)

        return pull.pull(name, progress=show)


def pull_for(suite: "Suite", candidate: str | None) -> None:
    """Make the bundled models that a suite is about to use available, with a progress bar, before
    anything else.

    Raises:
        UsageError: it uses a local model, and the extra `local` is not installed.
    """
    from llmeval.suite.model_schema import TransformersSpec

    used = [suite.spec.candidate if candidate is None else candidate]
    used += [model for judge in suite.spec.judges.values() for _, model in judge.models]
    specs = [suite.spec.models.get(each) if isinstance(each, str) else each for each in used]
    local = [spec for spec in specs if isinstance(spec, TransformersSpec)]
    if not local:
        return
    from llmeval.models.local import pull
    from llmeval.models.local.extra import require_extra

    require_extra()
    bundled = {model.name for model in pull.available()}
    for spec in local:
        if spec.model in bundled and not pull.is_pulled(spec.model):
            pull_with_progress(spec.model)
