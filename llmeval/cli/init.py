"""`llmeval init`: a suite to start from."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Json, console, emit

_STARTER = """\
# A suite: what is asked, of whom, and what counts as good.
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

gate:
  floors: {{facts: 0.5}}             # the pass rate to clear, with 95% confidence
"""
_LOCAL = """\
  small: {provider: transformers, model: smollm2-135m-instruct, params: {temperature: 0, max_tokens: 48}}
"""
_ENDPOINT = """\
  api: {provider: openai, model: MODEL, base_url: "URL", api_key: "${OPENAI_API_KEY}", params: {temperature: 0}}
"""
_CASES = (
    ("capital-japan", "What is the capital of Japan?", ["Tokyo"]),
    ("water-formula", "What is the chemical formula of water?", ["H2O", "H₂O"]),
    ("days-week", "How many days are there in a week?", ["7", "seven"]),
    ("author-hamlet", "Who wrote Hamlet?", ["William Shakespeare", "Shakespeare"]),
    ("largest-planet", "Which planet of the solar system is the largest?", ["Jupiter"]),
)


def init(
    directory: Annotated[Path, typer.Argument(help="Where to write it.", metavar="[DIR]")] = Path("suites"),
    name: Annotated[str, typer.Option(help="The suite's name.")] = "first",
    example: Annotated[str | None, typer.Option(help="Copy a shipped suite instead: qa, format or grounded.")] = None,
    base_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible endpoint; default: the bundled local model.")
    ] = None,
    model: Annotated[str, typer.Option(help="The model's name there.")] = "default",
    as_json: Json = False,
) -> int:
    """Write a suite that runs, and the cases it needs. Never overwrites a file."""
    files = _example(directory, example) if example else _starter(directory, name, base_url, model)
    from llmeval.errors import UsageError

    for path in files:
        if path.exists():
            raise UsageError(f"{path} exists already; choose another directory or --name")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    suite = next(iter(files))
    if as_json:
        emit({"suite": str(suite), "files": [str(path) for path in files]})
        return 0
    for path in files:
        console().print(f"[green]✔[/] {path}")
    console().print(f"Now: llmeval run {suite}")
    return 0


def _starter(directory: Path, name: str, base_url: str | None, model: str) -> dict[Path, str]:
    import json

    models = _LOCAL if base_url is None else _ENDPOINT.replace("MODEL", model).replace("URL", base_url)
    text = _STARTER.format(name=name, models=models, candidate="small" if base_url is None else "api")
    lines = [json.dumps({"id": i, "question": q, "references": r}, ensure_ascii=False) for i, q, r in _CASES]
    return {directory / f"{name}.yaml": text, directory / "data" / f"{name}.jsonl": "\n".join(lines) + "\n"}


def _example(directory: Path, name: str) -> dict[Path, str]:
    """A shipped suite with the files it names, all of them below the directory, whatever its name."""
    from llmeval.errors import UsageError
    from llmeval.resources import resource

    shipped = resource("suites")
    source = shipped / f"{name}.yaml"
    if not source.exists():
        known = ", ".join(sorted(path.stem for path in shipped.glob("*.yaml")))
        raise UsageError(f"there is no example {name!r}; there are: {known}")
    text = source.read_text(encoding="utf-8").replace("../prompts/", "prompts/")
    files = {directory / source.name: text}
    for folder, path in (("data", shipped / "data" / f"{name}.jsonl"), ("prompts", resource("prompts", f"{name}.j2"))):
        if path.exists():
            files[directory / folder / path.name] = path.read_text(encoding="utf-8")
    for path in sorted((shipped / "certificates").glob(f"{name}-*")):
        files[directory / "certificates" / path.name] = path.read_text(encoding="utf-8")
    return files
