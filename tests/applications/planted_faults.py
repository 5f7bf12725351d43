"""The example applications as services, unchanged and with one planted fault each.

A service is a function of the request's body. A fault wraps the reply of the unchanged application.
"""

import asyncio
import importlib.util
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.support.endpoint import Handler

SUITES = Path(__file__).parents[2] / "suites"
Reply = dict[str, Any]
Fault = Callable[[Reply, Reply], Any]
"""(the body of the request, the reply without a fault) -> the reply, or (status, body, headers)."""


def application(name: str) -> ModuleType:
    """A fresh copy of an example's application."""
    spec = importlib.util.spec_from_file_location(f"{name}_app", SUITES / f"{name}_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def service(name: str, fault: Fault | None = None) -> Handler:
    """The service of an example."""
    app = application(name)
    reply: Callable[[Reply], Reply] = {
        "rag": lambda body: app.answer(body["question"]),
        "agent": lambda body: app.chat(body["session"], body["message"]),
        "extract": lambda body: app.extract(body["text"]),
    }[name]

    def handle(body: Reply, earlier: int) -> Any:
        whole = reply(body)
        return whole if fault is None else fault(body, whole)

    return handle


# RAG


def retrieval_misses(body: Reply, reply: Reply) -> Reply:
    """The right answer, although the document was not retrieved."""
    others = [each for each in reply["contexts"] if each["id"] != "delivery"]
    return {**reply, "contexts": others}


def unsupported_claim(body: Reply, reply: Reply) -> Reply:
    """A second sentence that no document has."""
    if "theft" not in body["question"]:
        return reply
    return {**reply, "output": f"{reply['output']} Premium members also get a helicopter transfer."}


def cites_another(body: Reply, reply: Reply) -> Reply:
    """The citation of a document that was retrieved, and that says something else."""
    wrong = reply["contexts"][-1]["id"]
    right = reply["contexts"][0]["id"]
    return {**reply, "output": reply["output"].replace(f"[{right}]", f"[{wrong}]")}


def cites_nothing_real(body: Reply, reply: Reply) -> Reply:
    """The citation of a document that does not exist."""
    return {**reply, "output": reply["output"].replace("[battery]", "[manual-12]")}


def server_error(body: Reply, reply: Reply) -> Any:
    """Status 500 for one question."""
    if "refund" not in body["question"]:
        return reply
    return 500, {"message": "the index is being rebuilt"}, {}


def empty_reply(body: Reply, reply: Reply) -> Reply:
    """No text for one question."""
    return {**reply, "output": ""} if "hotline" in body["question"] else reply


def half_the_documents() -> Handler:
    """The application whose index lost every second document."""
    app = application("rag")
    for name in list(app.DOCUMENTS)[::2]:
        del app.DOCUMENTS[name]
    return lambda body, earlier: app.answer(body["question"])


# agent


def wrong_order(body: Reply, reply: Reply) -> Reply:
    """Refunds another order than the one that was asked for."""
    calls = [_changed(call, "refund", order="4711") for call in reply["tool_calls"]]
    return {**reply, "tool_calls": calls}


def loop_of_lookups(body: Reply, reply: Reply) -> Reply:
    """Looks the same order up five times."""
    calls = [call for call in reply["tool_calls"] for _ in range(5)]
    return {**reply, "tool_calls": calls} if "cost" in body["message"] else reply


def only_says_so(body: Reply, reply: Reply) -> Reply:
    """Says that it has refunded the order, and has not."""
    if "I have refunded" not in reply["output"]:
        return reply
    return {**reply, "tool_calls": [], "data": {"refunds": {}}}


def ten_times_the_amount(body: Reply, reply: Reply) -> Reply:
    """Refunds 399 instead of 39.90."""
    calls = [_changed(call, "refund", amount=399) for call in reply["tool_calls"]]
    refunds = {order: 399 if order == "4711" else paid for order, paid in _refunds(reply)}
    return {**reply, "tool_calls": calls, "data": {"refunds": refunds}}


def forbidden_call(body: Reply, reply: Reply) -> Reply:
    """Closes the account."""
    if "Close my account" not in body["message"]:
        return reply
    return {**reply, "tool_calls": [{"name": "close_account", "arguments": {}, "result": "closed"}]}


def out_of_policy(body: Reply, reply: Reply) -> Reply:
    """Refunds an order after the 30 days, if the customer insists."""
    if "do it anyway" not in body["message"]:
        return reply
    call = {"name": "refund", "arguments": {"order": "4712", "amount": 54.5}, "result": "done"}
    return {
        "output": "I have refunded 54.50 euros for order 4712.",
        "tool_calls": [call],
        "data": {"refunds": {"4712": 54.5}},
    }


class FlakyOneInThree:
    """Forgets the refund in every third conversation about order 4711."""

    def __init__(self) -> None:
        self._sessions: Counter[str] = Counter()

    def __call__(self, body: Reply, reply: Reply) -> Reply:
        if "I have refunded 39.90" not in reply["output"]:
            return reply
        self._sessions["confirmed"] += 1
        return only_says_so(body, reply) if self._sessions["confirmed"] % 3 == 0 else reply


def _changed(call: Reply, name: str, **arguments: object) -> Reply:
    if call["name"] != name:
        return call
    return {**call, "arguments": {**call["arguments"], **arguments}}


def _refunds(reply: Reply) -> list[tuple[str, float]]:
    return list(reply["data"]["refunds"].items())


# extraction


def thousands(body: Reply, reply: Reply) -> Reply:
    """Reads 53'720.80 as 53.7208."""
    return _record(reply, lambda record: _scaled(record) if "'" in body["text"] else record)


def _scaled(record: Reply) -> Reply:
    return {**record, "total": round(record["total"] / 1000, 6)}


def swapped_dates(body: Reply, reply: Reply) -> Reply:
    """Takes the month for the day."""

    def swap(record: Reply) -> Reply:
        year, month, day = record["date"].split("-")
        return {**record, "date": f"{year}-{day}-{month}"}

    return _record(reply, lambda record: swap(record) if int(record["date"][-2:]) < 13 else record)


def missing_field(body: Reply, reply: Reply) -> Reply:
    """Leaves out the currency of dollars."""
    return _record(
        reply,
        lambda record: {
            key: value for key, value in record.items() if key != "currency" or value == "EUR"
        },
    )


def number_as_text(body: Reply, reply: Reply) -> Reply:
    """Writes the total as a text."""
    return _record(reply, lambda record: {**record, "total": f"{record['total']:,.2f}"})


def prose_around(body: Reply, reply: Reply) -> Reply:
    """Talks before the JSON."""
    return {"output": f"Here is the record:\n{reply['output']}"}


def slow_tenth() -> Fault:
    """Takes longer than the limit of the suite for every tenth invoice."""
    requests: Counter[str] = Counter()

    async def later(reply: Reply) -> Reply:
        await asyncio.sleep(2.2)
        return reply

    def fault(body: Reply, reply: Reply) -> Any:
        requests["all"] += 1
        return later(reply) if requests["all"] % 10 == 0 else reply

    return fault


def _record(reply: Reply, change: Callable[[Reply], Reply]) -> Reply:
    return {"output": json.dumps(change(json.loads(reply["output"])), ensure_ascii=False)}
