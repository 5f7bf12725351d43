"""Sends what a trigger or a message has to say: a command, a request, or a mail.

Requests go over HTTPS, and over HTTP only to the loopback interface. No redirect is followed, no
proxy is used, and an address of a private network is refused unless the action allows it. The name
of a host is resolved once, and the connection goes to an address that was checked.

Source: Standard Webhooks 1.0 (signature); CloudEvents 1.0 (body); RFC 6890 (private addresses).
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmeval.core.errors import UsageError
from llmeval.core.redaction import redact
from llmeval.suite.triggers_schema import ActionSpec, GithubAction, MlflowTagAction

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

TRIES = 3
_PAUSES = (1.0, 4.0)
_COMMAND_S, _REQUEST_S = 600.0, 30.0


class NotDelivered(Exception):
    """The receiver has not confirmed; the message says why. `final`: another try can't help."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(redact(reason))
        self.final = final


def check_url(url: str, where: str) -> None:
    """Refuse an address that is neither HTTPS nor on the loopback interface.

    Raises:
        UsageError: it is such an address, or none. `where`: named in the message.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    if not secure or not parts.hostname or parts.username or parts.password:
        raise UsageError(
            f"{where}: must be an https:// address without a user name (http:// only on the"
            " loopback interface)"
        )


def is_loopback(host: str | None) -> bool:
    """Whether a host is an address of the loopback interface, or `localhost`."""
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def signature(secret: str, identifier: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a body (Standard Webhooks, version 1)."""
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise UsageError("webhook: `secret` begins with whsec_ but is not base64") from None
    signed = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def deliver(action: ActionSpec, identifier: str, body: bytes, base: Path) -> None:
    """Carry out an action; returns when the receiver has confirmed.

    Args:
        action: one action.
        identifier: the id of the firing.
        body: the event as JSON.
        base: the folder in which a command runs.

    Raises:
        NotDelivered: after all tries.
    """
    with_tries(lambda: _once(action, identifier, body, base))


def _once(action: ActionSpec, identifier: str, body: bytes, base: Path) -> None:
    if action.command is not None:
        _run(action.command, body, base)
    elif action.webhook is not None:
        hook = action.webhook
        now = int(time.time())
        headers = {
            "content-type": "application/cloudevents+json",
            "webhook-id": identifier,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(hook.secret.get_secret_value(), identifier, now, body),
        }
        post(hook.url, headers, body, private=hook.private)
    elif action.github_dispatch is not None:
        _dispatch(action.github_dispatch, body)
    elif action.mlflow_tag is not None:
        _tag(action.mlflow_tag, identifier, body)


def with_tries(send: Callable[[], None]) -> None:
    """Call up to three times, with pauses.

    Raises:
        NotDelivered: none succeeded.
    """
    for attempt in range(TRIES):
        try:
            send()
            return
        except NotDelivered as error:
            if error.final or attempt == TRIES - 1:
                raise
            time.sleep(_PAUSES[attempt])


def _run(command: list[str], body: bytes, base: Path) -> None:
    try:
        done = subprocess.run(
            command, input=body, cwd=base, capture_output=True, timeout=_COMMAND_S, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NotDelivered(f"{command[0]}: {error}", final=True) from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip()[-300:]
        raise NotDelivered(f"{command[0]} ended with {done.returncode}: {last}")


def _dispatch(action: GithubAction, body: bytes) -> None:
    payload = b'{"event_type":%s,"client_payload":{"event":%s}}' % (_json(action.event), body)
    headers = {
        "accept": "application/vnd.github+json",
        "authorization": f"Bearer {action.token.get_secret_value()}",
        "content-type": "application/json",
        "x-github-api-version": "2022-11-28",
        "user-agent": "llmeval",
    }
    url = f"{action.api.rstrip('/')}/repos/{action.repository}/dispatches"
    post(url, headers, payload, private=action.private)


def _tag(action: MlflowTagAction, identifier: str, body: bytes) -> None:
    """Set the tag by MLflow's REST API (2.0). A repetition sets the same value."""
    decision = json.loads(body)["data"]["decision"]
    tag = {"name": action.model, "key": "llmeval.decision", "value": f"{decision} {identifier}"}
    if action.version is not None:
        tag["version"] = action.version
    place = "registered-models" if action.version is None else "model-versions"
    headers = {"content-type": "application/json"}
    if action.token is not None:
        headers["authorization"] = f"Bearer {action.token.get_secret_value()}"
    url = f"{action.url.rstrip('/')}/api/2.0/mlflow/{place}/set-tag"
    post(url, headers, json.dumps(tag).encode(), private=action.private)


def _json(text: str) -> bytes:
    import msgspec

    return msgspec.json.encode(text)


def post(url: str, headers: Mapping[str, str], body: bytes, *, private: bool = False) -> None:
    """Send a request once.

    Raises:
        NotDelivered: no reply with 200 to 299.
    """
    status = asyncio.run(_post(url, headers, body, private))
    if not 200 <= status < 300:
        # a redirect or a refusal stays one; overload and errors of the server may pass
        final = status < 500 and status not in (408, 409, 425, 429)
        raise NotDelivered(f"{urlsplit(url).hostname} replied with {status}", final=final)


async def _post(url: str, headers: Mapping[str, str], body: bytes, private: bool) -> int:
    import aiohttp
    from aiohttp.resolver import ThreadedResolver

    host = urlsplit(url).hostname or ""
    _refuse_private([host], host, private)

    class CheckedResolver(ThreadedResolver):
        """Refuses a name that leads to a private address."""

        async def resolve(self, host: str, port: int = 0, family: int = 0) -> "list[ResolveResult]":
            """The addresses of a host."""
            hosts = await super().resolve(host, port, family)  # type: ignore[arg-type]
            _refuse_private([each["host"] for each in hosts], host, private)
            return hosts

    connector = aiohttp.TCPConnector(resolver=CheckedResolver(), force_close=True)
    timeout = aiohttp.ClientTimeout(total=_REQUEST_S)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as reply,
        ):
            return reply.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NotDelivered(f"{host}: {type(error).__name__}: {error}") from None


def _refuse_private(addresses: list[str], host: str, private: bool) -> None:
    """Refuse addresses that are not public. A literal loopback address in the action is named by
    it, so it is allowed; a public name that leads there is not.
    """
    for text in addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        named = address.is_loopback and is_loopback(host)
        if not (address.is_global or private or named):
            raise NotDelivered(
                f"{host} leads to {address}, which is not a public address; `private: true` of the"
                " action allows it",
                final=True,
            )
