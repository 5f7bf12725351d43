"""The review server over real HTTP: who is let in, what is refused, what becomes a label."""

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from llmeval.core.errors import UsageError
from llmeval.report.html.assets import policy
from llmeval.review.intake import answers_of
from llmeval.review.queue import make_queue
from llmeval.review.server import MAX_BODY, ReviewServer
from llmeval.review.session import ReviewSession
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import append, read, text_digest
from tests.report.html_samples import sample_run


class Door:
    """A server on a free port, and a way to knock with exactly the headers given."""

    def __init__(self, run: Path, page: Path, reviewer: str = "ada") -> None:
        directory = RunDir(run)
        answers = answers_of(directory)
        queue = make_queue(
            directory,
            answers,
            [key for key in answers if key[0] == "law-00003"],
            ["correctness"],
            10,
        )
        self.server = ReviewServer(
            ReviewSession(directory, reviewer, answers, queue), page, policy(served=True)
        )
        self.run, self.answers, self.queue = directory, answers, queue
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=5)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": self.server.host, **headers}.items():
            if value:
                connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        return connection.getresponse()

    @property
    def known(self) -> dict[str, str]:
        return {"Cookie": f"other=1; {self.server.cookie}={self.server.secret}"}

    def post(self, body: Any, **changes: str) -> http.client.HTTPResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {
            "Origin": self.server.origin, "Content-Type": "application/json", "Content-Length": str(len(data)), **self.known,
        }  # fmt: skip
        return self.ask("POST", "/labels", data, **{**headers, **changes})

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask("GET", "/state", **self.known).read())
        return found

    def labels(self) -> list[Any]:
        return read(self.run.path / LABELS)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "page.html").write_text("<p>the page")
    return sample_run(tmp_path / "run", 40)


@pytest.fixture
def door(run: Path, tmp_path: Path) -> Iterator[Door]:
    door = Door(run, tmp_path / "page.html")
    yield door
    door.server.shutdown()
    door.server.server_close()


def vote(number: int = 0, **changes: Any) -> dict[str, Any]:
    found = {
        "label_id": f"label-{number:04}",
        "case_id": "law-00003",
        "metric": "correctness",
        "human_verdict": "pass",
    }
    return {**found, "blind": True, **changes}


def test_the_token_is_exchanged_for_a_cookie(door: Door) -> None:
    parts = urlsplit(door.server.url)
    assert parts.hostname == "127.0.0.1"
    response = door.ask("GET", f"/?{parts.query}")
    assert (response.status, response.headers["Location"]) == (303, "/")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    page = door.ask("GET", "/", Cookie=cookie.partition(";")[0])
    assert (page.status, page.read()) == (200, b"<p>the page")
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "connect-src 'self'" in page.headers["Content-Security-Policy"]
    assert door.ask("GET", f"/?{parts.query}").status == 303, (
        "the printed address works in a second browser too"
    )


def test_the_launch_token_works_once(door: Door) -> None:
    query = urlsplit(door.server.launch).query
    assert [door.ask("GET", f"/?{query}").status for _ in range(2)] == [303, 403]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 403),
        ("/state", {}, 403),
        ("/?token=wrong", {}, 403),
        ("/?token=", {}, 403),
        ("/?token=%ff%00%F0%9F%98%80", {}, 403),
        ("/", {"Cookie": "llmeval_1=x"}, 403),
        ("/", {"Host": "localhost:{port}"}, 421),
        ("/", {"Host": "attacker.invalid:{port}"}, 421),
        ("/", {"Host": "127.0.0.1"}, 421),
        ("/", {"Host": ""}, 421),
        ("/", {"Origin": "http://attacker.invalid"}, 403),
        ("/", {"Origin": "null"}, 403),
        ("/", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/", {"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_strangers_get_nothing(door: Door, path: str, headers: dict[str, str], status: int) -> None:
    filled = {
        name: value.replace("{port}", str(door.server.server_port))
        for name, value in headers.items()
    }
    known = {} if not headers or "Cookie" in headers else door.known
    response = door.ask("GET", path, **{**known, **filled})
    assert response.status == status
    text = response.read()
    assert b"the page" not in text and door.server.secret.encode() not in text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Origin": ""}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "http://attacker.invalid"}, 403),
        ({"Cookie": ""}, 403),
        ({"Host": "attacker.invalid"}, 421),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Length": ""}, 411),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": "9" * 400}, 413),
        ({"Content-Length": str(MAX_BODY + 1)}, 413),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_votes_from_elsewhere_are_refused(door: Door, changes: dict[str, str], status: int) -> None:
    assert door.post(vote(), **changes).status == status
    assert door.labels() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[" * 60_000, 400),
        (b"\xff{}", 400),
        ([vote()], 400),
        (vote(human_verdict="maybe"), 400),
        (vote(comment="x" * 4001), 400),
        (vote(label_id="x"), 400),
        (vote(repeat=-1), 400),
        (vote(reviewer="eve"), 400),
        (vote(sampling="random", probability=1.0), 400),
        (vote(case_id="nobody"), 404),
        (vote(metric="style"), 404),
        (vote(repeat=7), 404),
        (vote(output_digest=text_digest("another answer")), 409),
        (vote(adjudication=True), 409),
    ],
)
def test_what_is_no_vote_on_this_run_is_refused(door: Door, body: Any, status: int) -> None:
    assert door.post(body).status == status
    assert door.labels() == []


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/labels"), ("DELETE", "/labels"), ("OPTIONS", "/labels")]
)
def test_other_methods_and_paths_do_not_exist(door: Door, method: str, path: str) -> None:
    assert door.ask(method, path, **door.known).status == 501
    assert door.ask("GET", "/../manifest.json", **door.known).status == 404
    assert door.ask("GET", "/labels.jsonl", **door.known).status == 404


def test_a_vote_becomes_a_label_that_the_server_completes(door: Door) -> None:
    state = json.loads(door.post(vote(comment="hm \u202e\x00 </script>")).read())
    (label,) = door.labels()
    known = door.answers["law-00003", 0]
    assert (label.reviewer, label.output_digest, label.judge_verdict) == (
        "ada", known.digest, known.statuses["correctness"],
    )  # fmt: skip
    assert label.at and label.run_id and label.blind and label.comment == "hm \u202e\x00 </script>"
    assert [each["label_id"] for each in state["labels"]] == ["label-0000"]
    assert door.post(vote()).status == 200 and len(door.labels()) == 1, (
        "sent again, it is the same label"
    )


def test_the_draw_and_not_the_page_says_how_an_answer_was_sampled(door: Door) -> None:
    (draw,) = door.queue.draws.values()
    key, stratum = next(iter(draw.drawn.items()))
    door.post(vote(1, case_id=key.partition(":")[2]))
    not_drawn = next(k for k in door.answers if f"0:{k[0]}" not in draw.drawn and k[0] != "law-00003" and
                     door.answers[k].statuses.get("correctness") in ("pass", "fail"))  # fmt: skip
    door.post(vote(2, case_id=not_drawn[0]))
    one, other = door.labels()
    assert (one.sampling, one.probability) == ("stratified", draw.strata[stratum].probability)
    assert (other.sampling, other.probability) == ("triage", None)


def test_a_mind_changed_after_the_verdict_was_shown_is_not_blind(door: Door) -> None:
    for number, verdict in enumerate(("pass", "fail", "withdrawn", "pass")):
        assert door.post(vote(number, human_verdict=verdict)).status == 200
    assert [(label.human_verdict, label.blind) for label in door.labels()] == [
        ("pass", True), ("fail", False), ("withdrawn", False), ("pass", True),
    ]  # fmt: skip


def test_many_tabs_and_another_process_lose_nothing(door: Door, run: Path, tmp_path: Path) -> None:
    other = Door(run, tmp_path / "page.html", "bob")
    try:
        with ThreadPoolExecutor(8) as pool:
            sent = [
                pool.submit(each.post, vote(i, label_id=f"label-{i:04}-{each is door}"))
                for i in range(20)
                for each in (door, other)
            ]
        assert {response.result().status for response in sent} == {200}
    finally:
        other.server.shutdown()
        other.server.server_close()
    ids = [label.label_id for label in door.labels()]
    assert sorted(ids) == sorted(
        f"label-{i:04}-{each}" for i in range(20) for each in (True, False)
    )
    stolen = door.post(vote(0, label_id="label-0000-False"))
    assert stolen.status == 409, "the id of another person's label"


def test_others_stay_hidden_until_the_vote_and_conflicts_are_decided(
    door: Door, run: Path, tmp_path: Path
) -> None:
    bob = Door(run, tmp_path / "page.html", "bob")
    try:
        assert bob.post(vote(1, human_verdict="fail", comment="wrong year")).status == 200
        assert door.state()["others"] == [] and door.state()["conflicts"] == []
        door.post(vote(2))
        state = door.state()
        assert [each["reviewer"] for each in state["others"]] == ["bob"]
        (dispute,) = state["conflicts"]
        assert {each["reviewer"]: each["human_verdict"] for each in dispute["labels"]} == {
            "ada": "pass",
            "bob": "fail",
        }
        assert door.post(vote(3, human_verdict="fail", adjudication=True)).status == 200
        assert door.state()["conflicts"] == []
        (decided,) = (label for label in door.labels() if label.adjudication)
        assert decided.reviewer == "ada" and not decided.blind
        assert len(door.labels()) == 3, "the votes stay"
    finally:
        bob.server.shutdown()
        bob.server.server_close()


def test_labels_of_other_answers_are_left_out(door: Door) -> None:
    door.post(vote())
    (label,) = door.labels()
    import msgspec

    append(
        door.run.path,
        [
            msgspec.structs.replace(
                label, label_id="stale-01", output_digest="sha256:0", at="2999-01-01"
            )
        ],
    )
    assert door.state()["labels"] == []


def test_a_broken_file_of_labels_is_said_and_not_written_to(door: Door) -> None:
    (door.run.path / LABELS).write_text('{"nonsense": 1}\n')
    response = door.post(vote())
    assert response.status == 500 and b"labels.jsonl:1" in response.read()


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_reviewer_needs_a_name(run: Path, name: str) -> None:
    directory = RunDir(run)
    answers = answers_of(directory)
    queue = make_queue(directory, answers, [], ["correctness"], 5)
    with pytest.raises(UsageError, match="reviewer"):
        ReviewSession(directory, name, answers, queue)


def test_a_taken_port_is_a_usage_error(door: Door, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--port"):
        ReviewServer(door.server.session, tmp_path / "page.html", "", door.server.server_port)
