"""What planning knows about a suite before the first call.

The figures come from its cases, its judges' certificates and its own past runs. Where these say
nothing, an assumption is used and named as one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from llmeval.core.errors import UsageError
from llmeval.core.metric_ref import cluster_key, metric_of, parse_metric_ref
from llmeval.stats.tests.fixed_sample import FEW_CLUSTERS

if TYPE_CHECKING:
    from llmeval.core.records import Case
    from llmeval.gate.rules.threshold import Threshold
    from llmeval.history.past_runs import PastRates
    from llmeval.planning.metric_profile import MetricProfile
    from llmeval.suite.loader import Suite

RATE, CORRELATION, WITHIN = 0.8, 0.5, 0.2
"""Assumed without a past run: the pass rate, the correlation of two runs' results on a case, and
the correlation of two cases of a cluster."""
JUDGE = (0.9, 0.9)
"""Assumed of a judge without a valid certificate: sensitivity and specificity."""
LABELS = 200
"""The number of random labels that such a judge's certificate is assumed to rest on."""


class JudgeProfile(NamedTuple):
    """How well the judge of a metric agrees with people."""

    sensitivity: float
    specificity: float
    lower: float
    """A lower bound of Youden's J = sensitivity + specificity - 1."""
    spent: float
    """The error rate spent on that bound."""
    labels: tuple[int, int] | None
    """The labelled answers it rests on: (good, bad). None for a check."""


@dataclass
class SuiteProfile:
    """A suite as `plan` and `simulate` see it."""

    suite: "Suite"
    cases: "list[Case]"
    past: "PastRates"
    rows: list[dict[str, Any]]
    """The estimate of `run --dry-run`: a row for each model role, with calls and cost."""
    metrics: "list[MetricProfile]"
    notes: list[str]
    """Where each figure is from. Assumptions are named as such."""
    margins: "dict[str, Threshold]"
    """The margins of rates, by `metric` or `metric @ tag=value`."""
    never: list[str]
    """Rules that these cases can never decide."""
    release_margins: "dict[str, Threshold]" = field(default_factory=dict)
    """The margins of rates against the release, by the same keys."""
    rule_count: int = 1
    """How many rules of the gate share alpha, at least 1."""


def margin_for(profile: SuiteProfile, metric: str, detect: str | None) -> float:
    """The drop to plan for, a share in (0, 1).

    The drop `detect` where there is one, else the suite's own margin for the metric, else the
    default of `margin_of`.

    Raises:
        UsageError: as `margin_of`.
    """
    if detect is None and metric in profile.margins:
        return profile.margins[metric].value
    return margin_of(detect, len(profile.cases))


def margin_of(text: str | None, cases: int, option: str = "--detect") -> float:
    """A margin from `3pt`, `3%` or `0.03`; without one 5 points, or 3 from 2,000 cases.

    Raises:
        UsageError: no number, or not between 0 and 100 points.
    """
    if text is None:
        return 0.05 if cases < 2000 else 0.03
    bare = text.strip().removesuffix("pt").removesuffix("%").strip()
    try:
        value = float(bare) / (1 if bare == text.strip() else 100)
    except ValueError:
        raise UsageError(f"{option} takes a drop such as 3pt, 3% or 0.03, not {text!r}") from None
    if not 0 < value < 1:
        raise UsageError(
            f"{option} must lie between 0 and 100 points, not {text!r}; 3 points are 3pt or 0.03"
        )
    return value


def profile_suite(suite: "Suite", metric: str | None, reports: Path) -> SuiteProfile:
    """The profile of a suite. No model is called.

    Args:
        suite: the suite.
        metric: only this metric; None: all that the gate names, and the judged ones.
        reports: the folder of past runs.

    Raises:
        SuiteError, UsageError, NothingEvaluated: as `llmeval run --dry-run`; or a metric that the
            suite does not have; or a regression rule whose cases are not paired.
    """
    from llmeval.history.past_runs import read_past
    from llmeval.planning.margin_reach import StatedRules, never_decided, rate_margins, slices_in
    from llmeval.runner.estimate import estimate
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan

    regression = suite.spec.gate.regression
    if regression is not None and not regression.paired:
        raise suite.error(
            ("gate", "regression", "paired"),
            "`plan` and `simulate` know only rules that compare the same cases. A rule without"
            " pairs needs many more cases (docs/decisions.md, Without pairs)",
        )
    planned = plan(suite, Options(reports=reports, use_cache=False), sizing=True)
    past = read_past(reports / suite.name)
    judged = list(planned.judges)
    checked = [name for check in planned.checks for name in check.metrics]
    names = list(dict.fromkeys([*checked, *judged, *past.metrics()]))
    if metric is not None and metric not in names:
        raise UsageError(
            f"{suite.path}: there is no metric {metric!r}; there are {', '.join(names) or 'none'}"
        )
    gate, cases = suite.spec.gate, list(planned.cases)
    rules = StatedRules(gate.record(), (*checked, *judged), tuple(suite.spec.measure))
    margins, release = (rate_margins(rules, cases, release=each) for each in (False, True))
    gated = list(dict.fromkeys(metric_of(key) for key in [*gate.floors, *margins, *release]))
    chosen = [metric] if metric else list(dict.fromkeys([*gated, *judged])) or names
    profile = SuiteProfile(
        suite,
        cases,
        past,
        estimate(planned, reports),
        [],
        [],
        margins,
        never_decided(rules, cases),
        release,
        max(1, rules.count(slices_in(cases))),
    )
    trusts = {name: trust.state for name, trust in planned.trusts.items()}
    profile.metrics = [_metric_profile(profile, name, trusts.get(name)) for name in chosen]
    return profile


def slice_profiles(profile: SuiteProfile) -> "list[MetricProfile]":
    """A profile for each regression rule about a slice, named as the rule.

    It has the slice's own cases, and its own rates where a past run has them; everything else is as
    in the whole metric.
    """
    return _profiles_of(profile, [key for key in profile.margins if parse_metric_ref(key)[1]])


SINCE_RELEASE = " since the release"
"""What the name of a rule about the release ends with."""


def release_profiles(profile: SuiteProfile) -> "list[MetricProfile]":
    """A profile for each regression rule against the release, named as the rule."""
    from dataclasses import replace

    runs = release_runs(profile)
    return [
        replace(each, metric=f"{each.metric}{SINCE_RELEASE}", baseline_runs=runs)
        for each in _profiles_of(profile, list(profile.release_margins))
    ]


def _profiles_of(profile: SuiteProfile, keys: list[str]) -> "list[MetricProfile]":
    from dataclasses import replace

    from llmeval.planning.slice_rates import with_own_rate

    profiles: list[MetricProfile] = []
    metrics = {each.metric: each for each in profile.metrics}
    for key in keys:
        metric, where = parse_metric_ref(key)
        own = [
            case for case in profile.cases if where is None or case.tags.get(where[0]) == where[1]
        ]
        if own and metric in metrics:
            whole = metrics[metric]
            if where is not None:
                whole = with_own_rate(profile, whole, key, [case.id for case in own])
            profiles.append(replace(whole, metric=key, **_units(_sizes(own))))
    return profiles


def _sizes(cases: "Iterable[Case]") -> "Counter[str]":
    """Cases in each cluster."""
    return Counter(cluster_key(case.id, case.cluster) for case in cases)


def _units(sizes: "Counter[str]") -> dict[str, Any]:
    """The clusters of a profile; their sizes only where they are unequal."""
    of_each = tuple(sizes.values())
    return {
        "cases": sizes.total(),
        "units": len(sizes),
        "largest": max(of_each),
        "sizes": of_each if min(of_each) < max(of_each) else (),
    }


def _clusters_note(sizes: "Counter[str]") -> str:
    """What the clusters are, and whether they are too few."""
    import numpy as np

    from llmeval.stats.tests.fixed_sample import FEW_EFFECTIVE, are_few
    from llmeval.stats.tests.studentised import effective_number

    of_each = np.array(list(sizes.values()), dtype=float)
    effective = effective_number(of_each)
    note = f"{len(sizes):,} clusters of up to {int(of_each.max()):,} cases"
    if effective < len(sizes) - 0.5:
        note += f", which weigh as much as {effective:,.0f} of equal size"
    note += f"; correlation within them {WITHIN} (assumed)"
    if are_few(of_each):
        note += (
            f". Fewer than {FEW_CLUSTERS} clusters, or than {FEW_EFFECTIVE} by weight, rarely"
            " decide: add clusters, not cases"
        )
    return note


def _metric_profile(profile: SuiteProfile, metric: str, trust: str | None) -> "MetricProfile":
    from llmeval.planning.metric_profile import MetricProfile
    from llmeval.stats.estimation.correction import rogan_gladen
    from llmeval.stats.power import discordance, judged_discordance

    judge = JudgeProfile(1.0, 1.0, 1.0, 0.0, None)
    if trust is not None and not _on_judge_scale(profile, metric):
        judge = _judge(profile, metric, trust)
    rate, differs = profile.past.rate(metric), profile.past.discordance(metric)
    if rate is None:
        profile.notes.append(f"{metric}: pass rate {RATE:.0%} (assumed: no past run)")
        people = RATE
        rate = people * judge.sensitivity + (1 - people) * (1 - judge.specificity)
    else:
        seen = "" if trust is None else " by its judge"
        profile.notes.append(
            f"{metric}: pass rate {rate:.1%}{seen} (run {profile.past.run_ids[0]})"
        )
        people = rogan_gladen(rate, judge.sensitivity, judge.specificity)
    if differs is None:
        true = discordance(people, 0, CORRELATION)
        differs = judged_discordance(true, people, judge.sensitivity, judge.specificity).total
        differs = max(differs, 0.02)
        profile.notes.append(
            f"{metric}: {differs:.1%} of the cases differ from the baseline without a drop "
            f"(assumed: correlation {CORRELATION}; no two past runs differ)"
        )
    else:
        profile.notes.append(
            f"{metric}: {differs:.1%} of the cases differ between runs (the largest of the past"
            " runs)"
        )
    sizes = _sizes(profile.cases)
    if max(sizes.values()) > 1:
        profile.notes.append(_clusters_note(sizes))
    return MetricProfile(
        metric=metric,
        **_units(sizes),
        within=WITHIN,
        rate=rate,
        discordance=differs,
        sensitivity=judge.sensitivity,
        specificity=judge.specificity,
        youden_lower=judge.lower,
        j_alpha=judge.spent,
        labels=judge.labels,
        shift=0.0 if judge.labels is None else _shift(profile, metric),
        baseline_runs=_baseline_runs(profile),
    )


def _shift(profile: SuiteProfile, metric: str) -> float:
    """`judge_shift` of the suite's gate, with a note on what it costs."""
    shift = profile.suite.spec.gate.judge_shift
    if shift:
        profile.notes.append(
            f"{metric}: {100 * shift:g} points of each margin allow for a judge that differs"
            " between the two sides (`judge_shift`); labels of the run replace it: `llmeval labels"
            " sample RUN --for regression`"
        )
    return shift


def _baseline_runs(profile: SuiteProfile) -> int:
    """How many runs the suite's baseline is the mean of; 1 where there is none yet."""
    from llmeval.gate.baseline import read_baseline

    rule = profile.suite.spec.gate.regression
    path = None if rule is None or rule.baseline is None else profile.suite.base / rule.baseline
    if path is None or not path.is_file():
        return 1
    runs = read_baseline(path).run_count
    note = f"the baseline is the mean of {runs} runs"
    if runs > 1 and note not in profile.notes:
        profile.notes.append(note)
    return runs


def release_runs(profile: SuiteProfile) -> int:
    """How many runs the release of the lock file is the mean of; 1 where there is none yet."""
    from llmeval.gate.baseline import read_baseline

    rule = profile.suite.spec.gate.regression
    path = None if rule is None or rule.baseline is None else profile.suite.base / rule.baseline
    if path is None or not path.is_file():
        return 1
    release = read_baseline(path).release
    return 1 if release is None else release.run_count


def _on_judge_scale(profile: SuiteProfile, metric: str) -> bool:
    """Whether a rule on a judged metric is about the judge's own verdicts: they then are what is
    true.
    """
    from llmeval.gate.rules.threshold import floors_in

    gate = profile.suite.spec.gate.record()
    stated = [
        *floors_in(gate.floors).items(),
        *profile.margins.items(),
        *profile.release_margins.items(),
    ]
    own = any(limit.judge_scale for key, limit in stated if metric_of(key) == metric)
    if own:
        profile.notes.append(
            f"{metric}: on the judge's own scale (`scale: judge`), as if its verdicts were the"
            " truth"
        )
    return own


def _judge(profile: SuiteProfile, metric: str, trust: str) -> JudgeProfile:
    """From the certificate of a trusted judge; else the judge that the suite would need."""
    from llmeval.gate.rules.judge_arms import J_SHARE
    from llmeval.judges.assurance.certificate import read_certificate
    from llmeval.stats.estimation.agreement import youden_lower
    from llmeval.stats.estimation.label_counts import LabelCounts

    path = profile.suite.judge(metric).certificate
    spent = profile.suite.spec.gate.beta / J_SHARE
    if trust == "TRUSTED" and path is not None:
        certificate = read_certificate(profile.suite.base / path)
        either: tuple[Mapping[str, Any], Mapping[str, Any]] = (
            certificate.counts,
            certificate.weighted or certificate.counts,
        )
        labels, weighted = (
            LabelCounts(*(counts[name] for name in LabelCounts._fields)) for counts in either
        )
        judge = JudgeProfile(
            weighted.pass_pass / weighted.human_pass,
            weighted.fail_fail / weighted.human_fail,
            youden_lower(labels, spent),
            spent,
            (labels.human_pass, labels.human_fail),
        )
        profile.notes.append(
            f"{metric}: the judge's J is {judge.sensitivity + judge.specificity - 1:.2f}, at least"
            f" {judge.lower:.2f} (certificate, {labels.n} labels)"
        )
        return judge
    right, bad = round(LABELS * RATE), LABELS - round(LABELS * RATE)
    sure = round(right * JUDGE[0]), round(bad * JUDGE[1])
    lower = youden_lower(LabelCounts(sure[0], bad - sure[1], right - sure[0], sure[1]), spent)
    profile.notes.append(
        f"{metric}: the judge is UNTRUSTED, so a rule on it is INCONCLUSIVE. Assumed instead:"
        f" sensitivity {JUDGE[0]}, specificity {JUDGE[1]}, shown by {LABELS} random labels (J at"
        f" least {lower:.2f}): `llmeval judge certify`"
    )
    return JudgeProfile(*JUDGE, lower, spent, (right, bad))
