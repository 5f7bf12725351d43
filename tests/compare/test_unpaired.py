"""`compare --unpaired`: two windows of other cases, by metrics, length and labels."""

import itertools
import json
from pathlib import Path

import pytest

from llmeval.stats.tests.two_windows import Window, label_change, mean_change
from tests.support.command import llmeval
from tests.support.tables import each_row

SUITE = """\
suite: traffic
cases: {source: cases.jsonl}
prompt: "{{ text }}"
models: {app: {provider: replay, source: answers.jsonl}}
candidate: app
checks: [json]
gate: none
"""


def write(folder: Path, name: str, outputs: list[str], per: int = 1) -> None:
    rows = [(f"{name}{number}", output) for number, output in enumerate(outputs)]
    lines = [
        {"id": key, "text": key, "cluster": f"{name}{number // per}"}
        for number, (key, _) in enumerate(rows)
    ]
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "cases.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "answers.jsonl").write_text(
        "".join(json.dumps({"id": key, "output": output}) + "\n" for key, output in rows)
    )
    assert llmeval("run", "suite.yaml", "--out", name, cwd=folder).returncode == 0


def compared(folder: Path, *more: object) -> dict[str, dict[str, object]]:
    done = llmeval("compare", "a", "b", "--unpaired", "--json", *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    return {row["metric"]: row for row in json.loads(done.stdout)["differences"]}


def answers(department: str, count: int) -> list[str]:
    return [json.dumps({"department": department, "item": f"i{n}"}) for n in range(count)]


@each_row(
    ("name", "now", "words"),
    [
        ("same", answers("billing", 20) + answers("stock", 20), ("no change shown", "no change shown")),
        ("broken", [*answers("billing", 15), *["oops"] * 25], ("lower", "changed")),
        ("mix", answers("stock", 40), ("no change shown", "changed")),
    ],
)  # fmt: skip
def test_schema_and_labels_need_no_reference(
    tmp_path: Path, name: str, now: list[str], words: tuple[str, str]
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    write(folder, "a", answers("billing", 20) + answers("stock", 20))
    write(folder, "b", now)
    rows = compared(folder, "--label", "$.department")
    assert (rows["json"]["word"], rows["labels"]["word"]) == words


def test_few_clusters_show_nothing_and_wrong_options_are_named(tmp_path: Path) -> None:
    write(tmp_path, "a", ["{}"] * 40, per=20)
    write(tmp_path, "b", ["x"] * 40, per=20)
    done = llmeval("compare", "a", "b", "--unpaired", cwd=tmp_path)
    assert done.returncode == 3 and "A has 2 independent cases or clusters" in done.stdout
    for more in (("--best",), ("--html", "x.html"), ("--label", "$[")):
        wrong = llmeval("compare", "a", "b", "--unpaired", *more, cwd=tmp_path)
        assert wrong.returncode == 2, more
    assert llmeval("compare", "a", "b", "--label", "$.x", cwd=tmp_path).returncode == 2


def test_the_p_value_is_that_of_all_permutations() -> None:
    before, now = [0.0, 0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0, 1.0]
    both = before + now
    distance = abs(sum(before) - sum(now)) / 5
    sums = [sum(both[n] for n in chosen) for chosen in itertools.combinations(range(10), 5)]
    exact = sum(abs(2 * part - sum(both)) / 5 >= distance - 1e-9 for part in sums) / len(sums)
    found = label_change(
        [str(value) for value in before], [str(value) for value in now], (range(5), range(5))
    )
    assert found.p == pytest.approx(exact, abs=0.04)


def test_clusters_weigh_and_constant_windows_promise_little() -> None:
    low, high = [0.0] * 20, [1.0] * 20
    alone = mean_change(Window(low, range(20)), Window(high, range(20)), unit_range=True)
    grouped = [number // 5 for number in range(20)]
    together = mean_change(Window(low, grouped), Window(high, grouped), unit_range=True)
    assert alone.p < 0.01 < together.p
    assert together.low is not None and alone.low is not None
    assert together.low < alone.low < 1
    same = mean_change(Window([1.0] * 5, range(5)), Window([1.0] * 5, range(5)), unit_range=True)
    assert same.p == 1 and same.low is not None and same.low < -0.3
