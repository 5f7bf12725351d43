"""The data tests run while the calls wait, and never cost a run its answers."""

from collections.abc import Generator
from dataclasses import replace
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


def test_a_run_that_is_not_complete_does_not_wait_for_the_data_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: object) -> Generator[None, None, DataCheckRecord]:
        while True:
            yield

    suite = _suite(tmp_path)
    suite.write_text(suite.read_text().replace("{id: b, question: hi}", "{id: b, question: hi b}"))
    options = Options(reports=tmp_path / "r", max_calls=1, out=tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(at_run, "data_steps", endless)
        run = llmeval.run(suite, candidate=_echo, options=options)
    assert run.manifest.status == "incomplete"
    assert run.manifest.data is None
    whole = llmeval.run(suite, candidate=_echo, options=replace(options, max_calls=None))
    assert whole.manifest.status == "complete"
    assert whole.manifest.data is not None
