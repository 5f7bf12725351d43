"""Types of assertion without a counterpart, each with what to do instead."""

_EMBEDDING = (
    "needs an embedding model; `facts`, `chrf`, `token_f1` or a judge (`factuality`) say what is"
    " right instead"
)
_CODE = (
    "an import does not run code; write it as your own check, `module:function` (docs/checks.md)"
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

REFUSED = {
    "similar": _EMBEDDING,
    "similar:cosine": _EMBEDDING,
    "similar:dot": _EMBEDDING,
    "similar:euclidean": _EMBEDDING,
    "levenshtein": (
        "counts edits; `levenshtein` here is a similarity in [0, 1]: write it with the `threshold`"
        " you want"
    ),
    "gleu": "there is no GLEU here; `bleu` or `chrf` come close",
    "meteor": "there is no METEOR here; `chrf` or `token_f1` come close",
    "python": _CODE,
    "ruby": _CODE,
    "webhook": "calls your server; write your own check, `module:function`",
    "perplexity": "needs log probabilities of the answer, which are not recorded",
    "perplexity-score": "needs log probabilities of the answer, which are not recorded",
    "contains-sql": "SQL inside a text: ask for SQL alone and use `is-sql`",
    "guardrails": (
        "needs a provider's own guardrail report; `no_pii`, `no_secrets` and `refusal` look at the"
        " answer"
    ),
    "moderation": (
        "needs a moderation service; write what is forbidden as a criterion of `llm-rubric`"
    ),
    "classifier": "needs a classifier; write what it decides as a criterion of `llm-rubric`",
    "pi": "needs that vendor's service; write the statement as a criterion of `llm-rubric`",
    "is-valid-function-call": _TOOLS,
    "is-valid-openai-function-call": _TOOLS,
    "is-valid-openai-tools-call": _TOOLS,
    "skill-used": _TRACE,
    "trajectory:tool-used": _TRACE,
    "trajectory:tool-sequence": _TRACE,
    "trajectory:tool-args-match": _TRACE,
    "trajectory:step-count": _TRACE,
    "trajectory:goal-success": _TRACE,
    "trace-span-count": _TRACE,
    "trace-span-duration": _TRACE,
    "trace-error-spans": _TRACE,
    "answer-relevance": "has no counterpart; say what is relevant as a criterion of `llm-rubric`",
    "context-recall": _CONTEXT,
    "context-relevance": _CONTEXT,
    "conversation-relevance": (
        "has no counterpart; say what is relevant as a criterion of `llm-rubric`"
    ),
    "agent-rubric": "lets an agent judge; `llm-rubric` judges the answer",
    "search-rubric": (
        "lets the judge search the web, so that its verdicts change by the day; give references"
        " instead"
    ),
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
