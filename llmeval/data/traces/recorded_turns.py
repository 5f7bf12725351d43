"""One turn of a recorded conversation: the message of the user, and the reply with its calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class RecordedCall:
    """A call of a tool. `id`: by which a result names its call; empty where there is none."""

    name: str
    arguments: object = None
    result: object = None
    id: str = ""

    @property
    def as_json(self) -> dict[str, object]:
        """The call as a `replay` row has it."""
        call = {"name": self.name, "arguments": self.arguments}
        return call if self.result is None else {**call, "result": self.result}


@dataclass
class RecordedPassages:
    """Passages that were retrieved. `texts` is empty where only ids are recorded."""

    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add(self, identifier: object, text: object) -> None:
        """One passage. Without an id it gets its number."""
        number = str(len(self.ids) + 1)
        self.ids.append(number if identifier in (None, "") else str(identifier))
        if isinstance(text, str) and text:
            # One that has no text must not shift the others.
            self.texts += [""] * (len(self.ids) - 1 - len(self.texts)) + [text]


@dataclass
class RecordedTurn:
    """A message of the user, and what the application did and replied."""

    user: str
    output: str | None = None
    calls: list[RecordedCall] = field(default_factory=list)
    passages: RecordedPassages = field(default_factory=RecordedPassages)
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: float | None = None
    error: str = ""
    """Why there is no output; empty where there is one."""
    trace: list[Mapping[str, object]] = field(default_factory=list)
    """The spans of this turn, as OTLP-JSON writes spans."""
