"""One pass over the records of a run, for everybody who needs them.

The summary, the report, JUnit, Markdown and the CI's annotations all come from the same pass. So
each file is read twice: once to check it and to index it, once for its content.
"""

from collections.abc import Callable, Mapping, Sequence

from llmeval.core.manifest import Manifest
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.human_labels import DecidedUnit, decide_unit, labels_of
from llmeval.gate.run_numbers import NumberInputs
from llmeval.store.directory import CaseOutline
from llmeval.store.labels import AnswerKey
from llmeval.store.run_store import RunStore
from llmeval.store.units import StoredUnit

OnCase = Callable[[CaseOutline], None]
"""Takes a case of a run. All cases come before the first answer; one may come twice."""
OnUnit = Callable[[DecidedUnit[StoredUnit]], None]
"""Takes an answer with its scores."""


def read_run(
    run: RunStore,
    people: Mapping[AnswerKey, bool],
    on_case: Sequence[OnCase],
    on_unit: Sequence[OnUnit],
) -> None:
    """Read the cases, answers and scores of a run once.

    Args:
        run: the run.
        people: what people agree on (`people_of`); it decides open scores.
        on_case, on_unit: what takes them.

    Raises:
        StoreError: a file was changed or is not of llmeval. What was taken then counts for nothing.
    """
    for case in run.outlines():
        for take_case in on_case:
            take_case(case)
    with run.open() as reader:
        for unit in reader.units():
            decided = decide_unit(unit, people)
            for take_unit in on_unit:
                take_unit(decided)


def aggregate_run(
    run: RunStore,
    manifest: Manifest,
    on_case: Sequence[OnCase] = (),
    on_unit: Sequence[OnUnit] = (),
) -> RunAggregate:
    """The numbers of a run so far, from its records; what was left to people is decided by their
    labels.

    Args:
        run: the run.
        manifest: the run's, maybe with another gate or quarantine than it was made by.
        on_case, on_unit: take the same pass.

    Raises:
        StoreError: as `read_run`.
    """
    people = labels_of(run.path)
    aggregate = RunAggregate(
        run.path,
        repeats=manifest.repeats,
        people=people.verdicts,
        drawn=people.drawn,
        undecided=people.undecided,
        revised=people.revised,
        quarantined=manifest.quarantined,
        ordered=manifest.may_stop,
        numbers=NumberInputs(manifest.measure, manifest.candidate.price),
    )
    read_run(run, people.verdicts, (aggregate.add_case, *on_case), (aggregate.take, *on_unit))
    for judge_probe in run.judge_probes():
        aggregate.add_judge_probe(judge_probe)
    return aggregate
