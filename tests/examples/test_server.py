"""examples/loop/serve.py: answers over HTTP, and each line of its log can be imported."""

import importlib
import json
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import pytest

from llmeval.models.base import Reply, Request
from llmeval.models.local import TransformersModel
from tests.support.command import llmeval

pytest.importorskip("torch")


def test_the_server_answers_and_its_log_is_a_suite(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fake(model: TransformersModel, request: Request) -> Reply:
        return Reply(text=request.messages[-1].content.upper())

    monkeypatch.setattr(TransformersModel, "answer", fake)
    monkeypatch.syspath_prepend(str(repository / "examples" / "loop"))
    serve = importlib.import_module("serve")
    service = serve.Service("none", tmp_path / "prod.jsonl")
    server = ThreadingHTTPServer(("127.0.0.1", 0), serve.handler_of(service))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/answer"
        for text in ("where is it?", "who pays?"):
            body = json.dumps({"message": text, "session": "s"}).encode()
            with urlopen(HttpRequest(url, body)) as reply:
                assert json.load(reply)["output"] == text.upper()
    finally:
        server.shutdown()
        server.server_close()
        service.close()
        for name in ("serve", "data"):
            sys.modules.pop(name, None)
    done = llmeval("import", "log", "prod.jsonl", "--map", "messages,output", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "suites/data/prod.jsonl").read_text().splitlines()
    assert [json.loads(row)["cluster"] for row in rows] == ["s", "s"]
