"""What an application did for an answer, as its record holds it."""

from typing import Any

import msgspec


class TraceStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step that an application took for an answer: a span of OpenTelemetry."""

    name: str
    """Name of the span."""
    depth: int = 0
    """How deep it is in the tree of spans, from 0; a step comes after its parent."""
    start_ms: float = 0
    """Milliseconds from the start of the first step."""
    duration_ms: float = 0
    """Milliseconds that it took."""
    error: str | None = None
    """What its status says, if that is an error."""
    attributes: dict[str, Any] = {}
    """Its attributes, long texts cut."""


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What an application did for an answer. It is shown, and no check or judge sees it."""

    url: str | None = None
    """Where it is shown, for an application that returns an address."""
    steps: tuple[TraceStep, ...] = ()
    """Its steps, for an application that returns spans."""
    left_out: int = 0
    """Further steps, which are not recorded."""
