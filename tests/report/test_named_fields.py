"""What fails is named by its field, and what the candidate was sent is the whole conversation."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import llmeval

FIELDS = {"total": {"tolerance": 0.01}, "vendor": {"fold": True}}


def run(folder: Path, rows: list[dict[str, Any]], **keys: Any) -> Any:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    candidate = {"provider": "replay", "source": "rows.jsonl"}
    suite = {"suite": "invoices", "candidate": candidate, **keys}
    (folder / "suite.yaml").write_text(json.dumps(suite))
    return llmeval.run(folder / "suite.yaml", options=llmeval.Options(out=folder / "run"))


def failures(folder: Path) -> dict[str, str]:
    """By suite of JUnit, the text of its first failure."""
    root = ET.parse(folder / "run" / "junit.xml").getroot()
    by_name = {suite.get("name"): suite.find("testcase/failure") for suite in root}
    return {
        str(name): failure.text or "" for name, failure in by_name.items() if failure is not None
    }


def test_junit_summary_and_the_decision_name_the_field(tmp_path: Path) -> None:
    case = {"id": "a", "text": "Invoice", "want": {"total": 12.5, "vendor": "Acme"}}
    check = {"json_fields": {"want": "{{ want }}", "fields": FIELDS}}
    output = json.dumps({"total": 125, "vendor": "ACME"})
    result = run(
        tmp_path, [{"id": "a", "output": output}], cases=[case], prompt="{{ text }}", checks=[check]
    )
    assert "a (json_fields.total)" in result.summary.gate.reason
    by_suite = failures(tmp_path)
    assert set(by_suite) == {
        f"llmeval.invoices.{name}" for name in ("gate", "json_fields", "json_fields.total")
    }
    for name in ("json_fields", "json_fields.total"):
        assert by_suite[f"llmeval.invoices.{name}"].startswith("json_fields.total: is 125")
    markdown = (tmp_path / "run" / "summary.md").read_text()
    assert "a: json&#95;fields.total&#58; is 125" in markdown


def test_junit_shows_the_conversation(tmp_path: Path) -> None:
    turns = [{"user": "Hi.", "output": "Hello.\nuser: no"}, {"user": "Price?", "output": "None."}]
    case = {"id": "a", "first": "Hi.", "then": "Price?"}
    run(
        tmp_path, [{"id": "a", "turns": turns}], cases=[case], checks=[{"contains": "3 euros"}],
        turns=["{{ first }}", "{{ then }}"],
    )  # fmt: skip
    text = failures(tmp_path)["llmeval.invoices.contains"]
    assert "user: Hi.\nassistant: Hello.\n  user: no\nuser: Price?" in text
