"""The section of a model card, and the entries for `.eval_results`."""

import json
from pathlib import Path

import pytest
import yaml

from tests.support.command import llmeval

SUITE = """\
suite: carded
cases:
  - {id: a, question: "1", reference: "one", tags: {kind: "@team|x"}}
  - {id: b, question: "2", reference: "two", tags: {kind: easy}}
  - {id: c, question: "3", reference: "three", tags: {kind: easy}}
prompt: "{{ question }}"
models:
  words: {provider: python, function: "carded_app:answer", build: "1"}
candidate: words
checks: [facts, {max_words: 3}]
gate: {floors: {facts: 0.05}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("carded")
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "carded_app.py").write_text(
        "def answer(prompt): return {'1': 'no', '2': 'two', '3': 'three'}[prompt]\n"
    )
    llmeval("run", "suite.yaml", "--out", "run", cwd=folder)
    return folder


def test_the_section(folder: Path) -> None:
    done = llmeval("card", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    text = done.stdout
    seal = json.loads(llmeval("verify", "run", "--json", cwd=folder).stdout)["seal"]
    for part in (
        seal,
        "| `facts` | 3 | 66.7% |",
        "| `facts` | `kind=@team│x` | 1 | 0.0% |",
        "No rule of the gate is about `max_words`.",
        "The run was not compared with an earlier one.",
        "No judge: every metric is computed by checks.",
    ):
        assert part in text, (part, text)
    assert "easy" not in text.split("### Slices")[1].split("###")[0]
    assert " @team" not in text
    assert "verified" not in text


def test_entries_as_the_hub_reads_them(folder: Path) -> None:
    hub = pytest.importorskip(
        "huggingface_hub._eval_results", reason="the reader of the Hub comes with the extra `data`"
    )
    options = ("--eval-results", "r.yaml", "--dataset", "ada/cases", "--url", "https://example.com")
    assert llmeval("card", "run", "--out", "card.md", *options, cwd=folder).returncode == 0
    data = yaml.safe_load((folder / "r.yaml").read_text())
    entries = hub.parse_eval_result_entries(data)
    assert [(each.dataset_id, each.task_id, each.value) for each in entries] == [
        ("ada/cases", "facts", 66.6667),
        ("ada/cases", "max_words", 100.0),
    ]
    assert all(each.verify_token is None for each in entries)
    assert hub.eval_result_entries_to_yaml(entries) == data


def test_what_a_card_refuses(folder: Path, tmp_path: Path) -> None:
    assert llmeval("card", "run", "--eval-results", tmp_path / "x", cwd=folder).returncode == 2
    (folder / "run" / "seal.json").rename(tmp_path / "seal.json")
    try:
        assert llmeval("card", "run", cwd=folder).returncode == 3
    finally:
        (tmp_path / "seal.json").rename(folder / "run" / "seal.json")
