"""How the page's script treats text, run by node on many texts; Python is the second opinion."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.report.html import assets
from llmeval.report.html.visible import clip, has_hidden, visible

NODE = shutil.which("node")
SCRIPTS = Path(assets.__file__).parent / "static" / "js"
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")
CHARACTERS = "ab  ,.\n\u202e\u200b\u200d\x1b\x00\r😀👩é中文ไทย\u0301\ufeff\U000e0041\u3164"


def run_node(module: str, body: str, given_: Any) -> Any:
    """Run a module that has a module of the page as `page`, and `input`; what it passes to `answer` comes back."""
    code = f"import * as page from {json.dumps((SCRIPTS / module).as_uri())};"
    code += (
        "import { readFileSync } from 'node:fs'; const input = JSON.parse(readFileSync(0, 'utf8'));"
    )
    code += f"const answer = (value) => console.log(JSON.stringify(value)); {body}"
    done = subprocess.run(
        [NODE or "node", "--input-type=module", "-e", code],
        input=json.dumps(given_),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def texts(seed: int, count: int) -> list[str]:
    import random

    rng = random.Random(seed)
    return ["".join(rng.choices(CHARACTERS, k=rng.randrange(60))) for _ in range(count)]


@needs_node
def test_both_languages_show_the_same_hidden_characters() -> None:
    samples = [
        *texts(1, 400),
        *(chr(code) for code in [*range(0x300), *range(0x2000, 0x2100), 0xFEFF, 0xE0041]),
    ]
    assert run_node("hidden.js", "answer(input.map(page.visible))", samples) == [
        visible(each) for each in samples
    ]


@needs_node
def test_code_points_become_the_right_utf16_units() -> None:
    samples = [
        (each, sorted({0, len(each) // 3, len(each) // 2, len(each)})) for each in texts(2, 300)
    ]
    found = run_node(
        "text.js", "answer(input.map(([each, points]) => page.utf16(each, points)))", samples
    )
    assert found == [
        [len(each[:p].encode("utf-16-le")) // 2 for p in points] for each, points in samples
    ]


@needs_node
def test_a_diff_leaves_the_same_text_on_both_sides() -> None:
    """Taking what was deleted from one side and what was inserted from the other leaves equal words."""
    import random

    rng = random.Random(3)
    words = ["the", "treaty", "was", "signed", "in", "1887", "by", "中", "👩‍👧", ",", "."]
    pairs = []
    for _ in range(300):
        before = rng.choices(words, k=rng.randrange(30))
        after = [w for w in before if rng.random() > 0.2]
        after[len(after) // 2 : len(after) // 2] = rng.choices(words, k=rng.randrange(4))
        pairs.append([" ".join(before), " ".join(after)])
    found = run_node("diff.js", "answer(input.map(([a, b]) => page.diff(a, b)))", pairs)
    compared = 0
    for (before, after), marks in zip(pairs, found, strict=True):
        if marks.get("unlike"):
            continue
        compared += 1
        assert _without(before, marks["before"]).split() == _without(after, marks["after"]).split()
    assert compared > 200


def _without(text: str, marks: Sequence[dict[str, Any]]) -> str:
    units = text.encode("utf-16-le")
    for mark in reversed(marks):
        units = units[: 2 * mark["start"]] + " ".encode("utf-16-le") + units[2 * mark["end"] :]
    return units.decode("utf-16-le")


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_nothing_hidden_is_left(text: str) -> None:
    shown = visible(text)
    assert not has_hidden(shown)
    assert shown == text or has_hidden(text)
    line = clip(text, 20)
    assert "\n" not in line
    assert not has_hidden(line)


@pytest.mark.parametrize(
    "text", ["plain", "línea\n\ttwo\r\n", "👩\u200d👧", "فارسی\u200cمتن", "שלום", "中文、"]
)
def test_what_readers_need_stays(text: str) -> None:
    assert visible(text) == text
