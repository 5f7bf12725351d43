"""`llmeval approve`: a person's decision about a sealed run."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Json, Reports, RunPath, emit, find_run


class PersonDecision(StrEnum):
    """What a person decides about a run."""

    APPROVE = "approve"
    REJECT = "reject"
    OVERRIDE = "override"


def approve(
    run: RunPath,
    by: Annotated[str, typer.Option(help="The person who decides.", metavar="NAME")],
    role: Annotated[str, typer.Option(help="The role of this person.", metavar="ROLE")],
    reason: Annotated[str, typer.Option(help="The reason, in a sentence.", metavar="TEXT")],
    decision: Annotated[
        PersonDecision,
        typer.Option(help="override: release a run that did not PASS; it needs --until."),
    ] = PersonDecision.APPROVE,
    until: Annotated[
        str | None,
        typer.Option(help="The last day on which it counts, such as 2027-01-31.", metavar="DATE"),
    ] = None,
    ssh: Annotated[
        Path | None, typer.Option(help="Sign with this private ssh key.", metavar="KEY")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder; default: `approvals` next to the run's suite.", metavar="DIR"
        ),
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Approve or reject a sealed run: write a file to commit. A later one replaces it.

    An approval holds for one seal. It never changes the decision of the run.
    """
    from llmeval.governance.approvals import FOLDER, ApprovalRequest, approve_run
    from llmeval.governance.audit import AUDIT, append_event
    from llmeval.governance.verify import check_seal
    from llmeval.store.directory import RunDir

    path = find_run(run, reports)
    suite = Path(RunDir(path).manifest().suite_file)
    folder = out or (suite.parent / FOLDER if suite.is_file() else path / FOLDER)
    request = ApprovalRequest(by, role, decision.value, reason, until, ssh)
    file = approve_run(path, folder, request)
    seal = check_seal(path)
    chain = folder.parent / AUDIT
    if chain.exists():
        action = {"approve": "approved", "reject": "rejected", "override": "overridden"}
        append_event(
            chain,
            by,
            action[decision.value],  # type: ignore[arg-type]
            f"run {seal.seal.run_id}",
            seal.digest,
            reason,
        )
    if as_json:
        emit({"file": str(file), "seal": seal.digest, "signed": ssh is not None})
        return 0
    print(f"{file}: {decision.value} by {by} ({role}). Commit it.")
    if ssh is None:
        print("Not signed: the name is a claim, as good as the review of the commit. --ssh signs.")
    return 0
