"""`llmeval validate --fix`: corrects misspelled keys, and changes nothing else."""

import json
from pathlib import Path

from tests.support.command import llmeval
from tests.support.tables import each_row

RIGHT = """\
# Our suite. Keep this comment.
suite: t
cases:
  - {id: a, question: "What is prompts?", reference: x}   # a case has any fields: gaet stays
prompt:   "{{ question }}"
models:
  fast: {provider: openai, model: m, base_url: "http://127.0.0.1:9/v1", api_key: k}
candidate: fast
checks: [facts]
gate:
    floors: {facts: 0.01}   # äöü
    "alpha": 0.05
"""


@each_row(
    ("right", "wrong"),
    [
        (("prompt: ",), ("promt: ",)),
        (("checks: ", "gate:"), ("cheks: ", "gates:")),
        (("floors",), ("flors",)),
        (('"alpha"',), ('"alhpa"',)),
        (("base_url",), ("base_ulr",)),
        (
            ("checks: ", "floors", "base_url", "candidate"),
            ("check: ", "floor", "baseurl", "candidat"),
        ),
    ],
)
def test_misspelled_keys_are_corrected(
    right: tuple[str, ...], wrong: tuple[str, ...], tmp_path: Path
) -> None:
    text = RIGHT
    for good, bad in zip(right, wrong, strict=True):
        text = text.replace(good, bad, 1)
    for head, newline in (("", "\n"), ("", "\r\n"), ("\ufeff", "\n")):
        path = tmp_path / "suite.yaml"
        path.write_bytes((head + text.replace("\n", newline)).encode())
        fixed = llmeval("validate", path, "--fix", "--json", cwd=tmp_path)
        assert fixed.returncode == 0, fixed.stderr
        names = {fix["before"] for fix in json.loads(fixed.stdout)["fixed"]}
        assert names == {bad.strip(': "') for bad in wrong}
        assert path.read_bytes().decode() == head + RIGHT.replace("\n", newline)
        again = llmeval("validate", path, "--fix", cwd=tmp_path)
        assert "@@" not in again.stdout


@each_row(
    ("good", "bad", "words"),
    [
        ("prompt: ", "wording: ", "unknown key 'wording'"),
        ("prompt: ", "promt: ", "was not changed. With promt -> prompt"),
        ("checks: [facts]", "checks: [facts]\ncheks: [facts]", "unknown key 'cheks'"),
    ],
)
def test_what_it_can_not_mend_stays(good: str, bad: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    text = RIGHT.replace(good, bad, 1)
    if "was not" in words:
        text = text.replace("[facts]", "[no_such_check]")
    path.write_text(text)
    refused = llmeval("validate", path, "--fix", cwd=tmp_path)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert path.read_text() == text


def test_the_difference_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(RIGHT.replace("prompt: ", "promt: ", 1))
    shown = llmeval("validate", path, "--fix", cwd=tmp_path)
    assert '-promt:   "{{ question }}"' in shown.stdout
    assert '+prompt:   "{{ question }}"' in shown.stdout
    path.write_text(RIGHT.replace("prompt: ", "promt: ", 1))
    assert llmeval("validate", path, cwd=tmp_path).returncode == 2
    assert "promt" in path.read_text()
