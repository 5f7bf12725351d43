"""Your own function as a model: `module:function`, sync or async."""

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import structs

from llmeval.core.errors import BoundaryError, ModelError
from llmeval.core.function_source import function_source
from llmeval.core.records import plain
from llmeval.models.base import Reply, Request
from llmeval.models.identity import without_keys
from llmeval.models.openai_replies import read_name, read_usage
from llmeval.models.reply_parts import ReplyPaths, read_tool_calls
from llmeval.models.traces import read_trace

_KEYS = ("output", "data", "tool_calls", "usage", "model", "trace")
"""Keys of a dict that a function returns."""


class PythonFunction:
    """A function that gets the request and returns text, a dict or a `Reply`.

    A parameter with the name `request` gets the whole `Request`. A parameter with any other name
    gets the text of the last user message. A dict has the text as `output`, and optionally `data`,
    `tool_calls`, `usage`, `model` and `trace`. With `data` paths it may have any keys. A sync
    function runs in a thread. An exception is recorded as the candidate's error, unless it is one
    of llmeval's own.

    Args:
        function: the function.
        name: how the suite names it.
        build: the owner's name for this build of the application.
        data: paths into the dict that it returns, by name.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        *,
        build: str | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float = 120,
        data: Mapping[str, str] | None = None,
    ) -> None:
        self._function, self._name, self._build = function, name, build
        self._source = function_source(name, function)
        self._params, self._timeout = dict(params or {}), timeout
        try:
            self._whole = "request" in inspect.signature(function).parameters
        except ValueError:  # a function in C without a signature
            self._whole = False
        self._parts = ReplyPaths(data=data)
        called = getattr(type(function), "__call__", None)  # noqa: B004 (an object may be async)
        self._async = any(map(inspect.iscoroutinefunction, (function, called)))

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, function name, the digest of its source files, build and parameters."""
        return {
            "provider": "python",
            "model": self._name,
            "source": self._source,
            "build": self._build,
            "params": without_keys(self._params),
            **self._parts.identity,
        }

    @property
    def case_names(self) -> frozenset[str] | None:
        """All fields of the case, for a function that takes the whole request."""
        return None if self._whole else frozenset()

    @property
    def keeps_session(self) -> bool:
        """A function may keep a state, for example in `request.session.values`."""
        return True

    async def answer(self, request: Request) -> Reply:
        """One call.

        Raises:
            ModelError: the function raised an exception, took too long, or did not return text, a
                dict or a Reply; or its result lacks a part that a path names.
        """
        argument: Any = request
        if not self._whole:
            argument = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout):
                result, raised = await (
                    self._awaited(argument)
                    if self._async
                    else asyncio.to_thread(self._called, argument)
                )
        except TimeoutError:
            raise ModelError(
                f"{self._name} did not return within {self._timeout:g} s", kind="candidate"
            ) from None
        if isinstance(raised, BoundaryError):
            raise raised
        if raised is not None:
            raise ModelError(
                f"{self._name} raised {type(raised).__name__}: {raised}", kind="candidate"
            ) from raised
        seconds = time.perf_counter() - started
        if isinstance(result, dict):
            result = structs.replace(self._from_dict(result), latency_ms=seconds * 1000)
        elif self._parts.data is not None:
            raise self._wrong(
                f"returned {type(result).__name__}, but `data` has paths: return a dict with"
                " `output` and the values that the paths select"
            )
        if isinstance(result, Reply):
            return self._checked(result)
        if not isinstance(result, str):
            raise self._wrong(
                f"returned {type(result).__name__}, not text, a dict with `output`, or a Reply"
            )
        return Reply(text=result, latency_ms=seconds * 1000)

    def _from_dict(self, result: dict[Any, Any]) -> Reply:
        """The reply from a dict.

        Raises:
            ModelError: it has no text, has keys that are not read, or lacks a value that a path
                names.
        """
        calls = read_tool_calls(
            result.get("tool_calls"), f"{self._name}: tool_calls", kind="candidate"
        )
        output = result.get("output", "" if calls else None)
        if not isinstance(output, str):
            raise self._wrong(
                "returned a dict without a text as `output`; it has: " + ", ".join(map(str, result))
            )
        unread = [str(key) for key in result if key not in _KEYS]
        if unread and self._parts.data is None:
            raise self._wrong(
                f"returned a dict with keys that llmeval does not read: {', '.join(unread)}. Put"
                " them into `data`, or name them in the suite with `data: {name: path}`"
            )
        data = result.get("data")
        if not isinstance(data, dict | None):
            raise self._wrong(f"returned {type(data).__name__} as `data`, not a dict")
        paths = self._parts.fields(plain(result), self._name, kind="candidate")
        return Reply(
            text=output,
            tool_calls=calls,
            data=paths.get("data", data),
            usage=read_usage(result.get("usage")),
            model=read_name(result.get("model")),
            trace=read_trace(plain(result.get("trace")), f"{self._name}: trace", "candidate"),
        )

    def _wrong(self, what: str) -> ModelError:
        return ModelError(f"{self._name} {what}", kind="candidate")

    def _called(self, argument: Any) -> tuple[Any, BaseException | None]:
        """The result of the function, and its exception; runs in a thread. Every exception is
        returned as a value, because it concerns this answer only. A SystemExit would end the
        process with its exit code, and a future can't hold a StopIteration.
        """
        try:
            return self._function(argument), None
        except BaseException as error:
            return None, error

    async def _awaited(self, argument: Any) -> tuple[Any, BaseException | None]:
        """The same for an async function. Ctrl-C and the cancellation of the waiting task are
        raised, because they do not come from the function.
        """
        try:
            return await self._function(argument), None
        except KeyboardInterrupt:
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return None, error
        except BaseException as error:
            return None, error

    async def close(self) -> None:
        """Nothing to release."""

    def _checked(self, reply: Reply) -> Reply:
        """The reply, after a check of the types of its fields: a struct accepts any values.

        Raises:
            ModelError: one of them has another type.
        """
        try:
            return msgspec.convert(plain(reply), Reply)
        except msgspec.ValidationError as error:
            raise ModelError(
                f"{self._name} returned an invalid Reply: {error}", kind="candidate"
            ) from None
