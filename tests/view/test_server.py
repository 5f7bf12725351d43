"""The view server over real HTTP: who is let in, what is refused."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmeval.core.errors import UsageError
from llmeval.history.opening import open_history
from llmeval.view.links import ServedLinks
from llmeval.view.page import Site
from llmeval.view.server import ViewServer
from llmeval.web.guarded_server import Listening
from tests.support.history_runs import past_run

RUN = "20260101T090000Z-000001"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewServer]:
    reports = tmp_path_factory.mktemp("view") / "reports"
    run = past_run(reports, RUN, {"facts": [1.0, 0.0]})
    (run.path / "report.html").write_text("<script>alert(1)</script>the report")
    history = open_history(reports, str(reports.parent / "h.sqlite3"))
    behind = ViewServer(Site(history, ServedLinks(), "here"), Listening())
    threading.Thread(target=behind.serve_forever, args=(0.05,), daemon=True).start()
    yield behind
    behind.shutdown()
    behind.server_close()
    history.store.close()


def response_to(
    server: ViewServer, path: str, method: str = "GET", **headers: str
) -> http.client.HTTPResponse:
    """An answer to a request with the right host and cookie, unless a header says otherwise."""
    sent = {"Host": server.host, "Cookie": f"{server.cookie}={server.secret}", **headers}
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    for name, value in sent.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def body(answer: http.client.HTTPResponse) -> str:
    content: bytes = answer.body  # type: ignore[attr-defined]
    return content.decode()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "Suites"),
        ("/suite/qa", "Trends"),
        (f"/run/{RUN}", "Decision"),
        ("/case/qa?id=c1", "Its life"),
        ("/flaky/qa", "flaky case"),
        ("/board/qa", "Leaderboard"),
    ],
)
def test_pages(server: ViewServer, path: str, text: str) -> None:
    answer = response_to(server, path)
    assert answer.status == 200
    assert text in body(answer)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost"}, 421),
        ({"Cookie": "x=y"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
def test_other_senders_are_refused(
    server: ViewServer, headers: dict[str, str], status: int
) -> None:
    for path in ("/", "/suite/qa", f"/report/{RUN}", "/compare?a=x&b=y"):
        answer = response_to(server, path, **headers)
        assert answer.status == status
        assert "qa" not in body(answer).replace(path, "")


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/report/../../etc/passwd",
        "/report/..%2f..%2fetc%2fpasswd",
        "/run/%2e%2e%2fx",
        "/suite/qa/../..",
        "/suite/",
        "/nothing/qa",
        "/case/qa?id=../../x",
        "/compare?a=/etc/passwd&b=/etc/hosts",
        "/board/qa?by=path",
    ],
)
def test_a_name_is_never_a_path(server: ViewServer, path: str) -> None:
    answer = response_to(server, path)
    assert answer.status == 404
    assert "root:" not in body(answer)


def test_the_script_of_a_foreign_report_does_not_run(server: ViewServer) -> None:
    answer = response_to(server, f"/report/{RUN}")
    assert body(answer).endswith("the report")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert "connect-src" not in policy  # so default-src 'none' holds


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_it_only_reads(server: ViewServer, method: str) -> None:
    assert response_to(server, "/", method).status == 501


def test_the_token_opens_the_door(server: ViewServer) -> None:
    token = server.url.partition("?")[2]
    answer = response_to(server, f"/?{token}", Cookie="")
    assert answer.status == 303
    assert "HttpOnly; SameSite=Strict" in answer.headers["Set-Cookie"]
    assert response_to(server, "/?token=wrong", Cookie="").status == 403


@pytest.mark.parametrize(
    ("listening", "text"),
    [
        (Listening(host="0.0.0.0"), "--tls-cert"),
        (Listening(host="192.0.2.1"), "--tls-cert"),
        (Listening(host="localhost.evil.example"), "--tls-cert"),
        (Listening(host="0.0.0.0", proxy="http://evals.example.org"), "https address"),
        (Listening(proxy="evals.example.org"), "https address"),
        (Listening(proxy="https://evals.example.org/path"), "without a path"),
        (Listening(certificate=Path("a.pem")), "belong together"),
    ],
)
def test_it_is_not_reached_from_elsewhere_in_plain_text(listening: Listening, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        listening.check()


def test_behind_a_proxy_only_its_name_is_answered(server: ViewServer) -> None:
    site = server._site
    behind = ViewServer(site, Listening(proxy="https://evals.example.org"))
    threading.Thread(target=behind.serve_forever, args=(0.05,), daemon=True).start()
    try:
        assert behind.url.startswith("https://evals.example.org/?token=")
        assert response_to(behind, "/").status == 200
        assert response_to(behind, "/", Host=f"127.0.0.1:{behind.server_port}").status == 421
    finally:
        behind.shutdown()
        behind.server_close()
