"""D010: prompts that are longer than the window of the candidate."""

import json
from pathlib import Path

import pytest

from llmeval.datatests.prompt_length import fewest_tokens
from tests.datatests.planting import flagged, of_rule, report, rows, word, write


def _suite(folder: Path, cases: list[dict[str, object]], window: str) -> Path:
    path = write(folder, cases)
    model = f"{{provider: openai, model: m, base_url: 'http://127.0.0.1:1/v1'{window}}}"
    text = path.read_text().replace("{provider: replay, source: answers.jsonl}", model)
    path.write_text(text)
    return path


def _long(n: int) -> list[dict[str, object]]:
    cases = rows(n)
    for number, case in enumerate(cases[:50]):
        case["question"] = " ".join([str(case["question"])] * (20 + number))
    return cases


def test_planted(tmp_path: Path) -> None:
    """All 50 long prompts are reported, and no other one is."""
    result = report(_suite(tmp_path, _long(150), ", context_window: 120"), "D010")
    assert flagged(result, "D010") == {f"c{number:05d}" for number in range(50)}
    assert result.failed


def test_the_reply_needs_room_too(tmp_path: Path) -> None:
    window = ", context_window: 120, params: {max_tokens: 115}"
    result = report(_suite(tmp_path, rows(3), window), "D010")
    assert "minus 115 for the reply" in of_rule(result, "D010")[0].message


def test_without_a_window_nothing_is_reported(tmp_path: Path) -> None:
    assert report(_suite(tmp_path, _long(60), ""), "D010").findings == ()


def test_local_weights_state_their_window(tmp_path: Path) -> None:
    path = write(tmp_path, _long(60))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "config.json").write_text(json.dumps({"max_position_embeddings": 120}))
    model = "{provider: transformers, model: weights}"
    path.write_text(path.read_text().replace("{provider: replay, source: answers.jsonl}", model))
    assert len(flagged(report(path, "D010"), "D010")) == 50


@pytest.mark.parametrize(
    ("text", "most"),
    [("", 0), ("The cat sat.", 4), ("a" * 32, 2), ("1234567", 3), ("日本語の文", 2), ("   \n ", 0)],
)
def test_the_count_is_a_lower_bound(text: str, most: int) -> None:
    assert fewest_tokens(text) == most


def test_every_word_counts() -> None:
    import random

    rng = random.Random(1)
    assert fewest_tokens(" ".join(word(rng) for _ in range(500))) == 500
