"""How a reply ended: tables of the finish reasons from the vendors' references."""

FINISHED = frozenset(
    {
        "stop",
        "end_turn",
        "stop_sequence",
        "eos",
        "eos_token",
        "tool_calls",
        "tool_use",
        "function_call",
        "complete",
        "completed",
    }
)
"""Finish reasons of a complete reply. Any other one (`length`, `content_filter`, `error`, an
unknown one) means that the reply was cut off or blocked.
"""
_CALLED = frozenset({"tool_calls", "tool_use", "function_call"})
"""Those of `FINISHED` that promise a tool call."""
_LENGTH = frozenset(
    {
        "length",
        "max_tokens",
        "max_output_tokens",
        "max_length",
        "token_limit",
        "model_length",
        "model_context_window_exceeded",
        "error_limit",
    }
)
"""Words for a limit on tokens (OpenAI, Gemini, Anthropic, Mistral, Cohere)."""
_BROKEN = frozenset(
    {
        "abort",
        "aborted",
        "cancelled",
        "canceled",
        "user_cancel",
        "failed",
        "expired",
        "timeout",
        "preempted",
        "insufficient_system_resource",
    }
)
"""Finish reasons of a reply that the endpoint broke off (OpenRouter, vLLM, Zhipu, DeepSeek,
Cohere). Any reason that contains `error` counts too.
"""
_PREFIX = "finish_reason_"
"""The prefix of each reason in Gemini's enumeration."""


def plain_reason(reason: str) -> str:
    """The reason in one spelling: `FINISH_REASON_MAX_TOKENS` and `max-tokens` are `max_tokens`."""
    return reason.strip().lower().replace("-", "_").removeprefix(_PREFIX)


def is_finished(reason: str | None) -> bool:
    """Whether the model ended the reply by itself. A reply without a reason counts as ended."""
    return not reason or plain_reason(reason) in FINISHED


def may_be_empty(reason: str | None) -> bool:
    """Whether a reply with this finish reason can be empty on purpose, without
    text and tool calls.
    """
    return not reason or plain_reason(reason) in FINISHED - _CALLED


def is_length(reason: str | None) -> bool:
    """Whether a limit on tokens ended the reply."""
    return reason is not None and plain_reason(reason) in _LENGTH


def is_broken(reason: str | None) -> bool:
    """Whether the endpoint broke the reply off."""
    if reason is None or is_length(reason):
        return False
    plain = plain_reason(reason)
    return plain in _BROKEN or "error" in plain.split("_")
