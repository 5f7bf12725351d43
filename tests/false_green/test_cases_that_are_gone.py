"""5. Cases that are gone do not make a run better, whoever took them away."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.false_green.play import (
    approve_baseline,
    candidate,
    number,
    play,
    project,
    right,
    summary,
)
from tests.support.endpoint import serve

N = 60
GATE = "{regression: {baseline: t.lock.json, margins: {contains: 0.1}}}"


def worse(body: dict[str, Any], earlier: int = 0) -> str:
    """Every third answer is wrong."""
    return "No." if number(body) % 3 == 0 else right(body)


@pytest.fixture
def approved(tmp_path: Path) -> Path:
    approve_baseline(tmp_path, GATE, N)
    return tmp_path


def test_a_drop_is_not_hidden_by_taking_the_cases_away(approved: Path) -> None:
    with serve(worse) as endpoint:
        project(approved, candidate(endpoint), GATE, n=N)
        assert play(approved, "run", "suite.yaml", "--out", "whole").code == 1
        project(approved, candidate(endpoint), GATE, ids=[i for i in range(N) if i % 3])
        less = play(approved, "run", "suite.yaml", "--out", "less")
    assert less.code == 3
    assert less.says("INVALID", "c0", "retired.yaml")


def test_retired_cases_are_named_with_a_reason_and_counted(approved: Path) -> None:
    (approved / "retired.yaml").write_text(
        "- {case: c59, reason: the product is sold no more, owner: ada}\n"
    )
    with serve(right) as endpoint:
        project(approved, candidate(endpoint), GATE, n=N - 1)
        done = play(approved, "run", "suite.yaml", "--out", "less")
    assert done.code == 0, done.text
    assert done.says("c59", "retired")


def test_cases_with_other_ids_are_gone(approved: Path) -> None:
    with serve(right) as endpoint:
        project(approved, candidate(endpoint), GATE, ids=range(1000, 1000 + N))
        done = play(approved, "run", "suite.yaml", "--out", "renamed")
    assert done.code == 3


def cut_half(path: Path) -> None:
    """Keep the first half of a file's lines."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))


def flip_first_failure(path: Path) -> None:
    """Turn the first failed score into a pass, as an editor would."""
    text = path.read_text()
    changed = text.replace('"status":"fail"', '"status":"pass"', 1).replace(
        '"passed":false', '"passed":true', 1
    )
    assert changed != text
    path.write_text(changed)


def smaller_manifest(path: Path) -> None:
    """State half of the cases."""
    manifest = json.loads(path.read_text())
    manifest["cases"]["n"] //= 2
    path.write_text(json.dumps(manifest))


EDITS: list[tuple[str, Callable[[Path], None]]] = [
    ("cases.jsonl", cut_half),
    ("answers.jsonl", cut_half),
    ("scores.jsonl", cut_half),
    ("scores.jsonl", flip_first_failure),
    ("manifest.json", smaller_manifest),
]


@pytest.mark.parametrize(("name", "edit"), EDITS)
@pytest.mark.parametrize("command", ["report", "gate"])
def test_a_run_that_was_edited_is_invalid(
    tmp_path: Path, name: str, edit: Callable[[Path], None], command: str
) -> None:
    with serve(lambda body, earlier: "No." if number(body) == 1 else right(body)) as endpoint:
        project(tmp_path, candidate(endpoint), "{floors: {contains: 0.1}}", n=30)
        assert play(tmp_path, "run", "suite.yaml", "--out", "run").code == 0
    edit(tmp_path / "run" / name)
    done = play(tmp_path, command, "run")
    assert done.code == 3, done.text
    assert name in done.text
    assert "PASS" not in done.text


def test_a_test_list_that_is_empty_is_no_pass(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint), n=0)
        assert play(tmp_path, "run", "suite.yaml", "--out", "run").code == 5


def test_an_interrupted_run_is_no_pass(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint))
        done = play(tmp_path, "run", "suite.yaml", "--out", "run", "--max-calls", "3")
        assert done.code == 3
        assert "PASS" not in done.text
        rest = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert rest.code == 0
    assert summary(tmp_path, "run")["counts"]["passed"] == len(endpoint.requests)
