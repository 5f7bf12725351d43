"""DeepEval's test runs: `.deepeval/.latest_test_run.json`, or a file of DEEPEVAL_RESULTS_FOLDER
(its TestRun as JSON).
"""

from pathlib import Path
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.importers.ledger import Ledger, SourcePlace
from llmeval.importers.reading import read_json
from llmeval.importers.recorded.suites import Evaluation, RecordedCase, ToolScore, share
from llmeval.importers.writing import slug, unique

_HIDDEN = (".latest_run_full.json", ".latest_test_run.json")
"""Files of the folder `.deepeval`, the one with the test cases first."""
_LOWER = ("hallucination", "bias", "toxicity", "piileakage", "nonadvice", "misuse", "roleviolation")


def read_deepeval(path: Path, ledger: Ledger) -> list[Evaluation]:
    """A test run.

    Raises:
        SuiteError: not a test run of DeepEval.
    """
    if path.is_dir():
        files = sorted(
            each for each in path.iterdir() if each.is_file() and not each.name.startswith(".")
        )
        hidden = [path / name for name in _HIDDEN if (path / name).is_file()]
        if not files and not hidden:
            raise SuiteError(
                f"{path}: there is no test run in this folder; name the folder"
                " DEEPEVAL_RESULTS_FOLDER, or .deepeval"
            )
        path = files[-1] if files else hidden[0]
    place = read_json(path)
    if isinstance(place.value, dict) and isinstance(place.value.get("testRunData"), dict):
        place = place.at("testRunData")
    run = place.value
    if isinstance(run, dict) and "testRunLink" in run and _of(run, "testCases") is None:
        full = path.with_name(".latest_run_full.json")
        there = "it is there" if full.exists() else "or run with DEEPEVAL_RESULTS_FOLDER set"
        raise SuiteError(
            f"{path}: has only a link to Confident AI, no test case. Name {full} ({there}), or a"
            " file of DEEPEVAL_RESULTS_FOLDER"
        )
    if not isinstance(run, dict) or not isinstance(_of(run, "testCases"), list):
        raise SuiteError(f"{path}: not a test run of DeepEval: it has no `testCases`")
    if _of(run, "conversationalTestCases"):
        at = place.at("conversationalTestCases")
        ledger.leave_out(
            at, f"{len(at.value or [])} conversations: only single answers can be replayed"
        )
    cases: dict[tuple[str, str], RecordedCase] = {}
    key = "testCases" if "testCases" in run else "test_cases"
    for index, raw in enumerate(_of(run, "testCases")):
        at = place.at(key, index)
        with ledger.trying(at):
            _add(cases, raw, at, ledger)
    name = str(_of(run, "identifier") or Path(str(_of(run, "testFile") or "")).stem or "deepeval")
    model = (_of(run, "hyperparameters") or {}).get("model", "")
    return [
        Evaluation(
            name,
            "DeepEval",
            f"Answers of {model}." if model else "",
            list(cases.values()),
            decides=True,
        )
    ]


def _of(data: dict[str, object], name: str) -> Any:
    """A value by its name in JSON, or as Python spells it."""
    spelled = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
    return data.get(name, data.get(spelled))


def _add(
    cases: dict[tuple[str, str], RecordedCase],
    raw: dict[str, Any],
    place: SourcePlace,
    ledger: Ledger,
) -> None:
    name, question = str(raw.get("name") or "case"), raw.get("input")
    if not isinstance(question, str):
        ledger.leave_out(place, "has no text as `input`")
        return
    case = cases.get((name, question))
    if case is None:
        identifier = unique(slug(name, "case"), {each.id for each in cases.values()})
        case = RecordedCase(identifier, [{"role": "user", "content": question}])
        expected, context = (
            _of(raw, "expectedOutput"),
            raw.get("context") or _of(raw, "retrievalContext"),
        )
        case.references = [expected] if expected else []
        case.context = "\n\n".join(str(part) for part in context) if context else None
        case.tags = {str(tag): "yes" for tag in raw.get("tags") or []}
        cases[name, question] = case
    repeat = len(case.answers)
    case.answers[repeat] = _of(raw, "actualOutput")
    for index, metric in enumerate(_of(raw, "metricsData") or []):
        at = place.at("metricsData", index)
        case.score(str(metric.get("name") or "metric"), repeat, _given(metric, at, ledger))


def _given(metric: dict[str, object], place: SourcePlace, ledger: Ledger) -> ToolScore:
    value, passed, reason = (
        share(metric.get("score")),
        metric.get("success"),
        str(metric.get("reason") or ""),
    )
    if metric.get("error"):
        return ToolScore(None, error=str(metric["error"]))
    if value is None or not isinstance(passed, bool):
        return ToolScore(
            None, error=f"its score is {metric.get('score')!r}, its success {passed!r}"
        )
    if _is_lower_better(metric, value, passed):
        ledger.note(
            place,
            f"`{metric.get('name')}` is better the lower it is; its value here is 1 minus its"
            " score",
        )
        value = 1 - value
    return ToolScore(value, passed, reason)


def _is_lower_better(metric: dict[str, object], value: float, passed: bool) -> bool:
    name = "".join(char for char in str(metric.get("name", "")).lower() if char.isalpha())
    threshold = metric.get("threshold")
    contradicts = (
        isinstance(threshold, int | float) and value != threshold and passed is (value < threshold)
    )
    return name.removesuffix("metric") in _LOWER or contradicts
