"""Puts the tables that `gates.py` printed into README.md and docs/benchmarks.md.

    python benchmarks/gates.py --scenarios > gates.txt
    python benchmarks/gates_publish.py gates.txt

README.md gets the rows of llmeval and of the rules of thumb; docs/benchmarks.md gets everything.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHORT = ("tool", "---", "llmeval, m", "llmeval, f", "rule", "unpaired", "paired", "threshold")
"""How the lines of the table in README.md begin."""


def between(text: str, marker: str, content: str) -> str:
    """The text with other content between the two comments of a marker.

    Raises:
        ValueError: the text has no such marker.
    """
    pattern = re.compile(rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"there is no <!-- {marker} --> ... <!-- /{marker} -->")
    return pattern.sub(lambda found: f"{found[1]}\n{content}\n{found[2]}", text)


def short_table(printed: str) -> str:
    """The first table, without installed peers and the rules for some scenarios only."""
    lines = printed.split("\n## ")[1].splitlines()
    rows = [line for line in lines if line.startswith("|")]
    rows = [row for row in rows if "labels" not in row]
    kept = [row for row in rows if row.removeprefix("|").lstrip().startswith(SHORT)]
    return "\n".join(kept) + "\n"


def main() -> None:
    """Rewrite both pages."""
    printed = Path(sys.argv[1]).read_text(encoding="utf-8")
    pages = {"README.md": short_table(printed), "docs/benchmarks.md": all_tables(printed)}
    for name, content in pages.items():
        page = ROOT / name
        page.write_text(between(page.read_text(encoding="utf-8"), "gates", content), "utf-8")


def all_tables(printed: str) -> str:
    """Every line, with titles as bold lines; tools that were not played as a list."""
    printed = re.sub(r"^(\w[\w-]*: .*)$", r"- \1", printed, flags=re.MULTILINE)
    return re.sub(r"^## (.*)$", r"**\1**", printed.strip(), flags=re.MULTILINE) + "\n"


if __name__ == "__main__":
    main()
