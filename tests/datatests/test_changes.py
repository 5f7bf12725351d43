"""`llmeval data diff`: added, gone and changed cases."""

import json
from pathlib import Path

from tests.datatests.planting import rows, write
from tests.support.command import llmeval


def test_fifty_of_each(tmp_path: Path) -> None:
    before, extra = rows(200), rows(50, seed=6)
    after = [{**case, "reference": "another"} if n < 50 else case for n, case in enumerate(before)][
        :150
    ]
    after += [{**case, "id": f"new{n}"} for n, case in enumerate(extra)]
    first, second = write(tmp_path / "a", before), write(tmp_path / "b", after)
    changes = json.loads(llmeval("data", "diff", first, second, "--json").stdout)
    assert [len(changes[kind]) for kind in ("added", "gone", "changed")] == [50, 50, 50]
    assert (
        changes["same"] == 100 and "100 of its cases are gone or changed" in changes["consequence"]
    )
    text = llmeval("data", "diff", first, second).stdout
    assert "gone: 50\n  c00150\n" in text


def test_only_new_cases_stay_comparable(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a", rows(5)), write(tmp_path / "b", rows(8))
    done = llmeval("data", "diff", first, second)
    assert done.returncode == 0
    assert "comparable on 5 cases; the added cases have no counterpart" in done.stdout
