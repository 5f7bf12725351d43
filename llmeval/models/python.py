"""Your own function as a model: `module:function`, sync or async."""

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from llmeval.core.errors import BoundaryError, ModelError
from llmeval.core.function_source import function_source
from llmeval.core.records import plain
from llmeval.models.base import Reply, Request
from llmeval.models.identity import without_keys


class PythonFunction:
    """A function that gets the request and returns text or a `Reply`.

    A parameter named `request` gets the whole `Request`; any other gets the last user message's
    text. A sync function runs in a thread. What it raises is recorded as the candidate's error,
    unless it raises one of llmeval's own.

    Args:
        function: the function.
        name: how the suite names it.
        build: which build of the application it is, by a name of its owner's.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        *,
        build: str | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float = 120,
    ) -> None:
        self._function, self._name, self._build = function, name, build
        self._source = function_source(name, function)
        self._params, self._timeout = dict(params or {}), timeout
        self._whole = "request" in inspect.signature(function).parameters
        self._async = inspect.iscoroutinefunction(function)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, function name, the digest of its source files, build and parameters."""
        return {
            "provider": "python",
            "model": self._name,
            "source": self._source,
            "build": self._build,
            "params": without_keys(self._params),
        }

    async def answer(self, request: Request) -> Reply:
        """One call.

        Raises:
            ModelError: the function raised, took too long, or returned neither text nor a Reply.
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
        if isinstance(result, Reply):
            return self._checked(result)
        if not isinstance(result, str):
            raise ModelError(
                f"{self._name} returned {type(result).__name__}, not text or a Reply",
                kind="candidate",
            )
        return Reply(text=result, latency_ms=(time.perf_counter() - started) * 1000)

    def _called(self, argument: Any) -> tuple[Any, BaseException | None]:
        """What the function returned, and what it raised; in a thread. Whatever that is, it is
        about this answer only: a SystemExit would end the process with its exit code, and a future
        never takes a StopIteration."""
        try:
            return self._function(argument), None
        except BaseException as error:
            return None, error

    async def _awaited(self, argument: Any) -> tuple[Any, BaseException | None]:
        """The same of an async function. Ctrl-C and the end of the task that waits are not the
        function's.
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
        """The reply, if its fields have their types: a struct takes anything.

        Raises:
            ModelError: one of them has another type.
        """
        try:
            return msgspec.convert(plain(reply), Reply)
        except msgspec.ValidationError as error:
            raise ModelError(
                f"{self._name} returned an invalid Reply: {error}", kind="candidate"
            ) from None
