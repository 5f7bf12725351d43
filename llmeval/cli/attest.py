"""`llmeval attest`: statements about a sealed run, for policies that read in-toto."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Json, Reports, RunPath, emit, find_run


def attest(
    run: RunPath,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            help="What was tested; default: the candidate, and the commit of a clean checkout.",
            metavar="NAME=sha256:HEX",
        ),
    ] = None,
    sign: Annotated[
        str | None,
        typer.Option(help="Sign: ed25519:FILE, ed25519:env or ssh:FILE.", metavar="KEY"),
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Write in-toto statements about a sealed run: test-result, svr and llmeval's own evaluation.

    An INVALID run gets no test-result. INCONCLUSIVE is FAILED, or WARNED where the suite says
    `on_inconclusive: warn` or `pass`. The statement says that it is unsigned unless --sign is used.
    Approvals and overrides are in the statements. They do not change the result.
    """
    from llmeval.governance.attest import attest as write_statements
    from llmeval.governance.stated_approvals import approvals_of
    from llmeval.governance.statements import subject_of

    path = find_run(run, reports)
    subjects = [subject_of(each) for each in subject or ()]
    done = write_statements(path, subjects, sign, approvals_of(path))
    if as_json:
        emit(
            {
                "files": [str(file) for file in done.files],
                "left_out": done.left_out,
                "signed": sign is not None,
            }
        )
        return 0
    for file in done.files:
        print(file)
    for kind, reason in done.left_out.items():
        print(f"No {kind}: {reason}.")
    if sign is None:
        print("Not signed: anyone could have written these. --sign ed25519:FILE or ssh:FILE signs.")
    return 0
