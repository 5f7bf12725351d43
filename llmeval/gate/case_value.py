"""The result of one case on one metric."""

import math
from typing import NamedTuple


class CaseValue(NamedTuple):
    """The result of one case on one metric: the mean of its repeats (NaN without a result), and
    whether it passed.
    """

    case_id: str
    digest: str
    cluster: str | None
    value: float
    passed: bool

    def score(self, passes: bool) -> float:
        """The value; if `passes`, 1 of a case that passed and 0 of another, NaN without a
        result.
        """
        return float(self.passed) if passes and not math.isnan(self.value) else self.value
