"""Triggers and messages: the table, limits, delivery to real servers, and kill -9."""

import base64
import hashlib
import hmac
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from msgspec import structs

from llmeval.api.trigger_file import read_triggers
from llmeval.api.triggering import TriggerEvaluation, evaluate, expected_benefit
from llmeval.core.errors import StoreError, UsageError
from llmeval.monitor import delivery
from llmeval.monitor.delivery import NotDelivered, check_url, post, signature
from llmeval.monitor.evidence import DriftEvidence, Evidence, decide
from llmeval.monitor.firings import FiringLog
from llmeval.monitor.journal import Journal
from llmeval.suite.loader import load_suite
from tests.support.command import ROOT, llmeval
from tests.support.endpoint import Endpoint, serve
from tests.support.tables import each_row
from tests.support.traffic import day_of, learn, write_monitored, write_traffic

SECRET = "whsec_" + base64.b64encode(b"a key of 24 bytes, or so").decode()


def drift(stream: str = "polite", share: float = 1.0) -> DriftEvidence:
    return DriftEvidence(stream, "@" in stream, share, "2026-03-29", 0.9, 0.8, "hash")


@each_row(
    "evidence, decision",
    [
        (Evidence(judge_void="r", drift=[drift()], env_mismatch="e"), "recalibrate_judge"),
        (Evidence(env_mismatch="e", drift=[drift()]), "fix_deployment"),
        (Evidence(drift=[drift()], suite_score="same", new_slices=["a=b"]), "refresh_data"),
        (Evidence(drift=[drift()], suite_score="same"), "nothing"),
        (Evidence(drift=[drift()], suite_score="unknown", new_slices=["a=b"]), "nothing"),
        (Evidence(drift=[drift()], suite_score="down"), "retrain"),
        (Evidence(drift=[drift("polite @ a=b", 0.04)], suite_score="down"), "label_first"),
        (Evidence(drift=[drift("polite @ a=b", 0.06)], suite_score="down"), "retrain"),
        (Evidence(overdue={"model": "t"}), "nothing"),
        (Evidence(overdue={"model": "t"}, candidate_passes="run"), "roll_forward"),
        (Evidence(candidate_passes="run"), "nothing"),
        (Evidence(gate_fail="run"), "stop_release"),
        (Evidence(label_backlog=3, backlog_run="run"), "label_first"),
        (Evidence(), "nothing"),
    ],
)
def test_the_table_of_decisions(evidence: Evidence, decision: str) -> None:
    decided = decide(evidence)
    assert decided.decision == decision and decided.because
    assert bool(decided.kinds) == (decision != "nothing")


def test_the_benefit_is_an_interval() -> None:
    assert (
        expected_benefit(Evidence(drift=[drift()]), 1000)
        == "75 to 125 of 1000 answers a day (polite)"
    )
    assert expected_benefit(Evidence(), 1000) == ""


@pytest.fixture(scope="module")
def alarmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A monitor with an alarm, and a run of the suite that fails after it."""
    folder = tmp_path_factory.mktemp("alarmed")
    path = write_monitored(folder)
    learn(folder)
    write_traffic(folder, [0.2] * 2, first=28)
    home = {"LLMEVAL_HOME": str(folder / "home")}
    assert llmeval("monitor", path.name, "--once", cwd=folder, **home).returncode == 1
    (folder / "recorded.jsonl").write_text('{"id": "a", "output": "no"}\n')
    assert llmeval("run", path.name, cwd=folder, **home).returncode == 1
    return folder


@pytest.fixture
def folder(alarmed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(alarmed, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Endpoint]:
    """A server that keeps what it gets."""
    with serve(lambda body, earlier: (200, {}, {})) as endpoint:
        yield endpoint


def write(folder: Path, *triggers: dict[str, Any], notify: list[Any] | None = None) -> None:
    stated = [
        {"name": f"t{n}", "when": ["drift"], "cost_usd": 2, **each}
        for n, each in enumerate(triggers)
    ]
    text = json.dumps({"owner": "Ann", "triggers": stated, "notify": notify or []})
    (folder / "triggers.yaml").write_text(text)


def hook(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    return {"action": {"webhook": {"url": endpoint.url, "secret": SECRET}}, **more}


def evaluated(folder: Path, fire: bool = True, days: float = 0, by: str = "") -> TriggerEvaluation:
    return evaluate(
        load_suite(folder / "suite.yaml"), read_triggers(folder / "triggers.yaml"),
        reports=folder / "reports", now=datetime.now(UTC) + timedelta(days=days), fire=fire,
        approved_by=by,
    )  # fmt: skip


def states(result: TriggerEvaluation) -> list[str]:
    return [each.state for each in result.results]


def test_a_webhook_is_signed_and_sent_once(folder: Path, receiver: Endpoint) -> None:
    write(folder, hook(receiver), {"when": ["judge_void"], "action": {"command": ["false"]}})
    receiver.requests.clear(), receiver.headers.clear()
    assert states(evaluated(folder, fire=False)) == ["would fire", "not about this"]
    assert not receiver.requests and not FiringLog(folder / "reports/shop/monitor").records
    assert states(evaluated(folder)) == ["fired", "not about this"]
    assert states(evaluated(folder, days=90)) == ["already fired", "not about this"]
    (event,), (headers,) = receiver.requests, receiver.headers
    assert event["specversion"] == "1.0" and event["type"] == "llmeval.trigger.retrain"
    assert event["id"] == headers["webhook-id"] and event["data"]["benefit"]
    body = FiringLog(folder / "reports/shop/monitor").records[0].body
    signed = f"{event['id']}.{headers['webhook-timestamp']}.{body}".encode()
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the reference libraries of Standard Webhooks."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    given = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_cooldown_limit_budget_and_approval(folder: Path) -> None:
    action = {"action": {"command": ["true"]}}
    write(
        folder, action, {**action, "cooldown": 0, "max_per_month": 1}, {**action, "cooldown": 0, "budget_usd": 3},
        {**action, "require_approval_above_usd": 1}, {**action, "cooldown": 0, "cost_usd": 9, "budget_usd": 3},
    )  # fmt: skip
    assert states(evaluated(folder)) == ["fired", "fired", "fired", "needs approval", "over budget"]
    # another alarm: the records are other ones
    taken = ["--acknowledge", "--by", "Ann", "--reason", "x"]
    assert llmeval("monitor", "suite.yaml", *taken, cwd=folder).returncode == 0
    journal = Journal(folder / "reports/shop/monitor")
    for day, record in enumerate(journal.records[:30], 30):
        journal.append(structs.replace(record, day=day_of(day)))
    assert states(evaluated(folder, by="Bo")) == [
        "cooldown",
        "limit reached",
        "over budget",
        "fired",
        "over budget",
    ]
    assert FiringLog(folder / "reports/shop/monitor").records[-2].approved_by == "Bo"


def test_a_command_gets_the_event_and_no_shell(folder: Path) -> None:
    code = "import sys; open('got.json', 'w').write(sys.stdin.read() + sys.argv[1])"
    write(folder, {"action": {"command": [sys.executable, "-c", code, "$(id); x"]}})
    assert states(evaluated(folder)) == ["fired"]
    text = (folder / "got.json").read_text()
    assert (
        text.endswith("$(id); x")
        and json.loads(text.removesuffix("$(id); x"))["data"]["suite"] == "shop"
    )


def test_github_dispatch(folder: Path, receiver: Endpoint) -> None:
    receiver.requests.clear(), receiver.paths.clear(), receiver.headers.clear()
    action = {"repository": "o/r", "token": "token-123456789", "api": receiver.url}
    write(folder, {"action": {"github_dispatch": action}})
    assert states(evaluated(folder)) == ["fired"]
    assert receiver.paths == ["/v1/repos/o/r/dispatches"]
    assert receiver.headers[0]["Authorization"] == "Bearer token-123456789"
    assert receiver.requests[0]["client_payload"]["event"]["data"]["decision"] == "retrain"


def test_a_tag_of_a_registered_model(folder: Path, receiver: Endpoint) -> None:
    receiver.requests.clear(), receiver.paths.clear(), receiver.headers.clear()
    tag = {"url": receiver.url, "model": "support", "token": "token-123456789"}
    write(
        folder,
        {"action": {"mlflow_tag": tag}, "name": "a"},
        {"action": {"mlflow_tag": {**tag, "version": "3"}}, "name": "b"},
    )
    result = evaluated(folder)
    assert states(result) == ["fired", "fired"]
    places = [path.removeprefix("/v1/api/2.0/mlflow/") for path in receiver.paths]
    assert places == ["registered-models/set-tag", "model-versions/set-tag"]
    assert receiver.requests[1] == {
        "name": "support", "version": "3", "key": "llmeval.decision",
        "value": f"retrain {result.results[1].id}",
    }  # fmt: skip
    assert receiver.headers[0]["Authorization"] == "Bearer token-123456789"


def test_what_is_not_delivered_is_tried_three_times_and_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_PAUSES", (0.0, 0.0))
    with serve(lambda body, earlier: (503, {}, {})) as endpoint:
        write(folder, hook(endpoint))
        (folder / "audit.jsonl").write_text("")
        done = llmeval("trigger", "evaluate", "suite.yaml", "--fire", cwd=folder)
    assert done.returncode == 3 and "NOT DELIVERED" in done.stdout and "503" in done.stdout
    assert len(endpoint.requests) == 3
    assert "not delivered" in (folder / "audit.jsonl").read_text()
    assert SECRET not in done.stdout + (folder / "reports/shop/monitor/firings.jsonl").read_text()


def _edit_firing(log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b'"cost_usd":null', b'"cost_usd":0.5', 1))


def _cut_firing(log: Path) -> None:
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))


def _remove_firings(log: Path) -> None:
    log.unlink()
    log.with_name("firings.head").unlink()


@each_row("damage", [_edit_firing, _cut_firing, _remove_firings])
def test_a_damaged_log_fires_nothing(
    alarmed: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / damage.__name__
    shutil.copytree(alarmed, folder)
    write(folder, {"action": {"command": ["true"]}})
    (folder / "audit.jsonl").write_text("")
    assert states(evaluated(folder)) == ["fired"]
    damage(folder / "reports/shop/monitor/firings.jsonl")
    with pytest.raises(StoreError, match="restore the folder from a backup"):
        evaluated(folder)


def test_redirects_are_not_followed(folder: Path) -> None:
    with serve(lambda body, earlier: (307, {}, {"Location": "/elsewhere"})) as endpoint:
        with pytest.raises(NotDelivered, match="replied with 307"):
            post(endpoint.url, {}, b"{}")
        assert len(endpoint.requests) == 1


@each_row(
    "url",
    ["http://example.com/", "ftp://example.com/", "https://user:pass@example.com/", "https:///x", "file:///etc/passwd"],
)  # fmt: skip
def test_addresses_that_are_never_called(url: str) -> None:
    with pytest.raises(UsageError, match="must be an https"):
        check_url(url, "here")


@each_row(
    "url",
    ["https://10.0.0.1/", "https://169.254.169.254/latest", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/"],
)  # fmt: skip
def test_private_addresses_are_refused(url: str) -> None:
    with pytest.raises(NotDelivered, match="not a public address"):
        post(url, {}, b"{}")


def test_a_public_name_that_leads_to_this_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(NotDelivered, match="leads to 127.0.0.1"):
        post("https://hooks.example.com/", {}, b"{}")


class _Mails:
    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(envelope.content.decode())
        return "250 OK"


def test_messages_once_per_alarm_and_each_week(folder: Path, receiver: Endpoint) -> None:
    receiver.requests.clear()
    mails = _Mails()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(mails, hostname="127.0.0.1", port=port)
    server.start()
    try:
        mail = {
            "host": "127.0.0.1",
            "port": port,
            "sender": "ci@example.com",
            "to": ["ann@example.com"],
            "tls": False,
        }
        write(folder, notify=[{"slack": receiver.url}, {"smtp": mail, "weekly": False}])
        first = evaluated(folder)
        assert len(first.messages) == 3 and not first.failed
        assert not evaluated(folder).messages
        assert [each for each in evaluated(folder, days=7).messages] == ["This week: shop"]
    finally:
        server.stop()
    alarm, digest, _ = (each["text"] for each in receiver.requests)
    assert (
        alarm.startswith("Alarm: polite fell (shop)")
        and "Decides: Ann" in alarm
        and "How sure:" in alarm
    )
    assert digest.startswith("This week: shop")
    (text,) = mails.mails
    assert "Subject: Alarm: polite fell (shop)" in text and "To: ann@example.com" in text


def test_a_message_when_the_alarm_ends(folder: Path, receiver: Endpoint) -> None:
    receiver.requests.clear()
    write(folder, notify=[{"slack": receiver.url, "weekly": False}])
    write_traffic(folder, [1.0] * 9, first=30)
    assert (
        llmeval(
            "monitor", "suite.yaml", "--once", cwd=folder, LLMEVAL_HOME=str(folder / "home")
        ).returncode
        == 0
    )
    assert len(evaluated(folder).messages) == 2
    assert receiver.requests[-1]["text"].startswith("Recovered: polite (shop)")


@each_row(
    "change, message",
    [
        ({"action": {}}, "give one of `command`"),
        ({"when": ["rain"], "action": {"command": ["x"]}}, "when"),
        ({"action": {"webhook": {"url": "http://example.com", "secret": SECRET}}}, "must be an https"),
        ({"action": {"webhook": {"url": "https://a.example", "secret": "short"}}}, "16 characters"),
        ({"action": {"command": "rm -r x"}}, "list"),
        ({"action": {"webhook": {"url": "https://a.example", "secret": "${NOT_SET_HERE}"}}}, "NOT_SET_HERE is not set"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    write(tmp_path, change)
    with pytest.raises(UsageError, match=message) as error:
        read_triggers(tmp_path / "triggers.yaml")
    assert "triggers.yaml" in str(error.value) and SECRET not in str(error.value)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX matter")
def test_fifty_kills_deliver_each_firing_once(alarmed: Path, tmp_path: Path) -> None:
    """A process forks a child for each evaluation, and kills it at a random moment. The server
    counts ids.
    """
    rng = random.Random(7)
    bodies: dict[str, set[str]] = {}

    def take(body: dict[str, Any], earlier: int) -> tuple[int, Any, dict[str, str]]:
        bodies.setdefault(body["id"], set()).add(json.dumps(body, sort_keys=True))
        return 200, {}, {}

    shutil.copytree(alarmed, tmp_path / "copy")
    copy = tmp_path / "copy"
    with serve(take, latency=0.01) as endpoint:
        write(copy, *(hook(endpoint, name=f"n{number}") for number in range(6)))
        program = (
            "import sys, os, time\nfrom pathlib import Path\nfrom tests.monitor import test_triggers as t\n"
            "t.evaluated(Path('.'), fire=False)\n"
            "for line in sys.stdin:\n"
            "    child = os.fork()\n"
            "    if child == 0:\n"
            "        t.evaluated(Path('.'))\n"
            "        os._exit(0)\n"
            "    time.sleep(float(line))\n"
            "    os.kill(child, 9)\n"
            "    print(os.waitpid(child, 0)[1], flush=True)\n"
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            [sys.executable, "-c", program], cwd=copy, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            moments = "".join(f"{rng.uniform(0, 0.12):.4f}\n" for _ in range(50))
            ended, _ = process.communicate(moments, timeout=120)
        killed = [int(each) for each in ended.split()].count(signal.SIGKILL)
        assert killed >= 10 and len(ended.split()) == 50
        final = evaluated(copy)
    assert set(states(final)) <= {"fired", "already fired"}
    log = FiringLog(copy / "reports/shop/monitor").records
    assert {each.id for each in log} == set(bodies) and len(bodies) == 6
    assert all(len(each) == 1 for each in bodies.values())  # a repetition has the same bytes
    assert [each.state for each in log].count("begun") == 6
