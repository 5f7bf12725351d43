"""The exchange that a trace records: what went to a model or an agent, and what came back."""

from collections.abc import Sequence

from llmeval.core.otel_spans import OtelSpan, in_tree_order
from llmeval.data.traces.span_messages import Messages, messages_of_span

AGENTS = ("invoke_agent", "invoke_workflow")
_MODELS = ("chat", "generate_content", "text_completion")
CONVERSATION = ("gen_ai.conversation.id", "session.id", "langfuse.session.id")
"""Attributes that name the conversation of a trace."""


def exchange_of(spans: Sequence[OtelSpan]) -> tuple[Messages, Messages, str]:
    """What went in and came out of the trace, and the model: of the outermost agent if it records
    both, else of the last call of a model, else of the outermost span that does.
    """
    ordered = [(span, *messages_of_span(span)) for span, _ in in_tree_order(spans)]
    whole = [each for each in ordered if each[1] and each[2]]
    agents = [each for each in whole if operation(each[0]) in AGENTS]
    calls = [each for each in whole if operation(each[0]) in _MODELS or _names_model(each[0])]
    calls.sort(key=lambda each: each[0].end_ns)
    # A call that failed has no reply, and is the only one then.
    chosen = [*agents[:1], *calls[-1:], *whole[:1], *(each for each in ordered if each[1])]
    if not chosen:
        return [], [], ""
    span, sent, replied = chosen[0]
    models = [_model(each[0]) for each in [*calls[-1:], (span, sent, replied)]]
    return sent, replied, next(filter(None, models), "")


def operation(span: OtelSpan) -> str:
    """What the span does, by `gen_ai.operation.name`; empty where it does not say that."""
    return span.text("gen_ai.operation.name")


def _names_model(span: OtelSpan) -> bool:
    return bool(_model(span)) and operation(span) not in AGENTS


def _model(span: OtelSpan) -> str:
    return span.text("gen_ai.response.model", "gen_ai.request.model", "llm.model_name")
