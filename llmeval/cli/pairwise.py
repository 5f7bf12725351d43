"""`compare --judge`: which run's answer a judge prefers, case by case, asked in both orders."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from rich.console import Console

    from llmeval.judges.pairwise import Pair, Preferences
    from llmeval.store.directory import RunDir


def preferences(
    runs: "list[RunDir]", name: str, suite: Path | None, *, trust: bool
) -> "list[Preferences]":
    """For each run but the first, how often the judge prefers its answers or the first run's.

    Args:
        runs: the first is what the others are compared with.
        name: a judge of the suite, whose model is asked.
        suite: the suite file; default: the first run's.
        trust: whether code may be imported that the first run's suite names.

    Raises:
        UsageError: the suite has no such judge. SuiteError: the suite is wrong, or the judge can't
            compare.
    """
    import asyncio
    from dataclasses import replace

    from llmeval.core.errors import UsageError
    from llmeval.judges.pairwise import prefer_all
    from llmeval.runner.judge_factory import pairwise_judge
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan
    from llmeval.suite.loader import load_suite

    loaded = load_suite(
        suite or Path(runs[0].manifest().suite_file), runs[0].manifest().environment
    )
    loaded = replace(loaded, trusted=trust or suite is not None)
    if name not in loaded.spec.judges:
        names = ", ".join(loaded.spec.judges) or "none"
        raise UsageError(f"--judge {name}: {loaded.path} has no such judge; it has: {names}")
    bare = {name: loaded.spec.judges[name].model_copy(update={"certificate": None})}
    gate = loaded.spec.gate.without_rules()
    alone = loaded.spec.model_copy(update={"judges": bare, "gate": gate})
    planned = plan(replace(loaded, spec=alone), Options())

    async def ask() -> "list[Preferences]":
        try:
            judge = pairwise_judge(loaded, name, planned.judges[name])
            return [
                await prefer_all(judge, pairs_of(runs[0], other, planned.messages))
                for other in runs[1:]
            ]
        finally:
            await planned.close()

    return asyncio.run(ask())


def pairs_of(first: "RunDir", other: "RunDir", messages: Any) -> "list[Pair]":
    """The answers of two runs to the same cases, in the first run's order; missing answers are left
    out.

    Args:
        first, other: the runs.
        messages: what a candidate is sent for a case.
    """
    from llmeval.core.errors import SuiteError
    from llmeval.core.records import Case, Message
    from llmeval.judges.pairwise import Pair

    def asked(case: Case) -> tuple[Message, ...]:
        try:
            sent: tuple[Message, ...] = messages(case)
            return sent
        except SuiteError:  # an earlier version's case: the prompt may use what it does not have
            return (Message("user", str(case.fields.get("question", ""))),)

    theirs = {
        (unit.case.id, unit.case.digest, unit.answer.repeat): unit.answer for unit in other.units()
    }
    pairs = []
    for unit in first.units():
        answer = theirs.get((unit.case.id, unit.case.digest, unit.answer.repeat))
        if answer is not None and answer.output is not None and unit.answer.output is not None:
            pairs.append(Pair(unit.case, unit.answer, answer, asked(unit.case)))
    return pairs


def show_preferences(out: "Console", results: "list[Preferences]", name: str) -> None:
    """A line or two for each run but the first, which is A."""
    from rich.markup import escape

    for letter, each in zip("BCDEFGHIJKLMNOPQRSTUVWXYZ", results, strict=False):
        wins = f"{letter} {each.second:,}, A {each.first:,}, ties {each.ties:,}"
        out.print(
            f"\n[bold]{letter} vs. A, by the judge of {escape(name)}[/], each case in both orders:"
            f" {wins} of {each.n:,}; net {100 * each.net:+.1f} points for {letter} (95% interval"
            f" {100 * each.low:+.1f} to {100 * each.high:+.1f}, p = {each.p:.2g})",
            soft_wrap=True,
        )
        message = (
            [f"of the ties {each.splits:,} split: the judge followed the place"]
            if each.splits
            else []
        )
        message += (
            [f"{count(each.equal, 'pair')} of equal answers not asked about"] if each.equal else []
        )
        message += (
            [f"no usable verdict on {count(each.unanswered, 'case')}"] if each.unanswered else []
        )
        if message:
            out.print(f"[dim]{'; '.join(message)}.[/]", soft_wrap=True)
    out.print("[dim]A preference is for people to look into; no gate uses it.[/]")
