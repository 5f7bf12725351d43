"""llmeval from Python: run a suite, read a run as data frames.

import llmeval
run = llmeval.run("suites/qa.yaml")
run.decision, run.metrics, run.scores
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from llmeval.errors import StoreError, UsageError
from llmeval.records import Answer, Case, Decision, Summary, to_json
from llmeval.rundir import SUMMARY, RunDir
from llmeval.suite.load import Suite, load_suite

if TYPE_CHECKING:
    import pandas as pd

    from llmeval.engine.build import Plan
    from llmeval.engine.options import Options
    from llmeval.engine.progress import Display, Progress
    from llmeval.report.worst import Trouble

PathLike = str | os.PathLike[str]


class Run:
    """One run, read from its directory. Frames are made when asked for.

    `path`: the directory. `summary`: what it came to. `interrupted`, `reason`: how this process's part ended.
    """

    def __init__(self, path: PathLike, *, interrupted: bool = False, reason: str = "") -> None:
        self.directory = RunDir(path)
        if not self.directory.exists():
            raise StoreError(f"{path} is not a run directory: it has no manifest.json")
        self.interrupted, self.reason = interrupted, reason
        self.report: Path | None = None
        self.troubles: list[Trouble] = []
        self.warnings: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The run's directory."""
        return self.directory.path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Who, what, with what."""
        return self.directory.manifest()

    @cached_property
    def summary(self) -> Summary:
        """What the run came to, recomputed from its records when it never ended."""
        from llmeval.gate.summary import summarise

        return self.directory.summary() if self.directory.has_summary() else summarise(self.directory)

    @property
    def decision(self) -> Decision | None:
        """PASS, FAIL, INCONCLUSIVE, INVALID, or None when the suite's gate has no rule."""
        return self.summary.gate.decision

    @cached_property
    def answers(self) -> "pd.DataFrame":
        """One row a (case_id, repeat): output, finish_reason, model, latency_ms, tokens, cached, cost_usd, error."""
        return _frame(_answer_row(answer) for answer in self.directory.answers())

    @cached_property
    def scores(self) -> "pd.DataFrame":
        """One row a (case_id, repeat, metric): status, value, passed, source, reason, confidence."""
        columns = (
            "case_id", "repeat", "metric", "status", "value", "passed", "source", "reason", "unscored", "confidence",
        )  # fmt: skip
        return _frame(
            {name: str(score.status) if name == "status" else getattr(score, name) for name in columns}
            for _, block in self.directory.scores()
            for score in block
        )

    @cached_property
    def cases(self) -> "pd.DataFrame":
        """One row a case: id, its fields, references, and a column `tag:<name>` for each tag."""
        return _frame(
            {
                "case_id": case.id,
                **case.fields,
                "references": list(case.references),
                **{f"tag:{name}": value for name, value in case.tags.items()},
            }
            for case in self.directory.cases()
        )

    @cached_property
    def metrics(self) -> "pd.DataFrame":
        """One row a metric and slice: n, pass_rate, low, high, mean, unscored, errors."""
        import msgspec

        return _frame(msgspec.to_builtins(metric) for metric in self.summary.metrics)

    def _repr_html_(self) -> str:
        return str(self.metrics.to_html(index=False, escape=True))


def run(
    suite: PathLike | Suite,
    *,
    environment: str | None = None,
    options: "Options | None" = None,
    show: "Callable[[Progress], Display] | None" = None,
    only: Callable[[Case], bool] | None = None,
    warn: Callable[[str], None] = lambda line: None,
) -> Run:
    """Run a suite: ask, score, decide, report. A run that began in the same directory goes on.

    Args:
        suite: a suite file, or one that is loaded.
        environment: a name under the suite's `environments`.
        options: where the run goes and how far; see `llmeval.engine.options.Options`.
        show: makes a display of the progress; none by default.
        only: which cases; all by default.
        warn: is told, before the first call, of each floor that so few cases can never PASS.

    Raises:
        UsageError, SuiteError: nothing was called. NothingEvaluated: no case. StoreError: the directory can't be used.
    """
    from llmeval.engine.build import plan
    from llmeval.engine.options import Options
    from llmeval.gate.reach import out_of_reach

    loaded = suite if isinstance(suite, Suite) else load_suite(suite, environment)
    chosen = options or Options()
    planned = plan(loaded, chosen, only=only)
    if planned.shard is None:
        gate, aside = planned.suite.spec.gate, {entry.case_id for entry in planned.quarantine.cases}
        counted = (case for case in planned.cases if case.id not in aside)
        for line in out_of_reach(gate.floors, gate.alpha, counted, early=planned.may_stop):
            warn(line)
    return _carry_out(planned, chosen, show)


def _carry_out(
    planned: "Plan",
    options: "Options",
    show: "Callable[[Progress], Display] | None",
    stored: RunDir | None = None,
) -> Run:
    """Execute a plan, with what the gate knows (verdicts of the baseline that hold, when the run may stop) and what earlier
    runs saw of the judges' anchors.

    A baseline that is there but can't be read is told before the first call; one that is not there yet is not.
    """
    from llmeval.engine.build import baseline_of
    from llmeval.engine.execute import execute
    from llmeval.engine.manifest import scoring_of
    from llmeval.engine.progress import NoDisplay
    from llmeval.gate.baseline import read_baseline
    from llmeval.gate.reuse import known_verdicts
    from llmeval.gate.stopping import stopper
    from llmeval.history.anchors import past_anchors

    path = baseline_of(planned.suite, options)
    if path is not None and path.exists():
        planned.known = known_verdicts(read_baseline(path), scoring_of(planned))
    planned.past = lambda manifest, metric: past_anchors(
        options.reports / planned.suite.name, metric, manifest["judges"][metric], manifest["run_id"]
    )
    outcome = execute(planned, options, show or (lambda progress: NoDisplay()), stored, stopper)
    return finish(
        Run(outcome.run.path, interrupted=outcome.ending == "interrupted", reason=outcome.reason), outcome.warnings
    )


def rescore(
    path: PathLike,
    suite: PathLike | None = None,
    *,
    environment: str | None = None,
    options: "Options | None" = None,
    show: "Callable[[Progress], Display] | None" = None,
) -> Run:
    """A new run with the answers of an old one, scored by today's checks and judges; the candidate is not asked.

    Args:
        path: the old run's directory.
        suite: what to score by; default: the suite file of the old run.

    Raises:
        As `run`; a case that the old run has no answer for becomes an error record.
    """
    from llmeval.engine.build import plan
    from llmeval.engine.options import Options

    old = load_run(path)
    chosen = options or Options()
    loaded = load_suite(suite or old.manifest["suite_file"], environment or old.manifest["environment"])
    return _carry_out(plan(loaded, chosen, old.directory), chosen, show, old.directory)


def rejudge(
    suite: Suite,
    baseline: PathLike,
    *,
    options: "Options | None" = None,
    show: "Callable[[Progress], Display] | None" = None,
) -> Run | None:
    """The baseline's stored answers scored by today's judges and checks: a child run to compare with.

    None where the same judges and checks scored it already. Its cases are those that the suite has as the baseline had
    them: another case's answer says nothing. The baseline's candidate is not asked.

    Args:
        suite: what to score by; it compares something.
        baseline: the directory of the baseline's run.
        options: as for the run that is to be compared.

    Raises:
        As `run`. NothingEvaluated: no case is the same.
    """
    import asyncio

    from llmeval.engine.build import plan
    from llmeval.engine.manifest import scoring_of
    from llmeval.engine.options import Options
    from llmeval.gate.baseline import scorer_digest
    from llmeval.gate.floors import parse_key

    old, regression = load_run(baseline), suite.spec.gate.regression
    known = {case.id: case.digest for case in old.directory.cases()}
    alone = suite.spec.gate.model_copy(update={"regression": None})
    by_itself = replace(suite, spec=suite.spec.model_copy(update={"gate": alone}))
    chosen = replace(options or Options(), out=None, baseline=None, stop="never")
    planned = plan(by_itself, chosen, old.directory, lambda case: known.get(case.id) == case.digest)
    now = scoring_of(planned)
    metrics = {parse_key(key)[0] for key in (regression.margins if regression else ())}
    if all(scorer_digest(now, metric) == scorer_digest(old.manifest, metric) for metric in metrics):
        asyncio.run(planned.close())
        return None
    return _carry_out(planned, chosen, show, old.directory)


def redecide(
    path: PathLike,
    suite: PathLike | Suite | None = None,
    *,
    environment: str | None = None,
    baseline: Path | None = None,
    out: Path | None = None,
) -> Run:
    """A run decided again from its stored scores: nothing is asked, and nothing in its directory changes.

    Args:
        path: the run's directory.
        suite: whose gate decides; default: the rules that the run was made by.
        environment: a name under the suite's `environments`.
        baseline: another lock file or run directory to compare with.
        out: a directory for summary.json, report.html, junit.xml and summary.md of this decision.

    Returns:
        The run, with `summary` and `manifest` as this decision has them.

    Raises:
        UsageError, SuiteError: there is no rule for the baseline, or no such baseline. StoreError: no run there.
    """
    from llmeval.files import write_atomically
    from llmeval.gate.summary import summarise
    from llmeval.report.worst import worst_cases
    from llmeval.report.write import write_reports

    run = load_run(path)
    rules = _rules(run, suite, environment, baseline)
    run.manifest = {**run.manifest, **rules}
    run.summary = summarise(run.directory, run.manifest)
    if out is None:
        run.troubles = worst_cases(run.directory, 10, {entry.case_id for entry in run.summary.quarantine})
        return run
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / SUMMARY, to_json(run.summary) + b"\n")
    run.report, run.troubles = write_reports(run.directory, run.summary, out, run.manifest)
    return run


def _rules(run: Run, suite: PathLike | Suite | None, environment: str | None, baseline: Path | None) -> dict[str, Any]:
    """The gate to decide by, and a suite's quarantine. Whether the run could stop early is the run's own: it says in
    what order it was asked."""
    from msgspec import to_builtins

    from llmeval.engine.manifest import gate_of
    from llmeval.engine.options import Options
    from llmeval.suite.quarantine import read_quarantine

    stored: dict[str, Any] = run.manifest["gate"]
    if suite is not None:
        loaded = suite if isinstance(suite, Suite) else load_suite(suite, environment)
        gate = {**gate_of(loaded, Options(baseline=baseline)), "stop": stored.get("stop", "never")}
        quarantine = read_quarantine(loaded, lambda: {case.id for case in run.directory.cases()}, partial=True)
        run.warnings = quarantine.warnings
        return {"gate": gate, "quarantine": [to_builtins(entry) for entry in quarantine.cases]}
    if baseline is None:
        return {}
    if stored["regression"] is None:
        raise UsageError(
            f"--baseline {baseline}: the rules of {run.path} compare nothing; name a suite with "
            "`gate: {regression: {margins: ...}}` by --suite"
        )
    if not baseline.exists():
        raise UsageError(f"--baseline {baseline}: there is no such file or directory")
    return {"gate": {**stored, "regression": {**stored["regression"], "baseline": str(baseline.resolve())}}}


def merge(
    folders: Iterable[PathLike],
    out: PathLike | None = None,
    *,
    suite: PathLike | Suite | None = None,
    environment: str | None = None,
    baseline: Path | None = None,
    reports: Path = Path("reports"),
) -> Run:
    """The shards of one run, put together into a run directory and decided once.

    Args:
        folders: the shards' directories, or folders that hold them.
        out: where the whole run goes; default: below `reports`.
        suite, environment, baseline: another gate, as for `redecide`.

    Raises:
        StoreError: a shard is missing, double, incomplete or of another run, or `out` holds a run. UsageError: as `redecide`.
    """
    from llmeval.engine.merge import check_parts, differing_environments, find_parts, join, merged_manifest
    from llmeval.engine.store import write_manifest

    parts = find_parts(map(Path, folders))
    check_parts(parts)
    # what is wrong with the rules is told before anything is written
    _rules(load_run(parts[0].run.path), suite, environment, baseline)
    manifest = merged_manifest(parts)
    path = Path(out) if out is not None else reports / manifest["suite"] / manifest["run_id"]
    join(parts, path, manifest)
    run = load_run(path)
    write_manifest(path, {**manifest, **_rules(run, suite, environment, baseline)})
    return finish(load_run(path), (*run.warnings, *differing_environments(parts)))


def finish(run: Run, warnings: tuple[str, ...] = (), embed: Literal["default", "all"] = "default") -> Run:
    """Write summary.json and the reports of a run from its records. `embed`: which rows the page holds in full."""
    from llmeval.files import write_atomically
    from llmeval.gate.summary import summarise
    from llmeval.report.write import write_reports

    summary = summarise(run.directory)
    write_atomically(run.path / SUMMARY, to_json(summary) + b"\n")
    run.__dict__.pop("summary", None)
    run.report, run.troubles = write_reports(run.directory, summary, embed=embed)
    run.warnings = warnings
    return run


def load_run(path: PathLike) -> Run:
    """A run from its directory.

    Raises:
        StoreError: it is not a run directory.
    """
    return Run(path)


def _answer_row(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    return {
        "case_id": answer.case_id,
        "repeat": answer.repeat,
        "output": answer.output,
        "finish_reason": answer.finish_reason,
        "model": answer.model,
        "latency_ms": answer.latency_ms,
        "input_tokens": None if usage is None else usage.input_tokens,
        "output_tokens": None if usage is None else usage.output_tokens,
        "cached": answer.cached,
        "attempts": answer.attempts,
        "cost_usd": answer.cost_usd,
        "error_kind": None if answer.error is None else answer.error.kind,
        "error": None if answer.error is None else answer.error.message,
    }


def _frame(rows: Any) -> "pd.DataFrame":
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise UsageError(f"data frames need the package {error.name}: pip install 'llmeval[data]'") from None
    return pd.DataFrame(list(rows))
