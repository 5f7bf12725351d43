"""`llmeval audit`: the chain of events that concern a suite."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Json, emit

app = typer.Typer(
    help="The chain of events next to a suite: approvals, baselines, triggers.",
    no_args_is_help=True,
)
Chain = Annotated[
    Path, typer.Argument(help="The chain, or the folder that it is in.", metavar="AUDIT")
]
By = Annotated[str, typer.Option(help="Who does it.", metavar="NAME")]


@app.command()
def start(chain: Chain, by: By, as_json: Json = False) -> int:
    """Begin a chain. From then on the commands next to it add their events."""
    from llmeval.core.errors import UsageError
    from llmeval.core.person_names import person_name
    from llmeval.governance.audit import append_event

    path = _path(chain)
    if path.exists() and path.stat().st_size:
        raise UsageError(f"{path}: there is a chain already")
    event = append_event(path, person_name(by, "--by"), "started", path.name)
    _print(path, event.hash, as_json)
    return 0


@app.command()
def verify(
    chain: Chain,
    anchor: Annotated[
        str | None,
        typer.Option(help="A hash that was kept elsewhere; it must be in the chain."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Check every event of a chain. Exit code 0: it holds. 1: it does not. 3: it can't be read."""
    from llmeval.core.errors import ExitCode, StoreError
    from llmeval.governance.audit import check_anchor, read_chain
    from llmeval.report.safe_text import visible

    path = _path(chain)
    if not path.is_file():
        raise StoreError(f"{path}: there is no such chain. `llmeval audit start` begins one")
    check = read_chain(path)
    problems = list(check.problems)
    if not check.events:
        problems.append(f"{path}: holds no event")
    if len(check.ends) > 1:
        problems.append(f"{path}: has {len(check.ends)} ends; `llmeval audit merge` joins them")
    if anchor is not None and (missing := check_anchor(check, anchor)):
        problems.append(missing)
    if as_json:
        emit({"events": len(check.events), "ends": list(check.ends), "problems": problems})
    elif problems:
        for problem in problems:
            print(f"✘ {visible(problem)}")
    else:
        print(f"✔ {path}: {len(check.events)} events. Its end is {check.ends[0]}")
        if anchor is None:
            print("A cut end does not show without --anchor HASH, a hash kept elsewhere.")
    return ExitCode.GATE_FAILED if problems else ExitCode.PASS


@app.command()
def merge(chain: Chain, by: By, as_json: Json = False) -> int:
    """Join the two ends that two branches of a repository leave."""
    from llmeval.core.person_names import person_name
    from llmeval.governance.audit import join_branches

    path = _path(chain)
    event = join_branches(path, person_name(by, "--by"))
    if event is None:
        print(f"{path}: has one end already.")
        return 0
    _print(path, event.hash, as_json)
    return 0


@app.command()
def show(chain: Chain, as_json: Json = False) -> int:
    """List the events."""
    import msgspec

    from llmeval.governance.audit import read_chain
    from llmeval.report.safe_text import one_line

    events = read_chain(_path(chain)).events
    if as_json:
        emit([msgspec.to_builtins(each) for each in events])
        return 0
    for each in events:
        note = f": {one_line(each.note, 200)}" if each.note else ""
        print(
            f"{each.seq:>4}  {each.at}  {one_line(each.actor, 40)}  {each.action}"
            f"  {one_line(each.object, 80)}{note}"
        )
    return 0


def _path(chain: Path) -> Path:
    from llmeval.governance.audit import AUDIT

    return chain / AUDIT if chain.is_dir() else chain


def _print(path: Path, hash_: str, as_json: bool) -> None:
    if as_json:
        emit({"path": str(path), "hash": hash_})
    else:
        print(f"{path}: {hash_}")
        print(f"To make a cut end visible, keep the hash elsewhere: Llmeval-Audit: {hash_}")
