"""The quarantine file: what is in force, and every way it may be wrong, with the line."""

from datetime import date
from pathlib import Path

import pytest

from llmeval.core.errors import SuiteError
from llmeval.suite.loader import load_suite
from llmeval.suite.quarantine import Quarantine, read_quarantine

SUITE = "suite: qa\ncases: [{id: c1, q: x}]\nprompt: '{{ q }}'\ncandidate: {provider: replay, source: x}\n"
ENTRY = "- {case: c1, reason: two right answers, owner: ada, expires: 2027-01-31}\n"


def read(
    folder: Path, text: str, *, partial: bool = False, gate: str = "", name: str = "quarantine.yaml"
) -> Quarantine:
    (folder / "suite.yaml").write_text(SUITE + gate)
    (folder / name).write_text(text)
    suite = load_suite(folder / "suite.yaml")
    return read_quarantine(suite, lambda: {"c1", "7"}, partial=partial, today=date(2027, 1, 31))


def test_entries_in_force(tmp_path: Path) -> None:
    (one,), ended, warnings = read(tmp_path, ENTRY)
    assert (one.case_id, one.reason, one.owner, one.expires) == (
        "c1",
        "two right answers",
        "ada",
        "2027-01-31",
    )
    assert not warnings and not ended
    assert read(tmp_path, ENTRY.replace("c1", "7")).cases[0].case_id == "7"
    named = read(tmp_path, ENTRY, gate="gate: {quarantine: other.yaml}\n", name="other.yaml")
    assert len(named.cases) == 1


def test_an_entry_that_is_over_is_told_and_its_case_counts(tmp_path: Path) -> None:
    cases, (ended,), (warning,) = read(tmp_path, "\n" + ENTRY.replace("01-31", "01-30"))
    assert not cases and ended.case_id == "c1"
    assert (
        "quarantine.yaml:2: [0].expires: the quarantine of c1 ended on 2027-01-30: it counts again"
        in warning
    )
    assert "ada" in warning


def test_entries_of_other_suites_and_other_parts_are_passed_over(tmp_path: Path) -> None:
    assert not read(tmp_path, ENTRY.replace("case: c1", "case: x, suite: other")).cases
    assert not read(tmp_path, ENTRY.replace("c1", "elsewhere"), partial=True).cases
    assert read(tmp_path, "# nothing\n") == Quarantine()


@pytest.mark.parametrize(("text", "said"), [
    (ENTRY.replace("c1", "c9"), "quarantine.yaml:1: [0].case: qa has no case 'c9'"),
    (ENTRY + ENTRY, "quarantine.yaml:2: [1].case: 'c1' is listed twice"),
    (ENTRY.replace("2027-01-31", "next week"), "quarantine.yaml:1: [0].expires: "),
    (ENTRY.replace("2027-01-31", "2027-02-31"), "2027-02-31 is not a date"),
    (ENTRY.replace(", owner: ada", ""), "the file is a list of {case, reason, owner, expires}"),
    (ENTRY.replace("owner", "owned"), "unknown key 'owned'"),
    ("c1: because\n", "the file is a list of"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE + "gate: {quarantine: nowhere.yaml}\n")
    with pytest.raises(
        SuiteError, match=r"suite\.yaml:5: gate\.quarantine: can't read nowhere\.yaml"
    ):
        read_quarantine(load_suite(tmp_path / "suite.yaml"), lambda: {"c1"})
