"""What the rooms above read of a run, wherever it is stored. `RunDir` is the one that exists."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from llmeval.core.judge_probe import JudgeProbe
from llmeval.core.manifest import Manifest
from llmeval.core.record_index import UnitKey
from llmeval.core.records import Answer, Case, Score
from llmeval.core.results import Summary
from llmeval.store.directory import CaseOutline
from llmeval.store.units import StoredUnit, UnitReader


class RunStore(Protocol):
    """Read access to one run. What is missing, damaged or newer is an error when it is read.

    Raises:
        StoreError: by every method, naming the file and the line where it can.
    """

    @property
    def path(self) -> Path:
        """Where the run is: the directory of its files, and of its labels."""

    def exists(self) -> bool:
        """Whether a run was ever started here."""

    def manifest(self) -> Manifest:
        """Who ran what, with what."""

    def has_summary(self) -> bool:
        """Whether the run ever came to an end."""

    def summary(self) -> Summary:
        """The results, written when the run ended."""

    def verify(self) -> None:
        """Check all records."""

    def outlines(self) -> Iterator[CaseOutline]:
        """Each case without its texts, in the order asked."""

    def cases(self) -> Iterator[Case]:
        """Each case once, in the order asked."""

    def answers(self) -> Iterator[Answer]:
        """The answer that counts for each (case, repeat)."""

    def scores(self) -> Iterator[tuple[UnitKey, tuple[Score, ...]]]:
        """The scores that count for each (case, repeat)."""

    def units(self) -> Iterator[StoredUnit]:
        """Each (case, repeat) with its case, answer and scores."""

    def open(self) -> UnitReader:
        """A reader of single units."""

    def judge_probes(self) -> list[JudgeProbe]:
        """The verdicts of judges on attacks and anchors."""
