"""The notice of `run` and `gate` that a run and its baseline differ in their environment."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmeval.api import Run
    from llmeval.core.manifest import Manifest


def print_environment_notice(run: "Run", reports: Path) -> None:
    """Print on stderr what differs unexpectedly between a run and the run of its baseline, apart
    from what is tested (candidate and prompt). A lock file does not record these things, so nothing
    is printed where the baseline's run is not below `reports`.
    """
    from llmeval.compare.environments import beside_the_test, compare_environments
    from llmeval.report.safe_text import one_line

    manifest = run.manifest
    baseline = None if manifest.baseline is None else _manifest_of(Path(manifest.baseline), reports)
    if baseline is None or manifest.is_part:
        return
    comparison = compare_environments(baseline, manifest)
    parts = []
    if baseline.environment != manifest.environment:
        before, now = (each.environment or "none" for each in (baseline, manifest))
        parts.append(f"environment {before} -> {now}")
    parts += [f"{each.group}: {each.key}" for each in beside_the_test(comparison)]
    if parts:
        text = (
            f"the baseline's run {baseline.run_id} differs from this run: {'; '.join(parts)}."
            f" `llmeval env diff {baseline.run_id} {manifest.run_id}` shows the values"
        )
        print(f"llmeval: {one_line(text, 600)}", file=sys.stderr)


def _manifest_of(baseline: Path, reports: Path) -> "Manifest | None":
    """The manifest of the baseline's run; None where it is not there or can't be read."""
    from llmeval.core.errors import LlmevalError
    from llmeval.gate.baseline import read_any
    from llmeval.history.runs import of_id
    from llmeval.store.directory import RunDir

    try:
        path = baseline if baseline.is_dir() else of_id(read_any(baseline).run_id, reports)
        return None if path is None else RunDir(path).manifest()
    except LlmevalError:
        return None  # the rules of the gate name what is wrong with the baseline
