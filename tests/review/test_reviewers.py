"""Several reviewers of one run: parts of a queue, disputes and who settles them, comments."""

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from llmeval.core.errors import StoreError, UsageError
from llmeval.core.records import Label
from llmeval.core.review_records import CaseComment
from llmeval.gate.disputes import disputes_of
from llmeval.gate.human_labels import labels_of
from llmeval.review.assignment import (
    answers_needed,
    assign,
    parse_part,
    parse_parts,
    parse_share,
    part_of,
    queue_of,
)
from llmeval.review.figures import figures
from llmeval.review.intake import answers_of
from llmeval.review.queue import QueueItem, ReviewQueue, fill_queue, make_queue
from llmeval.review.review_store import RunFolder
from llmeval.review.session import RefusedVote, ReviewSession
from llmeval.store.case_comments import add_comments, read_comments
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import AnswerKey, append, counted, read
from llmeval.store.people_files import file_of, stamp_of_files
from tests.report.html_samples import sample_run
from tests.support.command import llmeval
from tests.support.tables import each_row

PLACE = AnswerKey("law-00003", 0, "correctness")


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(sample_run(tmp_path / "qa" / "run", 60, hostile=False))


def label(
    reviewer: str, verdict: Any, at: int = 0, case: str = PLACE.case_id, **more: Any
) -> Label:
    fields: dict[str, Any] = {"label_id": f"{reviewer}-{case}-{at}-{verdict}", **more}
    return Label(
        case_id=case, metric="correctness", reviewer=reviewer, human_verdict=verdict,
        at=f"2026-03-01T10:00:{at:02}Z", **fields,
    )  # fmt: skip


def session(
    run: RunDir, name: str, items: tuple[QueueItem, ...] = (), **more: Any
) -> ReviewSession:
    return ReviewSession(run, name, answers_of(run), ReviewQueue(items, {}), **more)


def vote(verdict: str, number: int = 0, **more: Any) -> bytes:
    return json.dumps(
        {"label_id": f"vote-{number:06}", **PLACE._asdict(), "human_verdict": verdict, **more}
    ).encode()


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def branch_out(root: Path, run: RunDir) -> dict[str, list[Label]]:
    """Three branches: two reviewers, and one of them again on another machine."""
    cases = [case.id for case in run.outlines()][:6]
    work = {
        "ada": [label("ada", "pass" if n % 3 else "fail", n, case) for n, case in enumerate(cases)],
        "ben": [label("ben", "pass" if n % 2 else "fail", n, case) for n, case in enumerate(cases)],
        "ada-at-home": [label("ada", "pass", 50, cases[0]), label("ada", "fail", 51, cases[5])],
    }
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "the run")
    for name, labels in work.items():
        git(root, "checkout", "-q", "-b", name, "main")
        append(run.path, labels)
        made = make_queue(run, answers_of(run), [], ["correctness"], 6, 1.0, seed=len(name))
        RunFolder(run).add_draws(made.draws.values())
        git(root, "add", "-A")
        git(root, "commit", "-qm", name)
    return work


def test_branches_of_three_merge_without_conflict_in_any_order(tmp_path: Path, run: RunDir) -> None:
    root = tmp_path / "qa"
    work = branch_out(root, run)
    results = []
    for number, order in enumerate((tuple(work), tuple(reversed(work)))):
        git(root, "checkout", "-q", "-b", f"merged-{number}", "main")
        for name in order:
            git(root, "merge", "-q", "--no-edit", name)
        assert git(root, "status", "--porcelain") == ""
        assert len(RunFolder(run).draws()) == 2, "two reviewers have the same draw"
        results.append((figures(run), labels_of(run.path)))
    assert all(result == results[0] for result in results[1:])
    (metric,) = results[0][0]["metrics"]
    assert results[0][0]["reviewers"] == {"ada": 6, "ben": 6}
    assert metric["reviewers"]["pairs"][0]["n"] == 6
    every = read(run.path / LABELS)
    assert len(every) == 14, "a changed vote stays readable"
    first = work["ada"][0].case_id
    latest = [each for (who, at), each in counted(every).items()
              if who.name == "ada" and at.case_id == first]  # fmt: skip
    assert [each.human_verdict for each in latest] == ["pass"], "the later vote counts"


def test_old_files_are_read_and_imports_add_nothing_twice(tmp_path: Path, run: RunDir) -> None:
    lines = [label("ada", "pass"), label("ben", "fail"), label("", "pass", case="geo-00000")]
    old = run.path / LABELS
    old.write_text("".join(json.dumps(structs.asdict(each)) + "\n" for each in lines))
    folder = RunFolder(run)
    before = stamp_of_files(old)
    assert folder.add_labels([*lines, label("cy", "pass")]) == 1
    assert [each.reviewer for each in folder.labels()] == ["ada", "ben", "", "cy"]
    assert stamp_of_files(old) != before, "the history sees that there are new labels"
    sheet = tmp_path / "again.jsonl"
    sheet.write_text("".join(json.dumps(structs.asdict(each)) + "\n" for each in folder.labels()))
    done = llmeval("labels", "import", sheet, "--run", run.path, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["added"] == 0


def test_a_line_in_another_persons_file_is_refused(run: RunDir) -> None:
    append(run.path, [label("ada", "pass")])
    ada, ben = (run.path / "labels" / file_of(name) for name in ("ada", "ben"))
    ben.write_bytes(ada.read_bytes())
    with pytest.raises(StoreError, match=r"ben.jsonl:1: a label of 'ada'.*belongs in ada.jsonl"):
        read(run.path / LABELS)
    ben.unlink()
    ben.symlink_to(ada)
    with pytest.raises(StoreError, match="is a link"):
        read(run.path / LABELS)


def test_names_never_share_a_file() -> None:
    names = ["ada", "Ada", "ADA", "", "unnamed", "con", "COM1", "../x", "a/b", "a\\b", "Ä", "ß" * 99,
             "a" * 48, "a" * 49, "ada.b", ".", "nul", "ada "]  # fmt: skip
    files = [file_of(name) for name in names]
    assert len({file.lower() for file in files}) == len(names)
    assert all(file.isascii() and not set(file) & set('/\\:*?"<>|') for file in files)


@each_row(
    ("parts", "double", "needed"),
    [
        ({"ada": 12, "ben": 12}, 0.2, (20, 4)),
        ({"ada": 10, "ben": 10}, 0.0, (20, 0)),
        ({"ada": 10, "ben": 10}, 1.0, (10, 10)),
        ({"ada": 6, "ben": 6, "cy": 6}, 0.5, (12, 6)),
        ({"ada": 1}, 0.0, (1, 0)),
    ],
)
def test_the_number_of_answers(
    parts: dict[str, int], double: float, needed: tuple[int, int]
) -> None:
    assert answers_needed(parts, double) == needed


@each_row(
    ("function", "text"),
    [
        (parse_part, "ada"), (parse_part, "ada:0"), (parse_part, "ada:-1"), (parse_part, ":3"),
        (parse_part, "a\u200bda:3"), (parse_part, "ada:²"), (parse_share, "120%"),
        (parse_share, "-1%"), (parse_share, "nan"), (parse_share, "many"),
    ],
)  # fmt: skip
def test_parts_in_another_form_are_refused(function: Any, text: str) -> None:
    with pytest.raises(UsageError):
        function(text)


def test_parts_without_room_are_refused() -> None:
    for parts, double in (({"ada": 12, "ben": 1}, 0.5), ({"ada": 5}, 0.2)):
        with pytest.raises(UsageError, match="room for"):
            answers_needed(parts, double)
    with pytest.raises(UsageError, match="each reviewer once"):
        parse_parts(["ada:1", "ada:2"])


def test_a_queue_is_split_with_double_answers(run: RunDir) -> None:
    parts = {"ada": 8, "ben": 8, "cy": 8}
    different, twice = answers_needed(parts, 0.2)
    queue = fill_queue(run, answers_of(run), [], ["correctness"], different)
    made = assign(run.manifest().run_id, queue, parts, 0.2, seed=3)
    again = assign(run.manifest().run_id, queue, parts, 0.2, seed=3)
    assert (made.assignment_id, made.parts) == (again.assignment_id, again.parts)
    assert {name: len(part) for name, part in made.parts.items()} == parts
    times = Counter(each.case_id for part in made.parts.values() for each in part)
    assert len(times) == different and sorted(times.values())[-twice:] == [2] * twice
    assert max(times.values()) == 2
    pairs = Counter(
        frozenset(name for name, part in made.parts.items() if case in {e.case_id for e in part})
        for case, number in times.items()
        if number == 2
    )
    assert len(pairs) == min(3, twice), "each two reviewers share answers"
    order = [item.case_id for item in queue.items]
    for name in parts:
        places = [order.index(item.case_id) for item in part_of([made], name)]
        assert places == sorted(places), "the order does not tell which are double"
    other = assign(run.manifest().run_id, queue, parts, 0.2, seed=4)
    assert other.assignment_id != made.assignment_id
    with pytest.raises(UsageError, match="different answers"):
        assign("r", ReviewQueue(queue.items[:3], {}), parts, 0.2)


def test_assigned_answers_are_the_queue_of_a_reviewer(run: RunDir) -> None:
    command = ("review", "assign", run.path, "--to", "ada:4", "--to", "ben:4", "--double", "25%")
    first = llmeval(*command, "--random-share", "1", "--json")
    assert first.returncode == 0, first.stderr
    printed = json.loads(first.stdout)
    assert (printed["answers"], printed["double"], printed["parts"]) == (6, 2, {"ada": 4, "ben": 4})
    assert json.loads(llmeval(*command, "--random-share", "1", "--json").stdout)["new"] is False
    folder, default = RunFolder(run), ReviewQueue((), {})
    ada = queue_of(folder, "ada", default)
    assert len(ada.items) == 4 and queue_of(folder, "cy", default) is default
    first_item = ada.items[0]
    place = AnswerKey(first_item.case_id, first_item.repeat, "correctness")
    assert ada.sampling(place)[0] == "stratified", "its labels can measure the judge"
    assert "double" not in json.dumps(session(run, "ada", ada.items).state())


def test_nobody_sees_votes_before_their_own(run: RunDir) -> None:
    append(run.path, [label("ada", "pass", comment="secret"), label("ben", "fail")])
    add_comments(run.path, [remark(run, "ben", "secret remark")])
    item = QueueItem(PLACE.case_id, 0, ("correctness",))
    cy = session(run, "cy", (item,))
    before = cy.state()
    assert "secret" not in json.dumps(before) and before["conflicts"] == []
    cy.add(vote("pass"))
    after = cy.state()
    assert len(after["others"]) == 2 and len(after["conflicts"]) == 1
    assert [each["text"] for each in after["comments"]] == ["secret remark"]


def test_an_adjudication_settles_the_dispute_and_keeps_the_votes(run: RunDir) -> None:
    append(run.path, [label("ada", "pass", comment="it is stated"), label("ben", "fail")])
    assert PLACE in labels_of(run.path).undecided, "a dispute counts against each claim"
    ada = session(run, "ada", adjudicating=True)
    with pytest.raises(RefusedVote, match="nobody differs"):
        ada.add(vote("pass", 1, case_id="geo-00000", adjudication=True))
    ada.add(vote("fail", 2, adjudication=True, blind=True, comment="the source says otherwise"))
    people = labels_of(run.path)
    assert people.verdicts[PLACE] is False
    assert PLACE not in people.undecided and PLACE not in people.revised
    (dispute,) = disputes_of(counted(read(run.path / LABELS)))
    assert {each.reviewer: each.human_verdict for each in dispute.votes} == {
        "ada": "pass",
        "ben": "fail",
    }
    assert dispute.decision is not None
    assert (dispute.decision.reviewer, dispute.decision.blind) == ("ada", False)
    listed = json.loads(llmeval("review", "adjudicate", run.path, "--list", "--json").stdout)
    assert listed[0]["settled"] == {
        "by": "ada", "verdict": "fail", "reason": "the source says otherwise",
    }  # fmt: skip
    assert [each["reason"] for each in listed[0]["votes"]] == ["it is stated", ""]
    (metric,) = figures(run)["metrics"]
    assert metric["conflicts"] == [] and metric["settled"][0]["by"] == "ada"
    assert metric["reviewers"]["pairs"][0]["accuracy"]["value"] == 0.0, "agreement is of the votes"
    closed = llmeval("review", "adjudicate", run.path, "--no-open")
    assert closed.returncode == 2 and "no dispute is open" in closed.stderr
    ada.add(vote("withdrawn", 3, adjudication=True))
    assert PLACE in labels_of(run.path).undecided, "a decision can be taken back"
    assert len(read(run.path / LABELS)) == 4


def test_who_may_not_adjudicate_is_refused(run: RunDir) -> None:
    append(run.path, [label("ada", "pass"), label("ben", "fail")])
    with pytest.raises(RefusedVote) as refused:
        session(run, "cy", may_adjudicate=False).add(vote("fail", adjudication=True))
    assert refused.value.status == 403
    assert len(read(run.path / LABELS)) == 2


def remark(run: RunDir, author: str, text: str, **more: Any) -> CaseComment:
    digests = {case.id: case.digest for case in run.outlines()}
    fields: dict[str, Any] = {
        "comment_id": f"{author}-{text}"[:60], "suite": run.manifest().suite,
        "case_id": PLACE.case_id, "case_digest": digests[PLACE.case_id], "author": author,
        "text": text, "at": "2026-03-01T10:00:00Z",
    }  # fmt: skip
    return CaseComment(**{**fields, **more})


def test_comments_travel_with_the_case(tmp_path: Path, run: RunDir) -> None:
    ada = session(run, "ada")
    body = {"comment_id": "comment-1", "case_id": PLACE.case_id, "text": " see ticket 7 "}
    for _ in range(2):
        ada.comment(json.dumps(body).encode())
    assert ada.added == 1, "the same comment again adds nothing"
    (kept,) = read_comments(run.path)
    assert (kept.author, kept.text, kept.case_id) == ("ada", "see ticket 7", PLACE.case_id)
    later = RunDir(sample_run(tmp_path / "qa" / "later", 60, hostile=False))
    (shown,) = session(later, "ada").state()["comments"]
    assert (shown["text"], shown["void"]) == ("see ticket 7", False)
    add_comments(run.path, [remark(run, "ben", "of an older case", case_digest="0" * 64)])
    texts = {each["text"]: each["void"] for each in
             session(later, "zoe", adjudicating=True).state()["comments"]}  # fmt: skip
    assert texts == {"see ticket 7": False, "of an older case": True}
    for bad, status in (({"text": "  "}, 400), ({"case_id": "none"}, 404), ({"author": "x"}, 400)):
        with pytest.raises(RefusedVote) as refused:
            ada.comment(json.dumps({**body, "comment_id": "comment-2", **bad}).encode())
        assert refused.value.status == status
