"""The interface of what works through the units of a run. `Pipeline` does it in this process,
`BatchExecutor` with workers in other processes. A shard of a run is a pipeline with fewer cases.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from llmeval.core.manifest import Ending
from llmeval.core.records import Case
from llmeval.store.units import Unit


class WorkItem(NamedTuple):
    """One unit that is left to do."""

    case: Case
    repeat: int
    """From 0."""


class Executor(Protocol):
    """Works through the units of one run, each once.

    Results come in batches: handing over each by itself would wake the reader once a unit, and on
    another machine it would cost a message a unit. The pipeline hands over what became ready in
    ten milliseconds.
    """

    @property
    def ending(self) -> Ending:
        """Why the results ended; "complete" while they go on."""
        ...

    @property
    def reason(self) -> str:
        """Why the run is not complete, for people; empty where it is."""
        ...

    @property
    def returned(self) -> Mapping[str, set[str]]:
        """What the candidate's endpoint said that it is: `returned_models` and `fingerprints`."""
        ...

    @property
    def judges(self) -> Mapping[str, set[str | None]]:
        """By metric, the digests of the judges that the scores of this session name."""
        ...

    def results(self, items: Iterable[WorkItem]) -> AsyncGenerator[Sequence[Unit], None]:
        """The units that are done, in the order in which they became ready.

        A unit is in the run's records before it is handed over, so a reader that is killed loses
        nothing. Closing the iterator ends the calls in flight.

        Args:
            items: read lazily, one each time that there is room for it.

        Raises:
            StoreError: a record can't be written.
        """
        ...
