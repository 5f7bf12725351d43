"""The report's sentences: what was decided and why, in words that need no statistics course."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from llmeval.core.formatting import percent, round_percent
from llmeval.core.manifest import Manifest
from llmeval.core.records import Status
from llmeval.core.results import (
    REPRESENTATIVE,
    Calls,
    CaseCounts,
    Decision,
    GateResult,
    Metric,
    RuleDecision,
)
from llmeval.report.safe_text import count

TONES = {
    Decision.PASS: "pass",
    Decision.FAIL: "fail",
    Decision.INCONCLUSIVE: "unsure",
    Decision.INVALID: "invalid",
}
"""The colour family of a decision; every place that uses it has a shape and a word too."""

LONG_WARNING = 160
"""Characters past which a warning shows its first words only, and the rest at a click."""

_MINUS = re.compile(r"(?<![\w.\-])-(?=\d)")
_METHODS = {
    "clopper-pearson": "exact binomial interval (Clopper and Pearson 1934)",
    "clustered": (
        "interval over clusters (Gaffke's simplex bound; from 30 clusters on also the cluster"
        " bootstrap-t); cases of one cluster may depend on each other, clusters not"
    ),
    "wilson": "score interval (Wilson 1927)",
}


def named(metric: str | None, slice_: str | None) -> str:
    """correctness, or correctness on topic=law."""
    return f"{metric} on {slice_}" if slice_ else metric or "the run"


def minus(text: str) -> str:
    """With a real minus before numbers, as wide as a plus, where a line does not break."""
    return _MINUS.sub("−", text)


def headline(gate: GateResult, metrics: Sequence[Metric], alpha: float | None = None) -> str:
    """The one sentence next to the decision. `alpha`: of the gate's one-sided bounds, where it is
    known.
    """
    return minus(_headline(gate, metrics, alpha))


def _headline(gate: GateResult, metrics: Sequence[Metric], alpha: float | None) -> str:
    if gate.decision is None:
        return gate.reason or "No gate: nothing was decided."
    deciding = [rule for rule in gate.rules if rule.decision is gate.decision]
    if gate.decision is Decision.PASS:
        return _passed(gate, alpha)
    if not deciding:
        return gate.reason or "No rule says why."
    return _rule(deciding[0], {(m.metric, m.slice): m for m in metrics}, alpha)


def also(gate: GateResult, metrics: Sequence[Metric], alpha: float | None = None) -> list[str]:
    """The same for the other rules that decided so, at most four."""
    if gate.decision in (None, Decision.PASS):
        return []
    by_key = {(m.metric, m.slice): m for m in metrics}
    sentences = [
        minus(_rule(rule, by_key, alpha)) for rule in gate.rules if rule.decision is gate.decision
    ][1:]
    return (
        sentences
        if len(sentences) <= 4
        else [*sentences[:3], f"{len(sentences) - 3} more rules; see Gate."]
    )


def remarks(gate: GateResult, headline: str) -> list[str]:
    """What a reader of a PASS must know and the headline does not say."""
    return [minus(remark) for remark in gate.remarks if minus(remark) not in headline]


def _passed(gate: GateResult, alpha: float | None) -> str:
    floors = [
        r for r in gate.rules if r.rule == "floor" and r.low is not None and r.threshold is not None
    ]
    if not floors:
        return gate.reason
    close = min(floors, key=lambda rule: (rule.low or 0) - (rule.threshold or 0))
    holds = {1: "The rule holds: ", 2: "Both rules hold; the closest is "}
    which = holds.get(len(gate.rules), f"All {len(gate.rules)} rules hold; the closest is ")
    scale = " on the judge's own scale" if close.judge_scale else ""
    level = _confidence(alpha if close.level is None else 1 - close.level)
    return (
        f"{which}{named(close.metric, close.slice)} at {percent(close.estimate)}{scale}, at least"
        f" {percent(close.low)}{level}, with a floor of"
        f" {round_percent(close.threshold or 0)}."
    )


def _confidence(alpha: float | None) -> str:
    return "" if alpha is None else f" at {round_percent(1 - alpha)} confidence"


def _rule(
    rule: RuleDecision, metrics: Mapping[tuple[str, str | None], Metric], alpha: float | None
) -> str:
    metric = metrics.get((rule.metric or "", rule.slice))
    if rule.rule != "floor" or rule.threshold is None or rule.estimate is None or metric is None:
        return rule.reason
    if rule.judge_scale or not _as_counted(rule, metric):
        # on another scale, corrected by labels, or decided before the last case: the rule says how
        return rule.reason
    floor = round_percent(rule.threshold)
    seen = f"{named(rule.metric, rule.slice)} {percent(rule.estimate)}"
    level = _confidence(alpha if rule.level is None else 1 - rule.level)
    # The rule's own bounds, as under Gate: a second interval for one metric raises questions.
    if rule.decision is Decision.FAIL:
        bound = "" if rule.high is None else f" (at most {percent(rule.high)}{level})"
        return f"{seen}{bound} is below the floor of {floor}."
    if metric.trust == "UNTRUSTED":
        return rule.reason
    if (
        metric.high is not None and metric.high < rule.threshold
    ):  # it would fail by itself, not beside other rules
        return rule.reason
    bounds = ""
    if rule.low is not None and rule.high is not None:
        bounds = f" (between {percent(rule.low)} and {percent(rule.high)}{level})"
    return f"{seen}{bounds} is too uncertain to tell whether it reaches the floor of {floor}."


def _as_counted(rule: RuleDecision, metric: Metric) -> bool:
    """Whether a floor is about the pass rate of the metric's table."""
    return (
        metric.pass_rate is None
        or rule.estimate is None
        or math.isclose(metric.pass_rate, rule.estimate, abs_tol=1e-3)
    )


def assumptions(rule: RuleDecision, metric: Metric | None, manifest: Manifest) -> list[str]:
    """What must be true for a rule's decision to carry its error rate."""
    alpha = manifest.gate.alpha if rule.level is None else 1 - rule.level
    sentences = []
    if alpha is not None and rule.low is not None:
        sentences.append(
            f"One-sided bounds at alpha = {alpha:.3g}: a wrong decision in at most"
            f" {100 * alpha:.3g}% of runs, each way."
        )
    if metric is not None and metric.method:
        sentences.append(f"Method: {_METHODS.get(metric.method, metric.method)}.")
    if metric is not None and metric.n:
        sentences.append(
            f"Counted: {count(metric.n, 'case')}. A case with repeats counts once and passes when"
            " every repeat passes."
        )
        lost = metric.unscored + metric.errors
        if lost:
            sentences.append(
                f"Missing, because they have no result here: {lost:,}. Missing cases may differ"
                " from the others."
            )
    if metric is not None and metric.source == "judge" and _as_counted(rule, metric):
        trusted = metric.trust == "TRUSTED"
        sentences.append(
            "The judge's verdicts are taken as they are; its certificate says how often they are"
            " right."
            if trusted
            else (
                "The judge's verdicts are taken as they are, and nothing shows yet how often they"
                " are right."
            )
        )
    if manifest.cases.sample:
        sentences.append(
            "The cases are a random sample: the decision is about the data set they were drawn"
            " from."
        )
    elif rule.metric:
        sentences.append(
            "The decision is about cases like these; cases that users send may differ."
        )
    return [
        *sentences,
        *(sentence(each) for each in rule.assumptions if each != REPRESENTATIVE),
    ]


def certainty(rule: RuleDecision) -> str:
    """How sure a rule's bounds are, and what would overturn its decision; empty where it does not
    say.
    """
    sentences = []
    if rule.level is not None:
        sentences.append(
            f"Bounds at {100 * rule.level:g}% confidence"
            + (f", {count(rule.n, 'pair')}." if rule.n and rule.baseline else ".")
        )
    if rule.tipping_point is not None and rule.decision in (Decision.PASS, Decision.FAIL):
        points = f"{100 * abs(rule.tipping_point):.1f}"
        sentences.append(
            f"Tipping point: an error of {points} points that favours one side would overturn this"
            " decision."
        )
    return " ".join(sentences)


def outcomes(counts: CaseCounts) -> list[tuple[str, str, int]]:
    """(word, tone, how many) of each outcome of a case."""
    return [
        ("passed", "pass", counts.passed),
        ("failed", "fail", counts.failed),
        ("unscored", "unsure", counts.unscored),
        ("not scored yet", "plain", counts.not_scored),
        ("need review", "unsure", counts.needs_review),
        ("with errors", "invalid", counts.errors),
    ]


def score_status(status: Status) -> str:
    """A score's status in words."""
    return {Status.NEEDS_REVIEW: "needs review", Status.NOT_SCORED: "not scored yet"}.get(
        status, status.value.replace("_", " ")
    )


def short_and_rest(text: str) -> tuple[str, str]:
    """A long warning as its first words and the rest, which is mostly statistics; a short one
    whole.
    """
    head, colon, rest = text.partition(": ")
    return (f"{head}.", sentence(rest)) if colon and len(text) > LONG_WARNING else (text, "")


def sentence(text: str) -> str:
    """With a capital at the beginning and one full stop at the end."""
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def duration(seconds: float | None) -> str:
    """47 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def cost(calls: Mapping[str, Calls]) -> str:
    """$0.0214 over all roles; empty where no price is known."""
    costs = [call.cost_usd for call in calls.values() if call.cost_usd is not None]
    return f"${sum(costs):,.4f}" if costs else ""


def moment(started: str) -> str:
    """23 November 2026, 15:41 UTC from an ISO 8601 time in UTC; the text itself where it is
    none.
    """
    try:
        at = datetime.fromisoformat(started)
    except ValueError:
        return started
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def milliseconds(value: float) -> str:
    """340 ms or 1.8 s."""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"
