"""Deciding: what the records of a run come to, by its own rules or by others, in one piece or in
shards.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from llmeval.api.sealing import seal_complete
from llmeval.api.view import PathLike, Run, load_run
from llmeval.core.errors import StoreError, UsageError
from llmeval.core.leaf_differences import first_differences, leaf_differences
from llmeval.core.manifest import Manifest
from llmeval.store.directory import GRIDS, PARTIAL
from llmeval.suite.loader import Suite, load_suite

if TYPE_CHECKING:
    from llmeval.history.run_verdicts import RunVerdicts
    from llmeval.report.run_view import RecordTaker
    from llmeval.report.seal_note import SealNote

_JUnitCases = Literal["all", "failed"]
"""As in `report.junit`."""


def redecide(
    path: PathLike,
    suite: PathLike | Suite | None = None,
    *,
    environment: str | None = None,
    baseline: Path | None = None,
    out: Path | None = None,
    junit: _JUnitCases = "all",
) -> Run:
    """A run decided again from its stored scores: nothing is asked, and nothing in its directory
    changes.

    Args:
        path: the run's directory.
        suite: whose gate decides; default: the rules that the run was made by.
        environment: a name under the suite's `environments`.
        baseline: another lock file or run directory to compare with.
        out: a directory for summary.json, report.html, junit.xml and summary.md of this decision.
        junit: which cases junit.xml holds.

    Returns:
        The run, with `summary` and `manifest` as this decision has them.

    Raises:
        UsageError, SuiteError: there is no rule for the baseline, or no such baseline. StoreError:
            no run there.
    """
    from llmeval.report.run_view import view_run
    from llmeval.report.write import write_results

    run = load_run(path)
    manifest, warnings = _ruled(run, suite, environment, baseline)
    if out is None:
        return run.decided(view_run(run.directory, manifest), warnings)
    out.mkdir(parents=True, exist_ok=True)
    return run.decided(write_results(run.directory, out, manifest, junit=junit), warnings)


def _ruled(
    run: Run, suite: PathLike | Suite | None, environment: str | None, baseline: Path | None
) -> tuple[Manifest, tuple[str, ...]]:
    """The run's manifest with the gate to decide by and a suite's quarantine, and warnings about
    that. Whether the run could stop early is the run's own: it says in what order it was asked.
    """
    from msgspec import structs

    from llmeval.runner.manifest import gate_of
    from llmeval.runner.options import Options
    from llmeval.suite.quarantine import read_quarantine
    from llmeval.suite.retired import read_retired

    gate = run.manifest.gate
    if suite is not None:
        loaded = suite if isinstance(suite, Suite) else load_suite(suite, environment)
        _check_scored(run, loaded)
        quarantine = read_quarantine(
            loaded, lambda: {case.id for case in run.directory.outlines()}, partial=True
        )
        manifest = structs.replace(
            run.manifest,
            gate=structs.replace(gate_of(loaded, Options(baseline=baseline)), stop=gate.stop),
            measure=dict(loaded.spec.measure),
            quarantine=quarantine.cases,
            quarantine_ended=quarantine.ended,
            retired=read_retired(loaded).cases,
        )
        return manifest, quarantine.warnings
    if baseline is None:
        return run.manifest, ()
    if gate.regression is None:
        raise UsageError(
            f"--baseline {baseline}: the rules of {run.path} compare nothing; name a suite with "
            "`gate: {regression: {margins: ...}}` by --suite"
        )
    if not baseline.exists():
        raise UsageError(f"--baseline {baseline}: there is no such file or directory")
    regression = structs.replace(gate.regression, baseline=str(baseline.resolve()))
    return structs.replace(run.manifest, gate=structs.replace(gate, regression=regression)), ()


def _check_scored(run: Run, suite: Suite) -> None:
    """Refuse a suite with a check or a judge that did not score the run: its gate would be decided
    without it.

    Raises:
        UsageError: names the check or judge, and the command that scores by it.
    """
    from llmeval.runner.manifest import checks_record
    from llmeval.runner.suite_checks import bound_checks

    checks = checks_record(bound_checks(suite))
    other = [str(check["metric"]) for check in checks if check not in run.manifest.checks]
    other += [name for name in suite.spec.judges if name not in run.manifest.judges]
    if other and suite.spec.gate.decides:
        raise UsageError(
            f"{suite.path}: {', '.join(other)} did not score {run.path} as this suite has it, so"
            f" its gate can't be decided on that run: `llmeval score {run.path} --suite"
            f" {suite.path}` scores the stored answers by this suite"
        )


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
        StoreError: a shard is missing, double, incomplete or of another run, or `out` holds a run.
            UsageError: as `redecide`.
    """
    from msgspec.structs import replace

    from llmeval.gate.attempts import keep_earlier
    from llmeval.history.run_verdicts import RunVerdicts
    from llmeval.runner.attempts import attempts_seen
    from llmeval.runner.merge import (
        check_parts,
        differing_environments,
        find_parts,
        join,
        merged_manifest,
    )
    from llmeval.store.writer import write_manifest

    parts = find_parts(map(Path, folders))
    check_parts(parts)
    # what is wrong with the rules is told before anything is written
    _ruled(load_run(parts[0].run.path), suite, environment, baseline)
    manifest = merged_manifest(parts)
    path = Path(out) if out is not None else reports / manifest.suite / manifest.run_id
    join(parts, path, manifest)
    whole, warnings = _ruled(load_run(path), suite, environment, baseline)
    folder = reports / whole.suite
    seen = attempts_seen(whole, folder)
    whole = replace(whole, attempt=seen.record)
    keep_earlier(path, seen.runs)
    write_manifest(path, whole)
    verdicts = RunVerdicts(path, whole)
    done = finish(load_run(path), (*warnings, *differing_environments(parts)), also=[verdicts])
    return remembered(seal_complete(done), verdicts)


def rebuild(
    path: PathLike,
    embed: Literal["default", "all"] = "default",
    junit: _JUnitCases = "all",
) -> Run:
    """Write a run's summary.json and reports again from its records.

        Its `warnings` name values that differ from the old summary.json. Then that file was edited,
        or the inputs of the decision have changed since (labels, the baseline, the version of
        llmeval).

    Args:
        path: the run's directory.
        embed, junit: as for `finish`.

    Raises:
        StoreError: no run there, or its records were changed.
    """
    from llmeval.api.seal_note import seal_note

    run, before = load_run(path), None
    warnings: tuple[str, ...] = ()
    if run.manifest.status == "complete" and run.directory.has_summary():
        try:
            before = run.directory.summary()
        except StoreError as error:
            warnings = (str(error),)
    done = finish(run, embed=embed, junit=junit, sealed=seal_note(run.directory))
    if before is not None and (differing := leaf_differences(before, done.summary)):
        differences = first_differences(differing)
        warnings = (
            f"summary.json did not match the records, and was written again: {differences}",
        )
    return done if done.view is None else done.decided(done.view, warnings)


def remembered(run: Run, verdicts: "RunVerdicts | None" = None) -> Run:
    """The run, after the history took it. Where that failed, a warning says so; the decision and
    the exit code stay. `verdicts`: from the pass that wrote the reports.
    """
    from llmeval.history.opening import index_finished

    # Partial runs and cells of a grid are in folders of their own, and no history of the suite.
    folders = (run.path.parent.name, run.path.parent.parent.name)
    if run.manifest.is_part or PARTIAL in folders or GRIDS in folders:
        return run
    warning = index_finished(run.path, verdicts)
    if not warning or run.view is None:
        return run
    return run.decided(run.view, (*run.warnings, warning))


def finish(
    run: Run,
    warnings: tuple[str, ...] = (),
    embed: Literal["default", "all"] = "default",
    junit: _JUnitCases = "all",
    sealed: "SealNote | None" = None,
    also: "Sequence[RecordTaker]" = (),
) -> Run:
    """Write summary.json and the reports of a run from its records. `embed`: which rows the page
    holds in full. `junit`: which cases junit.xml holds. `sealed`: its seal, if it is older. `also`:
    take the same pass over the records.
    """
    from llmeval.report.write import write_results

    view = write_results(run.directory, embed=embed, junit=junit, sealed=sealed, also=also)
    return run.decided(view, warnings)


def load_reports() -> Iterator[None]:
    """Load the modules and the templates that `finish` needs, in steps.

    A run does it while its first calls wait for their answers. It takes about 0.2 s.
    """
    from llmeval.history import run_verdicts  # noqa: F401 (each import loads modules)

    yield
    from llmeval.report import write  # noqa: F401

    yield
    from llmeval.history import opening  # noqa: F401

    yield
    from llmeval.report.html.page import load_templates

    yield from load_templates()
