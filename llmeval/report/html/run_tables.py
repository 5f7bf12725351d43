"""What the first page shows of all answers together: changes against the baseline, distributions of
values, calls and latency.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from llmeval.core.results import Calls
from llmeval.report.html import charts, words
from llmeval.report.html.totals import MetricTotals, Totals
from llmeval.report.safe_text import count


def changes(totals: Totals) -> list[dict[str, Any]]:
    """How many scores moved, metric by metric; only rows that both runs have."""
    rows = []
    for name, total in totals.metrics.items():
        if not total.changes:
            continue
        moved = total.changes
        rows.append(
            {
                "metric": name,
                "regressed": moved["pass", "fail"],
                "fixed": moved["fail", "pass"],
                "passing": moved["pass", "pass"],
                "failing": moved["fail", "fail"],
                "other": (
                    sum(moved.values())
                    - sum(
                        moved[pair]
                        for pair in (
                            ("pass", "fail"),
                            ("fail", "pass"),
                            ("pass", "pass"),
                            ("fail", "fail"),
                        )
                    )
                ),
            }
        )
    return sorted(rows, key=lambda row: -row["regressed"])


def distributions(totals: Totals) -> list[dict[str, object]]:
    """A histogram for each metric whose values are more than 0 and 1."""
    return [
        {
            "metric": name,
            "chart": charts.histogram(
                f"Distribution of {name}: {_spread(total)}",
                total.now,
                total.before,
                ("0", "1", "answers"),
            ),
            "spread": _spread(total),
        }
        for name, total in totals.metrics.items()
        if total.graded
    ]


def _spread(total: MetricTotals) -> str:
    n = sum(total.now)
    size = len(total.now)
    low, high = sum(total.now[: size // 4]), sum(total.now[-size // 4 :])
    return (
        f"{100 * low / n:.0f}% below 0.25, {100 * high / n:.0f}% from 0.75 on" if n else "no values"
    )


def calls(by_role: Mapping[str, Calls]) -> list[dict[str, Any]]:
    """Calls by role."""
    rows = []
    for role, call in by_role.items():
        total = call.made + call.cached
        rows.append(
            {
                "role": role.replace("judge:", "judge "),
                "made": f"{call.made:,}",
                "cached": f"{call.cached:,}",
                "share": f"{100 * call.cached / total:.0f}%" if total else "–",
                "retried": f"{call.retried:,}",
                "failed": call.failed,
                "input": f"{call.input_tokens:,}",
                "output": f"{call.output_tokens:,}",
                "cost": "not stated" if call.cost_usd is None else f"${call.cost_usd:,.4f}",
            }
        )
    return rows


def _binned(ordered: Sequence[float], low: float, high: float, bins: int = 24) -> list[int]:
    """How many of the ordered values lie in each of `bins` steps from low to high, equal on a
    logarithmic scale.
    """
    ratio = max(high / low, 1.01) ** (1 / bins)
    ends = [bisect_right(ordered, low * ratio**step * 1.0001) for step in range(1, bins)] + [
        len(ordered)
    ]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def latency(totals: Totals) -> dict[str, object] | None:
    """Latency of the calls made (not of cached answers), on a logarithmic scale."""
    if not totals.latencies:
        return None
    values = sorted(max(value, 0.1) for value in totals.latencies)
    before = sorted(max(value, 0.1) for value in totals.latencies_before)
    low, high = min([values[0], *before[:1]]), max([values[-1], *before[-1:]])
    median, p95 = (
        words.milliseconds(values[int(share * (len(values) - 1))]) for share in (0.5, 0.95)
    )
    text = f"median {median}, 95% within {p95}, longest {words.milliseconds(values[-1])}"
    chart = charts.histogram(
        f"Latency of {count(len(values), 'call')}: {text}",
        _binned(values, low, high),
        _binned(before, low, high) if before else None,
        (words.milliseconds(low), words.milliseconds(high), "calls"),
    )
    return {"chart": chart, "text": text, "n": count(len(values), "call")}
