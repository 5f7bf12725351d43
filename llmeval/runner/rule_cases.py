"""The rules of a gate and their cases: a rule that is about no case is refused before a call."""

from collections.abc import Collection
from dataclasses import dataclass

from llmeval.core.metric_ref import parse_metric_ref
from llmeval.core.records import Case
from llmeval.suite.loader import Suite
from llmeval.suite.strict import nearest
from llmeval.suite.yaml_file import Path as KeyPath

WHOLE = "cases"
"""The metric of a case as a whole: every case has it. No check or judge may have this name."""
_MOST = 50
"""Values of a tag that a message may list."""


@dataclass
class _Target:
    """One floor or margin: its key in the file, its metric, and the tag and value of its slice."""

    path: KeyPath
    metric: str
    slice_: tuple[str, str] | None


class RuleTargets:
    """Fed with every case and its metrics; then says which rule is about none."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._open = [_target(path) for path in _keys(suite)]
        for target in self._open:
            self._check_scale(target)
        wanted = suite.spec.gate.must_pass
        self._ids = set(wanted) if isinstance(wanted, list) else set()
        self._tag = next(iter(wanted.items())) if isinstance(wanted, dict) else None
        self._known_ids: list[str] = []
        self._metrics: set[str] = set()
        self._tags: dict[str, set[str]] = {}

    def _check_scale(self, target: _Target) -> None:
        """Refuse `scale` in a rule that no judge decides."""
        path, judges = (*target.path, "scale"), self._suite.spec.judges
        judged = bool(judges) if target.metric == WHOLE else target.metric in judges
        if path in self._suite.document.lines and not judged:
            raise self._suite.error(
                path, f"`scale` is for judged metrics, and no judge gives {target.metric!r}"
            )

    def look(self, case: Case, metrics: Collection[str]) -> None:
        """Take a case. `metrics`: those that apply to it."""
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
        self._open = [target for target in self._open if not _meets(target, case, metrics)]

    def unmet(self) -> bool:
        """Whether a rule is about no case so far."""
        return bool(self._open or self._ids or self._tag is not None)

    def finish(self, *, sizing: bool = False) -> None:
        """Refuse a rule that is about no case. Raises SuiteError, with the nearest name.

        Args:
            sizing: the suite is being planned, so a slice may still be without a case.
        """
        for target in self._open:
            if not (sizing and target.slice_ is not None and self._given(target)):
                raise self._suite.error(target.path, self._reason(target))
        for name in sorted(self._ids):
            raise self._suite.error(
                ("gate", "must_pass"),
                f"there is no case {name!r}; {_few(nearest(name, self._known_ids))}",
            )
        if self._tag is not None:
            raise self._suite.error(("gate", "must_pass"), self._no_slice(self._tag))

    def _given(self, target: _Target) -> bool:
        return target.metric == WHOLE or target.metric in self._metrics

    def _reason(self, target: _Target) -> str:
        if not self._given(target):
            produced = ", ".join(sorted(self._metrics)) or "none"
            return (
                f"no check or judge gives the metric {target.metric!r} to any case; metrics here:"
                f" {produced}"
            )
        if target.slice_ is not None and target.slice_[1] not in self._tags.get(
            target.slice_[0], ()
        ):
            return self._no_slice(target.slice_)
        return (
            f"{target.metric} applies to no case of this slice, so the rule would never decide"
            " anything"
        )

    def _no_slice(self, slice_: tuple[str, str]) -> str:
        tag, value = slice_
        if tag not in self._tags:
            return f"no case has the tag {tag!r}; {_few(nearest(tag, sorted(self._tags)))}"
        return f"no case has {tag}={value}; {_few(nearest(value, sorted(self._tags[tag])))}"


def _keys(suite: Suite) -> list[KeyPath]:
    gate = suite.spec.gate
    found: list[KeyPath] = [("gate", "floors", key) for key in gate.floors]
    if gate.regression is not None:
        margins: list[KeyPath] = [
            ("gate", "regression", "margins", key) for key in gate.regression.margins
        ]
        release = gate.regression.release
        margins += [
            ("gate", "regression", "release", "margins", key)
            for key in (release.margins if release is not None else ())
        ]
        for path in margins:
            if _target(path).metric == WHOLE:
                raise suite.error(
                    path,
                    f"{WHOLE!r} is a metric of floors only; name the metrics that must not get"
                    " worse",
                )
        found += margins
    return found


def _target(path: KeyPath) -> _Target:
    metric, where = parse_metric_ref(str(path[-1]))
    return _Target(path, metric, where)


def _meets(target: _Target, case: Case, metrics: Collection[str]) -> bool:
    tagged = target.slice_ is None or case.tags.get(target.slice_[0]) == target.slice_[1]
    return tagged and (target.metric == WHOLE or target.metric in metrics)


def _few(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
