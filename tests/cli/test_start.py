"""The first five minutes: `init`, `doctor` and the shell's completion."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmeval.api import run
from llmeval.cli.doctor import doctor
from llmeval.cli.init import init
from llmeval.core.errors import UsageError
from llmeval.runner.options import Options
from llmeval.suite.loader import load_suite
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def test_a_suite_for_an_endpoint_runs_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {
        "Japan": "Tokyo",
        "water": "H2O",
        "week": "Seven",
        "Hamlet": "Shakespeare",
        "sky": "Blue",
        "planet": "Jupiter",
    }

    def said(body: dict[str, Any], earlier: int) -> str:
        return (
            next(word for key, word in known.items() if key in body["messages"][-1]["content"])
            + "."
        )

    with serve(said) as endpoint:
        assert (
            init(tmp_path, "mine", base_url=endpoint.url, model='odd "name"', key_env="MY_KEY") == 0
        )
        result = run(load_suite(tmp_path / "mine.yaml"), options=Options(out=tmp_path / "run"))
    assert result.summary.gate.exit_code == 0
    assert endpoint.requests[0]["model"] == 'odd "name"'
    assert endpoint.headers[0]["Authorization"] == "Bearer none", (
        "a server on this machine needs no key"
    )
    text = (tmp_path / "mine.yaml").read_text()
    with pytest.raises(UsageError, match=r"mine\.yaml, .*mine\.jsonl: exists already"):
        init(tmp_path, "mine", base_url="https://other/v1")
    assert (tmp_path / "mine.yaml").read_text() == text
    init(tmp_path, "far", base_url="https://far.example/v1", key_env="MY_KEY")
    monkeypatch.setenv("MY_KEY", "k")
    assert "${MY_KEY}" in (tmp_path / "far.yaml").read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": "no/slash"}, "letters, digits"),
        ({"base_url": "host/v1"}, "not an address such as"),
        ({"base_url": "http://h/v1", "local": True}, "name two models"),
        ({"example": "nothing"}, "there are: agent, extract, format, grounded, qa, rag"),
    ],
)
def test_init_refuses(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        init(tmp_path / "s", **options)
    assert not (tmp_path / "s").exists()


def test_a_terminal_is_asked_and_a_script_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "llmeval", "init"]
    ours, theirs = pty.openpty()
    os.write(ours, b"1\nhttp://localhost:1/v1\nmy-model\n")
    asked = subprocess.Popen(
        command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, env=ENVIRONMENT
    )
    os.close(theirs)
    assert asked.wait(60) == 0
    os.close(ours)
    assert load_suite(tmp_path / "suites" / "first.yaml").spec.models["api"].model == "my-model"  # type: ignore[union-attr]
    silent = subprocess.run(
        [*command, "quiet"], cwd=tmp_path, capture_output=True, env=ENVIRONMENT, check=False
    )
    assert silent.returncode == 0
    assert load_suite(tmp_path / "quiet" / "first.yaml").spec.candidate == "small"


def diagnosed(
    capsys: pytest.CaptureFixture[str], suite: Path | None = None, **options: Any
) -> tuple[int, dict[str, dict[str, str]]]:
    code = doctor(suite, as_json=True, **options)
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is (code == 0)
    return int(code), {each["what"]: each for each in said["findings"]}


def test_doctor_finds_a_working_suite_working(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(body: dict[str, Any], earlier: int) -> str:
        return "OK" if "word OK" in body["messages"][-1]["content"] else answer(body)

    with serve(said) as endpoint:
        code, found = diagnosed(capsys, write_suite(tmp_path, endpoint.url, 3))
        assert code == 0
        assert "answers in" in found["candidate (cand)"]["detail"]
        assert found["certificate correctness"]["state"] == "note"
        assert "judge certify" in found["certificate correctness"]["fix"]
        assert found["bundled model"]["fix"].endswith("llmeval models pull")
        assert len(endpoint.requests) == 2, "a question a model"
        code, found = diagnosed(capsys, tmp_path / "suite.yaml", ask=False)
        assert (code, len(endpoint.requests)) == (0, 2)


@pytest.mark.parametrize(
    ("status", "fix"),
    [(401, "the key is refused"), (404, "does `base_url` end in /v1"), (429, "a quota is used up")],
)
def test_doctor_says_what_to_do_about_an_endpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int, fix: str
) -> None:
    with serve(
        lambda body, earlier: (status, {"error": {"message": "no: secret-key-1234"}}, {})
    ) as endpoint:
        code, found = diagnosed(capsys, write_suite(tmp_path, endpoint.url, 3, judge=False))
    assert code == 3
    assert fix in found["candidate (cand)"]["fix"]
    assert "secret-key-1234" not in json.dumps(found)


def test_doctor_says_what_is_in_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", 2, judge=False)
    code, found = diagnosed(capsys, suite)
    assert (code, found["candidate (cand)"]["state"]) == (3, "bad")
    assert "start the server" in found["candidate (cand)"]["fix"]
    text = suite.read_text().replace("secret-key-1234", "'${NOT_SET_ANYWHERE}'")
    suite.write_text(text)
    assert (
        "NOT_SET_ANYWHERE is not set; set it" in diagnosed(capsys, suite)[1]["candidate"]["detail"]
    )
    suite.write_text(
        text.replace(
            "base_url: 'http://127.0.0.1:9/v1', api_key: '${NOT_SET_ANYWHERE}'", "timeout: 5"
        )
    )
    assert "export OPENAI_API_KEY" in diagnosed(capsys, suite)[1]["candidate (cand)"]["fix"]
    suite.write_text("suite: [")
    assert "not valid YAML" in diagnosed(capsys, suite)[1]["suite"]["detail"]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMEVAL_HOME", str(tmp_path / "file" / "home"))
    code, found = diagnosed(capsys, reports=tmp_path / "file")
    assert (code, found["home"]["state"], found["reports"]["state"]) == (3, "bad", "bad")


def completed(words: str, cwd: Path) -> list[str]:
    """What bash is offered for the last word."""
    typed = words.split(" ")
    environment = {
        **ENVIRONMENT,
        "_LLMEVAL_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(typed) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "llmeval"],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_the_shell_completes(tmp_path: Path) -> None:
    write_suite(tmp_path / "suites", "http://127.0.0.1:9/v1", 1)
    (tmp_path / "suites" / "other.yaml").write_text("a: b\n")
    (tmp_path / "reports" / "t" / "20260101T000000Z-abc").mkdir(parents=True)
    (tmp_path / "reports" / "t" / "20260101T000000Z-abc" / "manifest.json").write_text("{}")
    assert completed("llmeval run s", tmp_path) == ["suites/suite.yaml"]
    assert completed("llmeval run suites/suite.yaml --candidate ", tmp_path) == ["cand", "judge"]
    assert completed("llmeval report ", tmp_path) == ["latest", "20260101T000000Z-abc"]
    assert "doctor" in completed("llmeval do", tmp_path)
