"""The code in figures: module and function lengths, names, types, widths and comments.

    python benchmarks/scorecard.py [--json] [FOLDER]

Prints a table for the package (or any folder of Python files) with the limit of each figure. The
figures are those by which the design review compared this project with others, so that a number
that slips shows before a reviewer sees it. `tests/test_scorecard.py` holds the limits.
"""

import argparse
import ast
import io
import itertools
import json
import re
import statistics
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).parent.parent / "llmeval"
HEURISTICS = ("checks/facts", "checks/punctuation")
"""Folders whose code is made of rules of thumb: there each rule needs its reason as a comment."""
WIDTH = 100
"""The longest line that is allowed, in characters."""
LONG_LINES = 5
"""Three lines of the suite that `llmeval init` writes, with their comments; two lists of words whose
marks stand above or below a letter, so that they are narrower than their number of characters.
"""


class Figure(NamedTuple):
    """One row of the scorecard. `limit` None: the figure has no limit and is only shown."""

    name: str
    value: float
    limit: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the value keeps its limit."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


class Module(NamedTuple):
    """A parsed file. `name` is its path below the folder, with forward slashes."""

    name: str
    text: str
    tree: ast.Module


def modules(folder: Path) -> list[Module]:
    """Every Python file below `folder`, parsed."""
    read = ((path, path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py")))
    return [
        Module(path.relative_to(folder).as_posix(), text, ast.parse(text)) for path, text in read
    ]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, also the nested ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def repeated_class_names(parsed: list[Module]) -> dict[str, list[str]]:
    """Public class names that more than one module defines, with the modules."""
    places: dict[str, set[str]] = defaultdict(set)
    for module in parsed:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(module.name)
    return {name: sorted(found) for name, found in sorted(places.items()) if len(found) > 1}


def annotations(tree: ast.AST) -> Iterator[ast.expr]:
    """Every annotation of an argument, a result or a variable."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns


def holds_any(annotation: ast.expr) -> bool:
    """Whether an annotation contains `Any`, also where it is written as a string."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name) and node.id == "Any":
            return True
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.search(r"\bAny\b", node.value)
        ):
            return True
    return False


def comment_rate(parsed: list[Module]) -> float:
    """Comments, and strings that document a name, for each 100 lines of code."""
    comments = code = 0
    for module in parsed:
        kinds = [
            token.type for token in tokenize.generate_tokens(io.StringIO(module.text).readline)
        ]
        comments += kinds.count(tokenize.COMMENT) + _documented_names(module.tree)
        code += kinds.count(tokenize.NEWLINE)
    return 100 * comments / max(code, 1)


def _documented_names(tree: ast.AST) -> int:
    """Strings below an assignment (PEP 257 calls them attribute docstrings)."""
    total = 0
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for before, after in itertools.pairwise(body):
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            total += is_text and isinstance(before, ast.Assign | ast.AnnAssign)
    return total


def percentile(values: list[int], share: float) -> int:
    """The value that `share` of the sorted values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def scorecard(folder: Path) -> list[Figure]:
    """All figures of the Python files below `folder`."""
    parsed = modules(folder)
    sizes = [len(module.text.splitlines()) for module in parsed]
    lengths = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for module in parsed
        for node in functions(module.tree)
    ]
    lines = [line for module in parsed for line in module.text.splitlines()]
    notes = [note for module in parsed for note in annotations(module.tree)]
    heuristic = [module for module in parsed if module.name.startswith(HEURISTICS)]
    figures = [
        Figure("files", len(parsed)),
        Figure("lines", len(lines)),
        Figure("module lines, median", statistics.median(sizes), 160),
        Figure("module lines, largest", max(sizes), 400),
        Figure("function lines, 90 % have at most", percentile(lengths, 0.9), 50),
        Figure("function lines, largest", max(lengths)),
        Figure("public class names in two modules", len(repeated_class_names(parsed)), 3),
        Figure("annotations that hold Any, %", 100 * sum(map(holds_any, notes)) / len(notes), 4),
        Figure(
            f"lines above {WIDTH} columns", sum(len(line) > WIDTH for line in lines), LONG_LINES
        ),
        Figure("fmt: skip", sum("fmt: skip" in line for line in lines), 0),
    ]
    if heuristic:
        rate = comment_rate(heuristic)
        figures.append(Figure("comments for 100 lines of heuristics", rate, 4, at_least=True))
    return figures


def main() -> None:
    """Print the scorecard of the package or of a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=PACKAGE)
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    figures = scorecard(given.folder)
    if given.json:
        rows: list[dict[str, Any]] = [each._asdict() | {"holds": each.holds} for each in figures]
        print(json.dumps(rows, indent=1))
        return
    for each in figures:
        bound = "" if each.limit is None else f"{'>=' if each.at_least else '<='} {each.limit:g}"
        print(f"{each.name:38} {each.value:>10,.6g}  {bound:8} {'' if each.holds else 'no'}")
    for name, places in repeated_class_names(modules(given.folder)).items():
        print(f"  {name}: {', '.join(places)}")


if __name__ == "__main__":
    main()
