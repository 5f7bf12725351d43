"""Types of assertion without a counterpart, each with what to do instead."""

_SIMILAR = (
    "compare embeddings of the answer and of the value, for example by your endpoint's"
    " /v1/embeddings; `facts`, `chrf` and `token_f1` need no endpoint"
)
_TRACE = (
    "needs a trace, which a run does not record; tool calls can be checked by `tool_call` and"
    " `tool_sequence`"
)
_CONTEXT = (
    "has no counterpart; `grounded` judges whether the answer is backed by the case's `context`"
)
_ACROSS = "compares several answers; `llmeval compare A B --judge NAME` does so for whole runs"
_TOOLS = (
    "takes its schemas from the provider; name them in a check: `tool_calls_valid: {tools: {name:"
    " schema}}`"
)

TO_FILL = {
    "similar": _SIMILAR,
    "similar:cosine": _SIMILAR,
    "similar:dot": _SIMILAR,
    "similar:euclidean": _SIMILAR,
    "python": "decide what this Python decides",
    "javascript": "decide what this JavaScript decides",
    "ruby": "decide what this Ruby decides",
    "webhook": "call the server and return its verdict",
    "classifier": "call the classifier, and compare its score with the threshold",
    "moderation": "call the moderation service and return whether the answer is accepted",
    "pi": "call the scoring service, and compare its score with the threshold",
}
"""Types that become a function to fill in, and what it has to do."""

TOOL_SCHEMAS = {"is-valid-function-call": _TOOLS, "is-valid-openai-tools-call": _TOOLS}
"""Types that check tool calls against the schemas of the provider, and what to do without."""

CRITERIA = {
    "answer-relevance": "The answer addresses the question that was put.",
    "conversation-relevance": "Each reply is relevant to the conversation before it.",
}
"""Types without a text. A judge of `rubric` decides them by this criterion."""

REFUSED = {
    "levenshtein": (
        "counts edits; `levenshtein` here is a similarity in [0, 1]: write it with the `threshold`"
        " you want"
    ),
    "gleu": "there is no GLEU here; `bleu` or `chrf` come close",
    "meteor": "there is no METEOR here; `chrf` or `token_f1` come close",
    "perplexity": "needs log probabilities of the answer, which are not recorded",
    "perplexity-score": "needs log probabilities of the answer, which are not recorded",
    "contains-sql": "SQL inside a text: ask for SQL alone and use `is-sql`",
    "guardrails": (
        "needs a provider's own guardrail report; `no_pii`, `no_secrets` and `refusal` look at the"
        " answer"
    ),
    "is-valid-openai-function-call": _TOOLS,
    "skill-used": _TRACE,
    "trajectory:tool-used": _TRACE,
    "trajectory:tool-sequence": _TRACE,
    "trajectory:tool-args-match": _TRACE,
    "trajectory:step-count": _TRACE,
    "trajectory:goal-success": _TRACE,
    "trace-span-count": _TRACE,
    "trace-span-duration": _TRACE,
    "trace-error-spans": _TRACE,
    "context-recall": _CONTEXT,
    "context-relevance": _CONTEXT,
    "select-best": _ACROSS,
    "max-score": _ACROSS,
    "human": "is a person's part: `llmeval review RUN`",
}

SILENT_NOT = frozenset(
    [
        "factuality",
        "model-graded-factuality",
        "model-graded-closedqa",
        "context-faithfulness",
        "context-recall",
        "context-relevance",
        "is-valid-function-call",
        "is-valid-openai-function-call",
    ]
)
"""Types for which promptfoo 0.121 ignores `not-` (promptfoo issues 9738, 9838, 10494)."""
