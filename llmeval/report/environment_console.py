"""Two environments at a terminal: unexpected differences, expected ones, and what was not
compared.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from llmeval.compare.environments import EnvironmentComparison, EnvironmentDifference
from llmeval.core.records import digest
from llmeval.report.safe_text import count, one_line

_LONGEST = 60


def print_environments(
    console: Console, comparison: EnvironmentComparison, labels: tuple[str, str]
) -> None:
    """A line for each difference. `labels`: the names of the two runs, or environments."""
    console.soft_wrap = True
    for letter, label, name in zip("AB", labels, comparison.names, strict=True):
        environment = "no environment" if name is None else f"environment {name}"
        console.print(Text(f"{letter}  {one_line(label, 200)}  ({one_line(environment, 200)})"))
    unexpected = comparison.unexpected
    if unexpected:
        console.print(
            Text(f"\n{count(len(unexpected), 'unexpected difference')}", style="bold red")
        )
        _print_groups(console, unexpected)
    else:
        console.print(Text("\nNo unexpected difference in what was compared.", style="bold green"))
    if comparison.expected:
        number = count(len(comparison.expected), "expected difference")
        console.print(Text(f"\n{number} (the suite's `environments:` lists them)", style="bold"))
        _print_groups(console, comparison.expected)
    if comparison.not_compared:
        console.print(Text("\nNot compared", style="bold"))
        for sentence in comparison.not_compared:
            console.print(Text(f"  {sentence}"))


def _print_groups(console: Console, differences: Sequence[EnvironmentDifference]) -> None:
    """The differences group by group, as `group: key  A -> B`."""
    for group in dict.fromkeys(each.group for each in differences):
        for each in differences:
            if each.group == group:
                before, now = map(_shown, each.values)
                place = one_line(f"{group}: {each.key}", 120)
                console.print(Text(f"  {place}  {before} -> {now}"))


def _shown(text: str) -> str:
    """A value on one line. A long one is replaced by its digest: the beginnings may be equal."""
    if text.startswith("sha256:"):
        return one_line(text[:19], _LONGEST)
    return one_line(text, _LONGEST) if len(text) <= _LONGEST else digest(text)[:19]
