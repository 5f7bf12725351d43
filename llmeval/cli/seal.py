"""`llmeval seal` and `llmeval verify`: what a run consists of, and whether it still does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli import completion
from llmeval.cli.common import Json, Reports, RunPath, emit, find_run

if TYPE_CHECKING:
    from llmeval.governance.verified_run import Trusted


def seal(
    run: RunPath,
    again: Annotated[
        bool,
        typer.Option("--again", help="Replace a seal that no longer fits; the old one is kept."),
    ] = False,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Seal a complete run: the digests of its records, its baseline, its labels and its decision.

    `run` does this by itself at the end. Needed by hand after `report` with new labels.
    """
    from llmeval.core.errors import UsageError
    from llmeval.governance.seal import SEAL, seal_run
    from llmeval.governance.verify import check_seal

    path = find_run(run, reports)
    if (path / SEAL).exists() and not again:
        problems = check_seal(path).problems
        if problems:
            raise UsageError(
                f"{path} no longer fits its seal: {problems[0]}. To seal it as it is now, and keep"
                " the old seal, add --again"
            )
    sealed = seal_run(path)
    if as_json:
        emit({"path": str(path), "seal": sealed.digest, "written": sealed.written})
    else:
        done = "Sealed" if sealed.written else "Unchanged since it was sealed"
        print(f"{done}: {path}\nSeal {sealed.digest}")
    return 0


def verify(
    run: Annotated[
        Path,
        typer.Argument(
            help="A run's directory, its id, `latest`, or an evidence pack.",
            metavar="RUN|PACK",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ],
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Demand this policy of approvals (YAML); default: the run's own, if it has one.",
            metavar="FILE",
        ),
    ] = None,
    signers: Annotated[
        Path | None,
        typer.Option(help="The ssh keys that you trust (allowed_signers).", metavar="FILE"),
    ] = None,
    approvals: Annotated[
        Path | None,
        typer.Option(
            help="The folder of approvals; default: `approvals` in the run or next to its suite.",
            metavar="DIR",
        ),
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            help="A public key that you trust: the statements must be signed by one.",
            metavar="FILE",
        ),
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Check that a run is the one that was sealed, and compute its decision again.

    With a policy of approvals, in the suite or by --policy, it must be met. No network, model or
    suite is needed. Exit code 0: all holds. 1: something does not, with the file. 2: wrong usage.
    3: the run or its seal can't be read.
    """
    from llmeval.core.errors import ExitCode
    from llmeval.governance.verified_run import Trusted, verify_run
    from llmeval.report.safe_text import visible

    trusted = Trusted(policy, signers, approvals, tuple(key or ()))
    if run.is_file():
        return _verify_pack(run, trusted, as_json)
    path = find_run(run, reports)
    check = verify_run(path, trusted)
    if as_json:
        emit(
            {
                "path": str(path),
                "verified": check.verified,
                "seal": check.digest,
                "decision": check.seal.decision,
                "problems": list(check.problems),
                "notes": list(check.notes),
            }
        )
    elif check.verified:
        count = len(check.seal.files)
        print(f"✔ {path}: {count} files match, and the records come to {check.seal.decision}.")
        for note in check.notes:
            print(f"  {visible(note)}")
        print("Not covered: report.html, junit.xml, summary.md (`llmeval report` rebuilds them).")
        print(f"Seal {check.digest}")
    else:
        print(f"✘ {path} is not verified:")
        for problem in check.problems:
            print(f"  {visible(problem)}")
    return ExitCode.PASS if check.verified else ExitCode.GATE_FAILED


def _verify_pack(pack: Path, trusted: "Trusted", as_json: bool) -> int:
    from llmeval.core.errors import ExitCode
    from llmeval.governance.pack_check import verify_pack
    from llmeval.report.safe_text import visible

    check = verify_pack(pack, trusted)
    if as_json:
        emit(
            {
                "path": str(pack),
                "verified": check.verified,
                "runs": {
                    name: {"seal": run.digest, "decision": run.seal.decision, "notes": run.notes}
                    for name, run in check.runs.items()
                },
                "problems": list(check.problems),
            }
        )
    elif check.verified:
        print(f"✔ {pack}: {len(check.index.files)} files match, {len(check.runs)} runs.")
        for name, run in check.runs.items():
            print(f"{name}: the records come to {run.seal.decision}. Seal {run.digest}")
            for note in run.notes:
                print(f"  {visible(note)}")
    else:
        print(f"✘ {pack} is not verified:")
        for problem in check.problems:
            print(f"  {visible(problem)}")
    return ExitCode.PASS if check.verified else ExitCode.GATE_FAILED
