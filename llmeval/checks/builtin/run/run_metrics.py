"""Checks of how the answer came about: how long it took, what it cost, how many tokens it has, how
it ended.
"""

from typing import Annotated

from pydantic import Field

from llmeval.checks.arguments import Texts
from llmeval.checks.base import Result, check, not_applicable, verdict
from llmeval.core.records import Answer, Case

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@check(group="run")
def max_latency(case: Case, answer: Answer, *, seconds: Positive) -> Result:
    """The answer took at most so many seconds; not applicable to answers from the cache or a
    recording.
    """
    if answer.latency_ms is None or answer.cached:
        return not_applicable("the answer was not measured: it came from the cache or a recording")
    taken = answer.latency_ms / 1000
    return verdict(taken <= seconds, f"took {taken:.2f} s; expected at most {seconds:g} s")


@check(group="run")
def max_cost(case: Case, answer: Answer, *, usd: Positive) -> Result:
    """The answer cost at most so many US dollars, by the prices in the suite."""
    if answer.cost_usd is None:
        return not_applicable(
            "the cost is not known: the suite states no price, or the answer was not paid for"
        )
    return verdict(
        answer.cost_usd <= usd, f"cost ${answer.cost_usd:.6f}; expected at most ${usd:g}"
    )


@check(group="run")
def max_tokens(case: Case, answer: Answer, *, n: Annotated[int, Field(gt=0)]) -> Result:
    """The answer has at most so many tokens, as the endpoint counted them."""
    output_tokens = None if answer.usage is None else answer.usage.output_tokens
    if output_tokens is None:
        return not_applicable("the endpoint did not count tokens")
    return verdict(output_tokens <= n, f"{output_tokens} tokens; expected at most {n}")


@check(group="run")
def finish_reason(case: Case, answer: Answer, *, reason: Texts = ["stop"]) -> Result:  # noqa: B006
    """The answer ended for this reason: `stop` by itself, `length` cut off, `tool_calls`,
    `content_filter`.
    """
    if answer.finish_reason is None:
        return not_applicable("the endpoint gave no finish reason")
    return verdict(
        answer.finish_reason in reason,
        f"ended by {answer.finish_reason}; expected {' or '.join(reason)}",
    )
