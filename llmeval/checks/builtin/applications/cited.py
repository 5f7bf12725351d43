"""Whether an answer cites only what the application retrieved."""

from itertools import islice

from llmeval.checks.arguments import MAX_SPANS, Count, clip
from llmeval.checks.base import Result, check, graded, not_applicable, verdict
from llmeval.checks.builtin.applications.retrieval import Ids
from llmeval.checks.builtin.sources.cited_ids import cited_ids
from llmeval.checks.reading.text import number_of
from llmeval.core.records import Answer, Case, Span


@check(group="applications")
def cites_only(case: Case, answer: Answer, *, among: Ids, min: Count = 0) -> Result:
    """Every source that the answer cites is one of the ids `among`.

    Citations are numbers and ids in brackets: `[1]`, `[2-4]`, `[kb-12]`, `(source 2)`, `[doc 3,
    4]`; an id of `among` counts in any brackets. The graded value is the share of the citations
    that are among them. `min`: at least so many citations; with 0, the check does not apply to an
    answer that cites nothing.
    """
    cited = cited_ids(answer.text, among)
    if len(cited) < min:
        return verdict(False, f"{number_of(len(cited), 'citation')}; expected at least {min}")
    if not cited:
        return not_applicable("nothing is cited")
    valid = {name.casefold() for name in among}
    wrong = [place for place in cited if place.id.casefold() not in valid]
    names = list(dict.fromkeys(place.id for place in wrong))
    spans = (Span(p.start, p.end, f"{clip(p.id)} was not among the sources") for p in wrong)
    reason = f"not among the sources: {', '.join(map(clip, names[:10]))}"
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return graded(
        1 - len(wrong) / len(cited),
        not wrong,
        f"{reason}{more}" if wrong else f"all {number_of(len(cited), 'citation')} are valid",
        *islice(spans, MAX_SPANS),
    )
