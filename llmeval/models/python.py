"""Your own function as a model: `module:function`, sync or async."""

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from llmeval.errors import BoundaryError, ModelError
from llmeval.models.base import Reply, Request
from llmeval.records import plain


class PythonFunction:
    """A function that gets the request and returns text or a `Reply`.

    A parameter named `request` gets the whole `Request`; any other gets the last user message's text. A sync function
    runs in a thread. What it raises is recorded as the candidate's error, unless it raises one of llmeval's own.

    Args:
        function: the function.
        name: how the suite names it.
        version: raised by its owner when the function changes; part of the cache key.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        *,
        version: str | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float = 120,
    ) -> None:
        self._function, self._name, self._version = function, name, version
        self._params, self._timeout = dict(params or {}), timeout
        self._whole = "request" in inspect.signature(function).parameters
        self._async = inspect.iscoroutinefunction(function)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, function name, version and parameters."""
        return {"provider": "python", "model": self._name, "version": self._version, "params": self._params}

    async def answer(self, request: Request) -> Reply:
        """One call.

        Raises:
            ModelError: the function raised, took too long, or returned neither text nor a Reply.
        """
        given: Any = request
        if not self._whole:
            given = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout):
                result = await (self._function(given) if self._async else asyncio.to_thread(self._function, given))
        except BoundaryError:
            raise
        except TimeoutError:
            raise ModelError(f"{self._name} did not return within {self._timeout:g} s", kind="candidate") from None
        except Exception as error:
            raise ModelError(f"{self._name} raised {type(error).__name__}: {error}", kind="candidate") from error
        if isinstance(result, Reply):
            return self._checked(result)
        if not isinstance(result, str):
            raise ModelError(f"{self._name} returned {type(result).__name__}, not text or a Reply", kind="candidate")
        return Reply(text=result, latency_ms=(time.perf_counter() - started) * 1000)

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
            raise ModelError(f"{self._name} returned a Reply that is none: {error}", kind="candidate") from None
