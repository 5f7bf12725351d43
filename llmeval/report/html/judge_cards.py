"""The cards of the judges: may each be trusted, and how did it agree with people."""

from collections.abc import Iterable, Sequence
from typing import Any

from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, GateResult
from llmeval.report.html import charts, words
from llmeval.report.html.totals import MetricTotals, Totals, Verdicts
from llmeval.report.safe_text import count
from llmeval.stats.estimation.bounds import wilson

BINS = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01))
"""Ranges of a judge's stated confidence, for the reliability diagram."""


def judges(manifest: Manifest, totals: Totals, gate: GateResult) -> list[dict[str, Any]]:
    """One card a judge: may it be trusted, why, and what was seen of it in this run."""
    cards, passing = [], {rule.metric for rule in gate.rules if rule.decision is Decision.PASS}
    for name, judge in manifest.judges.items():
        total = totals.metrics.get(name, MetricTotals())
        labelled = [v for v in totals.labelled if v.metric == name]
        cards.append(
            {
                "name": name,
                "trusted": judge.trust == "TRUSTED",
                "carried": name in passing,
                "reason": words.sentence(judge.trust_reason or "no reason recorded"),
                "model": judge.model,
                "identity": judge.identity or {},
                "params": judge.params or {},
                "prompt": judge.prompt,
                "version": judge.prompt_version,
                "digest": judge.digest,
                "certificate": judge.certificate,
                "scored": sum(total.statuses[s] for s in ("pass", "fail")),
                "unscored": total.statuses["unscored"],
                "errors": total.statuses["error"],
                "cached": total.cached,
                "quotes": total.quotes,
                "quotes_missing": total.quotes_missing,
                "agreement": _agreement(labelled),
                "reliability": _reliability(name, labelled),
            }
        )
    return cards


def _agreement(labelled: Sequence[Verdicts]) -> dict[str, int] | None:
    if not labelled:
        return None
    pairs = [(v.judge, v.person) for v in labelled]
    return {
        "n": len(pairs),
        "agree": sum(judge == person for judge, person in pairs),
        "both_pass": pairs.count((True, True)),
        "judge_only": pairs.count((True, False)),
        "person_only": pairs.count((False, True)),
        "both_fail": pairs.count((False, False)),
    }


def _reliability(name: str, labelled: Iterable[Verdicts]) -> object:
    pairs = [(v.confidence, v.judge == v.person) for v in labelled if v.confidence is not None]
    bins = []
    for low, high in BINS:
        inside = [(sure, right) for sure, right in pairs if low <= sure < high]
        if inside:
            n, hits = len(inside), sum(right for _, right in inside)
            bins.append(
                charts.HistogramBin(
                    sum(sure for sure, _ in inside) / n, hits / n, *wilson(hits, n), n
                )
            )
    if not bins:
        return ""
    title = (
        f"How often {name} was right against how sure it was, on"
        f" {count(len(pairs), 'labelled answer')}"
    )
    return charts.reliability(title, bins)
