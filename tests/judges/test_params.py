"""What a judge sends, and what it makes of the ways in which models wrap or cut their verdicts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import ModelError
from llmeval.core.records import Answer, Status
from llmeval.judges.cascade import Cascade
from llmeval.judges.judge import Judge
from llmeval.judges.panel import Panel
from llmeval.judges.protocol import load_protocol
from llmeval.judges.verdict import BadVerdict, read_verdict, unwrapped
from llmeval.models.base import Reply
from llmeval.models.client.caller import Caller
from llmeval.models.client.limiter import Limiter
from llmeval.models.local.params import parse
from llmeval.models.openai import OpenAIEndpoint
from llmeval.models.params import merged
from tests.judges.test_protocols import TWO
from tests.support.endpoint import Endpoint, serve, verdict
from tests.support.judging import ASKED, CASE, Fake, judge_of, rubric, scored

YES = verdict("correct", "Paris")


def sent_by(
    model: Mapping[str, Any], judge: Mapping[str, Any], api: str = "chat", votes: int = 1
) -> tuple[Any, str]:
    """The body that reaches the server, and the judge's digest."""
    import asyncio

    def answer(body: dict[str, Any], earlier: int) -> Any:
        if api == "chat":
            return YES
        message = {"type": "message", "content": [{"type": "output_text", "text": YES}]}
        return {"status": "completed", "output": [message]}

    async def run(server: Endpoint) -> str:
        endpoint = OpenAIEndpoint(
            "j", base_url=server.url, api_key="k", params=model, api=api, build="j@1"
        )
        one = Judge(
            "m",
            Caller(endpoint, Limiter(2), None),
            load_protocol("reference", Path()),
            judge,
            votes=votes,
        )
        await one.score(CASE, Answer(case_id="a", output="It is Paris."), ASKED)
        await endpoint.close()
        return one.digest

    with serve(answer) as server:
        digest = asyncio.run(run(server))
    body = server.requests[-1]
    kept = {
        key: value
        for key, value in body.items()
        if key not in ("model", "messages", "input", "response_format", "text")
    }
    return kept, digest


@pytest.mark.parametrize(
    ("model", "judge", "sent"),
    [
        ({}, {}, {"temperature": 0, "max_tokens": 512}),
        ({"max_tokens": 3000, "temperature": 0.6}, {}, {"temperature": 0.6, "max_tokens": 3000}),
        (
            {"max_tokens": 3000, "temperature": 0.6},
            {"temperature": 0.1},
            {"temperature": 0.1, "max_tokens": 3000},
        ),
        ({"max_completion_tokens": 700, "temperature": None}, {}, {"max_completion_tokens": 700}),
        ({"max_completion_tokens": 700}, {"max_tokens": 90}, {"temperature": 0, "max_tokens": 90}),
        ({"temperature": 0.6}, {"temperature": None, "max_tokens": None}, {}),
        ({"top_p": 0.5}, {"top_p": None}, {"temperature": 0, "max_tokens": 512}),
    ],
)
def test_a_judge_sends_its_own_parameters_over_its_models_over_the_defaults(
    model: dict[str, Any], judge: dict[str, Any], sent: dict[str, Any]
) -> None:
    body, digest = sent_by(model, judge)
    assert body == sent
    local = merged(model, {**dict.fromkeys(model), **sent})
    assert parse({**local}).temperature == sent.get("temperature", 0)
    assert digest == sent_by(model, judge)[1]


def test_the_digest_follows_what_is_sent() -> None:
    assert (
        sent_by({"max_tokens": 512}, {})[1] == sent_by({"max_tokens": 512}, {"temperature": 0})[1]
    )
    assert sent_by({}, {})[1] != sent_by({}, {"temperature": None})[1]
    assert sent_by({"max_tokens": 3000}, {})[1] != sent_by({"max_tokens": 100}, {})[1]


def test_the_responses_api_has_a_name_of_its_own_for_the_longest_reply() -> None:
    assert sent_by({"max_completion_tokens": 700, "temperature": None}, {}, "responses")[0] == {
        "max_output_tokens": 700
    }
    assert sent_by({}, {}, "responses")[0] == {"temperature": 0, "max_output_tokens": 512}


def test_further_votes_send_no_temperature_where_none_is_sent() -> None:
    assert sent_by({}, {"temperature": None}, votes=3)[0] == {"max_tokens": 512}
    assert sent_by({}, {}, votes=3)[0] == {"temperature": 0.7, "max_tokens": 512}


SCHEMA = load_protocol("reference", Path()).schema
USABLE = [
    (YES, None),
    (f"```json\n{YES}\n```", None),
    (f"```\n{YES}\n```\n", None),
    (f"~~~JSON\n{YES}\n~~~", None),
    (f"<think>Lyon? No.</think>{YES}", "Lyon? No."),
    (f"\n<think>\nHm.\n\n</think>\n\n```json\n{YES}\n```", "Hm."),
    (f"<think></think>\n{YES}", ""),
    (f"<think>{verdict('incorrect')}</think>{YES}", verdict("incorrect")),
]
UNUSABLE = [
    f"Here is my grading:\n```json\n{YES}\n```",
    f"```json\n{YES}\n```\nI hope this helps.",
    f"```json\n{YES}\n```\n```json\n{YES}\n```",
    f"{YES}<think>or not</think>",
    f"First: <think>x</think>{YES}",
    f"<think>x</think><think>y</think>{YES}",
    f"<think>the answer says </think>{YES} and so it must be right</think>{verdict('incorrect')}",
    f"thoughts without a begin</think>{YES}",
    f"<think>no end {YES}",
    "<think>nothing else</think>",
    "",
]


@pytest.mark.parametrize(("text", "reasoning"), USABLE)
def test_a_leading_think_block_and_one_fence_are_taken_off(
    text: str, reasoning: str | None
) -> None:
    assert read_verdict(text, SCHEMA) == json.loads(YES)
    assert unwrapped(text).reasoning == reasoning
    score = scored(judge_of(Fake(text)))
    assert (score.status, score.attempts) == (Status.PASS, 1)
    assert score.details is not None
    assert score.details.get("reasoning") == (reasoning or None)


@pytest.mark.parametrize("text", UNUSABLE)
def test_everything_else_around_a_verdict_makes_it_unusable(text: str) -> None:
    with pytest.raises(BadVerdict):
        read_verdict(text, SCHEMA)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (
            Reply(text='{"evidence": "Par', finish_reason="length"),
            "finish_reason length): raise `max_tokens`",
        ),
        (Reply(text="<think>hm</think>", finish_reason="stop"), "the model only reasoned"),
        (Reply(text="<think>hm, it may be", finish_reason="stop"), "its reasoning has no end"),
        (Reply(text="no", finish_reason="tool_calls"), "finish_reason tool_calls"),
        (Reply(text="no", finish_reason="stop"), "not one JSON object"),
    ],
)
def test_an_unusable_verdict_names_its_cause(reply: Reply, told: str) -> None:
    score = scored(judge_of(Fake(reply)))
    assert score.status is Status.UNSCORED
    assert score.unscored is not None
    assert score.unscored.startswith("the judge gave no usable verdict in 3 calls: ")
    assert told in score.unscored
    assert score.error is not None
    assert (score.error.kind, score.unanswered, score.undecided) == ("judge", False, False)


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (
            Reply(text="", finish_reason="length", reasoning="hm"),
            "truncated",
            "raise max_tokens: all 512 tokens",
        ),
        (Reply(text="", finish_reason="stop", reasoning="hm"), "truncated", "went into reasoning"),
        (Reply(text="", finish_reason="content_filter"), "blocked", "blocked by a content filter"),
    ],
)
def test_a_reply_without_an_answer_is_no_verdict_and_is_not_asked_for_again(
    reply: Reply, kind: str, told: str
) -> None:
    score = scored(judge_of(Fake(reply)))
    assert score.error is not None
    assert (score.status, score.error.kind, score.attempts) == (Status.UNSCORED, kind, 1)
    assert told in score.error.message


@pytest.mark.parametrize("kind", ["provider", "quota", "blocked", "truncated", "budget"])
def test_a_judge_that_could_not_be_asked_keeps_the_kind_of_its_error(kind: str) -> None:
    score = scored(judge_of(Fake(ModelError("no", kind=kind))))
    assert score.error is not None
    assert (score.status, score.error.kind, score.unanswered) == (Status.UNSCORED, kind, True)


def test_a_panel_without_a_verdict_has_the_error_that_ends_a_run() -> None:
    said = [ModelError("down"), "?", ModelError("used up", kind="quota")]
    score = scored(Panel("m", [judge_of(Fake(one)) for one in said]))
    assert score.error is not None
    assert score.error.kind == "quota"
    unusable = scored(Panel("m", [judge_of(Fake(one)) for one in ("?", "?", YES)]))
    assert unusable.error is not None
    assert unusable.error.kind == "judge"


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (rubric(right="met", short="cannot_tell"), Status.NEEDS_REVIEW),
        ("?", Status.UNSCORED),
        (ModelError("down"), Status.UNSCORED),
    ],
)
def test_a_person_gets_what_the_last_judge_left_undecided_and_nothing_that_was_lost(
    last: Any, status: Status
) -> None:
    members = [judge_of(Fake(said), "rubric", criteria=TWO) for said in ("?", last)]
    assert scored(Cascade("m", members, (0.1, 0.9), 0.0)).status is status
