"""Hostile requests to the servers of `llmeval review` and `llmeval view`, over real sockets.

Methods, paths, hosts, origins, cookies, lengths and bodies are drawn at random: other names of this
machine (DNS rebinding), other pages (cross-origin), paths that leave the folder, bodies that are
huge, cut or of other types, and bytes that are no HTTP. A request crashes a server if it is answered
with an internal error, if a thread of the server ends in an exception, if a file outside of the run
is in an answer, or if a vote is taken from a sender that is not the page.
"""

import contextlib
import io
import json
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from llmeval.history.opening import open_history
from llmeval.report.html.assets import policy
from llmeval.review.intake import answers_of
from llmeval.review.queue import make_queue
from llmeval.review.server import MAX_BODY, ReviewServer
from llmeval.review.session import ReviewSession
from llmeval.store.directory import LABELS, RunDir
from llmeval.view.links import ServedLinks
from llmeval.view.page import Site
from llmeval.view.server import ViewServer
from llmeval.web.guarded_server import GuardedServer, Listening
from tests.report.html_samples import sample_run
from tests.support.history_runs import past_run

Count = Callable[[str, str, str], None]
"""Takes the kind, the outcome and a description of a crash."""
OUTSIDE = "canary-7f3a of a file outside"
RUN_ID = "20260101T090000Z-000001"
_INTERNAL = re.compile(rb"internal error|Traceback")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_SECONDS = 20
_METHODS = ("GET", "GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH",
            "TRACE", "CONNECT", "get", "GE\x00T", "P\xd6ST", "")  # fmt: skip
_PLACES = ("", "../outside.txt", "..%2foutside.txt", "..%5coutside.txt", "%2e%2e/outside.txt",
           "....//outside.txt", "/etc/passwd", "//outside.txt", "%00", "\xff", "%ff%fe", "%ud800",
           "a" * 3000, RUN_ID, f"{RUN_ID}/../../outside.txt", "qa", "qa%2f..%2f..", "*", "?", "#",
           "[::1", "law-00003", "%252e%252e%252foutside.txt", "C:%5coutside.txt", "~", "-1",
           "<script>", "'%20OR%201=1--", "\r\nX: y")  # fmt: skip
_RIGHT = ("/", "/state", f"/run/{RUN_ID}", f"/report/{RUN_ID}", "/suite/qa", "/flaky/qa", "/board/qa",
          f"/compare?a={RUN_ID}&b={RUN_ID}", "/case/qa?id=c0&metric=facts", f"/run/{RUN_ID}?x=%00")  # fmt: skip
_PAGES = ("/", "/state", "/labels", "/run/", "/suite/", "/report/", "/case/", "/board/", "/flaky/",
          "/compare", "//", "/..", "http://evil.example/", "//[", "*", "/?token=", "/run", "")  # fmt: skip


@dataclass
class Target:
    """A server and what it must not change: a file, and what the next request may state."""

    kind: str
    server: GuardedServer
    guarded: Path
    vote: dict[str, object]

    def content(self) -> bytes:
        """What is in the file now."""
        return self.guarded.read_bytes() if self.guarded.exists() else b""


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[list[Target]]:
    """Both servers, each with a run of its own, and a file outside of the runs."""
    folder.mkdir(parents=True)
    (folder / "outside.txt").write_text(OUTSIDE)
    page, reports = folder / "page.html", folder / "reports"
    page.write_text("<p>the page")
    run = RunDir(sample_run(folder / "run", 40))
    answers = answers_of(run)
    keys = [key for key in answers if key[0] == "law-00003"]
    queue = make_queue(run, answers, keys, ["correctness"], 10)
    review = ReviewServer(ReviewSession(run, "ada", answers, queue), page, policy(served=True))
    past = past_run(reports, RUN_ID, {"facts": [1.0, 0.0]})
    (past.path / "report.html").write_text("the report")
    history = open_history(reports, str(folder / "h.sqlite3"))
    view = ViewServer(Site(history, ServedLinks(), "here"), Listening())
    vote: dict[str, object] = {
        "label_id": "label-0", "case_id": "law-00003", "metric": "correctness", "human_verdict": "pass",
        "blind": True, "repeat": 0, "comment": "c", "output_digest": "", "adjudication": False,
    }  # fmt: skip
    targets = [
        Target("review server", review, run.path / LABELS, vote),
        Target("view server", view, past.path / LABELS, vote),
    ]
    for each in targets:
        threading.Thread(target=each.server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield targets
    finally:
        for each in targets:
            each.server.shutdown()
            each.server.server_close()
        history.store.close()


def play_requests(note: Count, rng: random.Random, folder: Path, n: int) -> None:
    """Send `n` requests and count how they end."""
    trouble = io.StringIO()
    with servers(folder / "web") as targets, contextlib.redirect_stderr(trouble):
        for index in range(n):
            target = targets[index % len(targets)]
            request, from_page = _request(rng, target, index)
            before = target.content()
            answer = _sent(target, request)
            crash = _crash(target, answer, before, from_page) or trouble.getvalue()
            trouble.seek(0)
            trouble.truncate()
            status = int(found[1]) if (found := _STATUS.match(answer)) else 0
            outcome = "crashed" if crash else "same" if 200 <= status < 400 else "refused"
            words = f"{crash[-300:]}: {request[:300]!r}" if crash else ""
            note(f"requests: {target.kind}", outcome, words)


def _crash(target: Target, answer: bytes, before: bytes, from_page: bool) -> str:
    if _INTERNAL.search(answer) or re.match(rb"HTTP/1\.[01] 500", answer):
        return f"internal error: {answer[-200:]!r}"
    if OUTSIDE.encode() in answer:
        return "a file outside was read"
    if not from_page and target.content() != before:
        return "a vote of somebody else was taken"
    if target.kind == "view server" and target.content() != before:
        return "a page wrote a file"
    return ""


def _request(rng: random.Random, target: Target, index: int) -> tuple[bytes, bool]:
    """A request, and whether everything about its sender is as the page sends it."""
    body = _body(rng, target, index)
    if rng.random() < 0.03:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(400))), False
    server, port = target.server, target.server.server_port
    right = rng.random() < 0.5
    hosts = [server.host, f"localhost:{port}", f"127.0.0.1.rebind.example:{port}", "evil.example",
             f"{server.host}.", f"127.1:{port}", "", f"{server.host}\x00", f"x@{server.host}"]  # fmt: skip
    origins = [server.origin, "null", "https://evil.example", f"{server.origin}.evil.example", "",
               server.origin.upper(), f"https://{server.host}"]  # fmt: skip
    cookies = [f"{server.cookie}={server.secret}", f"{server.cookie}={server.secret[:-1]}", "",
               f"{server.cookie}=", f"other={server.secret}", f"{server.cookie}=\xfc", "a" * 5000]  # fmt: skip
    sites = ["same-origin", "cross-site", "same-site", "none", ""]
    host, origin, cookie, site = (
        each[0] if right else rng.choice(each) for each in (hosts, origins, cookies, sites)
    )
    method = "POST" if right and rng.random() < 0.6 else rng.choice(_METHODS)
    path = "/labels" if right and method == "POST" else rng.choice(_PAGES) + rng.choice(_PLACES)
    if rng.random() < 0.05:
        path = f"/?token={rng.choice([server.secret, 'x', ''])}"
    elif right and method == "GET" and rng.random() < 0.5:
        path = rng.choice(_RIGHT)
    kind = (
        "application/json"
        if right
        else rng.choice(
            ["application/json", "application/json", "text/plain", "application/json; a", ""]
        )
    )
    lengths = [str(len(body)), str(len(body)), str(len(body) + 9), str(max(0, len(body) - 3)), "-1",
               "1e3", "+5", "\u0665".encode().decode("latin-1"), "9" * 20, str(MAX_BODY + 1), ""]  # fmt: skip
    lines = [f"{method} {path} HTTP/1.{rng.choice('0111')}"]
    headers = [("Host", host), ("Origin", origin), ("Cookie", cookie), ("Sec-Fetch-Site", site),
               ("Content-Type", kind), ("Content-Length", lengths[0] if rng.random() < 0.6 else rng.choice(lengths))]  # fmt: skip
    headers += rng.choice([[], [], [], [("Host", "evil.example")], [("Transfer-Encoding", "chunked")],
                           [("X", "y" * 70_000)], [("Expect", "100-continue")],
                           [("X", "y")] * 150, [("Content-Length", "3")]])  # fmt: skip
    lines += [f"{name}: {value}" for name, value in headers if value]
    head = "\r\n".join(lines) + "\r\n\r\n"
    raw = head.encode("latin-1", "replace") + body
    if rng.random() < 0.05:
        raw = raw[: rng.randrange(len(raw))]
    return raw, (host, origin, cookie) == (hosts[0], origins[0], cookies[0])


def _body(rng: random.Random, target: Target, index: int) -> bytes:
    vote = {**target.vote, "label_id": f"label-{index}"}
    odd: list[object] = [None, [], {}, -1, 2**70, 1e308, "", "\x1b[2J", "../outside.txt", "x" * 5000, True,
                         [[[]]], {"a": 1}]  # fmt: skip
    if rng.random() < 0.5:
        vote[rng.choice([*vote, "extra"])] = rng.choice(odd)
    data = json.dumps(vote).encode()
    ways = [
        *[data] * 9, data[: rng.randrange(len(data))], b"[" * 20_000, b"", b"null", b"[]",
        b'{"case_id": "\\ud800", "metric": "correctness"}', b"\xff\xfe", b"NaN", data * 2,
        b"x" * (MAX_BODY + 10), data.replace(b"law-00003", b"\xed\xa0\x80"),
    ]  # fmt: skip
    return rng.choice(ways)


def _sent(target: Target, request: bytes) -> bytes:
    """The whole answer to some bytes; empty if the server closes the connection without one."""
    answer = b""
    place = ("127.0.0.1", target.server.server_port)
    with contextlib.suppress(ConnectionError), socket.create_connection(place, _SECONDS) as client:
        with contextlib.suppress(OSError):  # the server may have closed already
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
        while piece := client.recv(65_536):
            answer += piece
    return answer
