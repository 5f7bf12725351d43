"""The rules of a gate and their cases. A rule that matches no case is refused before the first
call.
"""

from collections.abc import Collection
from dataclasses import dataclass

from llmeval.core.metric_ref import Slice, parse_metric_ref
from llmeval.core.numbers import UNITS, NumberRef, parse_number
from llmeval.core.records import Case
from llmeval.core.rule_keys import is_pattern, matches, parse_rule_key
from llmeval.suite.loader import Suite
from llmeval.suite.strict import nearest
from llmeval.suite.thresholds import MarginRule
from llmeval.suite.yaml_file import Path as KeyPath

WHOLE = "cases"
"""The metric of a case as a whole: every case has it. No check or judge may have this name."""
_MOST = 50
"""The most values of a tag that a message lists."""


@dataclass
class _Target:
    """One rule: its key in the file, its metric, and the tag and value of its slice. `*` may stand
    in the metric and in the value.
    """

    path: KeyPath
    metric: str
    slice_: Slice | None
    number: NumberRef | None = None
    """The number that it is about, unless a check or a judge has a metric of this name."""

    def of(self, metrics: Collection[str]) -> bool:
        """Whether it is about one of these metrics, or about a number."""
        if self.number is not None or self.metric == WHOLE:
            return True
        if not is_pattern(self.metric):
            return self.metric in metrics
        return any(matches(self.metric, name) for name in metrics)

    def within(self, case: Case) -> bool:
        """Whether the case is in its slice."""
        if self.slice_ is None:
            return True
        tag, pattern = self.slice_
        return tag in case.tags and matches(pattern, case.tags[tag])


class RuleTargets:
    """Collects every case and its metrics, and then shows which rule matches no case."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._open = _targets(suite)
        for target in self._open:
            self._check_scale(target)
        self._margins = [target for target in self._open if "margins" in target.path]
        must_pass = suite.spec.gate.must_pass
        self._ids = set(must_pass) if isinstance(must_pass, list) else set()
        self._tag = next(iter(must_pass.items())) if isinstance(must_pass, dict) else None
        self._known_ids: list[str] = []
        self._metrics: set[str] = set()
        self._tags: dict[str, set[str]] = {}

    def _check_scale(self, target: _Target) -> None:
        """Refuse `scale` in a rule on a metric without a judge."""
        path, judges = (*target.path, "scale"), self._suite.spec.judges
        judged = bool(judges) if target.metric == WHOLE else _judged(target, judges)
        if path in self._suite.document.lines and not judged:
            raise self._suite.error(
                path, f"`scale` is for judged metrics, and no judge gives {target.metric!r}"
            )

    def inspect(self, case: Case, metrics: Collection[str]) -> None:
        """Add a case. `metrics`: those that apply to it."""
        self._metrics.update(metrics)
        for tag, value in case.tags.items():
            values = self._tags.setdefault(tag, set())
            if len(values) < _MOST:
                values.add(value)
        if self._ids:
            self._ids.discard(case.id)
            self._known_ids.append(case.id)
        if self._tag is not None and case.tags.get(self._tag[0]) == self._tag[1]:
            self._tag = None
        self._open = [
            target for target in self._open if not (target.within(case) and target.of(metrics))
        ]

    def unmet(self) -> bool:
        """Whether a rule matches no case so far."""
        return bool(self._open or self._ids or self._tag is not None)

    def finish(self, *, sizing: bool = False) -> None:
        """Refuse a rule that matches no case. Raises SuiteError, with the nearest name.

        Args:
            sizing: the suite is only planned, so a slice may have no case yet.
        """
        for target in self._open:
            if not (sizing and target.slice_ is not None and self._is_produced(target)):
                raise self._suite.error(target.path, self._reason(target))
        self._check_names()
        for name in sorted(self._ids):
            raise self._suite.error(
                ("gate", "must_pass"),
                f"there is no case {name!r}; {_few(nearest(name, self._known_ids))}",
            )
        if self._tag is not None:
            raise self._suite.error(("gate", "must_pass"), self._no_slice(self._tag))

    def _check_names(self) -> None:
        """Refuse a number with the name of a metric, and a margin of a rate that is a share of 1 or
        more. Raises SuiteError.
        """
        spec = self._suite.spec
        for name in spec.measure:
            if name in self._metrics:
                raise self._suite.error(
                    ("measure", name), f"a check or judge has the name {name!r}; choose another one"
                )
        for target in self._margins:
            key = str(target.path[-1])
            rate = target.number is None or target.metric in self._metrics
            gate = spec.gate
            stated = (gate.release_margins if target.path[2] == "release" else gate.margins)[key]
            size = stated.margin if isinstance(stated, MarginRule) else stated
            if rate and size >= 1:
                raise self._suite.error(
                    target.path, "the margin of a rate is a share below 1: 5 points are 0.05"
                )

    def _is_produced(self, target: _Target) -> bool:
        return target.of(self._metrics)

    def _reason(self, target: _Target) -> str:
        if not self._is_produced(target):
            if is_pattern(target.metric) and self._metrics:
                fit = f"no metric fits {target.metric!r}"
                return f"{fit}; metrics here: {', '.join(sorted(self._metrics))}"
            produced = ", ".join(sorted(self._metrics)) or "none"
            return (
                f"no check or judge gives the metric {target.metric!r} to any case; metrics here:"
                f" {produced}"
            )
        if target.slice_ is not None:
            tag, value = target.slice_
            if is_pattern(value) and tag in self._tags:
                return f"no value of the tag {tag!r} fits {value!r}"
            if value not in self._tags.get(tag, ()):
                return self._no_slice(target.slice_)
        return (
            f"{target.metric} applies to no case of this slice, so the rule can never be decided;"
            " name another metric or slice"
        )

    def _no_slice(self, slice_: tuple[str, str]) -> str:
        tag, value = slice_
        if tag not in self._tags:
            return f"no case has the tag {tag!r}; {_few(nearest(tag, sorted(self._tags)))}"
        return f"no case has {tag}={value}; {_few(nearest(value, sorted(self._tags[tag])))}"


def _judged(target: _Target, judges: Collection[str]) -> bool:
    return any(matches(target.metric, name) for name in judges)


def _targets(suite: Suite) -> list[_Target]:
    """A target for each key of the gate's rules. Raises SuiteError."""
    gate, numbers = suite.spec.gate, tuple(dict.fromkeys((*UNITS, *suite.spec.measure)))
    targets = [_target(("gate", "floors", key)) for key in gate.floors]
    for index, key in enumerate(gate.never):
        metric, where = parse_metric_ref(key)
        targets.append(_Target(("gate", "never", index), metric, where))
    for key in gate.limits:
        metric, where = parse_metric_ref(key)
        ref = parse_number(metric, numbers)
        if ref is None:
            raise suite.error(
                ("gate", "limits", key),
                f"there is no number {metric!r}: write NAME.p95, NAME.p50 or NAME (its mean);"
                f" numbers here: {', '.join(numbers)}. `floors` take metrics for checks and judges",
            )
        targets.append(_Target(("gate", "limits", key), metric, where, ref))
    comparison: KeyPath = ("gate", "regression")
    targets += [
        _margin_target(suite, (*comparison, "margins", key), numbers) for key in gate.margins
    ]
    targets += [
        _margin_target(suite, (*comparison, "release", "margins", key), numbers)
        for key in gate.release_margins
    ]
    targets += [_margin_target(suite, ("gate", "improve", key), numbers) for key in gate.improve]
    return targets


def _margin_target(suite: Suite, path: KeyPath, numbers: Collection[str]) -> _Target:
    metric, where, passes = parse_rule_key(str(path[-1]))
    if metric == WHOLE:
        raise suite.error(
            path,
            f"{WHOLE!r} is a metric of floors only; name the metrics that must not get worse",
        )
    return _Target(path, metric, where, None if passes else parse_number(metric, numbers))


def _target(path: KeyPath) -> _Target:
    metric, where = parse_metric_ref(str(path[-1]))
    return _Target(path, metric, where)


def unknown_numbers(suite: Suite, *, priced: bool) -> list[str]:
    """A sentence for each rule about a cost that nothing states, so that the rule will be INVALID.

    Args:
        priced: whether the candidate has a price.
    """
    gate, measure = suite.spec.gate, suite.spec.measure
    if priced or "cost" in measure:
        return []
    numbers = (*UNITS, *measure)
    refs = [(key, parse_number(parse_rule_key(key).metric, numbers)) for key in gate.limits]
    margins = (*gate.margins, *gate.release_margins)
    refs += [(key, parse_number(parse_rule_key(key).metric, numbers)) for key in margins]
    return [
        f"gate: {key}: the candidate has no `price`, so its cost is missing and the rule INVALID;"
        ' state one, or take the cost from the reply: `measure: {cost: "{{ data.cost }}"}`'
        for key, ref in refs
        if ref is not None and ref.name == "cost"
    ]


def _few(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
