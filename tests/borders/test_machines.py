"""What the machine refuses: folders that can't be written, few open files, names that are not
UTF-8, and consoles of other encodings. Each has a clear message and an exit code.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT, llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

SUITE = """\
suite: machine
cases: [{id: a, question: Where, reference: here}]
prompt: "{{ question }}"
candidate: {provider: replay, source: answers.jsonl}
checks: [{contains: "{{ reference }}"}]
gate: {must_pass: all}
"""
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX matter")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A suite of one case, and a file that stands where a folder should."""
    return written(tmp_path)


def written(folder: Path) -> Path:
    (folder / "machine.yaml").write_text(SUITE)
    (folder / "answers.jsonl").write_text(json.dumps({"id": "a", "output": "here"}) + "\n")
    (folder / "in-the-way").write_text("")
    return folder


def locked(folder: Path, kind: str) -> str:
    """A place that can't be written: below a file, or in a folder without that permission."""
    if kind == "a file":
        return str(folder / "in-the-way")
    closed = folder / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):
        pytest.skip("this user may write everywhere")
    return str(closed)


@pytest.mark.parametrize("kind", ["a file", "read only"])
@pytest.mark.parametrize(
    ("command", "variable", "code", "words"),
    [
        ("run machine.yaml --reports {0}/r", "", 3, "choose another directory with --out"),
        ("run machine.yaml --out {0}/r", "", 3, "choose another directory with --out"),
        ("run online.yaml --out r", "LLMEVAL_HOME", 3, "Set LLMEVAL_HOME to a writable directory"),
        ("cache stats", "LLMEVAL_HOME", 3, "Set LLMEVAL_HOME to a writable directory"),
        ("runs list", "LLMEVAL_HOME", 0, "The run directories are read instead"),
        (
            "run machine.yaml --out r --no-cache",
            "LLMEVAL_HOME",
            0,
            "the history does not have this run",
        ),
        ("card done --out {0}/card.md", "", 3, "choose another directory with --out"),
        ("baseline approve done --by ada --reason x --out {0}/b.json", "", 3, "choose another"),
    ],
    ids=["reports", "out", "cache", "cache stats", "history", "no cache", "card", "baseline"],
)
def test_a_folder_that_can_not_be_written(
    folder: Path, kind: str, command: str, variable: str, code: int, words: str
) -> None:
    place = locked(folder, kind)
    online = SUITE.replace("{provider: replay, source: answers.jsonl}", "ONLINE").replace(
        "ONLINE", "{provider: openai, model: m, base_url: 'http://127.0.0.1:9/v1', api_key: k}"
    )
    (folder / "online.yaml").write_text(online)
    if "done" in command:
        assert llmeval("run", "machine.yaml", "--out", "done", cwd=folder).returncode == 0
    environment = {variable: f"{place}/home"} if variable else {}
    done = llmeval(*command.format(place).split(), cwd=folder, **environment)
    printed = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == code, printed
    assert words in printed and "internal error" not in printed


@POSIX
def test_few_open_files_make_a_run_slower_and_nothing_else(tmp_path: Path) -> None:
    with serve(answer, latency=0.02) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 150)
        command = (
            f"ulimit -n 64 && {sys.executable} -m llmeval run {suite} --out {tmp_path}/out"
            " --no-cache --concurrency 200 --json"
        )
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["cases"] == 150
    assert 1 < endpoint.most <= 24


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    written(folder)
    for command, code in (
        ("run machine.yaml", 0), ("run machine.yaml --out one", 0), ("report one", 0),
        ("gate one", 0), ("report latest", 0), ("compare one latest", 0), ("seal one", 0),
        ("verify one", 0), ("card one", 0), ("runs show one", 0), ("validate machine.yaml", 0),
        ("baseline approve one --by ada --reason x --out b.json", 0), ("runs list", 3),
        ("history index", 3),
    ):  # fmt: skip
        done = llmeval(*command.split(), cwd=folder)
        assert done.returncode == code, (command, done.stdout, done.stderr)
        if code == 3:
            assert "the name of the folder is not UTF-8" in done.stderr
    run = json.loads((folder / "one" / "manifest.json").read_text())
    outside = llmeval("run", folder / "machine.yaml", "--out", folder / "two", cwd=tmp_path)
    assert outside.returncode == 0, outside.stderr
    named = json.loads((folder / "two" / "manifest.json").read_text())["suite_file"]
    assert (run["suite_file"], named) == ("machine.yaml", str(tmp_path / "caf\\xe9/machine.yaml"))


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "utf-16", "cp437"])
def test_a_console_of_another_encoding(folder: Path, encoding: str) -> None:
    known = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "COLUMNS": "40"}
    command = [sys.executable, "-m", "llmeval", "run", "machine.yaml", "--out", "r"]
    done = subprocess.run(command, cwd=folder, env=known, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "PASS" in done.stdout.decode(encoding)
