"""What a first suite tests: a model at an endpoint, an application, a function, recorded answers or
a local model. Each gives the lines of `models`, and the files that these name.
"""

import json
import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from llmeval.core.errors import UsageError

_ON_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_APP = '''\
"""The application under test. Replace the body of `answer` by a call of your application."""


def answer(text: str) -> str:
    return "I do not know."
'''
_SAMPLE_ANSWERS = {
    "capital-japan": "The capital of Japan is Tokyo.",
    "water-formula": "It is H2O.",
    "days-week": "There are eight days in a week.",
    "author-hamlet": "William Shakespeare wrote Hamlet.",
    "largest-planet": "Jupiter is the largest planet.",
}
"""One of them is wrong, so that the first report shows a failing case."""


class Target(StrEnum):
    """What is tested."""

    ENDPOINT = "endpoint"
    HTTP = "http"
    PYTHON = "python"
    RECORDED = "recorded"
    LOCAL = "local"


@dataclass(frozen=True)
class Candidate:
    """The candidate of a first suite."""

    name: str
    """In `models`."""
    model: str
    """Its specification, as one line of YAML."""
    files: dict[str, str] = field(default_factory=dict)
    """Files that it names, by their path below the suite's folder."""
    cases: tuple[dict[str, object], ...] = ()
    """The cases that its answers belong to; empty for any cases."""
    key: str | None = None
    """The environment variable with its API key."""
    here_only: bool = False
    """Whether it listens on this machine, where a CI job can't reach it."""
    extra: str = ""
    """The extra of llmeval that it needs."""


def local() -> Candidate:
    """The bundled model."""
    model = (
        "{provider: transformers, model: smollm2-135m-instruct,"
        " params: {temperature: 0, max_tokens: 48}}"
    )
    return Candidate("small", model, extra="local")


def endpoint(base_url: str, model: str, key: str) -> Candidate:
    """A model at an OpenAI-compatible endpoint; one on this machine needs no key.

    Raises:
        UsageError: it is not an address.
    """
    host = _host(base_url, "https://host/v1")
    here = host in _ON_THIS_MACHINE
    variable = f"${{{key}{':-none' if here else ''}}}"
    line = (
        f"{{provider: openai, model: {json.dumps(model)}, base_url: {json.dumps(base_url)},"
        f' api_key: "{variable}", params: {{temperature: 0}}}}'
    )
    return Candidate("api", line, key=None if here else key, here_only=here)


def application(url: str) -> Candidate:
    """An application with an address that takes a question as JSON.

    Raises:
        UsageError: it is not an address.
    """
    host = _host(url, "https://host/answer")
    line = (
        f"{{provider: http, url: {json.dumps(url)},"
        ' body: {question: "{{ prompt }}"}, output: answer}'
    )
    return Candidate("app", line, here_only=host in _ON_THIS_MACHINE)


def function(name: str | None, suite: str, folder: Path) -> Candidate:
    """A Python function: that of the user, or a new file to fill in.

    Raises:
        SuiteError: the function can't be imported.
    """
    if name is not None:
        from llmeval.models.loading import load_function

        if not re.fullmatch(r"[\w.]+:[\w.]+", name):
            raise UsageError(f"--function {name!r}: write it as module:function")
        load_function(name, folder)
        return Candidate("app", f"{{provider: python, function: {json.dumps(name)}}}")
    module = "app_" + re.sub(r"\W", "_", suite)
    line = f'{{provider: python, function: "{module}:answer"}}'
    return Candidate("app", line, files={f"{module}.py": _APP})


def recorded(answers: Path | None, suite: str, folder: Path) -> Candidate:
    """Answers that exist already: a file of the user, with its cases, or a sample to replace.

    Raises:
        UsageError: a line has no `id` or no `output`, or lacks the question.
    """
    if answers is None:
        rows = [{"id": id_, "output": output} for id_, output in _SAMPLE_ANSWERS.items()]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        source = f"data/{suite}-answers.jsonl"
        return Candidate("recorded", _replay(source), files={source: text})
    from llmeval.importers.reading import read_text

    cases: dict[str, dict[str, object]] = {}
    for number, line in enumerate(read_text(answers).split("\n"), start=1):
        if line.strip():
            case = _recorded_case(f"{answers}:{number}", line)
            cases.setdefault(str(case["id"]), case)
    if not cases:
        raise UsageError(f"{answers}: there is no line, so there is no answer to test")
    source = Path(os.path.relpath(answers, folder)).as_posix()
    return Candidate("recorded", _replay(source), cases=tuple(cases.values()))


def _replay(source: str) -> str:
    return f"{{provider: replay, source: {json.dumps(source)}}}"


def _recorded_case(where: str, line: str) -> dict[str, object]:
    """The case of a recorded answer."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: not one JSON object") from None
    if not isinstance(row, dict) or not isinstance(row.get("id"), str | int) or "output" not in row:
        raise UsageError(f'{where}: write each answer as {{"id": ..., "output": ...}}')
    if not isinstance(row.get("question"), str):
        raise UsageError(
            f"{where}: no `question`: add the question and a `reference` to each line, or name the"
            " cases with --from-csv (columns id, question, answer)"
        )
    kept = {key: row[key] for key in ("question", "reference", "references") if key in row}
    if len(kept) == 1:
        raise UsageError(f"{where}: no `reference`: add the right answer to each line")
    return {"id": row["id"], **kept}


def _host(url: str, example: str) -> str:
    """The host of an address.

    Raises:
        UsageError: it has none.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError(f"{url!r} is not an address such as {example}")
    if "@" in parts.netloc:
        raise UsageError(
            f"the address of {host} contains a user name or password: remove it. The suite file"
            " names an environment variable for the key"
        )
    return host
