"""`run` with several candidates and prompts: its cells, its exit code, its page, and what continues."""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from llmeval.core import checksums
from llmeval.store.grids import GRID, GRID_PAGE, read_grid, write_grid
from tests.support.command import ROOT, llmeval
from tests.support.endpoint import Endpoint, serve
from tests.support.suites import answer, write_suite

GATE = "gate: {floors: {contains: 0.5}}\n"


def replies(body: dict[str, Any], earlier: int) -> Any:
    """As `answer`; the model `bad` is always wrong, and `down` fails."""
    if body["model"] == "down":
        return 401, {"error": {"message": "no such key"}}, {}
    if body["model"] == "bad":
        return "I do not know."
    return answer(body, earlier)


def grid_suite(folder: Path, url: str, extra: str = "", n: int = 20) -> Path:
    path = write_suite(folder, url, n, GATE + extra, judge=False)
    more = "".join(
        f"  {name}: {{provider: openai, model: {name}, base_url: '{url}', api_key: k-12345}}\n"
        for name in ("bad", "down", "other")
    )
    path.write_text(path.read_text().replace("candidate: cand\n", f"{more}candidate: cand\n"))
    for name, text in (("short", "Be brief. {{ question }}"), ("long", "Explain. {{ question }}")):
        (folder / f"{name}.j2").write_text(text)
    return path


def run(suite: Path, *more: object) -> tuple[int, dict[str, Any], str]:
    done = llmeval("run", suite, "--json", "--reports", suite.parent / "r", *more, cwd=suite.parent)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_each_cell_is_a_run_with_its_own_decision_and_the_worst_one_counts(tmp_path: Path) -> None:
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        code, grid, _ = run(suite, "--candidate", "cand,bad", "--prompt", "short.j2,long.j2")
        sent = Counter(
            (body["model"], body["messages"][0]["content"].split()[0]) for body in endpoint.requests
        )
    assert code == 1
    assert [(cell["candidate"], cell["prompt"]) for cell in grid["cells"]] == [
        ("cand", "short"),
        ("cand", "long"),
        ("bad", "short"),
        ("bad", "long"),
    ]
    decisions = [cell["summary"]["gate"]["decision"] for cell in grid["cells"]]
    assert decisions == ["PASS", "PASS", "FAIL", "FAIL"]
    assert set(sent.values()) == {20}
    for cell in grid["cells"]:
        manifest = json.loads((Path(cell["path"]) / "manifest.json").read_text())
        assert manifest["grid"]["grid"] == grid["grid_id"]
        assert manifest["prompt"].endswith(f"{cell['prompt']}.j2")
        assert llmeval("report", cell["path"]).returncode == 1 or cell["candidate"] == "cand"
    assert Path(grid["page"]).name == GRID_PAGE


def test_cells_are_no_latest_run_and_are_shown_by_id(tmp_path: Path) -> None:
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        _, grid, _ = run(suite, "--candidate", "cand,bad")
    reports = tmp_path / "r"
    assert llmeval("gate", "latest", "--reports", reports).returncode == 3  # there is no such run
    shown = llmeval("runs", "show", grid["cells"][1]["run_id"], "--reports", reports, "--json")
    assert json.loads(shown.stdout)["gate"]["decision"] == "FAIL"
    for width in ("30", "50", "80", "200"):
        run_id = grid["cells"][1]["run_id"]
        text = llmeval("runs", "show", run_id, "--reports", reports, COLUMNS=width).stdout
        assert any(run_id in line for line in text.splitlines()), width


def test_the_matrix_of_a_suite_and_options_in_place_of_its_axes(tmp_path: Path) -> None:
    matrix = "matrix: {candidate: [cand, other], prompt: [short.j2, 'Say it: {{ question }}']}\n"
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url, matrix)
        _, grid, _ = run(suite)
        assert [cell["prompt"] for cell in grid["cells"]] == ["short", "prompt 2"] * 2
        _, grid, _ = run(suite, "--candidate", "bad")
        assert [cell["candidate"] for cell in grid["cells"]] == ["bad", "bad"]
        code, one, _ = run(suite, "--candidate", "bad", "--prompt", "long.j2")
        assert (code, one["gate"]["decision"]) == (1, "FAIL")  # one cell: an ordinary run
        before = len(endpoint.requests)
        dry = llmeval("run", suite, "--dry-run", "--json", cwd=tmp_path)
        assert [row["calls"] for row in json.loads(dry.stdout)] == [20] * 4
        assert len(endpoint.requests) == before


@pytest.mark.parametrize(
    ("extra", "options", "message"),
    [
        ("matrix: {candidate: [cand, baad]}\n", (), "did you mean 'bad'"),
        ("matrix: {candidate: [cand, cand]}\n", (), "matrix.candidate[1]: this is listed twice"),
        ("matrix: {prompt: [gone.j2]}\n", (), "matrix.prompt[0]: can't read gone.j2"),
        ("matrix: {}\n", (), "a matrix lists candidates or prompts"),
        ("matrix: {models: [cand]}\n", (), "unknown key 'models'"),
        ("", ("--candidate", "cand,"), "a name is empty"),
        ("", ("--candidate", "cand,bad,cand"), "cand is listed twice"),
        ("", ("--candidate", "cand,baad"), "did you mean 'bad'"),
        ("", ("--prompt", "shrt.j2,long.j2"), "--prompt shrt.j2: there is no such file"),
        ("", ("--prompt", "cases.jsonl,long.j2"), "a template ends in .j2"),
        ("", ("--prompt", "long.j2,copy.j2"), "are the same model with the same prompt"),
        ("", ("--candidate", "cand,bad", "--shard", "1/2"), "--shard with a grid"),
        ("", ("--candidate", "cand,bad", "--rejudge"), "--rejudge with a grid"),
    ],
)
def test_a_wrong_grid_is_refused_before_the_first_call(
    tmp_path: Path, extra: str, options: tuple[str, ...], message: str
) -> None:
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url, extra)
        (tmp_path / "copy.j2").write_text((tmp_path / "long.j2").read_text())
        code, _, errors = run(suite, *options)
        assert (code, endpoint.requests) == (2, [])
    assert message in errors


def test_prompts_without_an_effect_are_refused(tmp_path: Path) -> None:
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        line = {
            "id": "m",
            "messages": [{"role": "user", "content": "What is number 1?"}],
            "reference": "1",
        }
        (tmp_path / "cases.jsonl").write_text(json.dumps(line) + "\n")
        code, _, errors = run(suite, "--prompt", "short.j2,long.j2")
    assert code == 2
    assert "the case m has its own `messages`" in errors


def test_the_same_command_continues_what_is_missing_and_a_missing_cell_is_never_green(
    tmp_path: Path,
) -> None:
    good = "gate: {floors: {contains: 0.2}}\n"
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        suite.write_text(suite.read_text().replace(GATE, good))
        axes = ("--candidate", "cand,other", "--no-cache")
        code, first, errors = run(suite, *axes, "--max-calls", 25)
        assert code == 3  # the second cell stopped at the budget
        assert "--max-calls 25 is used up" in errors
        assert [cell["summary"]["status"] for cell in first["cells"]] == ["complete", "incomplete"]
        sent = len(endpoint.requests)
        code, second, errors = run(suite, *axes)
        assert (code, second["grid_id"]) == (0, first["grid_id"])
        assert f"continues the grid {first['grid_id']}, which has 1 of 2 cells" in errors
        assert len(endpoint.requests) == 40
        assert sent == 25
        code, third, _ = run(suite, *axes)
        assert third["grid_id"] != first["grid_id"]  # it was complete


def test_a_budget_that_ends_the_first_cell_leaves_the_others_missing(tmp_path: Path) -> None:
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        code, grid, errors = run(suite, "--candidate", "cand,other,bad", "--max-calls", 5)
    assert code == 3
    assert [cell["summary"] is None for cell in grid["cells"]] == [False, True, True]
    assert "To continue, run the same command again" in errors


def test_a_changed_record_or_folder_is_refused(tmp_path: Path) -> None:
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        folder = tmp_path / "out"
        axes = ("--candidate", "cand,bad", "--out", folder)
        assert run(suite, *axes)[0] == 1
        assert "contains a grid that is complete" in run(suite, *axes)[2]
        other = run(suite, "--candidate", "cand,other", "--out", folder)
        assert (other[0], "contains another grid" in other[2]) == (2, True)
        record = read_grid(folder)
        write_grid(folder, record)
        text = (folder / GRID).read_bytes()
        (folder / GRID).write_bytes(text.replace(b"bad", b"odd"))
        assert checksums.problem((folder / GRID).read_bytes())
        assert run(suite, *axes)[0] == 3


def test_judges_and_their_replies_are_shared(tmp_path: Path) -> None:
    """Both candidates give the same answers, so the judge is called once for each."""
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        judges = "judges: {correctness: {model: judge, attacks: false}}\n"
        suite.write_text(suite.read_text() + judges)
        run(suite, "--candidate", "cand,other")
        assert Counter(body["model"] for body in endpoint.requests) == {
            "cand": 20,
            "other": 20,
            "judge": 20,
        }


def test_the_limit_of_an_endpoint_holds_over_all_cells(tmp_path: Path) -> None:
    def busy(endpoint: Endpoint) -> int:
        return endpoint.most

    with serve(replies) as endpoint:
        endpoint.latency = 0.01
        suite = grid_suite(tmp_path, endpoint.url, n=12)
        run(suite, "--candidate", "cand,other", "--concurrency", 3)
        assert busy(endpoint) <= 3


def test_the_terminal_has_a_row_for_each_cell(tmp_path: Path) -> None:
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        done = llmeval(
            "run", suite, "--candidate", "cand,bad", "--reports", tmp_path / "r", COLUMNS="80"
        )
    assert done.returncode == 1
    rows = [line for line in done.stdout.splitlines() if line.startswith(("cand ", "bad "))]
    assert ["✘ FAIL" in row for row in rows] == [False, True]
    assert "2 cells, exit code 1 (the worst cell)" in done.stdout
    assert "cell 2 of 2, bad" in done.stderr


def test_a_killed_grid_continues_where_it_was(tmp_path: Path) -> None:
    """`kill -9` within the second cell: the first stays as it is, and no recorded answer is
    requested again. Then the page is written again from the records, also without one cell.
    """
    with serve(replies, latency=0.02) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        folder = tmp_path / "out"
        options = ("--candidate", "cand,other", "--out", folder, "--concurrency", 2, "--no-cache")
        command = [sys.executable, "-m", "llmeval", "run", suite, *options]
        process = subprocess.Popen(
            list(map(str, command)), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while len(endpoint.requests) < 30 and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.wait(timeout=30)
        first = read_grid(folder).cells[0].run_id
        before = (folder / first / "answers.jsonl").read_bytes()
        code, _, errors = run(suite, *options)
        assert code == 0, errors
        assert len(endpoint.requests) <= 40 + 2  # at most those in flight are requested again
        assert (folder / first / "answers.jsonl").read_bytes() == before
    (folder / GRID_PAGE).unlink()
    assert llmeval("report", folder).returncode == 0
    assert (folder / GRID_PAGE).exists()
    shutil.rmtree(folder / first)
    done = llmeval("report", folder)
    assert done.returncode == 3
    assert "missing: cand" in done.stdout


def test_the_best_cells_tie_and_change_no_decision(tmp_path: Path) -> None:
    with serve(replies) as endpoint:
        suite = grid_suite(tmp_path, endpoint.url)
        code, grid, _ = run(suite, "--candidate", "cand,bad,other", "--best")
        assert run(suite, "--candidate", "bad", "--best")[0] == 2
        assert len(endpoint.requests) == 60  # the last command was refused before the first call
    assert code == 1
    assert [cell["summary"]["gate"]["decision"] for cell in grid["cells"]] == [
        "PASS",
        "FAIL",
        "PASS",
    ]
    rows = {row["metric"]: row for row in grid["best"]["metrics"]}
    assert rows["contains"]["among"] == ["cand", "other"]
    assert "cand and other tie" in rows["contains"]["sentence"]
    page = Path(grid["page"])
    assert "cand and other tie" in page.read_text()
    page.unlink()
    again = llmeval("report", grid["path"])  # the record of the grid remembers `--best`
    assert again.returncode == 1 and "bad is not the best" in again.stdout
    assert "cand and other tie" in page.read_text()
