"""Decision models: POST {base}/v1/systemone sends several questions about one state, and returns
probabilities instead of text.

Several vendors use this path. Some use another path, and put the reply into an envelope.
`confidence` in a reply is not used, because its formula differs between vendors.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmeval.core.errors import ModelError
from llmeval.core.records import to_json
from llmeval.models.base import Reply, Request
from llmeval.models.client.http_client import (
    MAX_REPLY_BYTES,
    HttpClient,
    Response,
    authorised,
    read_url,
    with_path,
)
from llmeval.models.client.json_body import peek, read_json
from llmeval.models.identity import address, without_keys
from llmeval.models.identity import headers as header_digests
from llmeval.models.openai_replies import read_name, read_usage
from llmeval.models.params import merged


class SystemOne:
    """One decision model behind one endpoint.

    Args:
        model: the model's name at the endpoint.
        base_url: up to and including /v1, or the whole address.
        api_key: sent as a Bearer token.
        params: further fields of each request.
        headers: the suite's own; they are part of the identity.
        timeout: the time limit of an attempt in seconds.
        build: replaces the address in its identity.
        ca_file: certificates to trust in addition to the system's.
        max_reply_bytes: the limit on the size of a reply's body.

    Raises:
        SuiteError: the address, a header, the CA file or the environment's proxy can't be used.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, object] | None = None,
        timeout: float = 120,
        build: str | None = None,
        ca_file: Path | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        parts = read_url(base_url, "base_url")
        suffix = "/systemone" if parts.path.rstrip("/").endswith("/v1") else ""
        self._url = with_path(parts, suffix)
        self._place = {"url": address(self._url)} if build is None else {"build": build}
        self._own_headers = header_digests(headers or {})
        self._model, self._params = model, dict(params or {})
        self._http = HttpClient(
            self._url,
            key="base_url",
            suffix=suffix,
            headers=authorised(headers or {}, api_key),
            timeout=timeout,
            ca_file=ca_file,
            max_reply_bytes=max_reply_bytes,
        )

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, model, address or build, the suite's own headers, and the parameters that every
        request contains.
        """
        return {
            "provider": "systemone",
            "model": self._model,
            **self._place,
            "headers": self._own_headers,
            "params": without_keys(self._params),
        }

    async def answer(self, request: Request) -> Reply:
        """One call: every question about the last message, which is the state. The reply's text is
        {id: {option: probability}}.

        Raises:
            Overloaded, Retryable, ModelError: as for every model; a reply without probabilities is
                a ModelError.
        """
        if not request.questions:
            raise ModelError(
                "a decision model answers questions only: it can't be a candidate", kind="config"
            )
        body = {
            "model": self._model,
            "state": _state(request.messages[-1].content),
            "questions": request.questions,
            **merged(self._params, request.params),
        }
        response = await self._http.send(to_json(body))
        return self._reply(response, request.questions)

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _reply(self, response: Response, questions: Mapping[str, Any]) -> Reply:
        host = self._http.host
        data = read_json(host, response.body, response.content_type)
        try:
            data = data if "answers" in data else data["result"]
            shares = {name: _shares(data["answers"][name], questions[name]) for name in questions}
            return Reply(
                text=json.dumps(shares),
                usage=read_usage(data.get("usage")),
                model=read_name(data.get("model")),
                latency_ms=response.latency_ms,
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ModelError(
                f"{host}: the reply does not answer each question ({what}): {peek(response.body)}"
            ) from None


def _shares(answer: Mapping[str, Any], question: Mapping[str, Any]) -> dict[str, float]:
    """{option: probability} for any kind of answer. The levels of a score are named by their
    number.
    """
    if answer.get("type") == "noul":
        share = _share(answer["noul"])
        return {"true": share, "false": 1 - share}
    probabilities = answer["probabilities"]
    criteria = question["criteria"]
    names = criteria if isinstance(criteria, Mapping) else map(str, range(len(criteria)))
    return {name: _share(probabilities[name]) for name in names}


def _share(value: Any) -> float:
    """A probability.

    Raises:
        ValueError: it is NaN or infinite.
    """
    share = float(value)
    if not math.isfinite(share):
        raise ValueError(f"{value} is not a probability")
    return share


def _state(content: str) -> Any:
    """The message as JSON, if it is JSON."""
    try:
        return json.loads(content)
    except ValueError:
        return content
