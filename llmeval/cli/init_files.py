"""The files of a first suite: the suite, its cases, and a job of the CI system."""

import os
from collections.abc import Sequence
from pathlib import Path

from llmeval.cli.init_targets import Candidate
from llmeval.importers.writing import jsonl

_SUITE = """\
# A suite: cases, prompt, model, checks and gate. Every key: docs/suite-reference.md
suite: {name}
description: Say in one line what these cases are about.

cases:
  source: data/{name}.jsonl        # one JSON object a line; fields: docs/cases.md

prompt: "{{{{ question }}}}"           # Jinja2 over a case's fields, or the path of a .j2 file

models:
  {candidate}: {model}

candidate: {candidate}

checks:                            # `llmeval checks list` shows them all
  - facts                          # the answer states a reference
  - max_words: 60

gate:
  must_pass: all                   # with many cases: `floors: {{facts: 0.9}}` (docs/decisions.md)
"""
_CASES: tuple[dict[str, object], ...] = (
    {"id": "capital-japan", "question": "What is the capital of Japan?", "references": ["Tokyo"]},
    {
        "id": "water-formula",
        "question": "What is the chemical formula of water?",
        "references": ["H2O", "H₂O"],
    },
    {
        "id": "days-week",
        "question": "How many days are there in a week?",
        "references": ["7", "seven"],
    },
    {
        "id": "author-hamlet",
        "question": "Who wrote Hamlet?",
        "references": ["William Shakespeare", "Shakespeare"],
    },
    {
        "id": "largest-planet",
        "question": "Which planet of the solar system is the largest?",
        "references": ["Jupiter"],
    },
)
_GITHUB = """\
# Runs the suite for each pull request. Exit code 1 fails the job.
# docs/ci.md has more: baselines, comments, nightly runs.
name: llmeval
on:
  pull_request:
  workflow_dispatch:

permissions:
  contents: read

jobs:
  llmeval:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
      - run: python3 -m pip install --quiet "{package}"
{note}      - run: llmeval run {suite}
{env}      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        if: always()
        with: {{name: llmeval, path: reports}}
"""
_GITLAB = """\
# Runs the suite for each merge request. Exit code 1 fails the job.
# docs/ci.md has more: baselines, comments, nightly runs.
llmeval:
  image: python:3.12
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
{note}  script:
    - python3 -m pip install --quiet "{package}"
    - llmeval run {suite}
  artifacts:
    when: always
    paths: [reports]
    reports: {{junit: reports/*/*/junit.xml}}
"""
_HERE_ONLY = "# The suite names an address on one machine: start a server here, or name another.\n"
GITHUB_FILE, GITLAB_FILE = ".github/workflows/llmeval.yml", ".gitlab-ci.yml"


def suite_files(
    directory: Path, name: str, candidate: Candidate, cases: Sequence[dict[str, object]]
) -> dict[Path, str]:
    """The suite, its cases, and the files that its candidate names, by their paths.

    Args:
        cases: those of the user; by default those that the candidate's answers belong to, else five
            samples.
    """
    suite = _SUITE.format(name=name, candidate=candidate.name, model=candidate.model)
    rows = cases or candidate.cases or _CASES
    return {
        directory / f"{name}.yaml": suite,
        directory / "data" / f"{name}.jsonl": jsonl(rows),
        **{directory / path: text for path, text in candidate.files.items()},
    }


def ci_file(
    directory: Path, name: str, candidate: Candidate, system: str | None
) -> tuple[Path, str]:
    """The job that runs the suite, and where it belongs.

    Args:
        system: github or gitlab; None: gitlab if the repository has its file, else github.
    """
    root = _root(directory)
    gitlab = system == "gitlab" or (system is None and (root / GITLAB_FILE).exists())
    path = root / (GITLAB_FILE if gitlab else GITHUB_FILE)
    suite = Path(os.path.relpath((directory / f"{name}.yaml").resolve(), root)).as_posix()
    key = candidate.key
    indent = "  " if gitlab else "      "
    text = (_GITLAB if gitlab else _GITHUB).format(
        package=f"llmeval-ci[{candidate.extra}]" if candidate.extra else "llmeval-ci",
        suite=_quoted(suite),
        note=indent + _HERE_ONLY if candidate.here_only else "",
        env="" if key is None else f'        env: {{{key}: "${{{{ secrets.{key} }}}}"}}\n',
    )
    return path, text


def _quoted(path: str) -> str:
    """A path for a shell, inside a line of YAML."""
    import shlex

    return shlex.quote(path)


def _root(directory: Path) -> Path:
    """The root of the repository; without one, the current folder, or the suite's own folder if
    that is elsewhere.
    """
    folder = directory.resolve()
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists():
            return parent
    here = Path.cwd().resolve()
    return here if folder.is_relative_to(here) else folder
