"""`llmeval init`: each answer to "what do you want to test?" gives a suite that is valid, and a CI
job.
"""

import json
import os
import pty
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
import yaml

import llmeval as package
from llmeval.cli import local_servers
from llmeval.cli.local_servers import running_servers
from tests.support.command import ROOT, llmeval
from tests.support.tables import each_row

ANSWERS = [
    {"id": "a", "output": "Tokyo", "question": "Capital of Japan?", "reference": "Tokyo"},
    {"id": 7, "output": "Oslo", "question": "Capital of Norway?", "references": ["Oslo"]},
]
TRACE = {
    "request": {"model": "m", "messages": [{"role": "user", "content": "Hello?"}]},
    "response": {
        "choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}]
    },
}


def write_inputs(folder: Path) -> None:
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ANSWERS))
    (folder / "faq.csv").write_text("question,answer\nCapital of Japan?,Tokyo\n")
    (folder / "my_app.py").write_text("def reply(text):\n    return 'Tokyo'\n")
    (folder / "chats.jsonl").write_text(json.dumps(TRACE) + "\n")


@each_row(
    ("options", "cases", "decision"),
    [
        ("", 5, None),
        ("--local", 5, None),
        ("--target local", 5, None),
        ("--base-url http://127.0.0.1:9/v1 --model m", 5, None),
        ("--base-url https://host.example/v1 --key-env MY_KEY", 5, None),
        ("--url http://127.0.0.1:9/answer", 5, None),
        ("--target python", 5, "FAIL"),
        ("--function my_app:reply", 5, "FAIL"),
        ("--function my_app:reply --from-csv faq.csv", 1, "PASS"),
        ("--target recorded", 5, "FAIL"),
        ("--answers answers.jsonl", 2, "PASS"),
        ("--from-traces chats.jsonl", 1, None),
        ("--ci gitlab", 5, None),
        ("--ci none", 5, None),
    ],
)
def test_what_init_writes_is_valid(
    options: str, cases: int, decision: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / re.sub(r"\W+", "-", f"at{options}")
    folder.mkdir()
    monkeypatch.chdir(folder)
    write_inputs(folder)
    written = llmeval("init", "--json", *options.split(), cwd=folder)
    assert written.returncode == 0, written.stderr
    document = json.loads(written.stdout)
    suite = document["suites"][0] if "traces" in options else document["suite"]
    checked = llmeval("validate", suite, "--json", cwd=folder, MY_KEY="key-1234")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["cases"] == cases
    if decision is not None:
        assert package.run(suite).decision == decision
    jobs = [Path(name) for name in document["files"] if ".yml" in name]
    assert len(jobs) == (0 if "none" in options or "traces" in options else 1)
    for job in jobs:
        assert f"llmeval run {suite}" in job.read_text()
        assert yaml.safe_load(job.read_text())
        assert ("secrets.MY_KEY" in job.read_text()) == ("MY_KEY" in options)
        assert ("on one machine" in job.read_text()) == ("127.0.0.1" in options)
    again = llmeval("init", "--json", *options.split(), cwd=folder)
    assert again.returncode == 2
    assert "exists already" in again.stderr


@each_row(
    ("options", "words"),
    [
        ("--target http", "name the address of the application with --url"),
        ("--local --url http://h/a", "--url and --local name two models"),
        ("--target http --local", "contradict each other"),
        ("--from-csv faq.csv --example rag", "two sources of cases"),
        ("--from-traces chats.jsonl --local", "--from-traces has its own model"),
        ("--example rag --target local", "--example has its own model"),
        ("--function no_such_app:reply", "can't import no_such_app"),
        ("--function reply", "write it as module:function"),
        ("--answers faq.csv", "faq.csv:1: not one JSON object"),
        ("--answers none.jsonl", "none.jsonl"),
        ("--from-traces faq.csv", "llmeval import openai-logs: "),
        ("--url nothing", "not an address such as"),
        ("--url http://[::1/a", "not an address such as"),
        ("--target endpoint --model none", "on this machine at its default port"),
    ],
)
def test_what_init_refuses(
    options: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_servers, "DEFAULT_PORTS", ())
    write_inputs(tmp_path)
    before = sorted(tmp_path.iterdir())
    refused = llmeval("init", *options.split(), cwd=tmp_path)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert sorted(path for path in tmp_path.iterdir() if path.name != "__pycache__") == before


class Server(BaseHTTPRequestHandler):
    """A server with the list of models that its path in `replies` has."""

    replies: ClassVar[dict[int, tuple[int, bytes]]] = {}

    def do_GET(self) -> None:
        status, body = self.replies[self.server.server_address[1]]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", body.decode())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


MODELS = b'{"data": [{"id": "llama3:8b"}, {"id": 7}, {"id": "bad\\u001b[2J"}, {}, "x"]}'


@each_row(
    ("status", "body", "models"),
    [
        (200, MODELS, ("llama3:8b",)),
        (200, b"<html>a web page</html>", ()),
        (200, b'{"data": {"id": "x"}}', ()),
        (200, b"[" * 100_000, ()),
        (200, b" " * 2**21, ()),
        (404, MODELS, ()),
        (302, b"http://192.0.2.1/v1/models", ()),
    ],
)
def test_only_lists_of_models_on_this_machine_count(
    status: int, body: bytes, models: tuple[str, ...], port: int
) -> None:
    Server.replies[port] = status, body
    servers = running_servers((("Ollama", port), ("closed", 1)))
    assert [server.models for server in servers] == ([models] if models else [])


def test_a_running_server_is_the_endpoint(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Server.replies[port] = 200, MODELS
    monkeypatch.setattr(local_servers, "DEFAULT_PORTS", (("Ollama", port),))
    assert llmeval("init", "--target", "endpoint", cwd=tmp_path).returncode == 0
    suite = yaml.safe_load((tmp_path / "suites" / "first.yaml").read_text())
    assert suite["models"]["api"]["model"] == "llama3:8b"
    assert suite["models"]["api"]["base_url"] == f"http://127.0.0.1:{port}/v1"


TERMINAL = """
import sys
from llmeval.cli import local_servers
local_servers.DEFAULT_PORTS = (("Ollama", int(sys.argv.pop(1))),)
from llmeval.cli.main import main
main()
"""


def at_terminal(folder: Path, port: int, *answers: str) -> tuple[int, str]:
    """`llmeval init` at a terminal: its exit code and what it shows."""
    ours, theirs = pty.openpty()
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    process = subprocess.Popen(
        [sys.executable, "-c", TERMINAL, str(port), "init"],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENAI_API_KEY": ""},
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # the terminal is closed at the end
        pass
    os.close(ours)
    return process.wait(60), shown.decode()


def test_a_person_chooses_a_running_model(port: int, tmp_path: Path) -> None:
    Server.replies[port] = 200, MODELS
    code, shown = at_terminal(tmp_path, port, "9", "1")
    assert code == 0
    assert f"1  llama3:8b at http://127.0.0.1:{port}/v1 (Ollama)" in shown
    assert "a number from 1 to 6" in shown
    assert "llama3:8b" in (tmp_path / "suites" / "first.yaml").read_text()
    code, shown = at_terminal(tmp_path, port)
    assert code == 2
    assert "exists already" in shown
    assert "What do you want to test?" not in shown
