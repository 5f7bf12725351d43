"""What a trace or a log records of an application: conversations, each with its turns."""

from dataclasses import dataclass, field

from llmeval.data.traces.recorded_turns import RecordedCall as RecordedCall
from llmeval.data.traces.recorded_turns import RecordedPassages as RecordedPassages
from llmeval.data.traces.recorded_turns import RecordedTurn as RecordedTurn
from llmeval.importers.recorded.suites import ToolScore


@dataclass
class RecordedConversation:
    """One case. A single prompt is a conversation of one turn."""

    id: str
    """As the tool names it; unique after `unique_ids`."""
    turns: list[RecordedTurn]
    system: str = ""
    model: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    scores: dict[str, ToolScore] = field(default_factory=dict)
    """By metric, what the tool recorded about the last reply."""
