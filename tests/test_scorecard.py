"""The figures of the code keep their limits (`benchmarks/scorecard.py`)."""

import ast
from pathlib import Path

import pytest

from benchmarks import scorecard


def test_the_package_keeps_its_limits() -> None:
    figures = scorecard.scorecard(scorecard.PACKAGE)
    assert [each for each in figures if not each.holds] == []


@pytest.mark.parametrize(
    ("annotation", "holds"),
    [
        ("Any", True),
        ("dict[str, Any]", True),
        ("'list[Any] | None'", True),
        ("dict[str, int]", False),
        ("'Anything'", False),
    ],
)
def test_annotations_that_hold_any(annotation: str, holds: bool) -> None:
    (node,) = ast.parse(f"x: {annotation}").body
    assert isinstance(node, ast.AnnAssign)
    assert scorecard.holds_any(node.annotation) is holds


def test_a_class_name_in_two_modules_is_named(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("class Same: ...\nclass _Own: ...\n")
    found = scorecard.repeated_class_names(scorecard.modules(tmp_path))
    assert found == {"Same": ["a.py", "b.py"]}


def test_comments_and_documented_names_count(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('# why\nLIMIT = 3\n"""What it is."""\nx = 1\n')
    (module,) = scorecard.modules(tmp_path)
    assert scorecard.comment_rate([module]) == pytest.approx(100 * 2 / 3)
