"""`llmeval compare --live STABLE CANARY`: a canary next to the stable version."""

from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.cli.common import emit

if TYPE_CHECKING:
    from llmeval.api.live_comparison import LiveComparison, LiveMetric


def compare_traffic(
    files: list[Path], suite: Path | None, margin: str | None, *, as_json: bool
) -> int:
    """Compare the traffic of two versions, print the result, and return the exit code.

    Raises:
        UsageError: not two files, or no suite.
    """
    import msgspec

    from llmeval.api.live_comparison import MARGIN, compare_live
    from llmeval.core.errors import UsageError
    from llmeval.planning.suite_profile import margin_of
    from llmeval.report.progress_display import ProgressDisplay
    from llmeval.suite.loader import load_suite

    if len(files) != 2 or suite is None:
        raise UsageError(
            "--live takes two files of traffic and the suite that scores them: llmeval compare"
            " --live stable.jsonl canary.jsonl --suite release.yaml"
        )
    accepted = MARGIN if margin is None else margin_of(margin, 0, "--margin")
    result = compare_live(
        load_suite(suite, None), files[0], files[1], margin=accepted, observers=[ProgressDisplay()]
    )
    if as_json:
        emit(msgspec.to_builtins(result))
    else:
        _print(result)
    return result.exit_code


_HEADLINES = {
    "not worse": "NOT WORSE: the canary may be promoted.",
    "worse": "WORSE: roll the canary back.",
    "not decided": "NOT DECIDED: go on, and call this again with more answers.",
    "invalid": "INVALID: {reason}. This says nothing about the canary.",
}


def _print(result: "LiveComparison") -> None:
    """Print a result for people, at most 80 columns wide."""
    import textwrap

    from llmeval.core.formatting import percent
    from llmeval.report.safe_text import visible

    stable, canary = result.answers
    kind = "the same trace ids" if result.paired else "other trace ids, in the order of time"
    lines = [_HEADLINES[result.state].format(reason=result.reason)]
    lines += [_sentence(each) for each in result.metrics]
    lines.append(
        f"Answers since {result.since}: {stable:,} stable, {canary:,} canary ({kind})."
        f" Accepted: a fall of at most {percent(result.margin)}."
    )
    if result.left_out or result.repeated:
        lines.append(
            f"Not used: {result.left_out:,} answers without a counterpart, {result.repeated:,}"
            " later answers of a session."
        )
    lines.append("The bounds are valid whenever you stop. Each error rate is 5%.")
    for line in lines:
        print(textwrap.fill(visible(line), 78, break_long_words=False, subsequent_indent="  "))


def _sentence(row: "LiveMetric") -> str:
    from llmeval.core.formatting import percent, signed_points

    if row.difference is None or row.stable is None or row.canary is None:
        return f"{row.metric}: no block with a score of both versions yet."
    missing = f" Missing scores: {row.missing[0]} and {row.missing[1]}." if any(row.missing) else ""
    return (
        f"{row.metric}: {row.word}. Stable {percent(row.stable)}, canary {percent(row.canary)};"
        f" difference {signed_points(row.difference)} points ({signed_points(row.low)} to"
        f" {signed_points(row.high)}) over {row.blocks:,} blocks.{missing}"
    )
