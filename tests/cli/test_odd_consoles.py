"""Every command on odd consoles, and with hostile texts: exit 1 means a failed gate and nothing else,
and no text acts on a terminal.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from llmeval.report.command_console import CommandConsole
from llmeval.report.streams import SafeStream
from tests.support.command import ROOT, llmeval

ACTS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")  # fmt: skip
BAD = "\x1b[2J\x1b]8;;http://x.example\x07\x9b31m\u202egnp\u200b\U000e0041 [link=http://x.example]x[/link] \r\b"
SUITE = {
    "suite": "odd",
    "cases": "cases.jsonl",
    "prompt": "{{ question }}",
    "candidate": {"provider": "replay", "source": "answers.jsonl"},
    "checks": [{"contains": "{{ reference }}"}],
    "gate": {"floors": {"contains": 0.9}},
}
COMMANDS: list[tuple[str, ...]] = [
    ("runs", "list", "--reports", "."), ("runs", "show", "one"), ("compare", "one", "two"), ("report", "one"), ("gate", "one"),
    ("baseline", "propose", "one"), ("validate", "suite.yaml"), ("plan", "suite.yaml"), ("data", "check", "suite.yaml"),
    ("labels", "stats", "one"), ("cache", "stats"), ("check", "contains", "--text", BAD, "--arg", "a"),
]  # fmt: skip
ALLOWED = {0, 1, 2, 3, 4, 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite whose questions, references, answers and tags are hostile, and two runs of it."""
    folder = tmp_path_factory.mktemp("odd")
    cases = [
        {
            "id": f"c{n}{BAD if n < 3 else ''}",
            "question": BAD,
            "reference": f"{n}{BAD}",
            "tags": {"t": BAD},
        }
        for n in range(12)
    ]
    rows = [{"id": case["id"], "output": f"no {BAD}"} for case in cases]
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "suite.yaml").write_text(json.dumps(SUITE))
    for name in ("one", "two"):
        done = llmeval("run", "suite.yaml", "--out", name, "--format", "github", cwd=folder)
        assert done.returncode == 1, done.stderr
        assert not ACTS.search(done.stdout + done.stderr)
    return folder


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda each: " ".join(each[:2]))
def test_no_text_acts_and_one_means_a_failed_gate(folder: Path, arguments: tuple[str, ...]) -> None:
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb", "COLUMNS": "40"}):
        done = llmeval(*arguments, cwd=folder, **environment)
        assert not ACTS.search(done.stdout + done.stderr), repr(done.stdout[-500:])
        assert done.returncode in ALLOWED and "internal error" not in done.stderr
        if done.returncode == 1:
            assert arguments[0] in ("gate", "report", "check", "data"), done.stdout
    coloured = llmeval(*arguments, cwd=folder, FORCE_COLOR="1").stdout
    own = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^;]*;(?:file:[^\x1b]*)?\x1b\\", "", coloured)
    assert not ACTS.search(own), repr(own[-300:])


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_wider_than_the_terminal(folder: Path, width: int) -> None:
    done = llmeval("runs", "show", "one", cwd=folder, COLUMNS=str(width))
    wide = [line for line in done.stdout.splitlines() if len(line) > width]
    assert not [line for line in wide if not line.startswith("Report: ")]


def test_help_that_nobody_reads_leaves_no_message(folder: Path) -> None:
    script = f"{sys.executable} -m llmeval run --help | true"
    known = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=known, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_json_keeps_its_meaning(folder: Path) -> None:
    done = llmeval("runs", "show", "one", "--json", cwd=folder)
    fell = json.loads(done.stdout)
    assert fell["suite"] == "odd" and not ACTS.search(done.stdout)
    with (folder / "stream").open("w+", encoding="utf-8") as file:
        SafeStream(file).write(json.dumps({"a": BAD}, ensure_ascii=False))
        file.seek(0)
        text = file.read()
    assert json.loads(text) == {"a": BAD} and not ACTS.search(text)


@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ("> /dev/full", 3),
        (">&-", 1),
        ("2>&-", 1),
        ("| head -c 20 > /dev/null; exit ${PIPESTATUS[0]}", 1),
        ("> out.txt", 1),
    ],
)
def test_where_the_output_goes_does_not_change_the_exit_code(
    folder: Path, shell: str, code: int
) -> None:
    """`gate` of a failed run exits with 1; with 3 only if nobody can have read the result."""
    if "full" in shell and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    known = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252"}
    script = f"{sys.executable} -m llmeval gate one {shell}"
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=known, capture_output=True, text=True, errors="replace", check=False)  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr, "internal error" in done.stderr) == (
        code,
        False,
        False,
    ), done.stderr


def test_markup_of_a_text_makes_no_link(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+", encoding="utf-8") as file:
        console = CommandConsole(file=file, force_terminal=True, width=80)
        console.print(f"[bold]{BAD}[/]")
        file.seek(0)
        text = file.read()
    assert "\x1b]8" not in text and "\x1b[2J" not in text
