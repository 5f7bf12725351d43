"""Reads the parts of an application's reply other than its text, by the paths of the suite."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmeval.core.errors import ModelError
from llmeval.core.json_paths import JsonPath, NoMatch
from llmeval.models.openai_replies import called, read_name, read_usage
from llmeval.models.traces import read_trace

_ARGUMENTS = ("arguments", "args", "input")
"""Names that applications use for the arguments of a tool call."""
_RESULTS = ("result", "output")
"""What applications call the result of a tool call."""


@dataclass(frozen=True)
class ReplyPaths:
    """Paths to the parts of a reply; None for a part that the suite does not name."""

    data: Mapping[str, str] | None = None
    """By name."""
    tool_calls: str | None = None
    usage: str | None = None
    model: str | None = None
    trace: str | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """The paths that are set, as JSON. They define the parts of an answer."""
        parts = {
            "data": None if self.data is None else dict(self.data),
            "tool_calls": self.tool_calls,
            "usage": self.usage,
            "model": self.model,
            "trace": self.trace,
        }
        stated = {name: part for name, part in parts.items() if part is not None}
        return {"parts": stated} if stated else {}

    def fields(self, reply: object, where: str, *, kind: str = "provider") -> dict[str, Any]:
        """The fields of a `Reply` that the paths select.

        Args:
            reply: the reply as JSON values.
            where: the application, for messages.
            kind: the kind of the error for a missing part.

        Raises:
            ModelError: a path does not match, or selects a value of the wrong type; names key and
                path.
        """

        def at(key: str, path: str) -> Any:
            try:
                return JsonPath(path).find(reply)
            except NoMatch as error:
                raise ModelError(
                    f"{where}: {key}: the path {path!r} matches nothing: {error}. If the reply may"
                    f" lack it, write {path + '?'!r}",
                    kind=kind,
                ) from None

        fields: dict[str, object] = {}
        if self.data is not None:
            fields["data"] = {name: at(f"data.{name}", path) for name, path in self.data.items()}
        if self.tool_calls is not None:
            calls = at("tool_calls", self.tool_calls)
            fields["tool_calls"] = read_tool_calls(calls, f"{where}: tool_calls", kind)
        if self.usage is not None:
            fields["usage"] = read_usage(at("usage", self.usage))
        if self.model is not None:
            fields["model"] = read_name(at("model", self.model))
        if self.trace is not None:
            fields["trace"] = read_trace(at("trace", self.trace), f"{where}: trace", kind)
        return fields


def read_tool_calls(value: object, where: str, kind: str) -> tuple[dict[str, Any], ...]:
    """Tool calls as {name, arguments}, from a list of {name, arguments} (or `args`, `input`) or of
    the calls of an OpenAI reply. Null means no calls. A `result` (or `output`) of a call is kept.

    Raises:
        ModelError: the value is not such a list.
    """
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ModelError(f"{where}: {type(value).__name__} instead of a list", kind=kind)
    return tuple(_tool_call(call, f"{where}[{index}]", kind) for index, call in enumerate(value))


def _tool_call(call: object, where: str, kind: str) -> dict[str, object]:
    if isinstance(call, Mapping):
        read = called(call)
        if read is None:
            key = next((name for name in _ARGUMENTS if name in call), "arguments")
            read = {"name": call.get("name"), "arguments": call.get(key)}
        if isinstance(read["name"], str) and read["name"]:
            result = next((call[name] for name in _RESULTS if name in call), None)
            return read if result is None else {**read, "result": result}
    raise ModelError(
        f"{where}: a tool call is an object with `name` and `arguments` (or `args`, `input`), or"
        " one of an OpenAI reply",
        kind=kind,
    )
