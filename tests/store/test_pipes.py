"""A pipe in place of a file of a run: no command waits for its writer."""

import os
from pathlib import Path

import pytest

from tests.support.command import llmeval

SUITE = """suite: s
cases: [{id: a, question: What?, reference: Paris}]
prompt: "{{ question }}"
candidate: {provider: replay, source: answers.jsonl}
checks: [{contains: "{{ reference }}"}]
"""


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "summary.json", "tags.json", "cases.jsonl", "answers.jsonl", "scores.jsonl"],
)
def test_a_pipe_is_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    (tmp_path / "answers.jsonl").write_text('{"id": "a", "output": "Paris"}\n')
    run = tmp_path / "reports" / "s" / "r"
    assert llmeval("run", "suite.yaml", "--out", run, cwd=tmp_path).returncode == 0
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    listed = llmeval("runs", "list", cwd=tmp_path)
    if name in ("manifest.json", "summary.json", "tags.json"):
        assert "is a pipe" in listed.stdout + listed.stderr
    gated = llmeval("gate", run, cwd=tmp_path)
    if name in ("manifest.json", "cases.jsonl", "answers.jsonl", "scores.jsonl"):
        assert gated.returncode not in (0, 1) and "is a pipe" in gated.stderr
    assert llmeval("verify", run, cwd=tmp_path).returncode == (0 if name == "tags.json" else 1)
