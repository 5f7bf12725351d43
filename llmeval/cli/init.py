"""`llmeval init`: a suite to start from. It asks at a terminal what is tested; options answer for a
script.
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from llmeval.cli import init_targets
from llmeval.cli.common import Json, console, emit
from llmeval.cli.completion import examples
from llmeval.cli.init_targets import Candidate, Target
from llmeval.core.errors import UsageError


@dataclass(frozen=True)
class _Stated:
    """What the options say about the candidate."""

    target: Target | None
    base_url: str | None
    model: str | None
    key_env: str
    url: str | None
    function: str | None
    answers: Path | None
    local: bool


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
        typer.Option(help="An OpenAI-compatible endpoint, up to and including /v1."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The model's name at the endpoint.", show_default=False)
    ] = None,
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
    from_traces: Annotated[
        Path | None,
        typer.Option(
            help=("Replay recorded traffic: OpenTelemetry, Langfuse, or chats in OpenAI's format."),
            metavar="FILE",
        ),
    ] = None,
    target: Annotated[
        Target | None,
        typer.Option(
            "--target", help="What is tested; default: what the other options name, else local."
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The address of an application that takes JSON.")
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(help="A Python function as the application.", metavar="MODULE:FUNCTION"),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="Recorded answers: a .jsonl of id, output, question and reference.", metavar="FILE"
        ),
    ] = None,
    ci: Annotated[
        Literal["github", "gitlab", "none"] | None,
        typer.Option(help="The CI system; default: that of the repository.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> int:
    """Write a suite that runs, with five cases and a CI job. Never overwrites a file.

    At a terminal it asks what is tested, and lists the models of Ollama, llama.cpp and vLLM that
    run on this machine (loopback only, at their default ports).
    """
    from llmeval.cli.init_files import ci_file, suite_files
    from llmeval.importers.question_table import read_questions
    from llmeval.importers.writing import write_new

    stated = _Stated(target, base_url, model, key_env, url, function, answers, local)
    _check_sources(example, from_csv, from_traces, stated)
    if from_traces is not None:
        from llmeval.cli.import_command import import_traces

        return import_traces(from_traces, directory, name, as_json=as_json)
    if example is not None:
        files, notes = _example(directory, example), []
    else:
        _check_name(directory, name)
        table = None if from_csv is None else read_questions(from_csv)
        candidate = _stated_candidate(stated, name, directory)
        if candidate is None:
            terminal = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
            candidate = (
                _ask_candidate(key_env, name, directory) if terminal else init_targets.local()
            )
        files = suite_files(directory, name, candidate, () if table is None else table.cases)
        unused = [] if table is None else table.unused
        notes = [f"columns that are not used: {', '.join(unused)}"] if unused else []
        if ci != "none":
            path, text = ci_file(directory, name, candidate, ci)
            if path.exists():
                notes.append(f"{path} exists already and was not changed: add the suite to it")
            else:
                files[path] = text
    write_new(files)
    _show(files, notes, as_json=as_json)
    return 0


def _show(files: dict[Path, str], notes: list[str], *, as_json: bool) -> None:
    suite = next(iter(files))
    if as_json:
        emit({"suite": str(suite), "files": [str(path) for path in files], "notes": notes})
        return
    screen = console()
    for path in files:
        screen.print(f"[green]✔[/] {path}", soft_wrap=True)
    for note in notes:
        screen.print("[cyan]note[/] ", end="")
        screen.print(note, markup=False, soft_wrap=True)
    screen.print(f"Now: llmeval run {suite}", soft_wrap=True)
    screen.print(f"If that does not work: llmeval doctor {suite}", soft_wrap=True)


def _check_sources(
    example: str | None, from_csv: Path | None, from_traces: Path | None, stated: _Stated
) -> None:
    """Refuse options that contradict each other, before any question.

    Raises:
        UsageError: two sources of cases, two candidates, or an option of another target.
    """
    sources = {"--example": example, "--from-csv": from_csv, "--from-traces": from_traces}
    named = [option for option, value in sources.items() if value is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} name two sources of cases: leave one of them out")
    options = {
        Target.ENDPOINT: ("--base-url", stated.base_url),
        Target.HTTP: ("--url", stated.url),
        Target.PYTHON: ("--function", stated.function),
        Target.RECORDED: ("--answers", stated.answers),
        Target.LOCAL: ("--local", stated.local or None),
    }
    models = [option for option, value in options.values() if value is not None]
    if len(models) > 1:
        raise UsageError(f"{' and '.join(models)} name two models: leave one of them out")
    if models and named and named[0] != "--from-csv":
        raise UsageError(f"{named[0]} has its own model: leave out {models[0]}")
    if stated.target is not None and models and options[stated.target][0] != models[0]:
        raise UsageError(f"--target {stated.target} and {models[0]} contradict each other")
    if stated.target is not None and named and named[0] != "--from-csv":
        raise UsageError(f"{named[0]} has its own model: leave out --target")


def _check_name(directory: Path, name: str) -> None:
    """Refuse what would be refused at the end, before any question.

    Raises:
        UsageError: the name is not valid, or one of the files exists.
    """
    from llmeval.suite.strict import NAME_PATTERN

    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(
            f"--name {name!r}: letters, digits, dots, hyphens and underscores, the first a letter"
            " or digit"
        )
    files = (directory / f"{name}.yaml", directory / "data" / f"{name}.jsonl")
    present = [str(path) for path in files if os.path.lexists(path)]
    if present:
        raise UsageError(
            f"{', '.join(present)}: exists already and is not overwritten; choose another --name or"
            " folder"
        )


def _stated_candidate(stated: _Stated, name: str, directory: Path) -> Candidate | None:
    """The candidate that options name; None if none does.

    Raises:
        UsageError: one of them is wrong, or lacks its address.
    """
    target = stated.target
    if stated.base_url is not None:
        return init_targets.endpoint(stated.base_url, stated.model or "default", stated.key_env)
    if stated.url is not None:
        return init_targets.application(stated.url)
    if stated.function is not None or target is Target.PYTHON:
        return init_targets.function(stated.function, name, directory)
    if stated.answers is not None or target is Target.RECORDED:
        return init_targets.recorded(stated.answers, name, directory)
    if stated.local or target is Target.LOCAL:
        return init_targets.local()
    if target is Target.HTTP:
        raise UsageError("--target http: name the address of the application with --url")
    if target is Target.ENDPOINT:
        return _server_on_this_machine(stated)
    return None


def _server_on_this_machine(stated: _Stated) -> Candidate:
    """The first running server that has the stated model, or any.

    Raises:
        UsageError: there is none.
    """
    from llmeval.cli.local_servers import running_servers

    for server in running_servers():
        if stated.model is None or stated.model in server.models:
            model = stated.model or server.models[0]
            return init_targets.endpoint(server.base_url, model, stated.key_env)
    with_it = "" if stated.model is None else f" with the model {stated.model!r}"
    raise UsageError(
        f"--target endpoint: no Ollama, llama.cpp or vLLM{with_it} answers on this machine at its"
        " default port; name the address with --base-url"
    )


def _ask_candidate(key: str, name: str, directory: Path) -> Candidate:
    """The candidate that a person at the terminal chooses: one question for what it is, and at most
    two for its address and name. A wrong answer is asked for again.
    """
    from llmeval.cli.local_servers import running_servers

    screen = console()
    running = [
        (server, model) for server in running_servers() for model in server.models[:_MOST_SHOWN]
    ]
    lines = [f"{model} at {server.base_url} ({server.name})" for server, model in running]
    screen.print("What do you want to test?")
    for number, line in enumerate([*lines, *_TARGETS.values()], start=1):
        screen.print(f"  {number}  {line}", markup=False, highlight=False, soft_wrap=True)
    first = 1 if lines or os.environ.get(key) else len(lines) + len(_TARGETS)
    choice = _number(len(lines) + len(_TARGETS), first)
    if choice <= len(running):
        server, model = running[choice - 1]
        return init_targets.endpoint(server.base_url, model, key)
    target = list(_TARGETS)[choice - len(running) - 1]
    if target is Target.ENDPOINT:
        address = _address("Address, up to and including /v1", "https://api.openai.com/v1")
        model = typer.prompt("The model's name there", default="gpt-4o-mini")
        return init_targets.endpoint(address, str(model).strip(), key)
    if target is Target.HTTP:
        return init_targets.application(_address("Address", "http://127.0.0.1:8000/answer"))
    if target is Target.PYTHON:
        return init_targets.function(None, name, directory)
    if target is Target.RECORDED:
        return init_targets.recorded(None, name, directory)
    return init_targets.local()


_MOST_SHOWN = 5
"""Models of one server."""
_TARGETS = {
    Target.ENDPOINT: "a model at an OpenAI-compatible endpoint: OpenAI, a gateway, vLLM, Ollama...",
    Target.HTTP: "an application with an address that takes JSON",
    Target.PYTHON: "a Python function",
    Target.RECORDED: "answers that exist already",
    Target.LOCAL: "the bundled local model: 135M parameters, no key, nothing leaves this machine",
}


def _number(most: int, default: int) -> int:
    """A number from 1 to `most`; another one is asked for again."""
    while True:
        number: int = typer.prompt("Number", default=default, type=int)
        if 1 <= number <= most:
            return number
        console().print(f"Please answer with a number from 1 to {most}.")


def _address(question: str, default: str) -> str:
    """An address; one without a host is asked for again."""
    while True:
        text = str(typer.prompt(question, default=default)).strip()
        try:
            init_targets.application(text)
        except UsageError as error:
            console().print(str(error), markup=False)
        else:
            return text


def _example(directory: Path, name: str) -> dict[Path, str]:
    """A shipped suite with the files it names, all of them below the directory, whatever its
    name.
    """
    from llmeval.core.errors import UsageError
    from llmeval.core.resources import resource

    shipped = resource("suites")
    source = shipped / f"{name}.yaml"
    if not source.exists():
        choices = ", ".join(
            sorted(path.stem for path in shipped.glob("*.yaml") if "." not in path.stem)
        )
        raise UsageError(f"there is no example {name!r}; there are: {choices}")
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
