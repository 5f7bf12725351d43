"""Names of runs: what each one means, and what is refused because it means two things."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmeval.core.errors import LlmevalError, StoreError, UsageError
from llmeval.history.names import age, point_in_time
from llmeval.history.runs import LATEST, find, heads, latest_of, recorded, run_names, sole_latest
from llmeval.store.run_tags import change_tags
from tests.support.history_runs import git, past_run
from tests.support.runs import run_of

NOW = datetime(2026, 1, 20, tzinfo=UTC)
ID = "202601{:02d}T090000Z-{}"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    for day, name, suite, branch in (
        (2, "aaaaaa", "qa", "main"), (10, "bbbbbb", "qa", "main"), (12, "cccccc", "qa", "fix/x"),
        (14, "dddddd", "mail", "dev"), (18, "eeeeee", "mail", "fix/x"),
    ):  # fmt: skip
        past_run(folder, ID.format(day, name), {"m": [1.0]}, suite=suite, git=git(branch, name))
    change_tags(folder / "qa" / ID.format(2, "aaaaaa"), {"release": "1.2"})
    return folder


@pytest.mark.parametrize(
    ("name", "suite", "expected"),
    [
        ("latest", None, "eeeeee"),
        ("latest", "qa", "cccccc"),
        ("qa/latest", None, "cccccc"),
        ("main@latest", None, "bbbbbb"),
        ("main@-11d", None, "aaaaaa"),
        ("qa/main@-2w", None, "aaaaaa"),
        ("fix/x@latest", "qa", "cccccc"),
        ("mail/fix/x@latest", None, "eeeeee"),
        ("tag:release=1.2", None, "aaaaaa"),
        ("dddddd", None, "dddddd"),
        ("20260114", None, "dddddd"),
    ],
)
def test_names(reports: Path, name: str, suite: str | None, expected: str) -> None:
    names = run_names(reports)._replace(now=NOW)
    assert names.resolve(name, suite).run_id.endswith(expected)


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("fix/x@latest", UsageError, "mail/fix/x@latest, qa/fix/x@latest"),
        ("main@-90d", StoreError, "no run main@-90d"),
        ("main@yesterday", UsageError, "main@|BRANCH@latest"),
        ("main@-7", UsageError, "12h, 7d, 2w"),
        ("nowhere@latest", StoreError, "no run nowhere@latest"),
        ("tag:release=9", StoreError, "no run tag:release=9"),
        ("tag:release", UsageError, "tag:NAME=VALUE"),
        ("2026", StoreError, "the name of 5 runs"),
        ("zzz", StoreError, "no run zzz"),
        ("baseline", StoreError, "names a baseline"),
    ],
)
def test_names_that_are_refused(
    reports: Path, name: str, error: type[LlmevalError], text: str
) -> None:
    with pytest.raises(error, match=text):
        run_names(reports)._replace(now=NOW).resolve(name)


def test_a_directory_is_its_own_name(reports: Path) -> None:
    path = reports / "qa" / ID.format(10, "bbbbbb")
    assert find(path, Path("elsewhere")) == path
    assert find(Path(path.name), reports) == path
    assert find(Path("main@latest"), reports) == path


def test_a_directory_called_latest_is_not_the_latest(reports: Path) -> None:
    old = reports / "qa" / ID.format(2, "aaaaaa")
    old.rename(old.with_name("latest"))
    assert find(Path("latest"), reports).name.endswith("eeeeee")


@pytest.mark.parametrize("name", ["*", "../qa", "", "[a]*", ".."])
def test_a_name_is_not_a_pattern(reports: Path, name: str) -> None:
    with pytest.raises(LlmevalError):
        find(Path(name), reports)


def test_the_directories_alone_give_the_same_names(
    reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed = heads(reports)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LLMEVAL_HISTORY", str(tmp_path / "file" / "x.sqlite3"))
    assert heads(reports) == indexed


def test_the_latest_is_not_the_run_that_it_is_compared_with(reports: Path) -> None:
    newest = reports / "qa" / ID.format(12, "cccccc")
    assert latest_of("qa", reports) == newest
    assert latest_of("qa", reports, (newest,)).name.endswith("bbbbbb")
    with pytest.raises(StoreError, match="no complete run of the suite none"):
        latest_of("none", reports)
    with pytest.raises(UsageError, match="2 suites"):
        sole_latest(reports)


def test_runs_are_ordered_by_time_and_not_by_the_names_of_directories(tmp_path: Path) -> None:
    for name, run_id in (
        ("zulu", "20260101T000000Z-aaaaaa"),
        ("20260102T000000Z-bbbbbb", "20260102T000000Z-bbbbbb"),
        ("alpha", "20260103T000000Z-cccccc"),
    ):
        run = run_of(tmp_path / "qa" / run_id, {"m": [1.0, 0.0]})
        run.path.rename(run.path.with_name(name))
    assert find(Path(LATEST), tmp_path).name == "alpha"
    names = [path.name for path, _, _ in recorded(tmp_path)]
    assert names == ["alpha", "20260102T000000Z-bbbbbb", "zulu"]
    assert [head.path.name for head in heads(tmp_path)] == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-10", datetime(2026, 1, 10, tzinfo=UTC)),
        ("2026-01-10T12:00:00+02:00", datetime(2026, 1, 10, 10, tzinfo=UTC)),
        ("12h", datetime(2026, 1, 19, 12, tzinfo=UTC)),
        ("1w", datetime(2026, 1, 13, tzinfo=UTC)),
    ],
)
def test_points_in_time(text: str, expected: datetime) -> None:
    assert point_in_time(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "7 d", "7D", "99999999d"])
def test_spans_that_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a time span"):
        age(text)
