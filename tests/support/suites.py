"""Suites for tests: written to a temporary directory, asked of a test endpoint."""

import json
import re
from pathlib import Path
from typing import Any

from tests.support.endpoint import verdict

WRONG_EVERY = 5


def cases(n: int) -> list[dict[str, Any]]:
    """n cases with an id, a question and a reference."""
    return [
        {"id": f"c{i:04d}", "question": f"What is number {i}?", "reference": f"value-{i}"}
        for i in range(n)
    ]


def answer(body: dict[str, Any], earlier: int = 0) -> str:
    """What the endpoint says: as candidate the reference, or every fifth time something else; as
    judge the truth.
    """
    text = body["messages"][-1]["content"]
    if body["model"] == "judge":
        match = re.search(r"=== BEGIN ANSWER\n(.*?)\n===", text, re.S)
        reference = re.search(r"(?:Reference answers:|BEGIN REFERENCE ANSWERS)\n- (\S+)", text)
        assert match is not None and reference is not None
        right = re.search(rf"{reference[1]}\b", match[1]) is not None
        return verdict("correct" if right else "incorrect", match[1] if right else "")
    found = re.search(r"number (\d+)", text)
    assert found is not None
    number = int(found[1])
    return f"It is other-{number}." if number % WRONG_EVERY == 0 else f"It is value-{number}."


def write_suite(folder: Path, url: str, n: int = 20, extra: str = "", judge: bool = True) -> Path:
    """A suite of n cases in `folder`, answered and judged at `url`; gives the suite file. It
    decides nothing, as every fifth
    answer is wrong, unless `extra` has a gate."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases(n)))
    judges = "judges: {correctness: {model: judge, attacks: false}}\n" if judge else ""
    gate = "" if "gate:" in extra else "gate: none\n"
    path = folder / "suite.yaml"
    path.write_text(
        "suite: t\n"
        "cases: cases.jsonl\n"
        'prompt: "{{ question }}"\n'
        "models:\n"
        f"  cand: {{provider: openai, model: cand, base_url: '{url}', api_key: secret-key-1234}}\n"
        f"  judge: {{provider: openai, model: judge, base_url: '{url}', api_key: secret-key-1234}}\n"
        "candidate: cand\n"
        "checks:\n"
        '  - contains: "{{ reference }}"\n'
        f"{judges}{gate}{extra}"
    )
    return path
