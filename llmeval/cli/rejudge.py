"""`run --rejudge`: the baseline's stored answers scored by today's judges and checks, before the
run.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.cli.common import find_run, show_run

if TYPE_CHECKING:
    from llmeval.runner.options import Options
    from llmeval.suite.loader import Suite


def rejudge_baseline(suite: "Suite", options: "Options", *, as_json: bool) -> Path | int:
    """What to compare with: the baseline itself where nothing that scores it changed, else a run of
    its answers scored again. An exit code if that run is not complete.

    Raises:
        UsageError: the run is a shard, the suite compares nothing, or the baseline's answers are
            not here.
    """
    from llmeval.api import rejudge
    from llmeval.core.errors import NothingEvaluated, UsageError
    from llmeval.report.progress_display import ProgressDisplay
    from llmeval.runner.plan import baseline_of

    if options.shard is not None:
        raise UsageError(
            "--rejudge with --shard: each shard would score a part; score the baseline once"
            " (`llmeval score`) and name that run with --baseline"
        )
    path = baseline_of(suite, options)
    if path is None or not path.exists():
        raise UsageError(
            f"--rejudge: {suite.path} compares nothing"
            if path is None
            else f"--rejudge: there is no {path}"
        )
    try:
        child = rejudge(
            suite, _answers_of(path, options), options=options, observers=[ProgressDisplay()]
        )
    except NothingEvaluated:
        print(
            "llmeval: no case is as the baseline had it, so nothing can be rejudged: approve a run"
            " of these cases",
            file=sys.stderr,
        )
        return path
    if child is None:
        print(
            "llmeval: the same judges and checks scored the baseline: nothing to rejudge",
            file=sys.stderr,
        )
        return path
    if child.interrupted or child.reason:
        return show_run(child, as_json=as_json)
    print(f"llmeval: the baseline's answers, scored again: {child.path}", file=sys.stderr)
    return child.path


def _answers_of(path: Path, options: "Options") -> Path:
    """The directory of a baseline's run."""
    from llmeval.core.errors import StoreError, UsageError
    from llmeval.gate.baseline import read_baseline

    if path.is_dir():
        return path
    run_id = read_baseline(path).run_id
    try:
        return find_run(Path(run_id), options.reports)
    except StoreError:
        raise UsageError(
            f"--rejudge: the answers of the baseline {run_id} are not below {options.reports}; name"
            " their directory with --baseline file:DIR"
        ) from None
