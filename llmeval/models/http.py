"""An application's own JSON endpoint: a template makes the request, a path selects the answer."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llmeval.core.errors import ModelError, ServerError, SuiteError
from llmeval.core.json_paths import JsonPath, NoMatch
from llmeval.core.records import plain, to_json
from llmeval.core.templates import variables_in
from llmeval.models.base import ChatSession, Reply, Request
from llmeval.models.client.event_stream import is_event_stream
from llmeval.models.client.failed_reply import stated_failure, states_error
from llmeval.models.client.http_client import (
    MAX_REPLY_BYTES,
    HttpClient,
    Response,
    read_url,
)
from llmeval.models.client.json_body import peek, read_json
from llmeval.models.identity import address, without_keys
from llmeval.models.identity import headers as header_digests
from llmeval.models.params import merged
from llmeval.models.reply_parts import ReplyPaths
from llmeval.models.session_texts import SessionTexts

OWN_NAMES = frozenset({"prompt", "messages", "params", "run", "turn"})
"""Names that a body can use in addition to the fields of the case; with `session` paths, `session`
too.
"""
Render = Callable[[Any, Mapping[str, Any]], Any]


class HttpEndpoint:
    """Any endpoint whose requests and replies are JSON.

    Args:
        url, method, headers: the address, method and headers of each request. Templates in the
            address and in the headers can use `session`, `run.unique` and `turn`.
        body: JSON whose texts are templates over `prompt` (the last user message), `messages`,
            `params`, `run.unique`, `turn` and the fields of the case.
        output: path to the answer in the reply, such as `data.choices[0].text`; empty = the whole
            reply.
        parts: paths to other parts of the reply.
        session: by name, paths to what the next turns of a conversation send back, as
            `{{ session.name }}`.
        render: renders the templates in `body`.
        build: replaces the address in its identity.
        timeout: the time limit of an attempt in seconds.
        ca_file: certificates to trust in addition to the system's.
        max_reply_bytes: the limit on the size of a reply's body.
        errors_fail: whether HTTP 500 is an outcome of the application, which is not asked again.

    Raises:
        SuiteError: the address, a header, the CA file or the environment's proxy can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        method: str,
        headers: Mapping[str, str],
        body: object,
        output: str,
        render: Render,
        params: Mapping[str, object],
        timeout: float,
        parts: ReplyPaths = ReplyPaths(),  # noqa: B008 (frozen)
        session: Mapping[str, str] | None = None,
        build: str | None = None,
        ca_file: Path | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        errors_fail: bool = False,
    ) -> None:
        self._texts = SessionTexts(url, headers, frozenset(session or {}), render)
        read = read_url(self._texts.plain_url, "url")
        self._method = method
        self._own_headers = header_digests(headers)
        self._place = {"url": address(url.strip())} if build is None else {"build": build}
        self._name = build or address(read.geturl()).partition("://")[2].partition("?")[0]
        self._body, self._output, self._render = body, JsonPath(output), render
        self._parts = parts
        self._session = {name: JsonPath(path) for name, path in (session or {}).items()}
        self._names = variables_in(body) | self._texts.names
        self._params = dict(params)
        self._errors_fail = errors_fail
        self._http = HttpClient(
            read.geturl(),
            key="url",
            headers=headers,
            timeout=timeout,
            method=method,
            ca_file=ca_file,
            max_reply_bytes=max_reply_bytes,
        )

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, address or build, the suite's own headers, and the form of its requests."""
        return {
            "provider": "http",
            "model": self._name,
            **self._place,
            "method": self._method,
            "headers": self._own_headers,
            "body": without_keys(self._body),
            "output": self._output.text,
            "params": without_keys(self._params),
            **self._parts.identity,
            **({"session": self._session_paths} if self._session else {}),
        }

    @property
    def keeps_session(self) -> bool:
        """An application may keep a state behind a cookie or an id."""
        return True

    @property
    def _session_paths(self) -> dict[str, str]:
        return {name: path.text for name, path in self._session.items()}

    @property
    def case_names(self) -> frozenset[str]:
        """Fields of the case that the body uses, and `run` if it uses `run.unique`."""
        own = OWN_NAMES | {"session"} if self._session else OWN_NAMES
        return self._names - (own - {"run"})

    async def answer(self, request: Request) -> Reply:
        """One call, no retries.

        Raises:
            Overloaded, Retryable, ModelError: as for every model. Also for a reply with an `error`,
                a reply that a path does not match, a reply with null at the output and no tool
                call, and a body that can't be rendered (kind `config`).
        """
        prompt = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        values = {
            **request.fields,
            "prompt": prompt,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "params": merged(self._params, request.params),
            "run": {"unique": request.unique},
            "turn": request.turn,
        }
        if self._session:
            kept = {} if request.session is None else request.session.values
            values["session"] = {name: kept.get(name) for name in self._session}
        try:
            body = self._render(self._body, values)
        except SuiteError as error:
            raise ModelError(str(error), kind="config") from None
        own = {"session": {name: None for name in self._session}, **values}
        response = await self._sent(to_json(body), request.session, *self._texts.of(own))
        if is_event_stream(response.body, response.content_type):
            raise ModelError(
                f"{self._http.host}: the reply is an event stream; the provider http reads one JSON"
                " document: turn streaming off"
            )
        data = read_json(self._http.host, response.body, response.content_type)
        if isinstance(data, dict) and not self._wants_error and states_error(data.get("error")):
            raise stated_failure(
                self._http.host, "an error in a reply of status 200", data["error"]
            )
        parts = self._parts.fields(data, self._http.host)
        text = self._text(data, response.body, called=bool(parts.get("tool_calls")))
        if request.session is not None:
            self._keep(data, request.session)
        return Reply(text=text, latency_ms=response.latency_ms, **parts)

    async def _sent(
        self, body: bytes, session: ChatSession | None, url: str | None, headers: dict[str, str]
    ) -> Response:
        try:
            return await self._http.send(body, session, url, headers)
        except ServerError as error:
            if self._errors_fail:
                raise ModelError(str(error), kind="application") from None
            raise

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    @property
    def _wants_error(self) -> bool:
        """Whether the suite takes the answer from the reply's `error`, or the whole reply as the
        answer.
        """
        return self._output.first_name in (None, "error")

    def _keep(self, reply: Any, session: ChatSession) -> None:
        """Keep what the next turn sends back. A later reply may leave out what an earlier one had.

        Raises:
            ModelError: no reply had it yet, and its path is not optional.
        """
        for name, path in self._session.items():
            try:
                value = path.find(reply)
            except NoMatch as error:
                if name not in session.values:
                    raise ModelError(
                        f"{self._http.host}: session.{name}: the path {path.text!r} matches"
                        f" nothing: {error}. If the reply may lack it, write {path.text + '?'!r}"
                    ) from None
                continue
            if value is not None or name not in session.values:
                session.values[name] = value

    def _text(self, reply: object, body: bytes, *, called: bool) -> str:
        """The answer at the output path. `called`: there are tool calls, so the text may be
        missing.
        """
        try:
            value = self._output.find(reply)
        except NoMatch:
            raise ModelError(
                f"{self._http.host}: the reply has no {self._output.text!r}: {peek(body)}"
            ) from None
        if value is None and called:
            return ""
        if value is None:
            raise ModelError(
                f"{self._http.host}: no answer: {self._output.text or 'the reply'!r} is null:"
                f" {peek(body)}"
            )
        return value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
