"""A small support agent with the standard library: the application that agent.yaml tests.

`python agent_app.py 8711` takes {"session": ..., "message": ...} by POST."""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

ORDERS = {
    "4711": {"item": "kettle", "price": 39.9, "days": 12},
    "4712": {"item": "toaster", "price": 54.5, "days": 45},
    "4713": {"item": "lamp", "price": 18.0, "days": 3},
}
SESSIONS: dict[str, dict] = {}


def chat(session: str, message: str) -> dict[str, object]:
    """One turn: the text, the tools that were called for it, and all refunds of the session."""
    state = SESSIONS.setdefault(session, {"order": None, "refunds": {}})
    state["calls"] = []
    text = _say(state, message.lower())
    return {"output": text, "tool_calls": state["calls"], "data": {"refunds": {**state["refunds"]}}}


def _call(state: dict, name: str, result: object, **arguments: object) -> None:
    state["calls"].append({"name": name, "arguments": arguments, "result": result})


def _say(state: dict, message: str) -> str:
    if number := re.search(r"\d{4}", message):
        state["order"] = number[0]
        _call(state, "find_order", found := ORDERS.get(number[0]), order=number[0])
        if found is None:
            return f"I can't find an order {number[0]}. Please check the number."
        if found["days"] > 30:
            return f"Order {number[0]} came {found['days']} days ago. Refunds end after 30 days."
        question = " Shall I refund it?" if "refund" in message else ""
        return f"Order {number[0]}, a {found['item']}, cost {found['price']:.2f} euros.{question}"
    if "yes" in message and (order := state["order"]) in ORDERS and ORDERS[order]["days"] <= 30:
        state["refunds"][order] = amount = ORDERS[order]["price"]
        _call(state, "refund", {"status": "done"}, order=order, amount=amount)
        return f"I have refunded {amount:.2f} euros for order {order}."
    return "I can look up an order or refund it. Which order is it?"


def reply(request) -> dict[str, object]:  # noqa: ANN001 (any object with these two attributes)
    return chat(request.unique, request.messages[-1].content)


class Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(chat(body["session"], body["message"])).encode())


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
