"""A conversation counts only if it was played to its end, and only against the same messages."""

import json
from pathlib import Path
from typing import Any

from tests.false_green.play import number, play, right
from tests.support.endpoint import Endpoint, serve

N = 4
TURNS = '["Good morning.", "{{ question }}", "Thank you, that is all."]'


def polite(body: dict[str, Any], earlier: int = 0) -> Any:
    """The right answer to the second message, and the same again to the third."""
    questions = [m["content"] for m in body["messages"] if "number " in m["content"]]
    return right({"messages": [{"content": questions[-1]}]}) if questions else "Good morning."


def project(folder: Path, server: Endpoint, turns: str = TURNS, gate: str = "", **more: str) -> str:
    """Write a suite of conversations; gives its file."""
    cases = [{"id": f"c{i}", "question": f"What is number {i}?", "reference": f"value-{i}"} for i in range(N)]  # fmt: skip
    model = {"provider": "openai", "base_url": server.url, "api_key": "key", "limits": {"attempts": 2}}  # fmt: skip
    models = {name: {**model, "model": name} for name in ("bot", "person", "referee")}
    keys = {
        "suite": "t",
        "cases": json.dumps(cases),
        "models": json.dumps(models),
        "candidate": "bot",
        "turns": turns,
        "checks": '[{contains: "{{ reference }}"}]',
        "gate": gate or "{must_pass: all}",
        **more,
    }
    lines = (f"{key}: {value}\n" for key, value in keys.items() if value)
    folder.mkdir(exist_ok=True)
    (folder / "suite.yaml").write_text("".join(lines))
    return "suite.yaml"


def test_an_error_in_the_middle_is_missing_and_no_pass(tmp_path: Path) -> None:
    """The last check passes on every answer that there is; one conversation broke in turn 2."""

    def broken(body: dict[str, Any], earlier: int) -> Any:
        last = body["messages"][-1]["content"]
        if "number " in last and number(body) == 2:
            return 500, {"error": "the database is down"}, {}
        return polite(body)

    with serve(broken) as server:
        done = play(tmp_path, "run", project(tmp_path, server), "--out", "run")
    assert done.code == 3
    assert done.says("INVALID", "c2", "turn 2:", "the database is down")


def test_a_simulated_user_that_leaves_its_goal_is_no_grade(tmp_path: Path) -> None:
    """Neither the candidate's failure nor a case that passes because no question was sent."""

    def town(body: dict[str, Any], earlier: int) -> Any:
        prompt = body["messages"][-1]["content"]
        if body["model"] == "bot":
            return "It is value-0, value-1, value-2 and value-3."
        if body["model"] == "referee":
            drifted = "I like football" in prompt
            return json.dumps({"evidence": "", "verdict": "drifted" if drifted else "kept"})
        if "BEGIN REPLY" in prompt:
            return '{"message": "", "done": true}'
        goal = body["messages"][0]["content"]
        text = "I like football." if "number 3" in goal else "What is the number?"
        return json.dumps({"message": text, "done": False})

    user = '{model: person, goal: "{{ question }}", judge: referee}'
    with serve(town) as server:
        done = play(tmp_path, "run", project(tmp_path, server, "", user=user), "--out", "run")
    assert done.code == 3
    assert done.says("INVALID", "c3", "the simulated user did not keep to its goal")
    assert not done.says("FAIL")


def test_other_messages_are_not_compared_with_a_baseline(tmp_path: Path) -> None:
    gate = "{regression: {baseline: first, margins: {contains: 0.3}}}"
    with serve(polite) as server:
        play(tmp_path, "run", project(tmp_path, server), "--out", "first")
        easier = TURNS.replace("{{ question }}", "{{ question }} It is {{ reference }}, is it not?")
        suite = project(tmp_path, server, easier, gate)
        done = play(tmp_path, "run", suite, "--out", "second")
    assert done.code == 3
    assert done.says(
        "INVALID", "the conversation (`turns`, `until`, `max_turns`, `user`) is not that"
    )
