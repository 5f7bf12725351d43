"""`llmeval evidence`: what sealed runs rest on, in one file to keep or to pass on."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli import completion
from llmeval.cli.common import Json, Reports, emit, find_run


class MapName(StrEnum):
    """The maps that llmeval has."""

    EU_AI_ACT = "eu-ai-act"
    NIST_AI_RMF = "nist-ai-rmf"
    ISO_42001 = "iso-42001"


def evidence(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Directories of runs, their ids, or `latest`.",
            metavar="RUN..",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ],
    out: Annotated[Path, typer.Option(help="The pack to write.", metavar="FILE.zip")],
    map_: Annotated[
        list[MapName] | None,
        typer.Option(
            "--map",
            help="Add a table of clauses, the files that support each, and what is missing.",
        ),
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Pack sealed runs with their statements, approvals, chain of events and data check.

    `llmeval verify FILE.zip` checks the pack. It holds cases and answers: read them before you pass
    it on. A map says what supports a clause, never that anything complies.
    """
    from llmeval.core.redaction import hide
    from llmeval.governance.pack import write_pack
    from llmeval.store.directory import RunDir
    from llmeval.suite.secrets import secrets_written_in

    folders = [find_run(run, reports) for run in runs]
    for folder in folders:
        hide(secrets_written_in(Path(RunDir(folder).manifest().suite_file)))
    index = write_pack(folders, out, [each.value for each in map_ or ()])
    if as_json:
        emit(
            {
                "path": str(out),
                "runs": [run.run_id for run in index.runs],
                "files": len(index.files),
                "absent": list(index.absent),
            }
        )
        return 0
    print(
        f"{out}: {len(index.runs)} runs, {len(index.files)} files. Check it: llmeval verify {out}"
    )
    if index.absent:
        print(f"{len(index.absent)} files of the suites are in it by their digest alone:")
        for each in index.absent[:5]:
            print(f"  {each}")
    return 0
