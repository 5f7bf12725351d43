"""What to say of labels where a regression rule on a judged metric is INCONCLUSIVE: how many labels
of this run would decide it.
"""

from collections.abc import Mapping

from llmeval.gate.pair_classes import LABELLED, SPREADS, PairClass
from llmeval.stats.estimation.label_counts import LabelCounts
from llmeval.stats.estimation.labelled_difference import LabelledPairs
from llmeval.stats.label_size import LabelTerms, by_judge, by_labels, pairs_needed

SAMPLE = "`llmeval labels sample RUN --for regression"


def label_hint(
    classes: Mapping[str, PairClass], judge: LabelCounts | None, terms: LabelTerms
) -> str:
    """How many labels of this run would decide a rule that the judge's verdicts did not.

    Args:
        classes: of each paired case.
        judge: labels behind its certificate; None for a judge that is not trusted.
        terms: margin and rates of the rule by labels.
    """
    if judge is None or not judge.human_pass or not judge.human_fail:
        return f" People's labels of this run decide it without the judge: {SAMPLE}`."
    kinds = list(classes.values())
    sizes = [kinds.count(kind) for kind in LABELLED]
    right, specificity = judge.pass_pass / judge.human_pass, judge.fail_fail / judge.human_fail
    if right + specificity <= 1:
        return ""
    expected = by_judge(sizes, right, specificity)
    pairs = pairs_needed(expected, kinds.count(PairClass.SAME), SPREADS, terms)
    if pairs is None:
        return " Labels of all these cases would not decide it either."
    return (
        f" Or about {2 * pairs:,} labels of this run, on both answers of {pairs:,} cases, decide in"
        f" 4 of 5 tries without the judge: {SAMPLE} --n {2 * pairs}`."
    )


def more_labels(counts: LabelledPairs, terms: LabelTerms, draws: int) -> str:
    """How many more labels would decide a rule that labels did not, if people go on to differ from
    the judge as they do.

    Args:
        counts: the labels so far. terms: margin and rates, of the next draw. draws: so far.
    """
    done = counts.labelled
    pairs = pairs_needed(by_labels(counts), counts.same, SPREADS, terms, done + 1)
    if pairs is None:
        return " Labels of all these cases would not decide it: it takes more cases."
    more = 2 * max(1, pairs - done)
    return (
        f" About {more:,} more labels would decide in 4 of 5 tries: {SAMPLE} --n {more} --seed"
        f" {draws}`."
    )
