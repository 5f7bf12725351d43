"""docs/promises.md: every promise names a test that exists, and every test of the first law holds a
promise.
"""

import ast
import re
from pathlib import Path

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def names_in(path: Path) -> set[str]:
    """Names of the test functions of a module."""
    functions = (
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )
    return {function.name for function in functions if function.name.startswith("test_")}


def test_promises_and_tests_are_the_same_list(repository: Path) -> None:
    page = (repository / "docs" / "promises.md").read_text(encoding="utf-8")
    named = {(Path(path).name, name) for path, name in NAMED.findall(page)}
    folder = repository / "tests" / "false_green"
    there = {(path.name, name) for path in folder.glob("test_*.py") for name in names_in(path)}
    assert named == there


def test_every_promise_has_a_test(repository: Path) -> None:
    page = (repository / "docs" / "promises.md").read_text(encoding="utf-8")
    rows = page.split("## What PASS promises")[1].split("##")[0].splitlines()
    promises = [
        row for row in rows if row.startswith("|") and not row.startswith(("| promise", "|---"))
    ]
    assert promises
    assert [row for row in promises if not NAMED.search(row)] == []
