"""The answers and scores of an earlier part of a run."""

from dataclasses import dataclass, field

from llmeval.store.directory import UnitKey


@dataclass
class RecordedAnswers:
    """The records of an earlier part of this run: answers that need no call, and whether their
    scores are complete.

    `checked`: answers whose checks are scored, but which still need a judge.
    """

    answers: dict[UnitKey, int]
    scored: set[UnitKey]
    cases: set[str]
    checked: set[UnitKey] = field(default_factory=set)
