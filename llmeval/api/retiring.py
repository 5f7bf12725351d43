"""Retired cases held against the baseline that they are retired from."""

from pathlib import Path

from llmeval.data.cases import CaseSet
from llmeval.suite.loader import Suite
from llmeval.suite.retired import Retirement, refuse_asked


def check_retired(
    suite: Suite, retired: Retirement, cases: CaseSet, baseline: Path | None = None
) -> None:
    """Refuse an entry whose case the suite still asks as its baseline does.

    Args:
        suite, retired, cases: the suite, its entries and its cases.
        baseline: the baseline where the suite names none, or none that exists: a lock file or the
            directory of a run.

    Raises:
        SuiteError: such an entry, with file and line; or the baseline can't be read.
    """
    if not retired.rows:
        return
    from llmeval.gate.baseline import read_baseline

    regression = suite.spec.gate.regression
    stated = (
        None
        if regression is None or regression.baseline is None
        else suite.base / regression.baseline
    )
    if regression is not None and stated is None and baseline is None:
        return  # what the baseline asked is not known yet
    path = stated if stated is not None and stated.exists() else baseline
    before = {} if path is None or not path.exists() else read_baseline(path).everything()
    refuse_asked(suite, retired, cases.everything(), before)
