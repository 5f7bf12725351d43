"""A server of pull and merge requests that keeps comments, as GitHub and GitLab do."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Forge(ThreadingHTTPServer):
    """Keeps comments by id; refuses every token but one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments: dict[int, str] = {}
        self.authors: dict[int, dict[str, Any]] = {}
        """Of comments that do not come from the token's account."""
        self.account: dict[str, Any] | None = None
        """The token's; None for the token of a job, which has none that can be asked for."""
        self.seen: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Forge

    def _do(self) -> None:
        forge, path = self.server, self.path.partition("?")[0]
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        forge.seen.append((self.command, path))
        if "good" not in (self.headers.get("Authorization") or "") + (
            self.headers.get("PRIVATE-TOKEN") or ""
        ):
            return self._say(403, {"message": "Resource not accessible by integration"})
        own = forge.account or {"id": 1, "type": "Bot"}
        if path.endswith("/user"):
            if forge.account is None:
                return self._say(403, {"message": "Resource not accessible by integration"})
            return self._say(200, forge.account)
        if self.command == "GET":
            page = int(re.findall(r"[?&]page=(\d+)", self.path)[0])
            listed = [
                {"id": number, "body": text, "user": forge.authors.get(number, own)}
                for number, text in forge.comments.items()
            ]
            return self._say(200, listed[(page - 1) * 100 : page * 100])
        number = int(path.rsplit("/", 1)[1]) if self.command != "POST" else len(forge.comments) + 1
        forge.comments[number] = body["body"]
        return self._say(200, {"id": number})

    do_GET = do_POST = do_PATCH = do_PUT = _do  # noqa: N815, the names http.server calls

    def _say(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *details: Any) -> None:
        pass
