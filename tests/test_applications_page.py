"""The examples of docs/applications.md, run against a service with planted faults."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import llmeval
from tests.support.endpoint import Handler, serve

PAGE = "docs/applications.md"
RETRIEVAL = {f"retrieval{part}" for part in ("", ".hit", ".recall", ".precision", ".mrr", ".ndcg")}


def examples(page: str) -> dict[str, str]:
    """The marked blocks of the page, by the file that each of them is."""
    blocks = re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", page, re.S)
    return dict(blocks)


def service(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    """The service of the page, without a fault."""
    repair = "repairs" in body["question"]
    text = "Ann repairs bikes on Mondays." if repair else "Bob sells bread on the square."
    return {
        "answer": "Ann repairs bikes." if repair else "Bob sells bread.",
        "contexts": [{"id": "d1" if repair else "d2", "text": text}],
        "usage": {"input_tokens": 812, "output_tokens": 24},
        "model": "small-2",
    }


def missed(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    """The right answer, from a passage that is not the relevant one."""
    reply = service(body, earlier)
    return {**reply, "contexts": [{**reply["contexts"][0], "id": "d9"}]}


def unsupported(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    """The right answer, without a passage that supports it."""
    contexts = [{"id": id_, "text": "The market opens at eight."} for id_ in ("d1", "d2")]
    return {**service(body, earlier), "contexts": contexts}


def without_contexts(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    """A reply of another shape."""
    return {"answer": service(body, earlier)["answer"], "usage": {}, "model": "small-2"}


@pytest.mark.parametrize(
    ("handler", "exit_code", "failing"),
    [
        (service, 0, set()),
        (missed, 1, RETRIEVAL),
        (unsupported, 1, {"grounding"}),
        (without_contexts, 3, set()),
    ],
    ids=["no fault", "retrieval misses", "no support", "no contexts"],
)
def test_the_rag_example_finds_the_planted_fault(
    handler: Handler,
    exit_code: int,
    failing: set[str],
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in examples((repository / PAGE).read_text(encoding="utf-8")).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with serve(handler) as server:
        monkeypatch.setenv("RAG_URL", server.url)
        options = llmeval.Options(out=tmp_path / "run")
        run = llmeval.run(tmp_path / "rag.yaml", options=options)
        assert all(
            len(body["session"]) == 24 and body["language"] == "en" for body in server.requests
        )
    scores = [score for _, block in run.directory.scores() for score in block]
    assert {score.metric for score in scores if score.passed is False} == failing
    assert run.summary.gate.exit_code == exit_code
    assert run.manifest.candidate.name == "http"
    answers = list(run.directory.answers())
    if handler is without_contexts:
        assert all("no contexts" in answer.error.message for answer in answers if answer.error)
        assert not scores
    else:
        assert all(answer.data and answer.model == "small-2" for answer in answers)


class Talk:
    """The service of the page's conversation."""

    def __init__(self, *, remembers: bool) -> None:
        self.remembers = remembers
        self.chats: list[str] = []

    def __call__(self, body: dict[str, Any], earlier: int) -> dict[str, Any]:
        chat = body["chat"]
        if chat is None or not self.remembers:
            self.chats.append(body["text"].split()[-1])
            return {"answer": "Hello.", "chat": {"id": len(self.chats) - 1}}
        return {"answer": f"You are {self.chats[chat]}", "chat": {"id": chat}}


@pytest.mark.parametrize(("remembers", "exit_code"), [(True, 0), (False, 1)])
def test_the_conversation_of_the_page(
    remembers: bool,
    exit_code: int,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suite = tmp_path / "talk.yaml"
    suite.write_text(examples((repository / PAGE).read_text(encoding="utf-8"))["talk.yaml"])
    with serve(Talk(remembers=remembers)) as server:
        monkeypatch.setenv("TALK_URL", server.url)
        run = llmeval.run(suite, options=llmeval.Options(out=tmp_path / "run"))
    assert run.summary.gate.exit_code == exit_code
    assert all(len(answer.turns) == 2 for answer in run.directory.answers())


@pytest.mark.parametrize(("price", "exit_code"), [(True, 0), (False, 1)])
def test_the_simulated_user_of_the_page(
    price: bool,
    exit_code: int,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def town(body: dict[str, Any], earlier: int) -> Any:
        if "text" in body:
            item = "tea" if "tea" in body["text"] else "milk"
            costs = {"tea": "3 euros.", "milk": "2 euros."} if price else {}
            return {"answer": costs.get(item, "We are closed.")}
        if body["model"] == "referee":
            return '{"evidence": "", "verdict": "kept"}'
        rules, history = (message["content"] for message in body["messages"])
        item = "tea" if "what tea costs" in rules else "milk"
        if "BEGIN REPLY" in history:
            return '{"message": "", "done": true}'
        return json.dumps({"message": f"What does {item} cost?", "done": False})

    suite = tmp_path / "user.yaml"
    suite.write_text(examples((repository / PAGE).read_text(encoding="utf-8"))["user.yaml"])
    with serve(town) as server:
        monkeypatch.setenv("SHOP_URL", server.url)
        monkeypatch.setenv("LLM_URL", server.url)
        monkeypatch.setenv("LLM_KEY", "none")
        run = llmeval.run(suite, options=llmeval.Options(out=tmp_path / "run"))
    assert run.summary.gate.exit_code == exit_code
    assert {answer.ended for answer in run.directory.answers()} == {"user"}
