"""The figures of `gates.py`: their file, and their tables in Markdown.

`gates_figures.json` holds the figures that README.md and docs/benchmarks.md show. It has no row of
any data set: shares of decisions on simulated verdicts, and times.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

STORED = Path(__file__).with_name("gates_figures.json")
"""The figures that the documents show."""


class ToolShares(NamedTuple):
    """Shares of FAIL and PASS of one tool in one scenario; the rest is "can't tell"."""

    fail: float
    passed: float

    @property
    def open(self) -> float:
        """Can't tell."""
        return abs(1 - self.fail - self.passed)

    @property
    def shown(self) -> str:
        """FAIL/can't tell/PASS, in %."""
        return "/".join(f"{100 * share:.0f}" for share in (self.fail, self.open, self.passed))


class ScenarioFigures(NamedTuple):
    """What each tool decided in one scenario."""

    name: str
    unchanged: bool
    """Whether a FAIL is wrong."""
    worse: bool
    """Whether a PASS is wrong."""
    shares: dict[str, ToolShares]
    """By tool; a tool that does not apply is absent."""


class GateFigures(NamedTuple):
    """All figures of one measurement."""

    runs: int
    """Of each scenario."""
    tools: list[str]
    absent: list[str]
    """A line for each peer that was not played."""
    scenarios: list[ScenarioFigures]
    speed: list[list[str]]
    """A row for each kind of decision: its name, and milliseconds."""


def to_json(figures: GateFigures) -> bytes:
    """The content of a file of figures."""
    return msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n"


def from_json(content: bytes) -> GateFigures:
    """The figures of a file.

    Raises:
        ValueError: it is no file of figures.
    """
    return msgspec.json.decode(content, type=GateFigures)


def summary_table(figures: GateFigures, leave_out: Sequence[str] = ()) -> str:
    """A row for each tool over all scenarios. `leave_out`: tools without a row."""
    return _table(
        f"All scenarios, {figures.runs} runs each, % (the worst scenario in brackets)",
        ("tool", "wrong FAIL", "wrong PASS", "can't tell, no drop", "right FAIL",
         "FAIL/can't tell/PASS at -5"),
        (_row(figures, tool) for tool in figures.tools if tool not in leave_out),
    )  # fmt: skip


def scenario_table(figures: GateFigures) -> str:
    """FAIL/can't tell/PASS of each tool, a row for each scenario."""
    return _table(
        "By scenario: FAIL/can't tell/PASS",
        ("scenario", *figures.tools),
        (
            [
                each.name,
                *(each.shares[t].shown if t in each.shares else "-" for t in figures.tools),
            ]
            for each in figures.scenarios
        ),
    )


def speed_table(rows: Iterable[Sequence[str]]) -> str:
    """The time of one decision."""
    return _table(
        "One decision on 1,000 cases, with its bounds and its sentence, ms (the limit is 50)",
        ("decision", "CPU, first", "CPU, median", "wall, median"),
        rows,
    )


def _row(figures: GateFigures, tool: str) -> list[str]:
    own = {each.name: each.shares[tool] for each in figures.scenarios if tool in each.shares}
    same = [own[each.name] for each in figures.scenarios if each.unchanged and each.name in own]
    worse = [own[each.name] for each in figures.scenarios if each.worse and each.name in own]
    plain = own.get("-5")
    return [
        tool,
        _mean_and_worst([each.fail for each in same]),
        _mean_and_worst([each.passed for each in worse]),
        _mean([each.open for each in same]),
        _mean([each.fail for each in worse]),
        "-" if plain is None else plain.shown,
    ]


def percent(share: float) -> str:
    """In %, without decimals from 10 on."""
    return f"{100 * share:.0f}" if share >= 0.0995 or share < 1e-9 else f"{100 * share:.1f}"


def _mean(rates: Sequence[float]) -> str:
    return percent(sum(rates) / len(rates)) if rates else "-"


def _mean_and_worst(rates: Sequence[float]) -> str:
    return f"{_mean(rates)} ({percent(max(rates))})" if rates else "-"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A title in bold, and a table."""
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join((f"**{title}**", "", lines[0], f"|{'---|' * len(head)}", *lines[1:]))
