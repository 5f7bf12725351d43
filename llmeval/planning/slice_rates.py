"""The rates of a slice in past runs, for planning the rules about it."""

from dataclasses import replace

from llmeval.planning.metric_profile import MetricProfile
from llmeval.planning.suite_profile import CORRELATION, SuiteProfile
from llmeval.stats.power import discordance, judged_discordance


def with_own_rate(
    profile: SuiteProfile, whole: MetricProfile, key: str, cases: list[str]
) -> MetricProfile:
    """The profile of a slice: a rate mixed from 95 % and 0 % describes neither of two slices."""
    rate = profile.past.rate(whole.metric, cases)
    if rate is None:
        return whole
    differs = profile.past.discordance(whole.metric, cases)
    sliced = replace(whole, rate=rate)
    how = "the largest of the past runs"
    if differs is None:
        true = discordance(sliced.people, 0, CORRELATION)
        shown = judged_discordance(true, sliced.people, whole.sensitivity, whole.specificity)
        differs, how = max(shown.total, 0.02), f"assumed: correlation {CORRELATION}"
    profile.notes.append(
        f"{key}: pass rate {rate:.1%} (run {profile.past.run_ids[0]}); {differs:.1%} of the cases"
        f" differ between runs ({how})"
    )
    return replace(sliced, discordance=differs)
