"""Own checks: each form of result, what is refused before the run, and every way to use them; the
examples are those of docs/own-checks.md.
"""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import llmeval as package
from llmeval.checks.base import Result, not_applicable
from llmeval.checks.own import as_result, own_check
from llmeval.checks.spec import bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Score
from llmeval.models.loading import load_function
from tests.support.command import llmeval

PAGE = (Path(__file__).parents[2] / "docs" / "own-checks.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
SUITES = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the module of the page, which `module:function` can import."""
    (tmp_path / "my_checks.py").write_text("".join(PYTHON[:-1]), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("my_checks", None)


def scores(check: Any, text: str, **more: Any) -> dict[str, Score]:
    return package.score(text, [check], **more)


# (check as on the page, answer, the case, {metric: (passed, value)})
EXAMPLES: list[tuple[Any, str, dict[str, Any], dict[str, tuple[bool | None, float | None]]]] = [
    ("my_checks:polite", "Thank you.", {}, {"my_checks:polite": (True, 1.0)}),
    ("my_checks:polite", "No.", {}, {"my_checks:polite": (False, 0.0)}),
    ({"my_checks:short": 2}, "one two three", {}, {"my_checks:short": (False, 0.0)}),
    (
        {"my_checks:short": {"words": "{{ limit }}", "metric": "length"}},
        "one two",
        {"limit": 2},
        {"length": (True, 1.0)},
    ),
    ("my_checks:overlap", "a b", {"reference": "a b c"}, {"my_checks:overlap": (True, 2 / 3)}),
    (
        {"my_checks:overlap": {"at_least": 0.8}},
        "a b",
        {"reference": "a b c"},
        {"my_checks:overlap": (False, 2 / 3)},
    ),
    (
        {"my_checks:style": {"metric": "style"}},
        "Wow!",
        {},
        {"style": (False, 0.6), "style.tone": (False, 0.2), "style.brief": (True, 1.0)},
    ),
    ("my_checks:greeting", "Hi Ada", {"customer": "Ada"}, {"my_checks:greeting": (True, 1.0)}),
    ("my_checks:greeting", "Hi Ada", {}, {"my_checks:greeting": (None, None)}),
    ("my_checks:allowed", "fine", {}, {"my_checks:allowed": (True, 1.0)}),
    ("my_checks:allowed", "password: x", {}, {"my_checks:allowed": (False, 0.0)}),
]


@pytest.mark.parametrize("row", EXAMPLES, ids=[str(row[:2]) for row in EXAMPLES])
def test_the_examples_of_the_page(folder: Path, row: tuple[Any, ...]) -> None:
    check, text, case, expected = row
    actual = {
        name: (score.passed, score.value) for name, score in scores(check, text, **case).items()
    }
    assert actual == {
        name: (passed, None if value is None else pytest.approx(value))
        for name, (passed, value) in expected.items()
    }


def test_the_last_example_and_the_suites_of_the_page(folder: Path) -> None:
    exec(PYTHON[-1], {"llmeval": package})
    for suite in SUITES:
        bind(suite["checks"], is_template=lambda value: "{{" in str(value), load=load_function)


def test_an_async_check_can_be_used_where_a_loop_runs(folder: Path) -> None:
    async def inside() -> bool | None:
        return scores("my_checks:allowed", "fine")["my_checks:allowed"].passed

    assert asyncio.run(inside()) is True


@pytest.mark.parametrize(
    ("value", "passed", "number", "reason"),
    [
        (True, True, 1.0, ""),
        (0.5, True, 0.5, "0.5; expected at least 0.5"),
        (0.49, False, 0.49, "0.49; expected"),
        (1, True, 1.0, ""),
        ((False, "no source"), False, 0.0, "no source"),
        ((0.2, "few words"), False, 0.2, "few words (0.2; expected at least 0.5)"),
        ({"a": True, "b": (False, "why")}, False, 0.5, "b: why"),
        ({"a": True, "b": not_applicable("none")}, True, 1.0, "all pass: a"),
        ({"a": not_applicable("none")}, None, None, "a: none"),
        (Result(0.3, True, "as it is"), True, 0.3, "as it is"),
    ],
)
def test_forms(value: Any, passed: bool | None, number: float | None, reason: str) -> None:
    result = as_result(value)
    assert (result.passed, result.value) == (passed, number)
    assert reason in result.reason


@pytest.mark.parametrize(
    "value",
    [None, "yes", 1.5, -1, float("nan"), [], {}, {"a": "yes"}, {"a": {"b": 1}}, {1: True}, (1, 2)],
)
def test_what_is_no_verdict_is_an_error(value: Any) -> None:
    with pytest.raises(CheckError, match="the check returned"):
        as_result(value)


@pytest.mark.parametrize(
    ("value", "passed"), [(None, False), (None, True), (0.0, None), ("1", True), (1.0, 1)]
)
def test_half_a_result_is_an_error_and_does_not_count_as_not_applicable(
    value: Any, passed: Any
) -> None:
    for returned in (Result(value, passed), {"a": Result(value, passed), "b": True}):
        with pytest.raises(CheckError, match="needs a number and True or False, or neither"):
            as_result(returned)


def test_numbers_of_numpy_are_numbers() -> None:
    import numpy as np

    inner = as_result(Result(np.float64(0.5), np.bool_(True)))  # type: ignore[arg-type]
    assert (type(inner.value), type(inner.passed)) == (float, bool)

    assert as_result(np.bool_(True)).passed is True
    assert as_result(np.float32(0.25)).passed is False


class Signature(NamedTuple):
    """A module with a function `check`, and what is wrong with it."""

    source: str
    message: str


WRONG = [
    Signature("def check(answer): return True", r"takes \(answer\)"),
    Signature("def check(answer, case): return True", r"takes \(answer, case\)"),
    Signature("def check(case, answer, limit): return True", "write `\\*` before 'limit'"),
    Signature("def check(case, answer, **more): return True", "takes no `\\*\\*more`"),
    Signature("def check(*both): return True", "takes no `\\*both`"),
    Signature("def check(case, answer) -> str: return 'yes'", "returns str"),
    Signature("def check(case, answer) -> bool | None: return True", "returns NoneType"),
    Signature("def check(case, answer, *, n: 'Nope'): return True", "the type of 'n'"),
    Signature("check = 3", "is not callable"),
]
SUITE = """suite: own
cases: [{{id: a, q: one, reference: x}}, {{id: b, q: two, reference: x}}]
prompt: "{{{{ q }}}}"
candidate: {{provider: replay, source: said.jsonl}}
checks: [{check}]
gate: {gate}
"""
_NAMES = iter(range(1000))


def write(folder: Path, source: str, gate: str = "none", option: str = "") -> Path:
    """A suite with a module of its own, under a name that no other test has."""
    module = f"own_checks_{next(_NAMES)}"
    (folder / f"{module}.py").write_text(source + "\n")
    said = [{"id": name, "output": "x y"} for name in "ab"]
    (folder / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    path = folder / "suite.yaml"
    path.write_text(SUITE.format(check=f"{{'{module}:check': {{metric: own{option}}}}}", gate=gate))
    return path


@pytest.mark.parametrize("row", WRONG, ids=[row.source for row in WRONG])
def test_validate_refuses_what_is_no_check(tmp_path: Path, row: Signature) -> None:
    done = llmeval("validate", write(tmp_path, f"\n\n{row.source}"))
    assert done.returncode == 2
    told = " ".join(done.stderr.split())
    assert re.search(row.message, told), told
    assert "suite.yaml:5" in told
    assert row.source == "check = 3" or re.search(r"own_checks_\d+\.py:3\)", told), told


def test_types_for_the_type_checker_only_are_no_trouble(tmp_path: Path) -> None:
    source = """from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from llmeval.core.records import Answer, Case
def check(case: Case, answer: Answer, *, n: int = 2) -> bool:
    return len(answer.text.split()) == n"""
    done = llmeval("run", write(tmp_path, source, option=", n: 2"), "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr


METRICS = """from typing import TypedDict
class Parts(TypedDict):
    first: float
    second: bool
async def check(case, answer) -> Parts:
    return {"first": 0.7, "second": answer.text == "x y"}"""


def test_metrics_are_known_to_validate_the_gate_and_the_summary(tmp_path: Path) -> None:
    suite = write(tmp_path, METRICS, "{floors: {own.first: 0.1, own: 0.1}}")
    checked = json.loads(llmeval("validate", suite, "--json").stdout)
    assert checked["metrics"] == ["own", "own.first", "own.second"]
    done = llmeval("run", suite, "--out", tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    means = {row["metric"]: row["mean"] for row in summary["metrics"]}
    assert means == pytest.approx({"own": 0.85, "own.first": 0.7, "own.second": 1}), done.stderr
    wrong = llmeval("validate", write(tmp_path, METRICS, "{floors: {own.third: 0.1}}"))
    assert wrong.returncode == 2
    assert "metrics here: own, own.first, own.second" in " ".join(wrong.stderr.split())


def test_a_check_that_breaks_is_an_error_of_each_of_its_metrics(tmp_path: Path) -> None:
    cancelled = "import asyncio; raise asyncio.CancelledError('gave up')"
    for body in ("return {'first': 1.0}", "raise ValueError('no service')", cancelled):
        source = METRICS.partition("    return")[0] + f"    {body}"
        suite = write(tmp_path, source, "{floors: {own.second: 0.1}}")
        done = llmeval("run", suite, "--out", tmp_path / f"run{len(body)}")
        assert done.returncode == 3, done.stdout  # INVALID
        lines = (tmp_path / f"run{len(body)}" / "scores.jsonl").read_text().splitlines()
        assert len(re.findall(r'"status":"error"', "".join(lines))) == 6
        assert body is not cancelled or "the check crashed: CancelledError: gave up" in lines[0]


@pytest.mark.parametrize("in_case", [False, True])
def test_an_edited_check_is_not_compared_with_the_old_one(tmp_path: Path, in_case: bool) -> None:
    gate = "{regression: {baseline: base.lock.json, margins: {own: 0.1}}}"
    suite = write(tmp_path, "def check(case, answer): return False", gate)
    (module,) = tmp_path.glob("own_checks_*.py")
    if in_case:
        own = f"checks: [{{'{module.stem}:check': {{metric: own}}}}]"
        text = suite.read_text().replace("reference: x}", f"reference: x, {own}}}")
        suite.write_text(re.sub(r"^checks: .*$", "checks: [{contains: x}]", text, flags=re.M))
    assert llmeval("run", suite, "--out", tmp_path / "first").returncode == 3
    approve = ("baseline", "approve", tmp_path / "first", "--by", "ada", "--reason", "first")
    assert llmeval(*approve).returncode == 0
    assert gate_of(tmp_path / "same", suite)["decision"] == "INCONCLUSIVE"  # two cases are few
    module.write_text("def check(case, answer): return True\n")
    sys.modules.pop(module.stem, None)
    decision = gate_of(tmp_path / "edited", suite)
    assert decision["decision"] == "INVALID"
    assert "own: the check is not the one that scored the baseline" in decision["reason"]


def gate_of(out: Path, suite: Path) -> dict[str, Any]:
    """The decision of a run of this suite."""
    llmeval("run", suite, "--out", out)
    gate: dict[str, Any] = json.loads((out / "summary.json").read_text())["gate"]
    return gate


def test_on_the_command_line(folder: Path) -> None:
    shown = llmeval("checks", "show", "my_checks:short", cwd=folder)
    assert "At most so many words." in shown.stdout
    assert "words: integer, default 20" in shown.stdout
    done = llmeval("check", "Wow!", "--check", "my_checks:style", "--json", cwd=folder)
    assert done.returncode == 1
    assert [row["metric"] for row in json.loads(done.stdout)] == [
        "my_checks:style",
        "my_checks:style.tone",
        "my_checks:style.brief",
    ]


def test_a_function_is_read_once() -> None:
    def check(case: Any, answer: Any) -> bool:
        return True

    assert own_check("m:check", check) is own_check("m:check", check)
    assert own_check("m:check", check).parameters == {}
