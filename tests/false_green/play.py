"""What the tests of the first law share: a project in a folder, a server that misbehaves, and the
command line.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.command import llmeval
from tests.support.endpoint import Endpoint, serve

QUESTIONS = 6


@dataclass(frozen=True)
class Played:
    """One command: its exit code, and everything that it printed, on one line."""

    code: int
    text: str

    def says(self, *words: str) -> bool:
        """Whether every one of some texts was printed, whatever the line breaks."""
        return all(word in self.text for word in words)


def play(folder: Path, *arguments: object) -> Played:
    """Run `llmeval ARGUMENTS` in a folder."""
    done = llmeval(*arguments, cwd=folder, COLUMNS="200")
    return Played(done.returncode, " ".join((done.stdout + done.stderr).replace("│", " ").split()))


def number(body: dict[str, Any]) -> int:
    """The number of the question that a request asks."""
    text: str = body["messages"][-1]["content"]
    return int(text.rpartition("number ")[2].split()[0].rstrip("?"))


def right(body: dict[str, Any], earlier: int = 0) -> str:
    """The right answer to every question."""
    return f"It is value-{number(body)}."


def candidate(endpoint: Endpoint, **more: object) -> str:
    """A candidate behind an endpoint, as the suite writes it; `more`: keys besides the usual
    ones.
    """
    keys = {
        "provider": "openai",
        "model": "cand",
        "base_url": endpoint.url,
        "api_key": "key-of-a-test",
    }
    return json.dumps({**keys, **more})


def project(
    folder: Path,
    model: str,
    gate: str = "{must_pass: all}",
    *,
    n: int = QUESTIONS,
    checks: str = '[{contains: "{{ reference }}"}]',
    more: str = "",
    name: str = "suite.yaml",
    ids: Sequence[int] | None = None,
) -> Path:
    """Write a suite of n questions (or of the numbers `ids`) into a folder; gives the suite's file.

    `gate`: as the suite writes it; an empty text leaves it out. `more`: further lines of the suite.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range(n) if ids is None else ids
    cases = [
        {"id": f"c{i}", "question": f"What is number {i}?", "reference": f"value-{i}"}
        for i in numbers
    ]
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    lines = [
        "suite: t",
        "cases: cases.jsonl",
        'prompt: "{{ question }}"',
        f"candidate: {model}",
        f"checks: {checks}",
    ]
    lines += [f"gate: {gate}"] if gate else []
    path = folder / name
    path.write_text("\n".join([*lines, more]) + "\n")
    return path


def summary(folder: Path, run: str) -> dict[str, Any]:
    """summary.json of a run."""
    found: dict[str, Any] = json.loads((folder / run / "summary.json").read_text())
    return found


def shown(folder: Path, run: str) -> dict[str, str]:
    """What people and servers read of a run, by file name."""
    names = ("summary.md", "junit.xml", "report.html")
    return {name: (folder / run / name).read_text(encoding="utf-8") for name in names}


def approve_baseline(folder: Path, gate: str, n: int) -> None:
    """Run a suite of n questions whose answers are all right, and approve the run as the baseline
    `t.lock.json`.
    """
    with serve(right) as endpoint:
        project(folder, candidate(endpoint), gate, n=n)
        play(folder, "run", "suite.yaml", "--out", "first")
    approval = ("--by", "ada", "--reason", "release 1", "--out", "t.lock.json")
    done = play(folder, "baseline", "approve", "first", *approval)
    assert done.code == 0, done.text
