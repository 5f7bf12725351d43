"""From doubtful references to a patch: the queue, the votes, `labels stats`, `data fix`."""

import http.client
import json
import subprocess
import threading
from pathlib import Path

import pytest

from llmeval.datatests.doubtful import doubtful_cases
from llmeval.review.reference_page import reference_policy, write_reference_page
from llmeval.review.references import DoubtfulCase, ReferenceSession, StoredAnswer
from llmeval.review.server import ReviewServer
from llmeval.review.session import RefusedVote
from llmeval.store.directory import RunDir
from tests.datatests.planting import rows, write
from tests.support.command import llmeval

N = 6


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite in a git repository, with runs of three candidates that all miss two references."""
    folder = tmp_path_factory.mktemp("repair")
    path = write(folder, rows(N))
    subprocess.run(["git", "init", "-q", folder], check=True)
    for candidate in range(3):
        outputs = [
            {
                "id": row["id"],
                "output": "The answer is Zanzibar." if number < 2 else row["reference"],
                "system": candidate,
            }
            for number, row in enumerate(rows(N))
        ]
        (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in outputs))
        assert llmeval("run", path, "--reports", folder / "reports").returncode == 0
    return path


def _run(suite: Path) -> RunDir:
    return RunDir(sorted((suite.parent / "reports" / "demo").glob("2*"))[-1])


def _vote(case: str, verdict: str, *references: str, number: int = 1) -> bytes:
    return json.dumps(
        {
            "label_id": f"{case}-{verdict}-{number}",
            "case_id": case,
            "verdict": verdict,
            "references": references,
        }
    ).encode()


def _session(suite: Path, reviewer: str = "ada") -> ReferenceSession:
    run = _run(suite)
    return ReferenceSession(run, reviewer, doubtful_cases(run, suite.parent / "reports", 50))


def test_the_queue_has_every_answer(suite: Path) -> None:
    cases = doubtful_cases(_run(suite), suite.parent / "reports", 50)
    assert {case.case_id for case in cases} == {"c00000", "c00001"}
    assert [answer.passed for answer in cases[0].answers] == [False] * 3
    assert cases[0].answers[0].text == "The answer is Zanzibar."
    assert "3 of 3 candidates miss it" in cases[0].reason


def test_from_a_vote_to_a_patch(suite: Path) -> None:
    session = _session(suite)
    session.add(_vote("c00000", "wrong", "Zanzibar"))
    session.add(_vote("c00000", "wrong", "Zanzibar"))  # sent twice
    session.add(_vote("c00001", "wrong"))
    assert session.state() == {"c00000": "wrong", "c00001": "wrong"} and session.added == 2
    stats = llmeval("labels", "stats", session.run.path)
    assert "References that people call wrong" in stats.stdout
    assert "c00000 (ada): right: Zanzibar" in stats.stdout
    before = (suite.parent / "cases.jsonl").read_bytes()
    done = llmeval("data", "fix", suite, "--out", "p.diff", cwd=suite.parent)
    assert "c00001: nobody wrote the right reference" in done.stderr
    assert (suite.parent / "cases.jsonl").read_bytes() == before
    subprocess.run(["git", "apply", "p.diff"], cwd=suite.parent, check=True)
    after = (suite.parent / "cases.jsonl").read_bytes()
    (suite.parent / "cases.jsonl").write_bytes(before)
    first, rest = after.split(b"\n", 1)
    assert json.loads(first) == {**rows(1)[0], "reference": "Zanzibar"}
    assert before.split(b"\n", 1)[1] == rest


def test_reviewers_who_differ_repair_nothing(suite: Path) -> None:
    _session(suite, "bob").add(_vote("c00000", "right"))
    done = llmeval("data", "fix", suite, cwd=suite.parent)
    assert done.stdout == "" and "reviewers differ: bob say" in done.stderr
    _session(suite, "bob").add(_vote("c00000", "unsure"))
    assert "+{" in llmeval("data", "fix", suite, cwd=suite.parent).stdout


def test_a_label_of_a_changed_case_is_left_out(suite: Path) -> None:
    path = suite.parent / "cases.jsonl"
    before = path.read_text()
    path.write_text(before.replace(str(rows(1)[0]["question"]), "Another question?"))
    done = llmeval("data", "fix", suite, cwd=suite.parent)
    path.write_text(before)
    assert "c00000: the case is gone or changed" in done.stderr and done.stdout == ""


SOURCES = {
    "c.jsonl": '{"id": "a",   "question": "Q?", "reference": "old", "x": 1.50}\n{"id": "b", "question": "Q", "reference": "old"}\n',
    "c.csv": 'id,question,reference\r\na,"Q, or ""R""?",old\r\nb,Q,old\r\n',
    "c.tsv": "id\tquestion\treference\na\tQ\told\nb\tQ\told\n",
    "s.yaml": "",
}  # fmt: skip
INLINE = "cases:\n  - {id: a, question: 'Q?', reference: old}  # kept\n  - {id: b, question: R, reference: old}\n"


@pytest.mark.parametrize("name", SOURCES)
def test_formats(tmp_path: Path, name: str) -> None:
    """Only the reference of one case changes; everything else keeps its bytes."""
    suite = tmp_path / "s.yaml"
    cases = INLINE if name == "s.yaml" else f"cases: {name}\n"
    suite.write_text(
        f"suite: demo\n{cases}prompt: '{{{{ question }}}}'\nchecks: [facts]\ngate: none\n"
        "candidate: {provider: replay, source: a.jsonl}\n"
    )
    (tmp_path / "a.jsonl").write_text("")
    if name != "s.yaml":
        (tmp_path / name).write_bytes(SOURCES[name].encode())
    before = (tmp_path / name).read_bytes().decode()
    _label(suite, tmp_path / "reports", "a", "new, \"and\" 'quoted'")
    assert llmeval("data", "fix", suite, "--out", "p.diff", cwd=tmp_path).returncode == 0
    shown = llmeval("data", "fix", suite, cwd=tmp_path)
    assert shown.returncode == (2 if name == "c.csv" else 0), "a terminal can't show \\r"
    subprocess.run(["git", "apply", "p.diff"], cwd=tmp_path, check=True)
    after = (tmp_path / name).read_bytes().decode()
    changed = [(a, b) for a, b in zip(before.split("\n"), after.split("\n"), strict=True) if a != b]
    assert len(changed) == 1 and "old" in changed[0][0] and "old" not in changed[0][1]
    assert llmeval("validate", suite).returncode == 0


def _label(suite: Path, reports: Path, case: str, right: str) -> None:
    from llmeval.core.records import Label
    from llmeval.datatests.suite_cases import read_cases
    from llmeval.store.labels import REFERENCE, append
    from llmeval.suite.loader import load_suite

    digests = {}
    read_cases(load_suite(suite), lambda c: digests.__setitem__(c.place.id, c.case.digest))
    folder = reports / "demo" / "run"
    folder.mkdir(parents=True)
    label = Label(
        label_id="x", case_id=case, metric=REFERENCE, output_digest=digests[case],
        human_verdict="fail", proposed=(right,), reviewer="ada", at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    append(folder, [label], "reference_labels.jsonl")


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"label_id": "12345678"}', _vote("absent", "wrong"), _vote("c00000", "maybe")],
)
def test_what_is_no_vote(suite: Path, body: bytes) -> None:
    with pytest.raises(RefusedVote):
        _session(suite).add(body)


def test_the_server_takes_a_vote_from_its_page_only(suite: Path, tmp_path: Path) -> None:
    session = _session(suite, "eve")
    page = tmp_path / "page.html"
    write_reference_page(page, "demo", session.cases)
    server = ReviewServer(session, page, reference_policy())
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    body = _vote("c00001", "unsure", number=9)

    def post(origin: str) -> int:
        connection = http.client.HTTPConnection(server.host)
        headers = {"Cookie": f"{server.cookie}={server.secret}", "Origin": origin}
        headers |= {"Content-Type": "application/json"}
        connection.request("POST", "/labels", body, headers)
        return connection.getresponse().status

    assert (post("http://elsewhere.example"), post(server.origin)) == (403, 200)
    assert session.state()["c00001"] == "unsure"
    server.shutdown()
    server.server_close()


def test_texts_of_the_data_are_escaped(tmp_path: Path) -> None:
    attack = "<script>alert(1)</script></textarea>\"'><img src=x onerror=alert(1)>"
    answers = (StoredAnswer(attack, "r", attack, False),)
    case = DoubtfulCase(attack, "d", attack, (attack,), attack, answers)
    write_reference_page(tmp_path / "p.html", attack, [case])
    text = (tmp_path / "p.html").read_text()
    assert text.count("<script>") == 1 and "<img" not in text and text.count("</textarea>") == 1


def test_no_doubtful_reference(tmp_path: Path) -> None:
    path = write(tmp_path, rows(3))
    (tmp_path / "answers.jsonl").write_text(json.dumps({"id": "c00000", "output": "x"}) + "\n")
    llmeval("run", path, "--reports", tmp_path / "reports")
    done = llmeval("review", "latest", "--doubtful", "--reports", tmp_path / "reports")
    assert done.returncode == 2 and "at least 3 different candidates" in done.stderr
