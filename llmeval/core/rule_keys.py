"""The keys of rules: `metric`, `metric pass`, `metric @ tag=value`, and `*` for every one.

`json_fields.*` means every metric of that check, `lang=*` every value of the tag. A key without `*`
goes before one with it.
"""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple

from llmeval.core.metric_ref import Slice, parse_metric_ref, slice_label

_PASS = " pass"


class RuleKey(NamedTuple):
    """What a rule of regression is about."""

    metric: str
    slice_: Slice | None
    passes: bool = False
    """Whether the rule is about the pass rate, and not about the mean."""

    @property
    def name(self) -> str:
        """`metric`, or `metric pass`."""
        return self.metric + _PASS * self.passes

    @property
    def text(self) -> str:
        """The key as a suite writes it."""
        return self.name if self.slice_ is None else f"{self.name} @ {slice_label(self.slice_)}"


def parse_rule_key(key: str) -> RuleKey:
    """The parts of the key of a margin."""
    metric, where = parse_metric_ref(key)
    bare = metric.removesuffix(_PASS).strip()
    return RuleKey(bare, where, bare != metric)


def is_pattern(key: str) -> bool:
    """Whether a key names several rules."""
    return "*" in key


def matches(pattern: str, text: str) -> bool:
    """Whether a name fits a pattern, in which `*` means any text."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> "re.Pattern[str]":
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def expand_key(key: str, metrics: Iterable[str], slices: Collection[Slice]) -> list[RuleKey]:
    """The rules that a key names, sorted; one without `*` names itself.

    Args:
        key: of a margin, or of `never`.
        metrics: the metrics that there are.
        slices: (tag, value) of the cases.
    """
    stated = parse_rule_key(key)
    names = [stated.metric]
    if is_pattern(stated.metric):
        names = sorted({name for name in metrics if matches(stated.metric, name)})
    where: list[Slice | None] = [stated.slice_]
    if stated.slice_ is not None and is_pattern(stated.slice_[1]):
        tag, pattern = stated.slice_
        pairs = {pair for pair in slices if pair[0] == tag and matches(pattern, pair[1])}
        where = [*sorted(pairs)]
    return [RuleKey(name, each, stated.passes) for name in names for each in where]
