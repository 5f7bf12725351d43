"""Inspect's logs (EvalLog, log version 2): `.eval` archives and `.json` files."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.importers.ledger import SHAPE_ERRORS, Ledger, SourcePlace, UnmappedError
from llmeval.importers.reading import MAX_BYTES, read_text
from llmeval.importers.recorded.suites import Evaluation, RecordedCase, ToolScore, share
from llmeval.importers.writing import slug, unique
from llmeval.suite.yaml_file import Document

MAX_MEMBER = 128 * 2**20
"""Largest unpacked member of an archive."""
MAX_EPOCHS = 1000
"""Most answers of one sample, which is the most repeats of a suite."""
_HEADER = "header.json"
_START = "_journal/start.json"
"""The part of the header that Inspect writes when an evaluation starts."""
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_SUFFIXES = (".eval", ".json")
_LISTINGS = ("logs.json", "listing.json", "eval-set.json")
"""Files that Inspect writes next to logs, and that are none."""


def read_inspect(path: Path, ledger: Ledger) -> list[Evaluation]:
    """The log at a path, or every log in a folder.

    Raises:
        SuiteError: not a log of Inspect, or packed in a way that Python can't read.
    """
    files = (
        sorted(
            each
            for each in path.iterdir()
            if each.suffix in _SUFFIXES and each.name not in _LISTINGS
        )
        if path.is_dir()
        else [path]
    )
    if not files:
        raise SuiteError(f"{path}: there is no .eval or .json log in this folder")
    return [_evaluation(file, ledger) for file in files]


def _evaluation(path: Path, ledger: Ledger) -> Evaluation:
    if path.name in _LISTINGS:
        raise SuiteError(f"{path}: lists the logs of its folder. Name a log, or the folder")
    try:
        header, samples = _opened(path)
    except zipfile.BadZipFile:
        raise SuiteError(
            f"{path}: not a log of Inspect, or one that was not written to its end. Finish the"
            f" evaluation: `inspect eval-retry {path}`"
        ) from None
    except (OSError, RuntimeError, *SHAPE_ERRORS) as error:
        raise SuiteError(f"{path}: not a log of Inspect: {error}") from None
    except NotImplementedError:
        raise SuiteError(
            f"{path}: packed as Python can't unpack it; `inspect log convert --to json {path}`"
        ) from None
    task = header.get("eval")
    if not isinstance(task, dict) or "task" not in task:
        raise SuiteError(f"{path}: not a log of Inspect: it has no `eval.task`")
    place = SourcePlace(Document(str(path), None, {}))
    if header.get("status") != "success":
        ledger.note(
            place,
            f"the evaluation ended as {header.get('status')!r}; what it recorded is taken over",
        )
    if not samples:
        raise SuiteError(
            f"{path}: has no samples: it is a header, or a log of `inspect eval --no-log-samples`."
            " Name the whole log"
        )
    cases: dict[str, RecordedCase] = {}
    for number, sample in enumerate(samples, 1):
        name = f"{sample.get('id')!r}" if isinstance(sample, dict) else f"number {number}"
        epoch = sample.get("epoch") if isinstance(sample, dict) else None
        at = SourcePlace(Document(f"{path}: sample {name}, epoch {epoch}", None, {}))
        with ledger.trying(at):
            _add(cases, sample, at, ledger)
    return Evaluation(
        str(task["task"]).rpartition("/")[2],
        "Inspect",
        f"Answers of {task.get('model', 'a model')}.",
        list(cases.values()),
    )


def _opened(path: Path) -> tuple[dict[str, object], list[dict[str, object]]]:
    if path.suffix == ".json":
        log = json.loads(read_text(path))
        return log, log.get("samples") or []
    with zipfile.ZipFile(path) as archive:
        unpacked = _Unpacked(path, archive)
        names = archive.namelist()
        if _HEADER in names or _START not in names:
            header = json.loads(unpacked.read(_HEADER))
        else:  # the evaluation was killed, or still runs
            header = {**json.loads(unpacked.read(_START)), "status": "started"}
        return header, list(_samples(unpacked, names))


class _Unpacked:
    """The members of an archive, up to a total of `MAX_BYTES`. What the archive states about their
    sizes is not trusted.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive, self._left = path, archive, MAX_BYTES

    def read(self, name: str) -> bytes:
        """One member. Raises SuiteError above the limit."""
        with self._archive.open(name) as member:
            data = member.read(min(self._left, MAX_MEMBER) + 1)
        self._left -= len(data)
        if self._left < 0 or len(data) > MAX_MEMBER:
            raise SuiteError(
                f"{self._path}: {name}: unpacks to more than {MAX_MEMBER // 2**20} MiB, or the"
                f" archive to more than {MAX_BYTES // 2**20} MiB; export it in parts"
            )
        return data


def _samples(unpacked: _Unpacked, names: list[str]) -> Iterator[dict[str, object]]:
    for name in names:
        if name.startswith("samples/") and name.endswith(".json"):
            yield json.loads(unpacked.read(name))


def _add(
    cases: dict[str, RecordedCase], sample: dict[str, Any], place: SourcePlace, ledger: Ledger
) -> None:
    key, repeat = str(sample.get("id")), int(sample.get("epoch") or 1) - 1
    if not 0 <= repeat < MAX_EPOCHS:
        raise UnmappedError(f"its epoch is not a number from 1 to {MAX_EPOCHS}")
    attached = sample.get("attachments") or {}
    if key not in cases:
        case = RecordedCase(
            unique(slug(key, "case"), {each.id for each in cases.values()}),
            _asked(sample["input"], attached),
        )
        target = sample.get("target")
        case.references = [
            str(each) for each in (target if isinstance(target, list) else [target]) if each
        ]
        if sample.get("choices"):
            case.fields["choices"] = sample["choices"]
        metadata = sample.get("metadata") or {}
        case.tags = {
            str(k): str(v)
            for k, v in metadata.items()
            if isinstance(v, str | int | bool) and len(str(v)) <= 40
        }
        cases[key] = case
    case = cases[key]
    case.answers[repeat] = (
        None if sample.get("error") else _said(sample.get("output") or {}, attached)
    )
    for scorer, score in (sample.get("scores") or {}).items():
        for metric, value in _values(scorer, score.get("value")):
            tool_score = _given(value, str(score.get("explanation") or ""))
            if tool_score is None:
                ledger.leave_out(place, f"the score {metric!r} is {value!r}, no share of 1")
            else:
                case.score(metric, repeat, tool_score)


def _values(scorer: str, value: object) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [(f"{scorer}/{name}", each) for name, each in value.items()]
    if isinstance(value, list):
        return [(f"{scorer}/{index}", each) for index, each in enumerate(value)]
    return [(scorer, value)]


def _given(value: object, reason: str) -> ToolScore | None:
    """A value by Inspect's own reading of letters (`value_to_float`); it passes with full marks."""
    if isinstance(value, str) and value in _LETTERS:
        return ToolScore(_LETTERS[value], value == "C", reason)
    if value is None or value != value:
        return ToolScore(None, error="its scorer gave no value")
    portion = share(value)
    return None if portion is None else ToolScore(portion, portion == 1, reason)


def _asked(messages: Any, attached: dict[str, str]) -> list[dict[str, str]]:
    turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    if not isinstance(turns, list) or not turns:
        raise UnmappedError("has no messages as `input`")
    return [
        {"role": _role(turn["role"]), "content": _text(turn["content"], attached)}
        for turn in turns
        if turn["role"] != "tool"
    ]


def _role(role: str) -> str:
    return role if role in ("system", "user", "assistant") else "user"


def _said(output: dict[str, Any], attached: dict[str, str]) -> str | None:
    choices = output.get("choices") or []
    if choices:
        return _text(choices[0]["message"]["content"], attached)
    return output.get("completion")


def _text(content: object, attached: dict[str, str]) -> str:
    if isinstance(content, list):
        if any(part.get("type") not in ("text", "reasoning") for part in content):
            raise UnmappedError("holds an image, sound or data; only text can be replayed")
        return "\n".join(
            _text(part["text"], attached) for part in content if part["type"] == "text"
        )
    text = str(content)
    return (
        attached.get(text.removeprefix("attachment://"), text)
        if text.startswith("attachment://")
        else text
    )
