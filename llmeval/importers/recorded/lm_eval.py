"""lm-evaluation-harness: `samples_<task>_<date>.jsonl`, as `lm_eval --log_samples --output_path
DIR` writes them.
"""

import json
import re
from pathlib import Path
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.reading import read_lines
from llmeval.importers.recorded.suites import Evaluation, RecordedCase, ToolScore, share

_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.:-]+)\.jsonl\Z")


def read_lm_eval(path: Path, ledger: Ledger) -> list[Evaluation]:
    """The tasks of a results folder, each by its newest file; or of one file.

    Raises:
        SuiteError: there are no samples, or a file holds something else.
    """
    if path.is_file() and _is_summary(path):
        raise SuiteError(
            f"{path}: has the numbers of whole tasks, and no answer. Name its folder, or a"
            " samples_*.jsonl in it (lm_eval writes them with --log_samples)"
        )
    newest: dict[str, Path] = {}
    for file in sorted(path.rglob("samples_*.jsonl"), key=_date) if path.is_dir() else [path]:
        match = _NAME.search(file.name)
        newest[match["task"] if match else file.stem] = file
    if not newest:
        raise SuiteError(
            f"{path}: no samples_*.jsonl here; lm_eval writes them with --log_samples"
            " --output_path DIR"
        )
    return [_evaluation(task, file, ledger) for task, file in newest.items()]


def _is_summary(path: Path) -> bool:
    """Whether this is `results_<date>.json`: one JSON object with the numbers of each task."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and "results" in data


def _date(path: Path) -> str:
    match = _NAME.search(path.name)
    return match["date"] if match else ""


def _evaluation(task: str, path: Path, ledger: Ledger) -> Evaluation:
    places = read_lines(path)
    filters = {place.value.get("filter") for place in places if isinstance(place.value, dict)}
    cases: dict[str, RecordedCase] = {}
    for place in places:
        if (
            not isinstance(place.value, dict)
            or "doc_id" not in place.value
            or "resps" not in place.value
        ):
            raise SuiteError(place.says("not a sample of lm_eval: it has no `doc_id` and `resps`"))
        with ledger.trying(place):
            _add(cases, place, len(filters) > 1, ledger)
    return Evaluation(task, "lm-evaluation-harness", _model(path), list(cases.values()))


def _model(path: Path) -> str:
    """Which model it was, from the results beside the samples."""
    match = _NAME.search(path.name)
    results = path.with_name(f"results_{match['date']}.json") if match else path
    if not match or not results.exists():
        return ""
    try:
        document = json.loads(results.read_bytes())
    except ValueError:
        return ""
    name = document.get("model_name") or document.get("config", {}).get("model_args")
    return f"Answers of {name or 'a model'}."


def _add(cases: dict[str, RecordedCase], place: SourcePlace, several: bool, ledger: Ledger) -> None:
    sample = place.value
    key = str(sample["doc_id"])
    if key not in cases:
        arguments = _arguments(sample)
        text, references = _answer(sample, arguments, place, ledger)
        cases[key] = RecordedCase(key, _messages(arguments[0][0]), references, answers={0: text})
    for metric in sample.get("metrics") or []:
        value = share(sample.get(metric))
        if value is None:
            ledger.note(
                place, f"the metric {metric!r} is not in [0, 1] for each sample, and is left out"
            )
            continue
        name = f"{metric},{sample.get('filter')}" if several else metric
        cases[key].score(name, 0, ToolScore(value, value == 1))


def _arguments(sample: dict[str, Any]) -> list[list[Any]]:
    arguments = [list(each.values()) for each in sample.get("arguments", {}).values()]
    if not arguments or not arguments[0]:
        raise UnmappedError("has no `arguments`, so the prompt is unknown")
    return arguments


def _answer(
    sample: dict[str, Any], arguments: list[list[Any]], place: SourcePlace, ledger: Ledger
) -> tuple[str, list[str]]:
    """(text, references). Of a choice by likelihood, the likeliest continuation is the answer."""
    replies, target = sample["resps"], sample.get("target")
    first = replies[0][0] if replies and replies[0] else None
    if isinstance(first, str) and len(arguments[0]) > 1:
        if len(replies[0]) > 1:
            ledger.note(
                place,
                f"has {len(replies[0])} answers, of which the first is taken over, as scores are"
                " not said for each",
            )
        return first, [str(target)] if target not in (None, "") else []
    if (
        not isinstance(first, list)
        or not 1 < len(arguments) == len(replies)
        or any(len(each) < 2 for each in arguments)
    ):
        raise UnmappedError("holds likelihoods of given texts, and no answer")
    ledger.note(
        place,
        "is a choice by likelihood: its answer here is the likeliest continuation, which `acc_norm`"
        " may not mean",
    )
    likelihood = [float(each[0][0]) for each in replies]
    options = [str(each[1]).strip() for each in arguments]
    index = int(str(target)) if str(target).isdigit() else -1
    right = options[index] if 0 <= index < len(options) else str(target)
    return options[likelihood.index(max(likelihood))], [right]


def _messages(prompt: object) -> list[dict[str, str]]:
    text = prompt[0] if isinstance(prompt, list) and prompt else prompt
    if isinstance(text, str) and text.startswith('[{"role"'):
        turns = json.loads(text)
        return [{"role": str(turn["role"]), "content": str(turn["content"])} for turn in turns]
    return [{"role": "user", "content": str(text)}]
