"""D007 and D008: slices that are too small, and answers that a guess gets right."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from llmeval.core.formatting import percent
from llmeval.core.metric_ref import cluster_key, parse_metric_ref
from llmeval.datatests.findings import CasePlace, DataFinding, FindingLevel, SuiteCase
from llmeval.gate.rules.threshold import floor_rates
from llmeval.planning.sample_size import plan_floor
from llmeval.suite.loader import Suite

COMMON = 0.2
"""The share of cases with one reference from which a constant answer is worth something."""
FEWEST = 20
"""With fewer cases, D008 reports nothing."""
LABELS = 6
"""The most different references that count as labels."""
_Z = 2.576
"""The two-sided 99 % point of the normal distribution."""
_OPENING_SHARE, _OPENING_RATIO = 0.1, 3.0
_OPTION_FIELDS = ("choices", "options")
_WRONG_FIELDS = ("incorrect_answers", "distractors", "wrong_answers")
_NEGATIONS = frozenset("no nothing none never nobody nowhere not neither".split())


class SliceSizes:
    """D007: a floor whose cases are fewer than `llmeval plan` needs.

    The planned pass rate is the midpoint between the floor and 100 %, as in `llmeval plan` without
    past runs.
    """

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        gate = suite.spec.gate.record()
        self._alpha = gate.first_rates[0]
        self._floors = floor_rates(gate.floors)
        self._clusters: dict[str, list[str]] = {key: [] for key in self._floors}

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        for key, clusters in self._clusters.items():
            where = parse_metric_ref(key)[1]
            if where is None or case.case.tags.get(where[0]) == where[1]:
                clusters.append(cluster_key(case.place.id, case.case.cluster))

    def findings(self) -> Iterator[DataFinding]:
        """A warning for each floor with too few cases."""
        for key, clusters in self._clusters.items():
            floor = self._floors[key]
            if "*" in key or not clusters:
                continue
            size = plan_floor(key, floor, (1 + floor) / 2, clusters, self._alpha)
            if size.needed is None or size.needed <= len(clusters):
                continue
            yield suite_finding(
                self._suite,
                ("gate", "floors", key),
                "D007",
                "warn",
                f"gate.floors.{key} has {len(clusters):,} cases; `llmeval plan` needs about"
                f" {size.needed:,} to show {percent(floor)} of a model that passes"
                f" {percent((1 + floor) / 2)}",
                "Add cases to it, or lower the floor",
            )


class AnswerBias:
    """D008: one common reference, labels or positions of unequal share, telling opening words."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._n = 0
        self._references: Counter[str] = Counter()
        self._positions: Counter[int] = Counter()
        self._sizes: Counter[int] = Counter()
        self._right: Counter[str] = Counter()
        self._wrong: Counter[str] = Counter()
        self._with_options = 0
        self._first: CasePlace | None = None

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        self._first = self._first or case.place
        if not case.references:
            return
        self._n += 1
        if len(self._references) < 200_000 or case.references[0] in self._references:
            self._references[case.references[0]] += 1
        self._add_options(case)

    def _add_options(self, case: SuiteCase) -> None:
        fields = case.case.fields
        options = next((_texts(fields[n]) for n in _OPTION_FIELDS if _texts(fields.get(n))), [])
        wrong = next((_texts(fields[n]) for n in _WRONG_FIELDS if _texts(fields.get(n))), [])
        position = _position(options, case.references[0])
        if position is not None:
            self._positions[position] += 1
            self._sizes[len(options)] += 1
            wrong = [text for number, text in enumerate(options) if number != position]
        if wrong:
            right = list(case.references) if position is None else [options[position]]
            self._with_options += 1
            self._right.update(map(_opening, right))
            self._wrong.update(map(_opening, wrong))

    def findings(self) -> Iterator[DataFinding]:
        """A warning for each kind of bias."""
        if self._n < FEWEST:
            return
        yield from self._labels()
        yield from self._places()
        yield from self._openings()

    def _labels(self) -> Iterator[DataFinding]:
        common, count = self._references.most_common(1)[0]
        kinds = len(self._references)
        if 2 <= kinds <= LABELS:
            shares = {label: n / self._n for label, n in self._references.items()}
            yield from self._unequal("the label", shares, self._n)
        elif count >= COMMON * self._n:
            yield self._warning(
                f"the reference {common!r} is right in {count:,} of {self._n:,} cases"
                f" ({percent(count / self._n)}), so a constant answer scores that much",
                "Add cases with other references",
            )

    def _places(self) -> Iterator[DataFinding]:
        n = sum(self._positions.values())
        if n < FEWEST or len(self._sizes) != 1:
            return
        options = next(iter(self._sizes))
        shares = {f"{place + 1}": self._positions[place] / n for place in range(options)}
        yield from self._unequal("the option at position", shares, n)

    def _unequal(self, what: str, shares: Mapping[str, float], n: int) -> Iterator[DataFinding]:
        """The label with the largest share, if it is above the 99 % bound of equal shares."""
        expected = 1 / len(shares)
        bound = expected + _Z * math.sqrt(expected * (1 - expected) / n)
        name = max(shares, key=shares.__getitem__)
        if shares[name] > bound:
            yield self._warning(
                f"{what} {name!r} is right in {percent(shares[name])} of {n:,} cases; equal shares"
                f" of {len(shares)} would be at most {percent(bound)} (99 % bound)",
                "Balance the cases, or shuffle the options",
            )

    def _openings(self) -> Iterator[DataFinding]:
        right, wrong = sum(self._right.values()), sum(self._wrong.values())
        if self._with_options < FEWEST or not wrong:
            return
        for opening, count in self._right.most_common():
            share, other = count / right, self._wrong[opening] / wrong
            spread = math.sqrt(max(other, 1 / wrong) * (1 - other) * (1 / right + 1 / wrong))
            if share < _OPENING_SHARE:
                return
            if share >= _OPENING_RATIO * other and share - other > _Z * spread:
                yield self._warning(
                    f"{opening} opens {percent(share)} of the right options and {percent(other)} of"
                    " the wrong ones, so a guess by the opening word is often right",
                    "Write wrong options with the same openings",
                )

    def _warning(self, message: str, fix: str) -> DataFinding:
        return suite_finding(self._suite, ("cases",), "D008", "warn", message, fix)


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    return [str(item) for item in value] if isinstance(value, list) else []


def _position(options: Sequence[str], reference: str) -> int | None:
    """The number of the right option: by its text, its letter or its number."""
    plain = [" ".join(option.casefold().split()) for option in options]
    if reference in plain:
        return plain.index(reference)
    letter = reference.strip("(). ")
    if len(letter) == 1 and letter.isalpha() and ord(letter) - ord("a") < len(options):
        return ord(letter) - ord("a") if letter >= "a" else None
    return None


def _opening(text: str) -> str:
    words = text.casefold().split()
    if not words:
        return "nothing"
    negative = words[0].strip(".,;") in _NEGATIONS or words[:3] in (
        ["there", "is", "no"],
        ["there", "are", "no"],
    )
    return "a negation (no, nothing, there is no)" if negative else json.dumps(words[0])


def suite_finding(
    suite: Suite,
    path: tuple[str | int, ...],
    rule: str,
    level: FindingLevel,
    message: str,
    fix: str,
) -> DataFinding:
    """A finding about the whole suite, at the line of a key."""
    return DataFinding(
        rule=rule,
        level=level,
        cases=(),
        file=str(suite.path),
        line=suite.document.line(path),
        message=message,
        fix=fix,
    )
