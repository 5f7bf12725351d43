"""Serves a local model: batches what arrives together, and writes the traffic log.

    python serve.py --model work/models/production --log work/served.jsonl --port 8800

POST /answer {"message": ...} -> {"id": ..., "output": ...}. `id`, `time`, `session` are optional.
Each line of the log has the id, the time, the session, the messages and the output: `llmeval import
log` and `monitor` read it. Equal messages are answered once.
"""

import argparse
import asyncio
import json
import threading
import uuid
from concurrent.futures import Future
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from data import messages_of

from llmeval.core.records import Message
from llmeval.models.base import Reply, Request
from llmeval.models.local import TransformersModel


class Service:
    """The model on its own event loop. Requests that arrive together are one batch."""

    def __init__(self, model: str, log: Path) -> None:
        params = {"max_tokens": 40, "temperature": 0}
        self._model = TransformersModel(model, params=params, dtype="auto")
        self._log, self._lock = log, threading.Lock()
        self._answers: dict[str, Future[Reply]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the event loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def answer(self, body: dict[str, Any]) -> dict[str, str]:
        """Answer one message and log it."""
        messages = messages_of(body)
        text = messages[-1]["content"]
        with self._lock:  # a message that is being answered is not answered twice
            if text not in self._answers:
                request = Request(
                    messages=tuple(Message(each["role"], each["content"]) for each in messages)
                )
                started = asyncio.run_coroutine_threadsafe(self._model.answer(request), self._loop)
                self._answers[text] = started
        output = self._answers[text].result().text
        line = {
            "id": body.get("id") or uuid.uuid4().hex,
            "time": body.get("time") or datetime.now(UTC).isoformat(timespec="seconds"),
            "session": body.get("session", ""),
            "messages": messages,
            "output": output,
        }
        with self._lock, self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return {"id": line["id"], "output": output}


def handler_of(service: Service) -> type[BaseHTTPRequestHandler]:
    """The handler of one service."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # a client keeps its connection

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = json.dumps(service.answer(body)).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content)

        def log_message(self, *_: object) -> None:
            """Stay silent: the traffic log is the record."""

    return Handler


class AnswerServer(ThreadingHTTPServer):
    """A server to which many clients may connect at once."""

    request_queue_size = 64
    daemon_threads = True


def main() -> None:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8800)
    options = parser.parse_args()
    service = Service(options.model, options.log)
    AnswerServer(("127.0.0.1", options.port), handler_of(service)).serve_forever()


if __name__ == "__main__":
    main()
