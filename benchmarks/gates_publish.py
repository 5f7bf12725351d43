"""Writes the tables of README.md and docs/benchmarks.md from the figures of `gates.py`.

    python benchmarks/gates.py --out benchmarks/gates_figures.json
    python benchmarks/gates_publish.py

README.md gets a row for each rule of llmeval that applies to most scenarios, and for the rules of
thumb; docs/benchmarks.md gets everything. A test compares both pages with the stored figures.
"""

import re
import sys
from pathlib import Path

from gates_figures import (
    STORED,
    GateFigures,
    from_json,
    scenario_table,
    speed_table,
    summary_table,
)

ROOT = Path(__file__).resolve().parents[1]


def between(text: str, marker: str, content: str) -> str:
    """The text with other content between the two comments of a marker.

    Raises:
        ValueError: the text has no such marker.
    """
    pattern = re.compile(rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"there is no <!-- {marker} --> ... <!-- /{marker} -->")
    return pattern.sub(lambda old: f"{old[1]}\n{content}\n{old[2]}", text)


def short_table(figures: GateFigures) -> str:
    """The first table, without its title, the peers, and tools for a few scenarios only."""
    half = len(figures.scenarios) / 2
    few = [
        tool
        for tool in figures.tools
        if sum(tool in each.shares for each in figures.scenarios) < half or _is_peer(tool)
    ]
    return summary_table(figures, leave_out=few).partition("\n\n")[2] + "\n"


def _is_peer(tool: str) -> bool:
    """Whether a tool is another package: its name ends with a version."""
    return re.search(r" \d+(\.\d+)+$", tool) is not None


def all_tables(figures: GateFigures) -> str:
    """Every table, after a list of the tools that were not played."""
    absent = "\n".join(f"- {line}" for line in figures.absent)
    parts = [absent, summary_table(figures), scenario_table(figures), speed_table(figures.speed)]
    return "\n\n".join(filter(None, parts)) + "\n"


def pages(figures: GateFigures) -> dict[str, str]:
    """By page below the root of the repository, the tables between its comments."""
    return {"README.md": short_table(figures), "docs/benchmarks.md": all_tables(figures)}


def main() -> None:
    """Rewrite both pages."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else STORED
    for name, content in pages(from_json(source.read_bytes())).items():
        page = ROOT / name
        page.write_text(between(page.read_text(encoding="utf-8"), "gates", content), "utf-8")


if __name__ == "__main__":
    main()
