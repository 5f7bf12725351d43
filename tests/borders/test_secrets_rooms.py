"""Keys in every room that a run fills after its records: history and exports, seals and statements,
the chain of events, the monitor and its messages, manifests of other machines, pages and cards.

The endpoint sends the key back in whatever it may state about itself, and fails some cases with it.
"""

import io
import json
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.borders.test_secrets import KEY, unpacked
from tests.support.command import llmeval
from tests.support.endpoint import reply, serve
from tests.support.traffic import learn, traffic_line, write_monitored, write_traffic

HEADER = "hdr-plant+ed/77=zebra"
"""A second key: written into the suite file as it is."""
FORMS = tuple(
    form for key in (KEY, HEADER) for form in (key, quote(key, safe=""), quote(key), key[:12])
)
SUITE = """\
suite: rooms
description: 'about ${{PLANTED}}'
cases:
  - {{id: a, question: Where, reference: here, tags: {{team: '${{PLANTED}}'}}}}
  - {{id: b, question: When, reference: here}}
  - {{id: c, question: fail, reference: here}}
prompt: '{{{{ question }}}}'
candidate: {{provider: openai, model: m, base_url: '{url}', api_key: '${{PLANTED}}',
            headers: {{X-Token: '{header}'}}}}
checks: [{{contains: '{{{{ reference }}}}'}}]
gate: {{max_unscored: 0.5, must_pass: [a, b]}}
approvals: {{min: 1, roles: [owner]}}
"""


def replies(body: dict[str, Any], headers: dict[str, str]) -> Any:
    """A right answer, whose other fields hold what was received; one question fails with it."""
    text = f"bad: {headers} {KEY}"
    if body["messages"][-1]["content"] == "fail":
        return 400, {"error": {"message": text}}, {"X-Request-Id": KEY}
    return 200, reply("here", model=text, system_fingerprint=text, id=text), {"X-Request-Id": KEY}


def searched(folder: Path) -> list[str]:
    """The files below a folder that contain a key, also packed in archives and databases."""
    leaks = []
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in ("rooms.yaml", ".env", "triggers.yaml"):
            data = _content(path)
            leaks += [f"{path.name}: {form}" for form in FORMS if form.encode() in data]
    return leaks


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".sqlite3":
        data += unpacked(path)
    elif path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            data += b"".join(pack.read(name) for name in pack.namelist())
    elif path.suffix == ".parquet":
        import pandas

        data += pandas.read_parquet(path).to_json(force_ascii=False).encode()
    return data


def clean(printed: str) -> None:
    assert "internal error" not in printed, printed
    assert not [form for form in FORMS if form in printed], printed


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run that PASSes, in a folder with `.env`."""
    folder = tmp_path_factory.mktemp("rooms")

    def handler(body: dict[str, Any], earlier: int) -> Any:
        return replies(body, endpoint.headers[-1])

    with serve(handler) as endpoint:
        (folder / "rooms.yaml").write_text(SUITE.format(url=endpoint.url, header=HEADER))
        (folder / ".env").write_text(f"PLANTED={KEY}\n")
        done = command(folder, "run", "rooms.yaml", "--out", "run", "--format", "github")
        assert done == 0
        sent = endpoint.headers[-1]
        assert (sent["Authorization"], sent["X-Token"]) == (f"Bearer {KEY}", HEADER)
        yield folder


def command(folder: Path, *arguments: object, **environment: str) -> int:
    """A command whose output has no key; gives its exit code."""
    home = {"LLMEVAL_HOME": str(folder / "home"), **environment}
    done = llmeval(*arguments, cwd=folder, **home)
    clean(done.stdout + done.stderr)
    return done.returncode


def test_history_and_exports(place: Path) -> None:
    pytest.importorskip("pyarrow")
    assert command(place, "run", "rooms.yaml") == 0
    out = ["--parquet", "tables", "--openmetrics", "metrics.txt", "--otel", "events.json"]
    assert command(place, "history", "export", *out) == 0
    assert command(place, "runs", "list", "--json") == 0
    assert command(place, "runs", "case", "rooms", "c") == 0
    assert command(place, "view", "--export", "pages") == 0
    assert {"runs.parquet", "metrics.txt", "events.json"} <= {p.name for p in place.rglob("*")}
    assert searched(place) == []


def test_seals_statements_packs_and_cards(place: Path) -> None:
    assert command(place, "audit", "start", "audit.jsonl", "--by", "ada") == 0
    assert command(place, "seal", "run", "--json") == 0
    stated = ["--by", "ada", "--role", "owner", "--reason", "read it"]
    assert command(place, "approve", "run", *stated) == 0
    assert command(place, "attest", "run", "--json") == 0
    baseline = ["--by", "ada", "--reason", "because", "--out", "base.lock.json"]
    assert command(place, "baseline", "approve", "run", *baseline) == 0
    assert command(place, "evidence", "run", "--out", "pack.zip", "--map", "eu-ai-act") == 0
    assert command(place, "verify", "pack.zip") in (0, 1)
    assert command(place, "card", "run", "--out", "card.md") == 0
    assert command(place, "audit", "show", "audit.jsonl", "--json") == 0
    assert (place / "pack.zip").stat().st_size > 1000
    assert len((place / "audit.jsonl").read_text().splitlines()) >= 3
    assert searched(place) == []


def test_manifests_of_other_machines_and_the_page_of_a_grid(place: Path) -> None:
    for kind, more in (
        ("k8s", ["--image", "i:1"]), ("slurm", []), ("github", []),
    ):  # fmt: skip
        done = llmeval("launch", kind, "rooms.yaml", "--shards", "2", *more, cwd=place)
        assert done.returncode == 0, done.stderr
        clean(done.stdout + done.stderr)
    (place / "short.j2").write_text("{{ question }} ")
    other = f"{{provider: openai, model: n, base_url: 'http://127.0.0.1:9/v1', api_key: '{KEY}'}}"
    grid = ["--prompt", "short.j2", "--prompt", "rooms.yaml", "--candidate", other]
    command(place, "run", "rooms.yaml", "--reports", "grid", *grid)
    assert searched(place) == []


def test_the_card_of_a_notebook(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmeval import api

    monkeypatch.setenv("PLANTED", KEY)
    card = api.load_run(place / "run")._repr_html_()
    assert "rooms" in card
    clean(card)


@pytest.mark.parametrize("option", ["history", "store"])
def test_the_address_of_a_server(place: Path, option: str) -> None:
    url = f"postgresql://ada:{quote(KEY, safe='')}@127.0.0.1:9/db?connect_timeout=1"
    if option == "history":
        for arguments in (["runs", "list"], ["doctor"], ["run", "rooms.yaml", "--out", "again"]):
            command(place, *arguments, LLMEVAL_HISTORY=url)
    else:
        assert command(place, "run", "rooms.yaml", "--store", url, "--out", "stored") in (2, 3)
        assert command(place, "cache", "prune", "--store", url, "--older", "1d") in (2, 3)
    assert searched(place) == []


def test_the_monitor_and_its_messages(tmp_path: Path) -> None:
    """A webhook, Slack and a mail server that refuse, and send back everything that they got."""
    write_monitored(tmp_path, more=f"description: 'about {'${PLANTED}'}'\n")
    (tmp_path / ".env").write_text(f"PLANTED={KEY}\nHOOK={KEY}\n")
    learn(tmp_path)
    write_traffic(tmp_path, [0.2] * 2, first=28)
    row = traffic_line(30, 1, False, output=f"no {KEY}", tags={"team": KEY}, model=KEY)
    (tmp_path / "logs" / "more.jsonl").write_text(json.dumps(row) + "\n")

    def refuse(body: dict[str, Any], earlier: int) -> Any:
        return 400, {"error": f"{endpoint.paths[-1]} {endpoint.headers[-1]} {json.dumps(body)}"}, {}

    with serve(refuse) as endpoint, socket.create_server(("127.0.0.1", 0)) as closed:
        triggers = {
            "owner": "Ann",
            "triggers": [
                {"name": "hook", "when": ["drift"], "cost_usd": 1,
                 "action": {"webhook": {"url": endpoint.url, "secret": KEY}}},
                {"name": "program", "when": ["drift"], "cost_usd": 1,
                 "action": {"command": ["sh", "-c", "cat; echo $HOOK; exit 1"]}},
            ],
            "notify": [
                {"slack": f"{endpoint.url}/{quote(KEY, safe='')}"},
                {"smtp": {"host": "127.0.0.1", "port": closed.getsockname()[1] + 1, "sender": "a@b.c",
                          "to": ["d@e.f"], "user": "u", "password": KEY, "tls": False}},
            ],
        }  # fmt: skip
        (tmp_path / "triggers.yaml").write_text(json.dumps(triggers))
        assert command(tmp_path, "monitor", "suite.yaml", "--once", HOOK=KEY) == 1
        assert command(tmp_path, "trigger", "evaluate", "suite.yaml", HOOK=KEY) in (0, 1)
        command(tmp_path, "trigger", "evaluate", "suite.yaml", "--fire", HOOK=KEY)
        assert endpoint.requests
        assert not [form for form in FORMS if form in json.dumps(endpoint.requests)]
    assert (tmp_path / "reports/shop/monitor/firings.jsonl").exists()
    assert [each for each in searched(tmp_path) if not each.startswith("more.jsonl")] == []
