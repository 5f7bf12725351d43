"""Run directories written from values, without asking anything."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmeval.core.records import Answer, Case, Score, Status
from llmeval.store.directory import RunDir
from tests.report.html_samples import manifest, write_run

JUDGED = "correctness"


def run_of(
    path: Path,
    values: Mapping[str, Sequence[float | None]],
    *,
    tags: Sequence[Mapping[str, str]] = (),
    clusters: Sequence[str] = (),
    content: str = "1",
    more: Sequence[Mapping[str, Sequence[float | None]]] = (),
    **about: Any,
) -> RunDir:
    """A complete run: by metric a value a case (None: unscored). Cases c0, c1, ...; `correctness`
    is judged.

    `content`: what the cases' digests are made of. `more`: the values of further answers to each
    case. `about`: over the manifest's own keys.
    """
    n = max(len(column) for column in values.values())
    cases = [
        Case(
            f"c{i}", {"question": f"What is {i}?"}, tags=dict(tags[i]) if tags else {},
            cluster=clusters[i] if clusters else None, digest=f"sha256:{i:015x}{content}" + "0" * 48,
        )
        for i in range(n)
    ]  # fmt: skip
    places = [(repeat, case) for repeat in range(1 + len(more)) for case in cases]
    answers = [
        Answer(
            case_id=case.id,
            repeat=repeat,
            output=f"{path.name} says {case.id}{f' again, {repeat}' if repeat else ''}",
        )
        for repeat, case in places
    ]
    scores = [
        _score(case.id, metric, column[int(case.id[1:])], repeat)
        for repeat, case in places
        for metric, column in (values, *more)[repeat].items()
    ]
    return RunDir(write_run(path, cases, answers, scores, None, manifest(path.name, n, **about)))


def _score(case_id: str, metric: str, value: float | None, repeat: int = 0) -> Score:
    source: Any = "judge" if metric == JUDGED else "check"
    if value is None:
        return Score(
            case_id=case_id,
            repeat=repeat,
            metric=metric,
            status=Status.UNSCORED,
            unscored="no verdict",
            source=source,
        )
    passed = value >= 0.5
    return Score(
        case_id=case_id, repeat=repeat, metric=metric,
        status=Status.PASS if passed else Status.FAIL, value=value, passed=passed,
        source=source,
    )  # fmt: skip
