"""The comments of people on one case, next to the case as it is in the newest run."""

from pathlib import Path

from llmeval.core.errors import LlmevalError
from llmeval.history.experiment_store import ExperimentStore, RunQuery
from llmeval.store.case_comments import ShownComment, comments_near, shown
from llmeval.store.directory import CASES, RunDir
from llmeval.store.record_lines import on_disk


def remarks_on(
    store: ExperimentStore, query: RunQuery, suite: str, case_id: str
) -> list[ShownComment]:
    """Comments on a case, by time.

    They are read from the folder of the newest run that is on this machine. Without one there are
    none: the database of the history has no texts.

    Args:
        store: the history.
        query: which runs.
        suite: the name of the suite.
        case_id: the case.
    """
    for row in store.runs(query.where("suite", suite)):
        path = Path(row.path)
        if not on_disk(path / CASES).is_file():
            continue
        comments = [each for each in comments_near(path, suite) if each.case_id == case_id]
        if not comments:
            return []
        try:
            digests = {case.id: case.digest for case in RunDir(path).outlines()}
        except LlmevalError:
            continue
        if case_id in digests:
            return shown(comments, {case_id: digests[case_id]})
    return []
