"""Labels: read, appended, merged; the latest line of a reviewer counts; who differs is listed."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import StoreError
from llmeval.core.records import Label
from llmeval.store.directory import LABELS
from llmeval.store.labels import AnswerKey, agreed, append, current, fresh, merge, read, text_digest

PAGE = {  # as the report's page writes it
    "label_id": "a1", "run_id": "r", "case_id": "c1", "repeat": 0, "metric": "correctness", "output_digest": "",
    "human_verdict": "pass", "judge_verdict": "fail", "comment": "", "reviewer": "ada", "source": "human",
    "blind": True, "sampling": "triage", "probability": None, "at": "2026-01-02T03:04:05.678Z",
}  # fmt: skip


def label(verdict: Any, reviewer: str = "ada", at: int = 0, **more: Any) -> Label:
    fields: dict[str, Any] = {
        "case_id": "c1",
        "metric": "m",
        "at": f"2026-01-02T00:00:{at:02}Z",
        **more,
    }
    return Label(human_verdict=verdict, reviewer=reviewer, **fields)


def test_reads_what_the_page_writes(tmp_path: Path) -> None:
    path = tmp_path / LABELS
    path.write_text(
        json.dumps(PAGE) + "\n" + json.dumps({**PAGE, "human_verdict": "unsure"}) + "\n{torn"
    )
    assert [each.human_verdict for each in read(path)] == ["pass", "unsure"]
    assert read(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"human_verdict": "maybe"}, "human_verdict"),
        ({"probability": 0}, "probability"),
        ({"probability": 1.5}, "probability"),
        ({"sampling": "odd"}, "sampling"),
        ({"at": "yesterday"}, "isoformat"),
        ({"schema": 99}, "upgrade"),
        ({"repeat": -1}, "repeat"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / LABELS
    path.write_text(json.dumps(PAGE) + "\n" + json.dumps({**PAGE, **change}) + "\n")
    with pytest.raises(StoreError, match=rf"labels.jsonl:2: .*{message}"):
        read(path)


def test_appends_after_a_torn_line(tmp_path: Path) -> None:
    append(tmp_path, [label("pass")])
    with (tmp_path / "labels" / "ada.jsonl").open("a") as file:
        file.write('{"case_id": "torn')
    append(tmp_path, [label("fail", at=1)])
    assert [each.human_verdict for each in read(tmp_path / LABELS)] == ["pass", "fail"]


def test_the_latest_label_counts_whatever_the_order() -> None:
    old, new = label("pass", at=1, label_id="1"), label("fail", at=2, label_id="2")
    for order in ([old, new], [new, old], [old, new, old]):
        (found,) = current(merge(order)).values()
        assert found.human_verdict == "fail"
    same = [label("pass", label_id="1"), label("fail", label_id="2")]
    assert next(iter(current(same).values())).human_verdict == "fail"


def test_a_withdrawn_label_is_gone() -> None:
    assert current([label("pass"), label("withdrawn", at=1)]) == {}


def test_imported_twice_adds_nothing() -> None:
    labels = [label("pass", label_id="1"), label("fail", "bob")]
    assert fresh(labels, labels) == []
    assert fresh([*labels, *labels], []) == labels


def test_conflicts_are_listed_and_decided() -> None:
    two = [label("pass", "ada"), label("fail", "bob"), label("unsure", "cy")]
    place = AnswerKey("c1", 0, "m")
    found = agreed(current(two))
    assert found.verdicts == {}
    assert [(each.place, each.verdicts) for each in found.conflicts] == [
        (place, {"ada": "pass", "bob": "fail"})
    ]
    decided = agreed(current([*two, label("fail", "dan", adjudication=True)]))
    assert decided == ({place: False}, [])
    assert agreed(current([label("pass", "ada"), label("pass", "bob")])).verdicts == {place: True}


def test_the_digest_is_the_pages() -> None:
    assert (
        text_digest("café")
        == "sha256:850f7dc43910ff890f8879c0ed26fe697c93a067ad93a7d50f466a7028a9bf4e"
    )
