"""Decision models: the endpoint over real HTTP, and local weights read label by label."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from llmeval.core.errors import (
    ModelError,
    Overloaded,
    Retryable,
    ServerError,
    SuiteError,
    Unreadable,
)
from llmeval.core.records import Message, Usage
from llmeval.models.base import Reply, Request
from llmeval.models.readout import LabelReadout
from llmeval.models.systemone import SystemOne
from tests.support.endpoint import Handler, serve

CHOICE = {
    "type": "choice",
    "instructions": "Is it right?",
    "criteria": {"yes": "It is.", "no": "It is not."},
}
ANSWERS: dict[str, Any] = {
    "q": {
        "type": "choice",
        "choice": "yes",
        "probabilities": {"yes": 0.8, "no": 0.2},
        "confidence": 0.6,
    }
}


def asked(
    handler: Handler, path: str = "", **questions: Any
) -> tuple[Reply, dict[str, Any], dict[str, str]]:
    async def go(url: str) -> Reply:
        model = SystemOne("jev-latest", base_url=url, api_key="secret", timeout=5)
        try:
            return await model.answer(
                Request(
                    messages=(Message("user", '{"answer": "Paris"}'),),
                    questions=questions or {"q": CHOICE},
                )
            )
        finally:
            await model.close()

    with serve(handler) as endpoint:
        reply = asyncio.run(go(endpoint.url + path))
        return reply, endpoint.requests[0], endpoint.headers[0]


def test_one_request_carries_state_and_questions() -> None:
    served = {
        "model": "jev-1",
        "answers": ANSWERS,
        "usage": {"input_tokens": 20, "output_tokens": 1},
    }
    reply, body, headers = asked(lambda body, earlier: served)
    assert body == {"model": "jev-latest", "state": {"answer": "Paris"}, "questions": {"q": CHOICE}}
    assert headers["Authorization"] == "Bearer secret"
    assert json.loads(reply.text) == {"q": {"yes": 0.8, "no": 0.2}}
    assert (reply.model, reply.usage) == ("jev-1", Usage(20, 1))


def test_an_envelope_and_a_path_of_ones_own() -> None:
    reply, _, _ = asked(lambda body, earlier: {"result": {"answers": ANSWERS}}, path="/decisions")
    assert json.loads(reply.text)["q"]["yes"] == 0.8


def test_other_kinds_of_answers() -> None:
    answers = {
        "n": {"type": "noul", "noul": 0.7},
        "s": {
            "type": "score",
            "score": 0.4,
            "legend": {},
            "probabilities": {"0": 0.6, "1": 0.4},
            "confidence": 1,
        },
    }
    reply, _, _ = asked(
        lambda body, earlier: {"answers": answers},
        n={"type": "noul", "instructions": "?"},
        s={"type": "score", "instructions": "?", "criteria": ["bad", "good"]},
    )
    assert json.loads(reply.text) == {
        "n": {"true": 0.7, "false": pytest.approx(0.3)},
        "s": {"0": 0.6, "1": 0.4},
    }


@pytest.mark.parametrize(
    ("served", "error"),
    [
        ((429, {"error": "slow down"}, {}), Overloaded),
        ((500, {"error": "broken"}, {}), ServerError),
        ((401, {"error": "no"}, {}), ModelError),
        ({"answers": {}}, ModelError),
        (
            {"answers": {"q": {"type": "choice", "choice": "yes", "confidence": 1.0}}},
            ModelError,
        ),  # no probabilities
        (
            {"answers": {"q": {"type": "choice", "probabilities": {"yes": "nan", "no": 0}}}},
            ModelError,
        ),
        ((200, b"[1]", {}), ModelError),
        ((200, b"[1", {}), Unreadable),
        ("reset", Retryable),
    ],
)
def test_failures_by_class(served: Any, error: type[ModelError]) -> None:
    with pytest.raises(error) as caught:
        asked(lambda body, earlier: served)
    assert type(caught.value) is error
    assert "secret" not in str(caught.value)


def test_it_is_no_candidate() -> None:
    with pytest.raises(SuiteError, match="not an http"):
        SystemOne("m", base_url="jev")
    with pytest.raises(ModelError, match="questions only"):
        asyncio.run(
            SystemOne("m", base_url="http://x/v1").answer(
                Request(messages=(Message("user", "Hi"),))
            )
        )


class Read(NamedTuple):
    """A reading."""

    probabilities: Mapping[str, float]


class Biased:
    """Likes the letter A by so much, and option texts that say 'is.' by so much."""

    def __init__(self, letter: float, right: float) -> None:
        self.letter, self.right, self.prompts = letter, right, list[str]()

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"provider": "test", "model": "biased"}

    async def label_probabilities(self, request: Request, labels: Sequence[str]) -> Read:
        text = request.messages[-1].content
        self.prompts.append(text)
        weight = {
            label: 1 + self.letter * (label == "A") + self.right * (f"{label}. yes" in text)
            for label in labels
        }
        return Read({label: weight[label] / sum(weight.values()) for label in labels})

    async def close(self) -> None:
        pass


def read(model: Biased) -> dict[str, float]:
    request = Request(messages=(Message("user", "state"),), questions={"q": CHOICE})
    found: dict[str, float] = json.loads(asyncio.run(LabelReadout(model).answer(request)).text)["q"]
    return found


def test_rotating_the_options_takes_the_bias_of_letters_out() -> None:
    assert read(Biased(3, 0)) == {"yes": pytest.approx(0.5), "no": pytest.approx(0.5)}
    model = Biased(3, 2)
    found = read(model)
    assert found["yes"] == pytest.approx((6 / 7 + 3 / 7) / 2)
    assert sum(found.values()) == pytest.approx(1)
    assert len(model.prompts) == 2
    assert all(
        prompt.startswith("state\n\n") for prompt in model.prompts
    )  # the shared prefix comes first


def test_a_readout_is_another_model_than_its_weights() -> None:
    assert LabelReadout(Biased(0, 0)).identity != Biased(0, 0).identity
    with pytest.raises(ModelError, match="questions only"):
        asyncio.run(LabelReadout(Biased(0, 0)).answer(Request(messages=(Message("user", "Hi"),))))
