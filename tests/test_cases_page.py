"""The examples of docs/cases.md, run with a function as the candidate."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import llmeval
from llmeval.models.base import Request
from tests.support.tables import each_row

HEAD = "suite: page\n"
DEFAULTS = {
    "prompt": 'prompt: "{{ question }}"\n',
    "candidate": 'candidate: {provider: python, function: "nothing:here"}\n',
    "checks": "checks: [facts]\n",
}
Candidate = Callable[[Request], "str | dict[str, object]"]


def agent(request: Request) -> dict[str, object]:
    if "Refund" not in request.messages[-1].content:
        return {"output": "You are welcome."}
    return {"output": "Done.", "tool_calls": [{"name": "refund", "arguments": {"order": 17}}]}


def says(right: str, start: str = "") -> Candidate:
    """Gives the answer if the last message starts as it has to."""

    def reply(request: Request) -> str:
        sent = request.messages[-1].content
        return right if sent.startswith(start) else f"sent: {sent}"

    return reply


def as_json(request: Request) -> str:
    return '{"capital": "Tokyo"}' if "JSON" in request.messages[-1].content else "Tokyo"


def japan(request: Request) -> str:
    return "It is the yen." if "currency" in request.messages[-1].content else "It is Tokyo."


def after_three(request: Request) -> str:
    roles = [message.role for message in request.messages]
    return "Tokyo" if roles == ["system", "user", "assistant", "user"] else str(roles)


ROWS: list[tuple[str, Candidate | None, Candidate | None]] = [
    ("id", says("It is Tokyo."), says("It is Osaka.")),
    ("fields", says("It is Tokyo.", "Answer in English: What"), says("Tokyo. " * 11)),
    ("lists", says("Red and blue."), says("Green and pink.")),
    ("references", says("It is H₂O."), says("It is CO2.")),
    ("facts", says("On 3 May 2024, for 18 months."), says("On 3 May 2023, for 18 months.")),
    (
        "context",
        says("Ann repairs bikes.", "Ann repairs bikes on Mondays.\n\nBob sells"),
        says("Ann and Carl repair bikes in winter."),
    ),
    ("checks", as_json, says("Tokyo")),
    ("messages", after_three, says("Kyoto")),
    ("tool-calls", agent, says("Done.")),
    ("image-parts", None, says("It is blue.")),
    ("images", None, says("I see nothing.")),
    ("tags", japan, says("It is Osaka.")),
    ("table", says("Ein Löffel."), says("Eine Gabel.")),
    ("environment", says("Tokyo", "Good morning. Where is ${TENANT}"), says("Osaka")),
]
"""By example: a candidate that passes (None: that of the page), and one that fails."""


def write_files(folder: Path, page: str) -> dict[str, str]:
    """Write the files of the page; its examples as suites, by name."""
    for name, text in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", page, re.S):
        (folder / name).write_text(text)
    table = "Nr;Frage;Antwort\n1;Womit isst man Suppe? Für Gäste:;Löffel\n"
    (folder / "questions.csv").write_bytes(table.encode("cp1252"))
    blocks = re.findall(r"<!-- example: (\S+) -->\n```yaml\n(.*?)```", page, re.S)
    return {
        name: HEAD
        + text
        + "".join(line for key, line in DEFAULTS.items() if f"\n{key}:" not in text)
        for name, text in blocks
    }


@each_row(("name", "right", "wrong"), ROWS)
def test_examples_run(
    name: str,
    right: Candidate | None,
    wrong: Candidate,
    tmp_path: Path,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    suites = write_files(tmp_path, (repository / "docs" / "cases.md").read_text(encoding="utf-8"))
    Path("suite.yaml").write_text(suites[name])
    passed = llmeval.run("suite.yaml", candidate=right)
    assert passed.decision == "PASS", [(case.case_id, case.reason) for case in passed.troubles]
    assert llmeval.run("suite.yaml", candidate=wrong).decision == "FAIL"


def test_every_example_and_every_field_is_tested(repository: Path) -> None:
    from llmeval.data.cases import _RESERVED

    page = (repository / "docs" / "cases.md").read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- example: (\S+) -->", page)) == {name for name, *_ in ROWS}
    table = page.partition("|---|---|")[2].partition("\n\n")[0]
    assert {field for field in _RESERVED if f"`{field}`" not in table} == set()
