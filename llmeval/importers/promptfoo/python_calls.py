"""Runs Python that was written for promptfoo: assertions `get_assert(output, context)` and
providers `call_api(prompt, options, context)`; and compares embeddings, as `similar` does. The code
file of an imported suite calls these.
"""

import importlib.util
import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from llmeval.checks.base import Result, graded
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from llmeval.core.redaction import hide

_ENVIRONMENT = re.compile(r"\{\{\s*(?:process\.)?env\.(\w+)\s*\}\}")
_VALUE = "promptfoo_output"
"""The name in an answer's `data` of an output that is not a text."""


class ChatMessage(Protocol):
    """One message of a request."""

    @property
    def role(self) -> str:
        """`system`, `user` or `assistant`."""

    @property
    def content(self) -> str:
        """The text."""


class ModelRequest(Protocol):
    """What a provider needs of a request to a model."""

    @property
    def messages(self) -> Sequence[ChatMessage]:
        """The messages."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields of the case."""


def run_file(caller: str, path: str, function: str) -> Callable[..., object]:
    """The function of a Python file, which runs now.

    Args:
        caller: the file that `path` is relative to.
        path: the Python file.
        function: its name there.

    Raises:
        FileNotFoundError: there is no such file. AttributeError: no such function.
    """
    file = (Path(caller).parent / path).resolve()
    spec = importlib.util.spec_from_file_location(f"promptfoo_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    value: Any = module
    for part in function.split("."):
        value = getattr(value, part)
    return value  # type: ignore[no-any-return]


def promptfoo_output(answer: Answer, *, parsed: bool = False) -> object:
    """The output that promptfoo passes to code: the text; the tool calls as OpenAI's protocol has
    them if the answer has no text; the value if a provider returned one that is not a text.

    Args:
        parsed: whether a text that is JSON is parsed, as promptfoo does for a JSON Schema.
    """
    if answer.data is not None and _VALUE in answer.data:
        return answer.data[_VALUE]
    if answer.tool_calls and not answer.text:
        return [_call(each) for each in answer.tool_calls]
    if parsed:
        try:
            return json.loads(answer.text)
        except ValueError:
            return answer.text
    return answer.text


def _call(call: Mapping[str, object]) -> dict[str, object]:
    arguments = call.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"type": "function", "function": {"name": call.get("name"), "arguments": text}}


def judged(
    decide: Callable[..., object],
    case: Case,
    answer: Answer,
    threshold: float | None,
    *,
    config: object = None,
    parsed: bool = False,
) -> Result:
    """The verdict of an assertion, by promptfoo's rule: True and False, a number that passes above
    0 or from `threshold` on, or a mapping with `pass`, `score` and `reason`.

    Args:
        config: the assertion's `config`.
        parsed: see `promptfoo_output`.

    Raises:
        CheckError: it returned anything else.
    """
    context = {"vars": {**case.fields}, "prompt": "", "config": with_environment(config)}
    return as_verdict(decide(promptfoo_output(answer, parsed=parsed), context), threshold)


def as_verdict(value: object, threshold: float | None) -> Result:
    """The verdict that an assertion returned; see `judged`.

    Raises:
        CheckError: it is none.
    """
    reason, passed = "", None
    if isinstance(value, Mapping):
        passed = value.get("pass", value.get("pass_"))
        reason = str(value.get("reason") or "")
        value = value.get("score", passed)
    if isinstance(value, bool):
        value = float(value)
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise CheckError(
            f"the assertion returned {value!r}; it returns True or False, a number from 0 to 1, or"
            " a mapping with `pass` and `score`"
        )
    reached = value > 0 if threshold is None else value >= threshold
    return graded(
        float(value),
        reached if passed is None else bool(passed) and (threshold is None or reached),
        reason,
    )


def call_provider(
    call: Callable[..., object], request: ModelRequest, config: Mapping[str, object]
) -> str | dict[str, object]:
    """The answer of a provider.

    Raises:
        RuntimeError: the provider returned an error, or no output.
    """
    return reply_of(
        call(
            prompt_of(request),
            {"config": with_environment(dict(config))},
            {"vars": dict(request.fields)},
        )
    )


def with_environment(value: object) -> object:
    """A setting with each `{{env.NAME}}` filled, as promptfoo does when it loads a configuration.

    Raises:
        RuntimeError: a variable is not set.
    """
    if isinstance(value, Mapping):
        return {key: with_environment(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_environment(item) for item in value]
    return _ENVIRONMENT.sub(_variable, value) if isinstance(value, str) else value


def _variable(match: re.Match[str]) -> str:
    value = os.environ.get(match[1])
    if value is None:
        raise RuntimeError(f"the environment variable {match[1]} is not set; the suite needs it")
    hide([value])
    return value


def prompt_of(request: ModelRequest) -> str:
    """The prompt as promptfoo passes it: the text of the only message, or a chat as JSON."""
    messages = [{"role": each.role, "content": each.content} for each in request.messages]
    return messages[0]["content"] if len(messages) == 1 else json.dumps(messages)


def reply_of(reply: object) -> str | dict[str, object]:
    """The answer in a provider's reply. A value that is not a text is kept in `data` too.

    Raises:
        RuntimeError: it is an error, or has no output.
    """
    if not isinstance(reply, Mapping):
        raise RuntimeError(f"the provider returned {reply!r}; it returns a mapping with `output`")
    if reply.get("error") or reply.get("output") is None:
        raise RuntimeError(str(reply.get("error") or "the provider returned no `output`"))
    output = reply["output"]
    if isinstance(output, str):
        return output
    return {"output": json.dumps(output, ensure_ascii=False), "data": {_VALUE: output}}


async def similarity(text: str, texts: Sequence[str], model: str, base_url: str, key: str) -> float:
    """The highest cosine between the embedding of `text` and those of `texts`, at least 0.

    Args:
        model: the embeddings model.
        base_url: up to and including /v1; the variable OPENAI_BASE_URL replaces OpenAI's.
        key: the environment variable with the API key; empty if none is needed.

    Raises:
        CheckError: the variable is not set, or the endpoint did not return an embedding of each.
    """
    import aiohttp

    if key and not os.environ.get(key):
        raise CheckError(f"the environment variable {key} is not set; `similar` needs it")
    if key == "OPENAI_API_KEY":
        base_url = os.environ.get("OPENAI_BASE_URL") or base_url
    headers = {"Authorization": f"Bearer {os.environ[key]}"} if key else {}
    body = {"model": model, "input": [text, *texts]}
    try:
        timeout = aiohttp.ClientTimeout(total=60)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"{base_url}/embeddings", json=body, headers=headers) as reply,
        ):
            reply.raise_for_status()
            data = (await reply.json())["data"]
        first, *others = [[float(x) for x in each["embedding"]] for each in data]
    except (aiohttp.ClientError, TimeoutError, KeyError, TypeError, ValueError) as error:
        raise CheckError(f"{base_url}/embeddings: {type(error).__name__}: {error}") from None
    if not texts or len(others) != len(texts):
        raise CheckError(f"{base_url}/embeddings returned {len(data)} embeddings")
    return min(1.0, max(0.0, *(_cosine(first, other) for other in others)))


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    length = math.hypot(*one) * math.hypot(*other)
    if len(one) != len(other) or not length:
        raise CheckError("two embeddings have different lengths, or one has only zeros")
    return math.fsum(a * b for a, b in zip(one, other, strict=True)) / length
