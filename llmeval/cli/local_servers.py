"""Model servers that run on this machine, at their default ports. Nothing beyond loopback is
called: no proxy is used and no redirect is followed.
"""

import http.client
import json
import time
from dataclasses import dataclass

DEFAULT_PORTS = (("Ollama", 11434), ("llama.cpp", 8080), ("vLLM", 8000))
"""What each of them listens on if nobody says otherwise. A port says little about the program."""
_SECONDS = 0.5
"""For one server. One that is busy or slow is not listed."""
_MOST_BYTES = 2**20
_MOST_MODELS = 50


@dataclass(frozen=True)
class LocalServer:
    """A server that lists its models as OpenAI's API does."""

    name: str
    """The program that has this port by default."""
    base_url: str
    models: tuple[str, ...]


def running_servers(ports: tuple[tuple[str, int], ...] | None = None) -> list[LocalServer]:
    """The servers that list at least one model.

    Args:
        ports: name and port of each server to try; default: `DEFAULT_PORTS`.
    """
    servers = []
    for name, port in DEFAULT_PORTS if ports is None else ports:
        models = _models_at(port)
        if models:
            servers.append(LocalServer(name, f"http://127.0.0.1:{port}/v1", models))
    return servers


def _models_at(port: int) -> tuple[str, ...]:
    """The names in the reply to `GET /v1/models`; none if there is no such reply in time."""
    until = time.monotonic() + _SECONDS
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", "/v1/models", headers={"Accept": "application/json"})
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            return ()
        body = b""
        while chunk := response.read1(2**16):
            body += chunk
            if len(body) > _MOST_BYTES or time.monotonic() > until:
                return ()
        return _names(json.loads(body))
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return ()
    finally:
        connection.close()


def _names(reply: object) -> tuple[str, ...]:
    data = reply.get("data") if isinstance(reply, dict) else None
    entries = data if isinstance(data, list) else []
    names = (entry.get("id") for entry in entries if isinstance(entry, dict))
    printable = [name for name in names if isinstance(name, str) and name and name.isprintable()]
    return tuple(printable[:_MOST_MODELS])
