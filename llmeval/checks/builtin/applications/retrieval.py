"""What an application retrieved against what is relevant: the usual measures of ranked lists."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from llmeval.checks.arguments import Share, clip
from llmeval.checks.base import Result, check, graded, not_applicable
from llmeval.core.records import Answer, Case

MEASURES = ("hit", "recall", "precision", "mrr", "ndcg")
Measure = Literal["hit", "recall", "precision", "mrr", "ndcg"]
_SHOWN = 10
_LISTED = 100
"""Ids that the details of a result have."""


def _id(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"an id is a text or a whole number, not {value!r}")
    return str(value)


def _ids(value: object) -> object:
    if value is None:
        return []
    if isinstance(value, str | int):
        return [_id(value)]
    return [_id(item) for item in value] if isinstance(value, list | tuple) else value


def _gains(value: object) -> object:
    """Ids with their gain: of a list 1 each."""
    if isinstance(value, Mapping):
        return {_id(key): gain for key, gain in value.items()}
    ids = _ids(value)
    return dict.fromkeys(ids, 1.0) if isinstance(ids, list) else ids


def _positive(gains: dict[str, float]) -> dict[str, float]:
    return {name: gain for name, gain in gains.items() if gain > 0}


Ids = Annotated[list[str], BeforeValidator(_ids)]
"""Ids in the order of their ranks. A null is an empty list; 7 and "7" are the same id."""
Gains = Annotated[
    dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]],
    BeforeValidator(_gains),
    AfterValidator(_positive),
]


@check(group="applications", metrics=lambda arguments: MEASURES)
def retrieval(
    case: Case,
    answer: Answer,
    *,
    got: Ids,
    relevant: Gains,
    k: Annotated[int, Field(ge=1)] | None = None,
    at_least: dict[Measure, Share] | None = None,
) -> Result:
    """Among the first `k` ids of `got` (default: all) are the `relevant` ones.

    Its metrics, each from 0 to 1: `retrieval.hit` (any relevant id is there), `retrieval.recall`
    (the share of the relevant ids that is there), `retrieval.precision` (the share of the k places
    with a relevant id; places that are empty count), `retrieval.mrr` (1 / rank of the first
    relevant id), `retrieval.ndcg` (discounted cumulative gain, gain / log2(rank + 1), as a share of
    the best order's). They are those of trec_eval. An id that stands twice counts once, at its
    first rank.

    `relevant`: a list, or a mapping with the gain of each id, for example `{a: 3, b: 1}`. A metric
    passes from its limit in `at_least` on, for example `{recall: 0.8}`; without one it passes above
    0. The check passes if all its metrics do. It does not apply where nothing is relevant.
    """
    if not relevant:
        return not_applicable("nothing is relevant to this case")
    values = measures(got, relevant, k)
    limits = at_least or {}
    summary = _summary(got, relevant, k)
    parts = {}
    for name, value in values.items():
        limit = limits.get(name, 0.0)  # type: ignore[call-overload]
        passes = value >= limit if limit > 0 else value > 0
        required = f"at least {limit:g}" if limit > 0 else "above 0"
        parts[name] = graded(value, passes, f"{value:.3g}; expected {required}")
    failed = [f"{name} {values[name]:.3g}" for name, part in parts.items() if not part.passed]
    reason = f"{', '.join(failed)} too low: {summary}" if failed else summary
    return graded(
        values["recall"], not failed, reason, metrics=parts, details=_details(got, relevant, k)
    )


def _details(got: Sequence[str], relevant: Mapping[str, float], k: int | None) -> dict[str, object]:
    """The ranked list for the report: each id, whether it is relevant and whether it counts."""
    places = len(got) if k is None else k
    return {
        "retrieved": [
            {"id": name, "relevant": name in relevant, "counts": rank <= places}
            for rank, name in enumerate(got[:_LISTED], start=1)
        ],
        "missing": [name for name in relevant if name not in got[:places]][:_LISTED],
    }


def measures(got: Sequence[str], relevant: Mapping[str, float], k: int | None) -> dict[str, float]:
    """The measures of one ranked list, by name.

    Args:
        got: ids in the order of their ranks.
        relevant: the gain of each relevant id, above 0; not empty.
        k: how many ranks count; None: all of `got`.

    Sources: Järvelin and Kekäläinen 2002 (nDCG, with linear gain); trec_eval for the others.
    """
    places = len(got) if k is None else k
    gains = _gains_by_rank(got[:places], relevant)
    ranks = [rank for rank, gain in enumerate(gains, start=1) if gain > 0]
    best = sorted(relevant.values(), reverse=True)[:k]
    return {
        "hit": 1.0 if ranks else 0.0,
        "recall": len(ranks) / len(relevant),
        "precision": len(ranks) / places if places else 0.0,
        "mrr": 1 / ranks[0] if ranks else 0.0,
        "ndcg": min(1.0, _dcg(gains) / _dcg(best)),
    }


def _gains_by_rank(got: Sequence[str], relevant: Mapping[str, float]) -> list[float]:
    seen: set[str] = set()
    gains = []
    for name in got:
        gains.append(0.0 if name in seen else relevant.get(name, 0.0))
        seen.add(name)
    return gains


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def _summary(got: Sequence[str], relevant: Mapping[str, float], k: int | None) -> str:
    """What of the relevant ids is there, and at which rank the first is."""
    first = got if k is None else got[:k]
    if not first:
        return "nothing was retrieved"
    ranks = [rank for rank, name in enumerate(first, start=1) if name in relevant]
    missing = [name for name in relevant if name not in first]
    parts = [f"{len(relevant) - len(missing)} of {len(relevant)} relevant ids in {len(first)}"]
    parts += [f"the first at rank {ranks[0]}"] if ranks else []
    parts += [f"missing: {_listed(missing, got)}"] if missing else []
    return ", ".join(parts)


def _listed(missing: Sequence[str], got: Sequence[str]) -> str:
    """Missing ids; of one that stands behind the first k, its rank."""
    shown = [
        f"{clip(name)} (rank {got.index(name) + 1})" if name in got else clip(name)
        for name in missing[:_SHOWN]
    ]
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return ", ".join(shown) + more
