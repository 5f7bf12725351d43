"""`.env` next to a suite gives values for `${NAME}`: after the environment, hidden, from a plain file."""

import os
from pathlib import Path

import pytest

from llmeval.core.errors import SuiteError
from llmeval.core.redaction import redact
from llmeval.suite.loader import load_suite
from llmeval.suite.model_schema import OpenAISpec
from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer

SUITE = """\
suite: env
cases: [{{id: a, question: What is number 1?, reference: value-1}}]
prompt: "{{{{ question }}}}"
gate: none
candidate: {{provider: openai, model: cand, base_url: "{url}", api_key: "${{TEAM_KEY}}"}}
checks: [{{contains: "{{{{ reference }}}}"}}]
"""
KEY = "sk-of-the-file-0815"


def suite_in(folder: Path, env: str, url: str = "http://localhost:1/v1") -> Path:
    (folder / ".env").write_text(env, encoding="utf-8")
    (folder / "suite.yaml").write_text(SUITE.format(url=url))
    return folder / "suite.yaml"


def key_of(path: Path) -> str:
    suite = load_suite(path)
    assert suite.spec.candidate is not None
    _, model = suite.model(suite.spec.candidate, ())
    assert isinstance(model, OpenAISpec) and model.api_key is not None
    return model.api_key.get_secret_value()


@pytest.mark.parametrize(
    ("env", "key"),
    [
        (f"TEAM_KEY={KEY}\n", KEY),
        (f"# keys\nexport TEAM_KEY='{KEY}'  # of the team\nOTHER=1\n", KEY),
        ('\ufeffTEAM_KEY="two words"\n', "two words"),
        ("TEAM_KEY=${HOME}/x\n", "${HOME}/x"),
    ],
)
def test_a_variable_comes_from_the_file(env: str, key: str, tmp_path: Path) -> None:
    path = suite_in(tmp_path, env)
    assert key_of(path) == key
    assert load_suite(path).from_env_file == ("TEAM_KEY",)
    assert "TEAM_KEY" not in os.environ and redact(f"with {key}!") == "with ***!"


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = suite_in(tmp_path, f"TEAM_KEY={KEY}\n")
    monkeypatch.setenv("TEAM_KEY", "of-the-environment")
    assert key_of(path) == "of-the-environment" and load_suite(path).notes == ()


def test_the_default_key_comes_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = suite_in(tmp_path, f"OPENAI_API_KEY={KEY}\n")
    path.write_text(path.read_text().replace(', api_key: "${TEAM_KEY}"', ""))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert key_of(path) == KEY
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    assert load_suite(path).default_key is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda path: path.write_text(f"A=1\nTEAM_KEY {KEY} x\n"),
            r"\.env:2: not a line of the form",
        ),
        (lambda path: path.mkdir(), "not a plain file"),
        (os.mkfifo, "not a plain file"),
        (lambda path: path.symlink_to("/dev/zero"), "not a plain file"),
        (lambda path: path.symlink_to(path.with_name("suite.yaml")), "not a plain file"),
        (lambda path: path.write_bytes(b"A=\xff\n"), "not UTF-8"),
        (lambda path: path.write_text("A=" + "x" * 2**20), "larger than 1 MiB"),
    ],
    ids=["line", "folder", "pipe", "device", "link", "encoding", "size"],
)
def test_anything_else_is_refused(make: object, message: str, tmp_path: Path) -> None:
    path = suite_in(tmp_path, "")
    (tmp_path / ".env").unlink()
    make(tmp_path / ".env")  # type: ignore[operator]
    with pytest.raises(SuiteError, match=message) as caught:
        load_suite(path)
    assert KEY not in str(caught.value)


def test_a_run_names_the_variable_once_and_never_its_value(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        path = suite_in(tmp_path, f"TEAM_KEY={KEY}\nUNUSED=1\n", endpoint.url)
        done = llmeval("run", path, "--out", tmp_path / "run", LLMEVAL_HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"
    said = done.stdout + done.stderr
    assert said.count("TEAM_KEY") == 1 and KEY not in said and "UNUSED" not in said
    for file in (*(tmp_path / "run").rglob("*"), *(tmp_path / "home").rglob("*")):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file
