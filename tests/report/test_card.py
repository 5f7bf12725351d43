"""A run as a card in a notebook."""

from pathlib import Path

import pytest

import llmeval
from tests.support.tables import each_row

SUITE = """\
suite: card
cases:
  - {id: a, question: "What is 1?", reference: one}
  - {id: "<b>", question: "What is 2?", reference: two}
prompt: "{{ question }}"
candidate: {provider: python, function: "nothing:here"}
checks: [{contains: "{{ reference }}"}]
"""


@each_row(
    ("second", "gate", "word"),
    [
        ("two", "", "PASS"),
        ("<script>alert(1)</script>", "", "FAIL"),
        ("x", "gate: none", "NO DECISION"),
        ("two", "gate: {floors: {contains: 0.99}, on_inconclusive: pass}", "INCONCLUSIVE"),
        (None, "", "INVALID"),
    ],
)
def test_the_card_shows_decision_rules_and_cases(
    second: str | None, gate: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("suite.yaml").write_text(SUITE + gate)
    run = llmeval.run("suite.yaml", candidate=lambda text: "one" if "1" in text else second)
    card = run._repr_html_()
    assert f">{word}</b> card" in card
    assert ("PASS</b>" in card) == (word == "PASS")
    assert "<script>" not in card
    assert "<b>" not in card.replace("<b style", "")
    assert ("&lt;b&gt;" in card) == (second != "two")  # a failing case is named, and escaped
    assert "<svg" in card
    assert str(run.path) in card
    assert repr(run).endswith(f"{word}>")
    stored = llmeval.load_run(run.path)._repr_html_()
    assert f">{word}</b> card" in stored
