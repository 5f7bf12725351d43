"""The judge's verdicts on the first answer to each case, where a run has several: people label
single answers, so a regression that labels decide compares the first answers.

The first answer is as good as any: the answers to one case are draws of the same model, and which
one came first does not depend on how good it is.
"""

from collections.abc import Sequence

from llmeval.core.baseline_lock import FirstAnswers
from llmeval.core.records import Answer, Score, Status
from llmeval.gate.answer_digest import output_digest

MISSING, GRADED = "-", "?"
"""No verdict; a score that is neither 0 nor 1."""


class FirstVerdicts:
    """By case number, what the first answer is and what judges say of it. It holds nothing of a run
    with one answer a case, whose lock file and columns have the same.
    """

    def __init__(self, repeats: int) -> None:
        self._several = repeats > 1
        self._outputs: dict[int, str] = {}
        self._letters: dict[str, dict[int, str]] = {}

    def take(self, row: int, answer: Answer, scores: Sequence[Score]) -> None:
        """Take an answer with its scores; only the first one counts."""
        if not self._several or answer.repeat:
            return
        self._outputs[row] = output_digest(answer)
        for score in scores:
            if score.source == "judge":
                self._letters.setdefault(score.metric, {})[row] = _letter(score)

    def letter(self, metric: str, row: int) -> str:
        """y (pass), n (fail), `MISSING` or `GRADED`."""
        return self._letters.get(metric, {}).get(row, MISSING)

    def output(self, row: int) -> str:
        """`output_digest` of the answer; that of no text where there is none."""
        return self._outputs.get(row, "0" * 16)

    def kept(self, rows: Sequence[int], metrics: Sequence[str]) -> FirstAnswers:
        """What a lock file keeps of these cases, without metrics that have grades."""
        letters = {name: "".join(self.letter(name, row) for row in rows) for name in metrics}
        return FirstAnswers(
            tuple(self.output(row) for row in rows),
            {name: passed for name, passed in letters.items() if GRADED not in passed},
        )


def _letter(score: Score) -> str:
    if score.status not in (Status.PASS, Status.FAIL):
        return MISSING
    if score.value not in (0, 1):
        return GRADED
    return "y" if score.passed else "n"
