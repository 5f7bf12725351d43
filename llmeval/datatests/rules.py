"""The data tests by their ids. Thresholds are fixed, because they were measured."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from llmeval.datatests.degenerate import DegenerateAnswers
from llmeval.datatests.distribution import AnswerBias, SliceSizes
from llmeval.datatests.duplicates import Duplicates
from llmeval.datatests.findings import DataTest
from llmeval.datatests.leaks import CorpusLeaks, PromptLeaks
from llmeval.datatests.prompt_length import PromptLength
from llmeval.datatests.stored_runs import StoredRuns
from llmeval.datatests.text_defects import Encodings, Placeholders, Privacy
from llmeval.datatests.time_and_origin import BaselineChanges, CaseIds, Origin, Staleness
from llmeval.suite.loader import Suite


class RuleInputs(NamedTuple):
    """What a test may read besides the cases."""

    suite: Suite
    reports: Path | None
    """The folder of the runs."""
    against: Path | None
    """A corpus."""
    baseline: Path | None
    """A lock file."""
    today: date


class DataRule(NamedTuple):
    """One test, and the ids of its findings."""

    ids: tuple[str, ...]
    make: Callable[[RuleInputs], DataTest]
    slow: bool = False
    """Whether `--fast` leaves it out."""


RULES: tuple[DataRule, ...] = (
    DataRule(("D001", "D002a", "D002b", "D003"), lambda inputs: Duplicates()),
    DataRule(("D004",), lambda inputs: PromptLeaks(inputs.suite)),
    DataRule(("D005",), lambda inputs: CorpusLeaks(inputs.against), slow=True),
    DataRule(("D006",), lambda inputs: Placeholders()),
    DataRule(("D007",), lambda inputs: SliceSizes(inputs.suite)),
    DataRule(("D008",), lambda inputs: AnswerBias(inputs.suite)),
    DataRule(("D010",), lambda inputs: PromptLength(inputs.suite)),
    DataRule(("D011a", "D011b", "D011c", "D011d", "D011e"), lambda inputs: Encodings()),
    DataRule(("D012", "D013"), lambda inputs: Privacy()),
    DataRule(("D015",), lambda inputs: Staleness(inputs.suite, inputs.today)),
    DataRule(("D018",), lambda inputs: CaseIds()),
    DataRule(("D019",), lambda inputs: BaselineChanges(inputs.suite, inputs.baseline)),
    DataRule(("D020",), lambda inputs: Origin(inputs.suite)),
    DataRule(
        ("D016", "D022"), lambda inputs: StoredRuns(inputs.suite.name, inputs.reports), slow=True
    ),
    DataRule(("D021",), lambda inputs: DegenerateAnswers(inputs.suite), slow=True),
)
"""The slow ones are last, except D005, which reads nothing without a corpus."""
