"""Small files that would unpack, refer or multiply to billions of values, and files of a wrong
shape: refused by a named limit, or with the place.
"""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import llmeval

SAMPLE: dict[str, Any] = {
    "id": "s1", "epoch": 1, "input": "Where?", "target": "Here",
    "output": {"choices": [{"message": {"content": "Here"}}]}, "scores": {"match": {"value": "C"}},
}  # fmt: skip
HEADER = {"version": 2, "status": "success", "eval": {"task": "demo", "model": "m"}}
SWAPS: tuple[Any, ...] = (
    None,
    True,
    -3,
    10**30,
    1.5,
    "x",
    "\ud83d",
    [],
    [1],
    {},
    {"a": [2]},
    [[[]]],
)


def archive(path: Path, *samples: object, header: object = HEADER) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("header.json", json.dumps(header))
        for index, sample in enumerate(samples):
            file.writestr(f"samples/{index}.json", json.dumps(sample))
    return path


def refused(done: Any, *texts: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "internal error" not in done.stderr
    for text in texts:
        assert text in done.stderr


@pytest.mark.parametrize("key", [*SAMPLE, "attachments", "metadata", "choices", "error"])
@pytest.mark.parametrize("value", SWAPS, ids=repr)
def test_a_sample_of_another_shape(tmp_path: Path, key: str, value: object) -> None:
    path = archive(tmp_path / "log.eval", {**SAMPLE, key: value})
    done = llmeval("import", "inspect", path, "--out", tmp_path / "o", "--no-replay", cwd=tmp_path)
    assert done.returncode in (0, 2), done.stderr
    assert "internal error" not in done.stderr
    if done.returncode:
        assert "log.eval" in done.stderr or "half a character" in done.stderr


@pytest.mark.parametrize("value", SWAPS, ids=repr)
def test_a_header_of_another_shape(tmp_path: Path, value: object) -> None:
    for header in (value, {**HEADER, "eval": value}, {**HEADER, "status": value}):
        path = archive(tmp_path / "log.eval", SAMPLE, header=header)
        done = llmeval("import", "inspect", path, "--out", tmp_path / "o", "--no-replay")
        assert done.returncode in (0, 2), done.stderr
        shutil.rmtree(tmp_path / "o", ignore_errors=True)


def test_an_archive_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("header.json", json.dumps(HEADER))
        with file.open("samples/0.json", "w", force_zip64=True) as member:
            for _ in range(200):
                member.write(b" " * 2**20)
    done = llmeval("import", "inspect", path, "--out", tmp_path / "o", "--no-replay")
    refused(done, "samples/0.json: unpacks to more than 128 MiB")


def promptfoo(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "config.yaml"
    path.write_text("prompts: ['{{ q }}']\nproviders: [openai:chat:gpt-4o]\n" + text)
    return llmeval("import", "promptfoo", path, "--out", tmp_path / "o", cwd=tmp_path)


def test_references_that_multiply(tmp_path: Path) -> None:
    parts = ["p0: ha"]
    for level in range(1, 10):
        parts.append(f"p{level}: {{" + ", ".join(
            f"k{i}: {{$ref: '#/p{level - 1}'}}" for i in range(8)) + "}")  # fmt: skip
    refused(
        promptfoo(tmp_path, "\n".join(parts) + "\ntests: [{vars: {q: {$ref: '#/p9'}}}]\n"),
        "its `$ref` make more than 400,000 values",
    )


def test_lists_of_variables_that_multiply(tmp_path: Path) -> None:
    lists = ", ".join(f"w{i}: [1, 2, 3, 4, 5, 6, 7]" for i in range(8))
    refused(
        promptfoo(tmp_path, f"tests: [{{vars: {{q: x, {lists}}}}}]\n"),
        "config.yaml:3: tests[0].vars: its lists of variables make 5,764,801 tests",
    )


def test_tests_that_multiply(tmp_path: Path) -> None:
    lists = ", ".join(f"w{i}: [1, 2, 3, 4, 5, 6, 7, 8, 9]" for i in range(5))
    tests = "\n".join(f"  - {{vars: {{q: x, {lists}}}}}" for _ in range(3))
    refused(promptfoo(tmp_path, f"tests:\n{tests}\n"), "more than 100,000 tests")
