"""The review queue of doubtful references: the findings of D016, with every stored answer."""

import contextlib
from pathlib import Path

from llmeval.core.errors import StoreError
from llmeval.core.manifest import Manifest
from llmeval.core.records import Score
from llmeval.datatests.stored_runs import MOST_RUNS, StoredRuns, misses_reference
from llmeval.datatests.suite_cases import CaseReader
from llmeval.history.runs import recorded
from llmeval.review.references import DoubtfulCase, StoredAnswer
from llmeval.store.directory import RunDir

MOST_ANSWERS = 12
"""The most answers of one case, one for each candidate."""


def doubtful_cases(run: RunDir, reports: Path, most: int) -> list[DoubtfulCase]:
    """The cases of a run whose reference stored runs speak against, the most doubtful first.

    Args:
        run: its cases are tested, and its suite's name selects the stored runs.
        reports: the folder of the runs.
        most: the most cases.

    Raises:
        StoreError: the run can't be read.
    """
    suite = run.manifest().suite
    test, reader = StoredRuns(suite, reports), CaseReader(())
    cases = {}
    for case in run.cases():
        cases[case.digest] = item = reader.read(case)
        test.add(item)
    reasons = {
        name: finding.message
        for finding in test.findings()
        if finding.rule == "D016"
        for name in finding.cases
    }
    places = {item.place.id: digest for digest, item in cases.items()}
    chosen = [name for name in reasons if name in places][:most]
    answers = _answers(suite, reports, {places[name] for name in chosen})
    return [
        DoubtfulCase(
            name,
            places[name],
            _question(cases[places[name]].case.fields),
            cases[places[name]].case.references,
            reasons[name],
            tuple(answers.get(places[name], {}).values()),
        )
        for name in chosen
    ]


def _question(fields: dict[str, object]) -> str:
    """The texts of the case, each after its field."""
    texts = [f"{name}: {value}" for name, value in fields.items()]
    only = list(fields.values())
    return str(only[0]) if len(only) == 1 else "\n".join(texts)


def _answers(suite: str, reports: Path, case_ids: set[str]) -> dict[str, dict[str, StoredAnswer]]:
    """By digest of the case and of the candidate, the newest answer."""
    answers: dict[str, dict[str, StoredAnswer]] = {digest: {} for digest in case_ids}
    read = 0
    for path, manifest, _ in recorded(reports):
        if manifest.suite != suite:
            continue
        read += 1
        if read > MOST_RUNS or not case_ids:
            break
        with contextlib.suppress(StoreError):  # D016 names a run that can't be read
            _add_run(RunDir(path), manifest, answers)
    return answers


def _add_run(run: RunDir, manifest: Manifest, answers: dict[str, dict[str, StoredAnswer]]) -> None:
    candidate = manifest.digests.candidate
    for unit in run.units():
        kept = answers.get(unit.case.digest)
        if kept is None or candidate in kept or len(kept) >= MOST_ANSWERS:
            continue
        if unit.answer.output is not None:
            kept[candidate] = StoredAnswer(
                manifest.candidate.name, manifest.run_id, unit.answer.text, _passed(unit.scores)
            )


def _passed(scores: tuple[Score, ...]) -> bool | None:
    missed = misses_reference(scores)
    return None if missed is None else not missed
