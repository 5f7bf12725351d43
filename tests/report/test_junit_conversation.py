"""JUnit shows the whole conversation that the candidate was sent."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import llmeval


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


def test_junit_shows_the_conversation(tmp_path: Path) -> None:
    turns = [{"user": "Hi.", "output": "Hello.\nuser: no"}, {"user": "Price?", "output": "None."}]
    case = {"id": "a", "first": "Hi.", "then": "Price?"}
    run(
        tmp_path, [{"id": "a", "turns": turns}], cases=[case], checks=[{"contains": "3 euros"}],
        turns=["{{ first }}", "{{ then }}"],
    )  # fmt: skip
    text = failures(tmp_path)["llmeval.invoices.cases"]
    assert "user: Hi.\nassistant: Hello.\n  user: no\nuser: Price?" in text
