"""`llmeval monitor`: production traffic, tested with the suite that tested the release."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Env, Json, Reports, SuitePath, emit
from llmeval.cli.monitor_group import DefaultGroup

if TYPE_CHECKING:
    from llmeval.monitor.detector import Alarm
    from llmeval.monitor.outcome import MonitorOutcome
    from llmeval.monitor.replay import Replay

app = typer.Typer(
    cls=DefaultGroup,
    help=(
        "Watch production traffic with the suite that tested the release:"
        " `llmeval monitor SUITE --once`."
    ),
    no_args_is_help=True,
)


@app.command()
def watch(
    suite: SuitePath,
    once: Annotated[
        bool, typer.Option("--once", help="Look at each day that is over and has no look yet.")
    ] = False,
    acknowledge: Annotated[
        bool,
        typer.Option("--acknowledge", help="End the reference: the monitor learns a new one."),
    ] = False,
    by: Annotated[str, typer.Option(help="Who acknowledges.", metavar="NAME")] = "",
    reason: Annotated[
        str, typer.Option(help="Why the new level is accepted.", metavar="TEXT")
    ] = "",
    env: Env = None,
    concurrency: Annotated[int, typer.Option(help="Answers at the same time.", metavar="N")] = 32,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Test production traffic: `llmeval monitor SUITE --once`, from a schedule, once a day.

    Exit code 0: quiet. 1: alarm. 2: the suite is wrong, or scores differ from the reference. 3: the
    look is invalid. 4: still learning. 5: no traffic.
    """
    from llmeval.core.errors import UsageError
    from llmeval.suite.loader import load_suite

    if once == acknowledge:
        raise UsageError(
            "give --once or --acknowledge. A schedule calls `llmeval monitor SUITE --once` once a"
            " day"
        )
    loaded = load_suite(suite, env)
    if acknowledge:
        from llmeval.api.monitoring import acknowledge as end_reference

        record = end_reference(loaded, reports, by, reason)
        if as_json:
            import msgspec

            emit(msgspec.to_builtins(record))
        else:
            print("Acknowledged. The monitor learns a new reference from the next days.")
        return 0
    from llmeval.api.monitor_files import look_and_write
    from llmeval.report.progress_display import ProgressDisplay

    outcome = look_and_write(
        loaded, reports=reports, concurrency=concurrency, observers=[ProgressDisplay()]
    )
    if as_json:
        emit(outcome.document())
    else:
        _print(outcome)
    return outcome.code


def _print(outcome: "MonitorOutcome") -> None:
    """Print an outcome for people, at most 80 columns wide."""
    import textwrap

    from llmeval.monitor.words import outcome_lines

    for line in outcome_lines(outcome):
        print(textwrap.fill(line, 78, break_long_words=False, subsequent_indent="  "))


@app.command()
def simulate(
    suite: SuitePath,
    days: Annotated[
        Path,
        typer.Option(
            help="Counts of each day: one {day, n, passed} a line (JSONL).", metavar="FILE"
        ),
    ],
    drop: Annotated[
        str, typer.Option(help="The drop to find: 6pt, 6%, 0.06.", metavar="DROP")
    ] = "6pt",
    env: Env = None,
    as_json: Json = False,
) -> int:
    """Show false alarms and delay of the monitor on your own days, before you switch it on.

    Exit code 0: simulated. 2: the suite or the file is wrong. 4: fewer than 28 days. 5: no day.
    """
    from llmeval.core.errors import ExitCode
    from llmeval.monitor.day_counts import read_day_counts
    from llmeval.monitor.detector import DetectorOptions
    from llmeval.monitor.replay import replay_days
    from llmeval.planning.suite_profile import margin_of
    from llmeval.suite.loader import load_suite

    loaded = load_suite(suite, env)
    watched = loaded.spec.monitor
    options = DetectorOptions()
    if watched is not None:
        family = len(watched.metrics) * (1 + len(watched.slices))
        options = DetectorOptions(watched.tolerance, family)
    replay = replay_days(read_day_counts(days), margin_of(drop, 0, "--drop"), options)
    if as_json:
        emit({"suite": loaded.name, **replay.document()})
    else:
        _show(replay)
    return ExitCode.INCONCLUSIVE if replay.learning else ExitCode.PASS


def _show(replay: "Replay") -> None:
    """Print the replay for people, at most 80 columns wide."""
    import textwrap

    for paragraph in _paragraphs(replay):
        print(textwrap.fill(paragraph, 78, break_long_words=False))


def _paragraphs(replay: "Replay") -> list[str]:
    from llmeval.core.formatting import percent, points
    from llmeval.stats.sequential.mean_drop import REFERENCE_DAYS

    detector, figures, window = replay.detector, replay.figures, replay.detector.window
    days = len(detector.days)
    if figures is None or window is None:
        return [
            f"Still learning: day {days} of {REFERENCE_DAYS}. The monitor learns the pass rate and"
            f" how much days vary from {REFERENCE_DAYS} days with traffic. Add"
            f" {REFERENCE_DAYS - days} more."
        ]
    lines = [
        f"Reference: {percent(float(window.mean))} of the answers pass (days 1 to"
        f" {detector.window_days}). A pass rate below {percent(float(window.null_mean))} counts as"
        " a drop.",
        f"Days: {days}, design effect {float(window.design_effect):.1f} (1.0: days differ no more"
        " than chance makes them).",
    ]
    if detector.days_vary_much:
        lines.append(
            "The days differ much. More answers a day will hardly help to find a drop earlier."
        )
    lines += [_alarm_line(each) for each in detector.alarms] or ["Alarms on these days: none."]
    lines += [
        f"Expected false alarms: {figures.false_alarms_per_year:.2f} a year, if days go on varying"
        f" as in the reference. {percent(figures.years_with_alarm)} of the years have one.",
        f"A drop of {points(replay.drop)} is found after {figures.delay_median:.0f} days in half of"
        f" all cases, and after {figures.delay_p90:.0f} days in 90%.",
    ]
    if figures.missed:
        lines.append(f"{percent(figures.missed)} of such drops are not found in three years.")
    return [*lines, "No model was called."]


def _alarm_line(alarm: "Alarm") -> str:
    from llmeval.core.formatting import percent

    end = "still open" if alarm.ended is None else f"ended on {_named(alarm.ended)}"
    return (
        f"ALARM on {_named(alarm.day)} ({end}): {percent(alarm.rate)} since {_named(alarm.since)}."
    )


def _named(day: str | int) -> str:
    return f"day {day}" if isinstance(day, int) else day
