"""D015, D018, D019 and D020: age, ids, changes since the baseline, and origin of the cases."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from llmeval.datatests.accepted import accepted_path, read_accepted
from llmeval.datatests.distribution import suite_finding
from llmeval.datatests.findings import CasePlace, DataFinding, SuiteCase, finding, named
from llmeval.gate.baseline import read_baseline
from llmeval.runner.expired import last_day
from llmeval.suite.loader import Suite

GENRE = 0.1
"""The share of cases from which questions about the present are the genre of the suite."""
_STRONG = re.compile(
    r"\b(?:current(?:ly)?|latest|newest|nowadays|today|now|still|at the moment|as of now|so far|"
    r"(?:this|next) (?:year|season|month|week|election|world cup|olympics)|next|upcoming)\b"
)
"""Words whose flags are right in 74 % of web questions (EVOUNA-NQ), at a recall of 10 %."""
_NOT_TIME = re.compile(r"\bnext to\b|\bstill life\b|\bcurrent (?:through|flow|in a|of a)\b")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")


class Staleness:
    """D015: a case past its last day; a question whose answer changes, without a date."""

    def __init__(self, suite: Suite, today: date) -> None:
        self._suite, self._today = suite, today
        self._expired: list[tuple[CasePlace, date]] = []
        self._flagged: list[tuple[CasePlace, str]] = []
        self._n = 0

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        self._n += 1
        day = last_day(case.case)
        if day is not None:
            if day < self._today:
                self._expired.append((case.place, day))
            return
        dated = case.case.fields.get("valid_as_of") or case.case.context
        if dated or not case.references or _YEAR.search(case.question):
            return
        match = _STRONG.search(case.question)
        if match and not _NOT_TIME.search(case.question):
            self._flagged.append((case.place, match[0]))

    def findings(self) -> Iterator[DataFinding]:
        """An error for each expired case; a note for each undated question."""
        for place, day in self._expired:
            yield finding(
                "D015",
                "error",
                [place],
                f"{place.id} expired on {day.isoformat()}; a run counts it in no rule",
                "Check the reference, then change or remove `expires`",
            )
        if len(self._flagged) >= max(2, GENRE * self._n):
            places = [place for place, _ in self._flagged]
            yield finding(
                "D015",
                "info",
                places,
                f"{len(places):,} of {self._n:,} questions are about the present, so their answers"
                " change",
                "Give each `valid_as_of` or `expires`, and check the references regularly",
            )
            return
        for place, word in self._flagged:
            yield finding(
                "D015",
                "info",
                [place],
                f"the answer of {place.id} may change with time (`{word}`)",
                "Give it `valid_as_of` or `expires`",
                evidence=word,
            )


class CaseIds:
    """D018: ids that change or that people confuse."""

    def __init__(self) -> None:
        self._derived: list[CasePlace] = []
        self._alike: dict[str, list[CasePlace]] = defaultdict(list)

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        place = case.place
        if re.fullmatch(r"[0-9a-f]{16}", place.id):
            self._derived.append(place)
        self._alike["".join(place.id.casefold().split())].append(place)

    def findings(self) -> Iterator[DataFinding]:
        """One note on cases without an id; a warning for ids that differ in case or spaces."""
        if self._derived:
            yield finding(
                "D018",
                "info",
                self._derived,
                f"{len(self._derived):,} cases have no `id`: {named(self._derived)}",
                "Give each an `id`: a derived id changes with every edit of the case",
            )
        for places in self._alike.values():
            if len(places) > 1:
                yield finding(
                    "D018",
                    "warn",
                    places,
                    f"ids differ only in letter case or spaces: {named(places)}",
                    "Make the ids different",
                )


class BaselineChanges:
    """D019: cases that changed since the baseline, by name."""

    def __init__(self, suite: Suite, baseline: Path | None) -> None:
        regression = suite.spec.gate.regression
        stated = None if regression is None else regression.baseline
        path = baseline or (None if stated is None else suite.base / stated)
        exists = path is not None and (baseline is not None or path.exists())
        self._path = path
        self._before = read_baseline(path).everything() if path is not None and exists else {}
        self._changed: list[CasePlace] = []
        self._added: list[CasePlace] = []
        self._seen = set[str]()
        self._suite = suite

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        if not self._before:
            return
        place = case.place
        self._seen.add(place.id)
        before = self._before.get(place.id)
        if before is None:
            self._added.append(place)
        elif before != place.digest:
            self._changed.append(place)

    def findings(self) -> Iterator[DataFinding]:
        """A warning on changed cases, one on cases that are gone, a note on new cases."""
        if self._changed:
            yield finding(
                "D019",
                "warn",
                self._changed,
                f"{len(self._changed):,} cases changed since {self._path}: {named(self._changed)}",
                "List them with a reason in retired.yaml, or approve a new baseline",
            )
        gone = sorted(set(self._before) - self._seen)
        if gone:
            more = f" and {len(gone) - 5:,} more" if len(gone) > 5 else ""
            yield suite_finding(
                self._suite,
                ("cases",),
                "D019",
                "warn",
                f"{len(gone):,} cases of {self._path} are gone: {', '.join(gone[:5])}{more}",
                "List them with a reason in retired.yaml, or restore them",
            )
        if self._added:
            yield finding(
                "D019",
                "info",
                self._added,
                f"{len(self._added):,} cases are new since {self._path}: {named(self._added)}",
                "Approve a new baseline to compare them as well",
            )


class Origin:
    """D020: a data set without a source and a licence."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`. The rule is about the suite."""

    def findings(self) -> Iterator[DataFinding]:
        """A note if `source` or `licence` is missing in `<suite>.data.yaml`."""
        about = read_accepted(self._suite)
        missing = [
            key
            for key, value in (("source", about.source), ("licence", about.licence))
            if not value
        ]
        if missing:
            keys = " and ".join(f"`{key}:`" for key in missing)
            yield suite_finding(
                self._suite,
                ("cases",),
                "D020",
                "info",
                f"the data set states no {' and no '.join(missing)}",
                f"Write {keys} into {accepted_path(self._suite).name}",
            )
