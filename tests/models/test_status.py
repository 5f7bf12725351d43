"""What a status, headers and words mean: tables of refusals, waits and refused parameters."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmeval.core.errors import ModelError, Overloaded, Retryable
from llmeval.models.client.retry_after import LONGEST, duration, retry_after
from llmeval.models.client.status import status_error
from tests.support.tables import each_row

ROWS = yaml.safe_load((Path(__file__).parent / "refusals.yaml").read_text(encoding="utf-8"))
NOW = 1_790_000_000.0


def error_of(status: int, body: Any, headers: dict[str, str] | None = None) -> ModelError:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return status_error(f"host: HTTP {status}: words", status, headers or {}, data)


def verdict(error: ModelError) -> str:
    if error.kind == "quota":
        return "lasting"
    if isinstance(error, Overloaded):
        return "passing"
    return "retry" if isinstance(error, Retryable) else "never"


@each_row("row", ROWS, ids=lambda row: f"{row['source']}, {row['status']}")
def test_refusals(row: dict[str, Any]) -> None:
    error = error_of(row["status"], row["body"], row.get("headers"))
    assert verdict(error) == row["verdict"]
    assert str(error).startswith(f"host: HTTP {row['status']}: words")
    if "wait" in row:
        assert isinstance(error, Overloaded)
        assert error.retry_after == pytest.approx(row["wait"])


@each_row(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"RETRY-AFTER": "7.5"}, 7.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "1m30s"}, 90),
        ({"Retry-After": "Mon, 21 Sep 2026 14:14:00 GMT"}, 40),
        ({"x-ratelimit-reset-requests": "12s"}, 12),
        (
            {"x-ratelimit-reset-requests": "1m30s", "x-ratelimit-reset-tokens": "250ms"},
            0.25,
        ),  # which one is not said
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1m30s",
                "x-ratelimit-remaining-tokens": "9000",
                "x-ratelimit-reset-tokens": "250ms",
            },
            90,
        ),
        (
            {"x-ratelimit-remaining-requests": "14", "x-ratelimit-reset-requests": "7h"},
            None,
        ),  # not the one reached
        ({"X-RateLimit-Reset": "1790000042"}, 42),
        ({"X-RateLimit-Reset": "1790000042000"}, 42),
        ({"anthropic-ratelimit-requests-reset": "2026-09-21T14:14:00Z"}, 40),
        ({"ratelimit": "limit=20, remaining=0, reset=30"}, 30),
        ({"RateLimit": '"default";r=0;t=31'}, 31),
        ({"retry-after": "5", "x-ratelimit-reset-requests": "60s"}, 5),
        ({"x-ratelimit-limit-requests": "20"}, None),
        # what can't be meant is no wish
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1e308"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"Retry-After": "Mon, 99 Foo 2026"}, None),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": str(LONGEST + 1)}, None),
        ({"x-ratelimit-reset-requests": "9" * 400 + "s"}, None),
        ({"x-ratelimit-reset": "9999-12-31T00:00:00Z"}, None),
        ({"retry-after-ms": "x", "retry-after": "3"}, 3),
    ],
)
def test_waits_in_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, None, "", NOW) == (
        None if seconds is None else pytest.approx(seconds)
    )


@each_row(
    ("body", "seconds"),
    [
        ("Please try again in 20s.", 20),
        ("Please retry after 20 seconds, thanks", 20),
        ("try again in 6m0s", 360),
        ("please try again in 1 minute and 30 seconds", 90),
        ("wait for about 2 minutes", 120),
        ("quota replenished in 00:01:05", 65),
        ("请在 20 秒后重试", 20),
        ("retry later", None),
        ("retry in 400 days", None),
        ({"error": {"details": [{"retryDelay": "22.5s"}]}}, 22.5),
        ({"retry_after": 20}, 20),
        ({"retry_after_ms": 1500}, 1.5),
        ({"retry_after": True}, None),
        (
            {
                "error": {
                    "metadata": {
                        "headers": {
                            "X-RateLimit-Remaining": "0",
                            "X-RateLimit-Reset": "1790000042000",
                        }
                    }
                }
            },
            42,
        ),
    ],
)
def test_waits_in_bodies(body: Any, seconds: float | None) -> None:
    text = body if isinstance(body, str) else ""
    found = retry_after({}, None if text else body, text, NOW)
    assert found == (None if seconds is None else pytest.approx(seconds))


def test_durations() -> None:
    assert [
        duration(text) for text in ("12s", "1m30s", "250ms", "1h2m3s", "30", "12 sandwiches", "")
    ] == [
        12,
        90,
        0.25,
        3723,
        None,
        None,
        None,
    ]


REFUSED = [
    (
        400,
        {
            "error": {
                "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                "param": "max_tokens",
            }
        },
        "max_completion_tokens: N",
    ),
    (
        400,
        {"error": {"message": "'max_tokens' is not supported, use max_completion_tokens"}},
        "max_completion_tokens: N",
    ),
    (
        400,
        {"error": {"message": "Unrecognized request argument supplied: max_completion_tokens"}},
        "max_tokens: N",
    ),
    (
        400,
        {
            "error": {
                "message": "Unsupported value: 'temperature' does not support 0 with this model.",
                "param": "temperature",
            }
        },
        "temperature: null",
    ),
    (
        400,
        {"error": {"message": "`temperature` is deprecated for this model."}},
        "temperature: null",
    ),
    (
        400,
        {"error": {"message": "Unsupported parameter: seed", "code": "unsupported_parameter"}},
        "seed: null",
    ),
    (
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "top_k"],
                    "msg": "Extra inputs are not permitted",
                    "input": "temperature",
                }
            ]
        },
        "top_k: null",
    ),
    (400, {"error": {"message": "'stop' is not supported by this model"}}, "stop: null"),
    (400, {"error": {"message": "logprobs are not available for this model"}}, "logprobs: false"),
    (
        400,
        {"error": {"message": "This model does not support response_format json_schema"}},
        "structured_output: json_object",
    ),
    (
        400,
        {"error": {"message": "response_format.type must be one of: text, json_object"}},
        "`none` on this model",
    ),
    (
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "response_format"],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
        "structured_output",
    ),
    (
        400,
        [
            {
                "error": {
                    "message": "Unknown name \"additionalProperties\" at 'generation_config.response_schema': Cannot find field. Invalid JSON payload"
                }
            }
        ],
        "structured_output",
    ),
]


@each_row(("status", "body", "fix"), REFUSED)
def test_a_refused_parameter_is_named_with_its_fix(status: int, body: Any, fix: str) -> None:
    error = error_of(status, body)
    assert verdict(error) == "never"
    assert fix in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {
            "error": {
                "message": "This model's maximum context length is 8192 tokens; your messages have 9000.",
                "code": "context_length_exceeded",
            }
        },
        {
            "object": "error",
            "message": "Conversation roles must alternate user/assistant/user/assistant",
        },
        {"detail": "Model m is not loaded"},
        "not JSON",
    ],
)
def test_other_refusals_name_no_parameter(body: Any) -> None:
    assert str(error_of(400, body)) == "host: HTTP 400: words"
