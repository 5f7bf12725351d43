"""`llmeval init`: a suite to start from. Asks two questions at a terminal, none where options or a
script answer them.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from llmeval.cli.common import Json, console, emit
from llmeval.cli.completion import examples

_STARTER = """\
# A suite: cases, prompt, model, checks and gate. Every key: docs/suite-reference.md
suite: {name}
description: Say in one line what these cases are about.

cases:
  source: data/{name}.jsonl        # one JSON object a line: id, your fields, reference or references, tags

prompt: "{{{{ question }}}}"           # Jinja2 over a case's fields, or the path of a .j2 file

models:
{models}
candidate: {candidate}

checks:                            # `llmeval checks list` shows them all
  - max_words: 60
  - punctuation
  - facts                          # the answer states a reference

gate:                              # left out, every case must pass
  floors: {{facts: 0.5}}             # the pass rate to clear, at the gate's confidence; few cases can't show more
"""
_LOCAL = """\
  small: {provider: transformers, model: smollm2-135m-instruct, params: {temperature: 0, max_tokens: 48}}
"""
_CASES = (
    ("capital-japan", "What is the capital of Japan?", ["Tokyo"]),
    ("water-formula", "What is the chemical formula of water?", ["H2O", "H₂O"]),
    ("days-week", "How many days are there in a week?", ["7", "seven"]),
    ("author-hamlet", "Who wrote Hamlet?", ["William Shakespeare", "Shakespeare"]),
    ("colour-sky", "What colour is a clear sky at noon?", ["blue"]),
    ("largest-planet", "Which planet of the solar system is the largest?", ["Jupiter"]),
)
_ON_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class _Endpoint:
    base_url: str
    model: str
    key: str


def init(
    directory: Annotated[
        Path, typer.Argument(help="The folder for the suite.", metavar="[DIR]")
    ] = Path("suites"),
    name: Annotated[str, typer.Option(help="The suite's name.")] = "first",
    example: Annotated[
        str | None,
        typer.Option(
            help=(
                "Copy a shipped suite: rag, agent or extract (each with a small application), qa,"
                " format or grounded."
            ),
            autocompletion=examples,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(help="An OpenAI-compatible endpoint; default: the bundled local model."),
    ] = None,
    model: Annotated[str, typer.Option(help="The model's name at the endpoint.")] = "default",
    key_env: Annotated[
        str, typer.Option(help="The environment variable with the API key.", metavar="NAME")
    ] = "OPENAI_API_KEY",
    local: Annotated[
        bool, typer.Option("--local", help="Use the bundled local model without a question.")
    ] = False,
    from_csv: Annotated[
        Path | None,
        typer.Option(
            help="Take the cases from a CSV with a column of questions and one of answers.",
            metavar="FILE",
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Write a suite that runs, with its cases. Never overwrites a file."""
    from llmeval.core.errors import UsageError
    from llmeval.importers.question_table import read_questions
    from llmeval.importers.writing import jsonl, write_new

    endpoint = None if base_url is None else _Endpoint(base_url, model, key_env)
    if example is not None and from_csv is not None:
        raise UsageError("--example and --from-csv name two sources of cases; leave one away")
    table = None if from_csv is None else read_questions(from_csv)
    if local and endpoint is not None:
        raise UsageError("--local and --base-url name two models; leave one away")
    if (
        example is None
        and endpoint is None
        and not (local or as_json)
        and sys.stdin.isatty()
        and sys.stdout.isatty()
    ):
        endpoint = _asked(key_env)
    files = _example(directory, example) if example else _starter(directory, name, endpoint)
    if table is not None:
        files[directory / "data" / f"{name}.jsonl"] = jsonl(table.cases)
    write_new(files)
    suite = next(iter(files))
    if as_json:
        emit({"suite": str(suite), "files": [str(path) for path in files]})
        return 0
    screen = console()
    for path in files:
        screen.print(f"[green]✔[/] {path}", soft_wrap=True)
    if table is not None and table.unused:
        screen.print("[cyan]note[/] columns that are not used: ", end="")
        screen.print(", ".join(table.unused), markup=False, soft_wrap=True)
    screen.print(f"Now: llmeval run {suite}", soft_wrap=True)
    screen.print(f"If that does not work: llmeval doctor {suite}", soft_wrap=True)
    return 0


def _asked(key: str) -> _Endpoint | None:
    """The endpoint that a person at the terminal names; None for the bundled model."""
    import os

    screen = console()
    screen.print("Which model is to be tested?")
    screen.print(
        "  [bold]1[/]  the bundled local one: no key, nothing leaves this machine, 135M parameters"
    )
    screen.print(
        "  [bold]2[/]  an OpenAI-compatible endpoint: OpenAI, vLLM, llama.cpp, Ollama, a gateway..."
    )
    choice = typer.prompt("1 or 2", default="2" if os.environ.get(key) else "1")
    if str(choice).strip() != "2":
        return None
    address = typer.prompt("Address, up to and including /v1", default="https://api.openai.com/v1")
    model = typer.prompt("The model's name there", default="gpt-4o-mini")
    return _Endpoint(str(address).strip(), str(model).strip(), key)


def _starter(directory: Path, name: str, endpoint: _Endpoint | None) -> dict[Path, str]:
    import json
    import re

    from llmeval.core.errors import UsageError
    from llmeval.suite.strict import NAME_PATTERN

    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(
            f"--name {name!r}: letters, digits, dots, hyphens and underscores, the first a letter"
            " or digit"
        )
    models = _LOCAL if endpoint is None else _model(endpoint)
    text = _STARTER.format(
        name=name, models=models, candidate="small" if endpoint is None else "api"
    )
    lines = [
        json.dumps({"id": i, "question": q, "references": r}, ensure_ascii=False)
        for i, q, r in _CASES
    ]
    return {
        directory / f"{name}.yaml": text,
        directory / "data" / f"{name}.jsonl": "\n".join(lines) + "\n",
    }


def _model(endpoint: _Endpoint) -> str:
    """The endpoint as a line of `models`; one on this machine needs no key."""
    import json

    from llmeval.core.errors import UsageError

    parts = urlsplit(endpoint.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{endpoint.base_url!r} is not an address such as https://host/v1")
    key = f"${{{endpoint.key}{':-none' if parts.hostname in _ON_THIS_MACHINE else ''}}}"
    return (
        f"  api: {{provider: openai, model: {json.dumps(endpoint.model)}, base_url:"
        f" {json.dumps(endpoint.base_url)}, "
        f'api_key: "{key}", params: {{temperature: 0}}}}\n'
    )


def _example(directory: Path, name: str) -> dict[Path, str]:
    """A shipped suite with the files it names, all of them below the directory, whatever its
    name.
    """
    from llmeval.core.errors import UsageError
    from llmeval.core.resources import resource

    shipped = resource("suites")
    source = shipped / f"{name}.yaml"
    if not source.exists():
        known = ", ".join(
            sorted(path.stem for path in shipped.glob("*.yaml") if "." not in path.stem)
        )
        raise UsageError(f"there is no example {name!r}; there are: {known}")
    text = source.read_text(encoding="utf-8").replace("../prompts/", "prompts/")
    files = {directory / source.name: text}
    for folder, path in (
        (".", shipped / f"{name}_app.py"),
        ("data", shipped / "data" / f"{name}.jsonl"),
        ("prompts", resource("prompts", f"{name}.j2")),
    ):
        if path.exists():
            files[directory / folder / path.name] = path.read_text(encoding="utf-8")
    for path in sorted((shipped / "certificates").glob(f"{name}-*")):
        files[directory / "certificates" / path.name] = path.read_text(encoding="utf-8")
    return files
