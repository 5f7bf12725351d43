"""Data that is null in every answer is named beside the decision."""

from pathlib import Path

import pytest

import llmeval
from llmeval.gate.null_data import NullData
from llmeval.runner.options import Options

APP = """def answer(request):
    return {"output": "fine", "found": {"docs": ["a", "b"]}}
"""
SUITE = """suite: paths
cases:
  - {id: one, question: hi}
  - {id: two, question: ho}
prompt: "{{ question }}"
models: {m: {provider: python, function: "FUNCTION:answer", data: {docs: "PATH"}}}
candidate: m
checks:
  - not: {equals: "{{ data.docs }}"}
"""


@pytest.mark.parametrize(("path", "named"), [("found.docs?", False), ("found.dosc?", True)])
def test_a_path_with_a_typo_is_named(tmp_path: Path, path: str, named: bool) -> None:
    module = f"app_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(APP)
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.replace("FUNCTION", module).replace("PATH", path))
    gate = llmeval.run(suite, options=Options(out=tmp_path / "run")).summary.gate
    told = "data.docs is null in all 2 answers, so checks of it tested nothing"
    assert (told in gate.reason) is named
    assert any(told in remark for remark in gate.remarks) is named


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([{"a": 1}, {"a": None}], ""),
        ([{"a": None}], "data.a is null in the only answer"),
        (
            [{"a": [None, None], "b": None}, {"a": None, "b": None}],
            "data.a, data.b are null in all 2",
        ),
        ([{"a": []}], ""),
        ([{"a": False}, {"a": 0}], ""),
        ([], ""),
    ],
)
def test_what_counts_as_null(answers: list[dict[str, object]], words: str) -> None:
    seen = NullData()
    for data in answers:
        seen.add(data)
    assert seen.sentence.startswith(words) if words else seen.sentence == ""
