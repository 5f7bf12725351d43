"""The cases of a run that did not pass."""

from llmeval.core.outcome import Outcome
from llmeval.gate.human_labels import decide_unit, people_of
from llmeval.store.directory import RunDir


def failed_ids(run: RunDir) -> tuple[str, ...]:
    """Ids of the cases with an answer that did not pass, in the order of the run. Cases that the
    run has no answer for, as it was interrupted, are among them.

    Raises:
        StoreError: a file of the run was changed, or is not of llmeval.
    """
    people = people_of(run.path)[0]
    passed: dict[str, bool] = {case.id: False for case in run.outlines()}
    answered: set[str] = set()
    for unit in run.units():
        ok = decide_unit(unit, people).outcome is Outcome.PASS
        passed[unit.case.id] = ok and (passed[unit.case.id] or unit.case.id not in answered)
        answered.add(unit.case.id)
    return tuple(name for name, ok in passed.items() if not ok)
