"""The error for an unsuccessful reply: slow down, try again, give up this request, or end the run.

The message keeps the endpoint's own words, and adds the fix in brackets.
"""

import json
import re
from collections.abc import Mapping

from llmeval.core.errors import (
    ModelError,
    Overloaded,
    RequestRefused,
    Retryable,
    ServerError,
)
from llmeval.models.client.quota import lasts, words
from llmeval.models.client.retry_after import retry_after

_RETRYABLE = frozenset([408, 409, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524])
_OVERLOADED = frozenset([429, 529])
_HINTS = {
    401: "the key is missing or wrong: check `api_key`",
    403: "the key may not use this model",
    404: "no such model or path: check `model` and `base_url` (it ends in /v1 for most servers)",
}
_PARAMETERS = (
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "stop",
    "n",
    "top_logprobs",
    "logprobs",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "reasoning_effort",
    "repetition_penalty",
    "parallel_tool_calls",
    "user",
)
_ALSO_WORDS = frozenset(["n", "stop", "user", "seed"])
_REFUSED = re.compile(
    r"unsupported|not\s+support|n't\s+support|unrecogni[sz]ed|unknown\s+(?:name|field|parameter"
    r"|argument|key)|unexpected"
    r"|not\s+(?:permitted|allowed|available|compatible|accepted|a\s+valid)|only\s+the\s+default"
    r"|deprecated|invalid"
    r"|cannot\s+be|can't\s+be|must\s+be|removed|no\s+longer|extra_forbidden|instead"
)
_FORMAT = re.compile(
    r"response_?format|json_?schema|response_?schema|structured[\s_]output|text\.format"
    r"|additionalproperties"
)
FORMAT = "response_format"
_TOOLS = re.compile(r"\btools?\b|tool_choice|function")
_INVALID = frozenset([400, 422])
_TOO_LARGE = re.compile(r"request too large|reduce the (?:length|size)|must be reduced")
"""The text of a 429 from OpenAI and Groq for a single request above the limit per minute. It would
always be refused.
"""


def status_error(message: str, status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """The error for one unsuccessful reply.

    Args:
        message: host, status and the endpoint's words, for people.
        status: the HTTP status, or the status that an error object in a reply of status 200 names.
        headers: the reply's headers, names in any case.
        body: the reply's body.

    Returns:
        Overloaded: 429, 529, and 503 with a wait. Retryable: other faults of servers. ModelError of
            kind `quota`: a quota is used up, and waiting does not help (`quota.lasts`). ModelError
            of kind `provider`: the same request would fail again.
    """
    text = body[:8_000].decode("utf-8", "replace")
    parsed = _json(body)
    wait = retry_after(headers, parsed, words(parsed, text))
    if lasts(status, parsed, text, wait):
        return ModelError(message, kind="quota")
    if status == 429 and _TOO_LARGE.search(words(parsed, text)):
        return ModelError(
            f"{message} (this request alone exceeds the endpoint's limit: shorten it)"
        )
    if status in _OVERLOADED or (status in (403, 503) and wait is not None):
        return Overloaded(message, retry_after=wait)
    if status == 500:
        return ServerError(message)
    if status in _RETRYABLE:
        return Retryable(message)
    if status in _INVALID:
        return _refusal(message, parsed, text)
    hint = _HINTS.get(status)
    return ModelError(f"{message} ({hint})" if hint else message)


def _refusal(message: str, parsed: object, text: str) -> RequestRefused:
    parameter = refused_parameter(parsed, text)
    hint = None if parameter is None else _fix(parameter)
    return RequestRefused(
        f"{message} ({hint})" if hint else message,
        parameter=parameter,
        about_tools=_TOOLS.search(words(parsed, text)) is not None,
    )


def refused_parameter(parsed: object, text: str) -> str | None:
    """The parameter because of which a request was refused; `response_format` for any part that
    forces a schema; None if no parameter is named.

    Reasoning models refuse `max_tokens` and `temperature: 0`; older servers refuse
    `response_format`.
    """
    message = words(parsed, text)
    if not _REFUSED.search(message):
        return None
    named = _named_parameter(parsed, message)
    if named is not None:
        return named
    return FORMAT if _FORMAT.search(message) or _FORMAT.search(_param(parsed)) else None


def _fix(parameter: str) -> str:
    """What to write in the suite after a refusal of this parameter."""
    if parameter in ("max_tokens", "max_output_tokens"):
        return "write `params: {max_completion_tokens: N}` for this model: it replaces max_tokens"
    if parameter == "max_completion_tokens":
        return "write `params: {max_tokens: N}` for this model: it replaces max_completion_tokens"
    if parameter in ("logprobs", "top_logprobs"):
        return (
            "set `logprobs: false` on the judge, or `params: {logprobs: null, top_logprobs: null}`"
        )
    if parameter == FORMAT:
        return "set `structured_output: json_object`, `tool_call` or `none` on this model"
    return f"leave it out with `params: {{{parameter}: null}}` on the model or the judge"


def _param(parsed: object) -> str:
    """The field `param` of an error object, in lower case."""
    error = parsed[0] if isinstance(parsed, list) and parsed else parsed
    error = error.get("error", error) if isinstance(error, Mapping) else error
    return str(error.get("param") or "").lower() if isinstance(error, Mapping) else ""


def _named_parameter(parsed: object, message: str) -> str | None:
    """The parameter that an error is about: its `param` field, else the first parameter in its
    text.
    """
    param = _param(parsed)
    if param in _PARAMETERS:
        return param
    if param and _FORMAT.search(param):
        return None
    places = {name: re.search(_mention(name), message) for name in _PARAMETERS}
    mentions = [(place.start(), name) for name, place in places.items() if place is not None]
    first = min(mentions, default=None)
    formatted = _FORMAT.search(message)
    return (
        None
        if first is None or (formatted is not None and formatted.start() < first[0])
        else first[1]
    )


def _mention(name: str) -> str:
    """The pattern of a parameter's name. Short names are also ordinary words (`n`, `stop`): they
    count only in quotes or after words such as "parameter:".
    """
    if name in _ALSO_WORDS:
        return rf"[\"'`]{name}[\"'`]|(?:parameter|argument|field|supplied):?\s+{name}\b"
    return rf"(?<![\w.]){name}(?!\w)"


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
