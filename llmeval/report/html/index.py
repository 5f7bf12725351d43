"""The index: what the page knows of every row without opening its chunk."""

from llmeval.core.question import shown_question
from llmeval.core.records import Score, Status
from llmeval.report.html.row import ReportRow
from llmeval.report.html.triage import Triage
from llmeval.report.html.visible import clip, has_hidden

COLUMNS = (
    "id",
    "rep",
    "queue",
    "prio",
    "state",
    "now",
    "was",
    "ask",
    "why",
    "tags",
    "flags",
    "chunk",
    "ms",
    "len",
    "value",
)
"""id · repeat · queue 1-7 · priority · letter of the state · a letter a metric now, and before ·
first words of the question · why the row is here · number of the tag combination · flag bits ·
chunk or -1 · latency · length of the answer · mean value in thousandths"""

FLAGS = ("cached", "cut", "hidden", "quote", "changed", "advice", "disagrees", "unsteady")
"""answer from cache · cut off at the token limit · hidden characters · a quote that is not in the
answer · the case differs from the baseline's · findings in the text · see queue 3 · passed and
failed by turns in past runs"""

LETTERS: dict[str, str] = {
    Status.PASS: "p",
    Status.FAIL: "f",
    Status.UNSCORED: "u",
    Status.NOT_SCORED: "n",
    Status.ERROR: "e",
    Status.NEEDS_REVIEW: "o",
    Status.NOT_APPLICABLE: "-",
}
_ASK, _WHY = 90, 110


class Indexer:
    """Makes index entries; learns the metrics and the tag combinations as it goes."""

    def __init__(self, compared: bool) -> None:
        self._compared = compared
        self._metrics: dict[str, int] = {}
        self._combos: dict[tuple[tuple[str, str], ...], int] = {}

    flags = FLAGS

    @property
    def metrics(self) -> list[str]:
        """Metric names in the order of their letters."""
        return list(self._metrics)

    @property
    def tags(self) -> list[str]:
        """Tag names."""
        return sorted({tag for combo in self._combos for tag, _ in combo})

    @property
    def combos(self) -> list[dict[str, str]]:
        """Tag combinations in the order of their numbers."""
        return [dict(combo) for combo in self._combos]

    def entry(
        self, row: ReportRow, place: Triage, chunk: int, unsteady: bool = False
    ) -> tuple[object, ...]:
        """One row's values in the order of COLUMNS."""
        answer = row.now.answer
        tags = tuple(row.case.tags.items())
        values = [score.value for score in row.now.scores if score.value is not None]
        return (
            row.case.id,
            answer.repeat,
            int(place.queue),
            round(place.priority, 4),
            LETTERS[place.state],
            self._letters(row.now.scores),
            self._letters(row.before.scores)
            if row.before is not None and not row.case_changed
            else "",
            clip(shown_question(row.case), _ASK),
            clip(why(row, place), _WHY),
            self._combos.setdefault(tags, len(self._combos)),
            self._flags(row, place, unsteady),
            chunk,
            None if answer.latency_ms is None else round(answer.latency_ms),
            len(answer.text),
            round(1000 * sum(values) / len(values)) if values else None,
        )

    def _letters(self, scores: tuple[Score, ...]) -> str:
        letters = ["-"] * len(self._metrics)
        for score in scores:
            at = self._metrics.setdefault(score.metric, len(self._metrics))
            if at == len(letters):
                letters.append("-")
            letters[at] = LETTERS[score.status]
        return "".join(letters)

    def _flags(self, row: ReportRow, place: Triage, unsteady: bool) -> int:
        answer, scores = row.now.answer, row.now.scores
        flags = (
            answer.cached,
            answer.finish_reason == "length",
            has_hidden(answer.text),
            any(
                score.details is not None and score.details.get("quote_found") is False
                for score in scores
            ),
            row.case_changed,
            any(score.evidence and score.source == "check" for score in scores),
            bool(place.disagreement),
            unsteady,
        )
        return sum(1 << bit for bit, on in enumerate(flags) if on)


def why(row: ReportRow, place: Triage) -> str:
    """Why the row is where it is; the answer's first words when nothing is wrong."""
    if row.now.answer.error is not None:
        return f"{row.now.answer.error.kind} error: {row.now.answer.error.message}"
    for score in row.now.scores:
        if score.status in (Status.ERROR, Status.UNSCORED):
            return f"{score.metric}: {score.unscored or score.reason}"
    if place.disagreement:
        return place.disagreement
    named = (*place.regressed, *place.failing)
    for score in row.now.scores:
        if named and score.metric == named[0]:
            return f"{score.metric}: {score.reason}"
    return row.now.answer.text
