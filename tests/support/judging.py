"""A judge model that says what a test tells it to, and judges made of it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llmeval.core.records import Answer, Case, Message, Score, Usage
from llmeval.judges.ensemble import MemberVerdict
from llmeval.judges.judge import Judge
from llmeval.judges.protocol import load_protocol
from llmeval.judges.verdict_source import ProbabilityVerdicts, ReplyVerdicts
from llmeval.models.base import Reply, Request
from llmeval.models.client.caller import Caller
from llmeval.models.client.limiter import Limiter

CASE = Case(
    "a",
    {"question": "Capital of France?"},
    references=("Paris",),
    context="Paris is the capital of France.",
)
ASKED = (Message("user", "Capital of France?"),)

Said = str | Exception | Reply | Callable[[Request], str]


class Fake:
    """A model at its boundary: one thing to say a request, the last one again and again."""

    def __init__(self, *replies: Said, name: str = "fake") -> None:
        self.replies, self.requests, self.name = list(replies), list[Request](), name

    @property
    def identity(self) -> Mapping[str, Any]:
        """A name of its own."""
        return {"provider": "test", "model": self.name}

    async def answer(self, request: Request) -> Reply:
        """The next thing to say."""
        self.requests.append(request)
        said = self.replies[min(len(self.requests), len(self.replies)) - 1]
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Reply):
            return said
        return Reply(text=said if isinstance(said, str) else said(request), usage=Usage(10, 2))

    async def close(self) -> None:
        """Nothing to release."""


def judge_of(
    model: Fake, protocol: str = "reference", *, decides: bool = False, **more: Any
) -> Judge:
    """A judge with a shipped protocol. `decides`: the model gives probabilities, not a reply."""
    loaded = load_protocol(protocol, Path())
    if decides:
        more["source"] = ProbabilityVerdicts(loaded)
    if more.pop("logprobs", False):
        more["source"] = ReplyVerdicts(loaded, logprobs=True)
    return Judge("m", Caller(model, Limiter(4), None), loaded, {}, **more)


def scored(judge: MemberVerdict, answer: str = "It is Paris.", case: Case = CASE) -> Score:
    """The judge's score of one answer."""
    return asyncio.run(judge.score(case, Answer(case_id=case.id, output=answer), ASKED))


def rubric(**verdicts: str) -> str:
    """What a judge of the protocol `rubric` says."""
    return json.dumps(
        {"criteria": [{"name": n, "evidence": "", "verdict": v} for n, v in verdicts.items()]}
    )


def chances(**options: float) -> str:
    """What a decision model says about the one question of a protocol."""
    return json.dumps({"verdict": options})
