"""A real HTTP server for tests: an OpenAI-compatible endpoint whose answers and faults the test
decides.
"""

import asyncio
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[dict[str, Any], int], Any]
"""(request body, number of earlier requests with this body) -> text, (status, body, headers), or an
awaitable of one.
"""


def reply(text: str, **more: Any) -> dict[str, Any]:
    """A chat completion that says `text`."""
    return {
        "id": "x",
        "model": "served-model",
        "system_fingerprint": "fp_1",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
        **more,
    }


def verdict(word: str, evidence: str = "") -> str:
    """What a judge of the protocol `reference` says."""
    return json.dumps({"evidence": evidence, "verdict": word})


@dataclass
class Endpoint:
    """The running server. `requests`: every body received. `in_flight`, `most`: requests being
    handled, now and at most.
    """

    handler: Handler
    url: str = ""
    latency: float = 0.0
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    most: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        body = await request.json() if request.can_read_body else {}
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        self.paths.append(request.path_qs)
        key = json.dumps(body, sort_keys=True)
        earlier = self.seen[key]
        self.seen[key] += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            result = self.handler(body, earlier)
            if isinstance(result, Awaitable):
                result = await result
        finally:
            self.in_flight -= 1
        if result == "reset":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(result, tuple):
            status, payload, headers = result
            self.statuses.append(status)
            data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            return web.Response(
                body=data, status=status, headers=headers, content_type="application/json"
            )
        self.statuses.append(200)
        return web.json_response(result if isinstance(result, dict) else reply(result))

    def count(self, model: str) -> int:
        """Requests for a model."""
        return sum(body.get("model") == model for body in self.requests)


@contextlib.contextmanager
def serve(handler: Handler, latency: float = 0.0) -> Iterator[Endpoint]:
    """Serve on a free port of the loopback interface, in a thread of its own."""
    endpoint = Endpoint(handler, latency=latency)
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", endpoint.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    def serve_forever() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        loop.call_soon(ready.set)  # not before: a stop before `run_forever` has no effect
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve_forever, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield endpoint
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
