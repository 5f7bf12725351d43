"""The data tests run while the calls wait, and never cost a run its answers."""

from collections.abc import Generator
from pathlib import Path

import pytest

import llmeval
from llmeval.core.data_record import DataCheckRecord
from llmeval.core.errors import StoreError
from llmeval.datatests import at_run
from llmeval.datatests.duplicates import Duplicates
from llmeval.runner.options import Options
from llmeval.runner.pipeline import Pipeline


def _suite(folder: Path) -> Path:
    path = folder / "suite.yaml"
    path.write_text(
        "suite: idle\ncases: [{id: a, question: hi}, {id: b, question: hi}]\n"
        "prompt: '{{ question }}'\ncandidate: {provider: replay, source: none.jsonl}\n"
        "checks: [{contains: hi}]\ngate: {must_pass: all}\n"
    )
    return path


def _echo(text: str) -> str:
    return text


def test_a_run_has_the_data_tests_in_its_manifest(tmp_path: Path) -> None:
    run = llmeval.run(_suite(tmp_path), candidate=_echo, options=Options(reports=tmp_path / "r"))
    data = run.manifest.data
    assert data is not None
    assert data.failed is None
    assert [(each.rule, each.findings) for each in data.open][:1] == [("D001", 1)]


@pytest.mark.parametrize("where", ["rule", "reader"])
def test_a_defect_of_a_data_test_is_stated_and_costs_no_answer(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken on purpose")

    if where == "rule":
        monkeypatch.setattr(Duplicates, "add", broken)
    else:
        monkeypatch.setattr(at_run, "reader_of", broken)
    run = llmeval.run(_suite(tmp_path), candidate=_echo, options=Options(reports=tmp_path / "r"))
    assert run.decision == "PASS"
    data = run.manifest.data
    assert data is not None
    assert "broken on purpose" in str(data.failed)
    assert "could not be carried out" in (run.path / "summary.md").read_text()


def test_an_error_of_the_run_ends_the_data_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def endless(*_: object) -> Generator[None, None, DataCheckRecord]:
        nonlocal steps
        while True:
            steps += 1
            yield

    def full(*_: object) -> None:
        raise StoreError("no space left")

    monkeypatch.setattr(at_run, "data_steps", endless)
    monkeypatch.setattr(Pipeline, "results", full)
    with pytest.raises(StoreError, match="no space left"):
        llmeval.run(_suite(tmp_path), candidate=_echo, options=Options(reports=tmp_path / "r"))
    assert steps < 1000
