"""The cases of a run, or of a suite's last runs, that did not pass."""

from pathlib import Path
from typing import NamedTuple

from llmeval.core.outcome import Outcome
from llmeval.gate.human_labels import decide_unit, people_of
from llmeval.history.runs import ended_of
from llmeval.store.directory import RunDir


class LastFailed(NamedTuple):
    """The cases that still fail."""

    ids: tuple[str, ...]
    """In the order of the runs."""
    run_id: str
    """The run that they come from: the newest whole run, or the oldest partial one without it."""


def last_failed(suite: str, reports: Path) -> LastFailed:
    """The cases that did not pass in the newest whole run of a suite, brought up to date by the
    partial runs of the same candidate since then: a case that passed there is left out, a case that
    did not pass there is added. So a case stays until it ran again and passed, as with pytest's
    `--last-failed`.

    Raises:
        StoreError: there is no run of the suite, or a file of one was changed.
    """
    runs = _since_whole(suite, reports)
    first = runs[0].manifest()
    failing: dict[str, None] = {}
    for run in runs:
        if run.manifest().candidate.name != first.candidate.name:
            continue
        for name, passed in outcomes(run).items():
            if passed:
                failing.pop(name, None)
            else:
                failing[name] = None
    return LastFailed(tuple(failing), first.run_id)


def _since_whole(suite: str, reports: Path) -> list[RunDir]:
    """The newest whole run of a suite and the partial runs after it, the oldest first; all partial
    runs if there is no whole run.
    """
    runs: list[RunDir] = []
    for run in ended_of(suite, reports):
        runs.insert(0, run)
        if run.manifest().selection is None:
            break
    return runs


def failed_ids(run: RunDir) -> tuple[str, ...]:
    """Ids of the cases with an answer that did not pass, in the order of the run. Cases that the
    run has no answer for, as it was interrupted, are among them.

    Raises:
        StoreError: a file of the run was changed, or is not of llmeval.
    """
    return tuple(name for name, passed in outcomes(run).items() if not passed)


def outcomes(run: RunDir) -> dict[str, bool]:
    """By id, whether every answer to a case passed. A case without an answer did not pass.

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
    return passed
