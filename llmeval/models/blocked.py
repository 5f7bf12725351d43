"""The codes with which endpoints report that a filter withheld the answer, from the vendors'
references.
"""

from collections.abc import Mapping

from llmeval.models.endings import plain_reason

CONTENT_FILTER = "content_filter"
"""The finish reason that replaces all the others in records (it is that of OpenAI and Azure)."""
_REASONS = frozenset(
    [
        "content_filter",
        "content_filtered",  # OpenAI, Azure, Bedrock
        "safety",
        "prohibited_content",
        "blocklist",
        "spii",
        "recitation",
        "image_safety",  # Gemini
        "refusal",  # Anthropic: ended by a streaming classifier
        "guardrail_intervened",  # Bedrock
        "sensitive",  # Zhipu
        "error_toxic",  # Cohere
    ]
)
_CODES = _REASONS | frozenset(
    [
        # OpenAI, Azure
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "moderation_blocked",
        "data_inspection_failed",
        "datainspectionfailed",  # Alibaba
        "prompt_blocked",
    ]
)
_CODES_NAMED = ("code", "type", "status", "reason")
_DEPTH = 4


def is_blocked(reason: str | None) -> bool:
    """Whether a finish reason means that a filter ended the reply. `content_filter:
    PROHIBITED_CONTENT` counts too.
    """
    return reason is not None and plain_reason(reason.partition(":")[0]) in _REASONS


def blocked_words(error: object) -> str | None:
    """The message of a content filter in an error object; None for an error of another kind.

    A filter is recognised by its code, at any of the places where endpoints write one, or by a
    gateway's list of reasons why an input was flagged (OpenRouter: `metadata: {reasons: [...],
    flagged_input}`).
    """
    words = _find(error, _DEPTH)
    return None if words is None else f"blocked by a content filter: {words}"


def filtered_categories(results: object) -> str:
    """The categories that Azure's `content_filter_results` name as filtered, comma-separated."""
    if not isinstance(results, Mapping):
        return ""
    return ", ".join(
        str(name)
        for name, result in results.items()
        if isinstance(result, Mapping) and result.get("filtered")
    )


def _find(error: object, depth: int) -> str | None:
    if depth == 0:
        return None
    if isinstance(error, list):
        return next(
            (words for item in error[:10] if (words := _find(item, depth - 1)) is not None), None
        )
    if not isinstance(error, Mapping):
        return None
    if any(
        isinstance(error.get(key), str) and error[key].lower() in _CODES for key in _CODES_NAMED
    ):
        return _words(error)
    metadata = error.get("metadata")
    if (
        isinstance(metadata, Mapping)
        and isinstance(metadata.get("reasons"), list)
        and "flagged_input" in metadata
    ):
        return ", ".join(map(str, metadata["reasons"])) or _words(error)
    for key in ("error", "innererror", "inner_error", "detail"):
        if _find(error.get(key), depth - 1) is not None:
            inner = error[key]
            return _words(error) if error.get("message") else _find(inner, depth - 1)
    return None


def _words(error: Mapping[str, object]) -> str:
    text = str(error.get("message") or error.get("code") or error.get("type") or "no reason given")
    return " ".join(text.split())[:300]
