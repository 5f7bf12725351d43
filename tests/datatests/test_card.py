"""`llmeval data card`: Markdown with the front matter of Hugging Face, and JSON."""

import json
from pathlib import Path

import pytest
import yaml

from tests.datatests.planting import rows, write
from tests.support.command import llmeval

ABOUT = "source: Written by us.\nlicence: CC-BY-4.0\n"


def _front(text: str) -> dict[str, object]:
    _, head, _ = text.split("---\n", 2)
    loaded = yaml.safe_load(head)
    assert isinstance(loaded, dict)
    return loaded


def test_markdown_and_json(tmp_path: Path) -> None:
    cases = [{**row, "tags": {"topic": "law" if n % 3 else "art"}} for n, row in enumerate(rows(9))]
    cases.append({**cases[0], "id": "again"})
    path = write(tmp_path, cases, accepted=ABOUT + "languages: [en, pt-BR]\n")
    done = llmeval("data", "card", path, "--out", tmp_path / "README.md", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["cases"], facts["licence"], facts["findings"]["error"]) == (10, "CC-BY-4.0", 1)
    assert {"tag": "topic", "value": "art", "cases": 4} in facts["slices"]
    text = (tmp_path / "README.md").read_text()
    front = _front(text)
    assert front["license"] == "cc-by-4.0" and front["language"] == ["en", "pt-BR"]
    assert front["size_categories"] == ["n<1K"]
    files = [{"split": "test", "path": "cases.jsonl"}]
    assert front["configs"] == [{"config_name": "default", "data_files": files}]
    assert "| D001 | error | 1 |" in text and facts["findings_digest"] in text
    assert llmeval("data", "card", path).stdout == text


def test_another_licence_keeps_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, rows(3), accepted="source: x\nlicence: internal use\n")
    front = _front(llmeval("data", "card", path).stdout)
    assert front["license"] == "other" and front["license_name"] == "internal use"
    front = _front(llmeval("data", "card", write(tmp_path / "no", rows(3))).stdout)
    assert front["license"] == "unknown"


def test_the_language_is_identified(tmp_path: Path) -> None:
    texts = ["Wer hat im vergangenen Jahr das Rathaus der Stadt gekauft, und warum?"] * 3
    cases = [{"id": str(n), "question": f"{t} {n}", "reference": "a"} for n, t in enumerate(texts)]
    assert _front(llmeval("data", "card", write(tmp_path, cases)).stdout)["language"] == ["de"]


def test_texts_of_the_data_can_not_write_markdown(tmp_path: Path) -> None:
    cases = [{**rows(1)[0], "tags": {"a|b": "<script>x</script>\n---\nlicense: mit"}}]
    text = llmeval("data", "card", write(tmp_path, cases)).stdout
    assert _front(text)["license"] == "unknown" and text.count("\n---\n") == 1
    line = next(line for line in text.splitlines() if "script" in line)
    outside = "".join(line.split("`")[::2])  # code spans show their text as it is
    assert "<" not in outside


def test_hugging_face_reads_it(tmp_path: Path, repository: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    for name in ("qa", "rag"):
        card = hub.DatasetCard(llmeval("data", "card", repository / f"suites/{name}.yaml").stdout)
        assert card.data.license == "apache-2.0" and card.data.language == ["en"]
        assert card.data.pretty_name == name
