"""The review server of a team: PostgreSQL, two server processes, people with tokens, attackers."""

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from llmeval.gate.human_labels import labels_of
from llmeval.review.figures import figures
from llmeval.review.intake import answers_of
from llmeval.review.postgres_store import ReviewDatabase
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import AnswerKey, append, read
from tests.report.html_samples import sample_run
from tests.review.test_reviewers import label, remark
from tests.support.command import llmeval
from tests.support.postgres import PostgresServer, running_server
from tests.support.tables import each_row

ROOT = Path(__file__).parent.parent.parent
CASE = "law-00003"


class Process(NamedTuple):
    """`llmeval review RUN --store URL` in a process."""

    process: "subprocess.Popen[str]"
    origin: str

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        parts = urlsplit(self.origin)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        length = {} if body is None else {"Content-Length": str(len(body))}
        for name, value in {"Host": parts.netloc, **length, **headers}.items():
            if value:
                connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        return connection.getresponse()

    def enter(self, token: str) -> str:
        """The cookie for a token; empty where it is refused."""
        body = urlencode({"token": token}).encode()
        form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        return (self.ask("POST", "/enter", body, **form).headers["Set-Cookie"] or "").split(";")[0]

    def post(self, path: str, body: object, cookie: str, **headers: str) -> tuple[int, bytes]:
        usual = {"Origin": self.origin, "Content_Type": "application/json", "Cookie": cookie}
        reply = self.ask("POST", path, json.dumps(body).encode(), **{**usual, **headers})
        return reply.status, reply.read()

    def state(self, cookie: str) -> Any:
        return json.loads(self.ask("GET", "/state", Cookie=cookie).read())


class Team(NamedTuple):
    """Two servers, one database, three people."""

    run: Path
    store: str
    servers: tuple[Process, Process]
    tokens: dict[str, str]

    def cookies(self, name: str) -> list[str]:
        return [server.enter(self.tokens[name]) for server in self.servers]


def started(run: Path, store: str, *more: str) -> Process:
    command = [sys.executable, "-m", "llmeval", "review", str(run), "--no-open", "--json", *more]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LLMEVAL_REVIEW_STORE": store},
    )  # fmt: skip
    assert process.stderr is not None
    address = re.search(r"https?://127\.0\.0\.1:\d+", process.stderr.readline())
    assert address is not None, process.stderr.read()
    return Process(process, address[0])


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    yield from running_server()


@pytest.fixture(scope="module")
def team(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    store = postgres.database()
    run = sample_run(tmp_path_factory.mktemp("team") / "run", 30, hostile=False)
    tokens = {}
    for name, role in (("ada", "reviewer"), ("ben", "reviewer"), ("cy", "approver")):
        done = llmeval("review", "token", name, "--role", role, "--store", store)
        tokens[name] = done.stdout.strip()
    servers = (started(run, store), started(run, store))
    yield Team(run, store, servers, tokens)
    for server in servers:
        server.process.send_signal(signal.SIGINT)
        out, _ = server.process.communicate(timeout=30)
        assert server.process.returncode == 0 and "added" in json.loads(out)


def rows_of(team: Team, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement on the team's database."""
    with ReviewDatabase(team.store) as database:
        return database.run(statement)


def votable(run: Path) -> list[str]:
    """The cases with a verdict on correctness."""
    answers = answers_of(RunDir(run)).items()
    return [key[0] for key, each in answers if each.statuses.get("correctness") in ("pass", "fail")]


def vote(number: int, verdict: str = "pass", **more: object) -> dict[str, object]:
    return {
        "label_id": f"team-vote-{number:05}", "case_id": CASE, "metric": "correctness",
        "human_verdict": verdict, **more,
    }  # fmt: skip


def test_a_token_is_kept_as_a_hash_and_shown_once(team: Team) -> None:
    rows = rows_of(team, "SELECT token_sha256, name, role FROM review_tokens")
    assert {(name, role) for _, name, role in rows} >= {("ada", "reviewer"), ("cy", "approver")}
    stored = str(rows_of(team, "SELECT t::text FROM review_tokens AS t"))
    assert all(token not in stored and len(token) > 40 for token in team.tokens.values())
    listed = llmeval("review", "token", "--store", team.store)
    assert not any(token in listed.stdout for token in team.tokens.values())
    assert not re.search(r"tester:[0-9a-f]+@", listed.stdout + listed.stderr)


def test_strangers_see_the_form_and_nothing_else(team: Team) -> None:
    server = team.servers[0]
    page = server.ask("GET", "/")
    text = page.read()
    assert page.status == 200 and b"Your token" in text and CASE.encode() not in text
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    for path in ("/state", "/labels", "/?token=" + team.tokens["ada"], "/../etc/passwd"):
        reply = server.ask("GET", path)
        assert CASE.encode() not in reply.read()
        assert reply.status in (200, 403), path
    for wrong in ("", "x", "llmeval-review-" + "A" * 43, "a" * 5000, "\u00ff\0"):
        assert server.enter(wrong) == ""


@each_row(
    ("headers", "status"),
    [
        ({"Cookie": ""}, 403),
        ({"Cookie": "llmeval=none"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://attacker.invalid"}, 403),
        ({"Host": "attacker.invalid"}, 421),
        ({"Host": "localhost"}, 421),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_forged_requests_are_refused(team: Team, headers: dict[str, str], status: int) -> None:
    server = team.servers[0]
    cookie = server.enter(team.tokens["ada"])
    for path in ("/labels", "/comments"):
        answered, _ = server.post(path, vote(90001), cookie, **headers)
        assert answered == status, path
    assert not rows_of(team, "SELECT 1 FROM review_labels WHERE label_id = 'team-vote-90001'")


def test_a_cookie_of_one_server_does_not_open_the_other(team: Team) -> None:
    first, second = team.servers
    value = first.enter(team.tokens["ada"]).partition("=")[2]
    name = second.enter(team.tokens["ada"]).partition("=")[0]
    assert second.post("/labels", vote(90002), f"{name}={value}")[0] == 403


def test_people_label_on_two_servers_at_once(team: Team) -> None:
    first, second = team.servers
    ada, ben = team.cookies("ada"), team.cookies("ben")
    cases = votable(team.run)[:5]

    def give(number: int) -> int:
        who, server = number % 2, (first, second)[number // 2 % 2]
        cookie = (ada, ben)[who][number // 2 % 2]
        case = cases[number // 4]
        return server.post("/labels", vote(number, "pass", case_id=case), cookie)[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(give, range(20))) == {200}
    replayed, _ = first.post("/labels", vote(0, "fail", case_id=cases[0]), ada[0])
    assert replayed == 200, "the same id again changes nothing"
    stolen, text = second.post("/labels", vote(0, "fail", case_id=cases[0]), ben[1])
    assert stolen == 409 and b"another label has this id" in text
    pulled = llmeval("review", "pull", team.run, "--store", team.store, "--json")
    assert pulled.returncode == 0, pulled.stderr
    mine = [each for each in read(team.run / LABELS) if each.case_id in cases]
    assert len(mine) == 20 and {each.human_verdict for each in mine} == {"pass"}
    assert sorted(path.name for path in (team.run / "labels").glob("*.jsonl")) == [
        "ada.jsonl",
        "ben.jsonl",
    ]
    again = json.loads(llmeval("review", "pull", team.run, "--store", team.store, "--json").stdout)
    assert again["labels"] == 0
    (pair,) = figures(RunDir(team.run))["metrics"][0]["reviewers"]["pairs"]
    assert pair["reviewers"] == ["ada", "ben"] and pair["n"] == 5


def test_only_an_approver_settles_a_dispute(team: Team) -> None:
    first, second = team.servers
    ada, ben, cy = team.cookies("ada"), team.cookies("ben"), team.cookies("cy")
    case = votable(team.run)[8]
    assert first.post("/labels", vote(200, "pass", case_id=case), ada[0])[0] == 200
    assert case not in json.dumps(second.state(ben[1])["others"]), "not before the own vote"
    assert second.post("/labels", vote(201, "fail", case_id=case), ben[1])[0] == 200
    decision = vote(202, "fail", case_id=case, adjudication=True, comment="checked")
    status, text = first.post("/labels", decision, ada[0])
    assert status == 403 and b"approver" in text
    assert second.post("/labels", decision, cy[1])[0] == 200
    assert first.state(cy[0])["conflicts"] == []
    assert first.post("/comments", {"comment_id": "team-remark-1", "case_id": case,
                                    "text": "ambiguous date"}, ben[0])[0] == 200  # fmt: skip
    llmeval("review", "pull", team.run, "--store", team.store)
    assert labels_of(team.run).verdicts[AnswerKey(case, 0, "correctness")] is False
    shown = llmeval("review", "adjudicate", team.run, "--list")
    assert "settled: fail by cy: checked" in shown.stdout


def test_a_revoked_or_expired_token_ends_its_sessions(team: Team) -> None:
    server = team.servers[0]
    token = llmeval("review", "token", "dan", "--store", team.store).stdout.strip()
    cookie = server.enter(token)
    assert server.state(cookie)["reviewer"] == "dan"
    assert "1 token" in llmeval("review", "token", "dan", "--revoke", "--store", team.store).stdout
    assert server.ask("GET", "/state", Cookie=cookie).status == 403
    assert server.enter(token) == ""
    old = llmeval("review", "token", "eva", "--store", team.store).stdout.strip()
    late = server.enter(old)
    rows_of(team, "UPDATE review_tokens SET expires = now() WHERE name = 'eva'")
    assert server.post("/labels", vote(300), late)[0] == 403
    leaving = server.enter(team.tokens["ada"])
    assert server.post("/leave", {}, leaving)[0] == 303
    assert server.ask("GET", "/state", Cookie=leaving).status == 403


def test_assignments_and_files_travel_both_ways(team: Team, tmp_path: Path) -> None:
    other = sample_run(tmp_path / "run", 30, hostile=False)
    store = ("--store", team.store)
    case = votable(other)[12]
    append(other, [label("fay", "pass", case=case)])
    from llmeval.store.case_comments import add_comments

    add_comments(other, [remark(RunDir(other), "fay", "from a file")])
    pushed = json.loads(llmeval("review", "push", other, *store, "--json").stdout)
    assert (pushed["labels"], pushed["comments"]) == (1, 1)
    made = llmeval("review", "assign", other, "--to", "gus:3", "--to", "ada:3", *store)
    assert made.returncode == 0, made.stderr
    assert "tester:" not in made.stdout or "***" in made.stdout
    gus = llmeval("review", "token", "gus", *store).stdout.strip()
    state = team.servers[1].state(team.servers[1].enter(gus))
    assert len(state["queue"]) == 3, "a server that runs sees the new assignment"


def test_a_server_survives_a_restart_of_its_connection(team: Team) -> None:
    server = team.servers[1]
    cookie = server.enter(team.tokens["ada"])
    rows_of(
        team,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    assert server.state(cookie)["reviewer"] == "ada"
    assert server.post("/labels", vote(400), cookie)[0] == 200


@each_row(
    ("arguments", "text"),
    [
        (("--host", "0.0.0.0", "--store", "STORE"), "others could read everything"),
        (("--host", "0.0.0.0"), "need --store"),
        (("--reviewer", "ada", "--store", "STORE"), "no effect"),
        (("--proxy", "http://evals.example.org", "--store", "STORE"), "https"),
        (("--tls-cert", "x.pem", "--store", "STORE"), "belong together"),
        (("--store", "mysql://u:topsecret@h/d"), "must be postgresql"),
        (("--store", "postgresql://u:topsecret@127.0.0.1:1/d"), "can't be used"),
    ],
)
def test_what_is_not_safe_is_not_served(team: Team, arguments: tuple[str, ...], text: str) -> None:
    filled = [each.replace("STORE", team.store) for each in arguments]
    done = llmeval("review", "open", team.run, "--no-open", *filled)
    assert done.returncode in (2, 3) and text in done.stderr, done.stderr
    assert "topsecret" not in done.stdout + done.stderr


def test_a_client_that_trusts_only_the_certificate_reviews_over_tls(
    team: Team, tmp_path: Path
) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", "/CN=t",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    server = started(team.run, team.store, "--tls-cert", str(certificate), "--tls-key", str(key))
    try:
        assert server.origin.startswith("https://")
        port = urlsplit(server.origin).port
        trusting = ssl.create_default_context(cafile=str(certificate))

        def ask(method: str, path: str, body: str = "", **headers: str) -> Any:
            client = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=trusting)
            client.request(method, path, body or None, headers)
            return client.getresponse()

        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": server.origin}
        entered = ask("POST", "/enter", urlencode({"token": team.tokens["ada"]}), **form)
        cookie = entered.headers["Set-Cookie"]
        assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
        state = json.loads(ask("GET", "/state", Cookie=cookie.split(";")[0]).read())
        assert state["reviewer"] == "ada"
        strange = http.client.HTTPSConnection("127.0.0.1", port, timeout=20)
        with pytest.raises(ssl.SSLCertVerificationError):
            strange.request("GET", "/")
        plain = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        plain.request("GET", "/")
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            plain.getresponse()
        assert ask("GET", "/", Host="evals.example.org").status >= 400
    finally:
        server.process.send_signal(signal.SIGINT)
        _, errors = server.process.communicate(timeout=30)
    assert server.process.returncode == 0
    assert "Traceback" not in errors
