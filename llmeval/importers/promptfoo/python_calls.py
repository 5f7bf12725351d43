"""Runs Python that was written for promptfoo: assertions `get_assert(output, context)` and
providers `call_api(prompt, options, context)`. The code file of an imported suite calls these.
"""

import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from llmeval.checks.base import Result, graded
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case


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


def run_file(beside: str, path: str, function: str) -> Callable[..., object]:
    """The function of a Python file, which runs now.

    Args:
        beside: the file that `path` is relative to.
        path: the Python file.
        function: its name there.

    Raises:
        FileNotFoundError: there is no such file. AttributeError: no such function.
    """
    file = (Path(beside).parent / path).resolve()
    spec = importlib.util.spec_from_file_location(f"promptfoo_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    value: Any = module
    for part in function.split("."):
        value = getattr(value, part)
    return value  # type: ignore[no-any-return]


def judged(
    decide: Callable[..., object], case: Case, answer: Answer, threshold: float | None
) -> Result:
    """What an assertion says, by promptfoo's rule: True and False, a number that passes above 0 or
    from `threshold` on, or a mapping with `pass`, `score` and `reason`.

    Raises:
        CheckError: it returned anything else.
    """
    value = decide(answer.text, {"vars": {**case.fields}, "prompt": ""})
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
) -> object:
    """The answer of a provider.

    Raises:
        RuntimeError: the provider returned an error, or no output.
    """
    messages = [{"role": each.role, "content": each.content} for each in request.messages]
    prompt = messages[0]["content"] if len(messages) == 1 else json.dumps(messages)
    reply = call(prompt, {"config": dict(config)}, {"vars": dict(request.fields)})
    if not isinstance(reply, Mapping):
        raise RuntimeError(f"the provider returned {reply!r}; it returns a mapping with `output`")
    if reply.get("error") or reply.get("output") is None:
        raise RuntimeError(str(reply.get("error") or "the provider returned no `output`"))
    output = reply["output"]
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
