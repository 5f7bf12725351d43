"""`llmeval promote`: what a run tested becomes what is served."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Json, Reports, RunPath, emit, find_run


def promote(
    run: RunPath,
    to: Annotated[
        Path, typer.Option("--to", help="The link, such as models/production.", metavar="LINK")
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the weights; default: the one that the run's suite names.",
            metavar="DIR",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Who promotes, for audit.jsonl (default: your login).", metavar="NAME"),
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Let a link point at the local weights that a run tested. The switch is atomic.

    Refused unless the run is a complete PASS, fits its seal, has the approvals that its suite
    demands, and today's files of the weights are those that it tested. A valid override of a run
    that did not PASS is accepted, and its names are shown. An INVALID run is never promoted.
    """
    from llmeval.api.promoting import promote as promote_run
    from llmeval.core.person_names import person_name
    from llmeval.report.safe_text import visible

    done = promote_run(
        find_run(run, reports),
        to,
        model=model,
        actor=person_name(by, "--by") if by is not None else _login(),
    )
    basis = done.basis
    if as_json:
        emit(done.document())
        return 0
    verb = "points at" if done.changed else "already pointed at"
    print(f"✔ {done.link} {verb} {done.model}, which run {basis.seal.run_id} tested.")
    if basis.overridden_by:
        names = visible(", ".join(basis.overridden_by))
        print(f"⚠ The run is {basis.seal.decision}. Overridden by {names}.")
    if done.changed and done.before is not None:
        print(f"Before: {done.before}")
    print(f"Seal {basis.digest}")
    return 0


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return "unknown"
