"""`llmeval review assign`, `adjudicate`, `token`, `push`, `pull`: the work of several reviewers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llmeval.cli.common import Json, Reports, RunPath, console, emit, find_run
from llmeval.cli.history_common import index_again
from llmeval.cli.review_serving import (
    Metrics,
    NoOpen,
    PagedRun,
    Port,
    RandomShare,
    Reviewer,
    ReviewStoreUrl,
    login,
    opened_store,
    paged,
    reviewer_name,
    serve,
)
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.core.review_records import Assignment
    from llmeval.gate.disputes import Dispute
    from llmeval.review.access import IssuedToken
    from llmeval.review.queue import ReviewQueue
    from llmeval.review.review_store import ReviewStore
    from llmeval.review.session import ReviewSession
    from llmeval.web.guarded_server import Listening


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group `llmeval review`."""
    for command in (assign, adjudicate, token, pull, push):
        app.command()(command)


def assign(
    run: RunPath,
    to: Annotated[
        list[str],
        typer.Option(help="A reviewer and a number of answers; may be repeated.", metavar="NAME:N"),
    ],
    double: Annotated[
        str,
        typer.Option(help="The share of answers that two reviewers label.", metavar="SHARE"),
    ] = "0%",
    random_share: RandomShare = 0.2,
    metric: Metrics = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same parts.", metavar="N")] = 0,
    store: ReviewStoreUrl = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Split a queue among reviewers: `--to ada:12 --to ben:12 --double 20%`.

    Each of them then sees their own part: `llmeval review RUN --reviewer ada`. Nothing in it tells
    which answers somebody else labels too, and nobody sees the votes of others before their own.
    """
    from llmeval.review.assignment import answers_needed, parse_parts, parse_share
    from llmeval.review.assignment import assign as split
    from llmeval.review.queue import fill_queue, metrics_to_review
    from llmeval.store.directory import RunDir

    parts, share = parse_parts(to), parse_share(double)
    different, _ = answers_needed(parts, share)
    directory = RunDir(find_run(run, reports))
    directory.verify()
    metrics = metrics_to_review(directory, metric or [])
    with paged(directory, None) as page:
        queue = fill_queue(
            directory, page.answers, page.urgent, metrics, different, random_share, seed
        )
    run_id = directory.manifest().run_id
    assignment = split(run_id, queue, parts, share, seed=seed, by=login())
    with opened_store(directory, store) as records:
        with records.writing():
            records.add_draws(queue.draws.values())
            added = records.add_assignments([assignment])
        _say_assigned(assignment, records, new=bool(added), as_json=as_json)
    return 0


def _say_assigned(
    assignment: "Assignment", records: "ReviewStore", *, new: bool, as_json: bool
) -> None:
    places = [(each.case_id, each.repeat) for part in assignment.parts.values() for each in part]
    twice = len(places) - len(set(places))
    if as_json:
        emit(
            {
                "assignment": assignment.assignment_id,
                "new": new,
                "answers": len(set(places)),
                "double": twice,
                "parts": {name: len(part) for name, part in assignment.parts.items()},
                "store": records.name,
            }
        )
        return
    out = console()
    state = "" if new else " (this assignment was there already)"
    out.print(
        f"{count(len(set(places)), 'answer')}, {twice:,} of them for two reviewers, in"
        f" {records.name}{state}:",
        markup=False,
    )
    for name, part in assignment.parts.items():
        out.print(f"  {name:<16} {len(part):>6,}", markup=False)
    out.print("Each reviewer opens: llmeval review RUN --reviewer NAME", markup=False)


def adjudicate(
    run: RunPath,
    reviewer: Reviewer = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Print the disputes; do not open the page.")
    ] = False,
    port: Port = 0,
    no_open: NoOpen = False,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Settle what reviewers differ on: all votes and reasons side by side, your verdict decides.

    Your verdict is a label of its own kind and names you. The votes stay as they are. Until a
    dispute is settled, its answer counts against each claim of the gate.
    """
    from llmeval.core.errors import UsageError
    from llmeval.gate.disputes import disputes_of
    from llmeval.review.intake import answers_of, fits
    from llmeval.store.directory import LABELS, RunDir
    from llmeval.store.labels import counted, read

    directory = RunDir(find_run(run, reports))
    directory.verify()
    answers = answers_of(directory)
    votes = counted(read(directory.path / LABELS))
    disputes = disputes_of({key: each for key, each in votes.items() if fits(each, answers)})
    if listed:
        _say_disputes(disputes, as_json=as_json)
        return 0
    if not any(each.decision is None for each in disputes):
        raise UsageError(
            f"{directory.path}: no dispute is open. `--list` shows the {len(disputes)} that were"
            " settled"
        )
    name = reviewer_name(reviewer, directory.path)
    with paged(directory, None) as page:
        session = _serve_disputes(page, disputes, name, port, no_open, as_json)
    if session.added:
        index_again(directory.path)
    if as_json:
        emit({"adjudicator": session.reviewer, "added": session.added})
    else:
        print(f"\n{count(session.added, 'record')} saved in {directory.path}.")
        print(f"Next: llmeval labels stats {directory.path}")
    return 0


def _serve_disputes(
    page: PagedRun,
    disputes: "list[Dispute]",
    reviewer: str,
    port: int,
    no_open: bool,
    as_json: bool,
) -> "ReviewSession":
    from llmeval.report.html.assets import policy
    from llmeval.review.queue import dispute_queue
    from llmeval.review.server import ReviewServer
    from llmeval.review.session import ReviewSession

    queue = dispute_queue(disputes)
    session = ReviewSession(page.run, reviewer, page.answers, queue, adjudicating=True)
    server = ReviewServer(session, page.page, policy(served=True), port)
    about = (
        f"Adjudicating {page.run.path} as {session.reviewer}:"
        f" {count(len(queue.items), 'answer')} on which reviewers differ."
    )
    serve(server, about, no_open=no_open, as_json=as_json)
    return session


def _say_disputes(disputes: "list[Dispute]", *, as_json: bool) -> None:
    if as_json:
        emit(
            [
                {
                    **each.place._asdict(),
                    "votes": [
                        {
                            "reviewer": label.reviewer,
                            "verdict": label.human_verdict,
                            "reason": label.comment,
                        }
                        for label in each.votes
                    ],
                    "settled": None
                    if each.decision is None
                    else {
                        "by": each.decision.reviewer,
                        "verdict": each.decision.human_verdict,
                        "reason": each.decision.comment,
                    },
                }
                for each in disputes
            ]
        )
        return
    out = console()
    for each in disputes:
        place = each.place
        out.print(f"{place.case_id} (repeat {place.repeat}) · {place.metric}", markup=False)
        for label in each.votes:
            reason = f": {label.comment}" if label.comment else ""
            name = label.reviewer or "(no name)"
            out.print(f"  {label.human_verdict:<5} {name}{reason}", markup=False)
        decision = each.decision
        if decision is not None:
            why = f": {decision.comment}" if decision.comment else ""
            out.print(
                f"  settled: {decision.human_verdict} by {decision.reviewer}{why}", markup=False
            )
    still = sum(each.decision is None for each in disputes)
    out.print(f"{count(len(disputes), 'dispute')}, {still:,} open", markup=False)


def token(
    name: Annotated[
        str | None,
        typer.Argument(help="Whose token it is.", metavar="[NAME]", show_default=False),
    ] = None,
    role: Annotated[
        Literal["reviewer", "approver"],
        typer.Option(help="A reviewer labels and comments; an approver also settles disputes."),
    ] = "reviewer",
    days: Annotated[int, typer.Option(help="How long it is valid.", metavar="N")] = 90,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Make all tokens of NAME invalid at once.")
    ] = False,
    store: ReviewStoreUrl = None,
    as_json: Json = False,
) -> int:
    """Issue a token for the review server of a team. It is printed once. Without NAME: list them.

    The database holds a hash of the token. Whoever may write to the database may issue tokens.
    """
    from llmeval.core.errors import UsageError
    from llmeval.review.access import issue_token, revoke_tokens, tokens
    from llmeval.review.postgres_store import ReviewDatabase

    if not store:
        raise UsageError("--store postgresql://... names the database that holds the tokens")
    with ReviewDatabase(store) as database:
        if name is None:
            _say_tokens(tokens(database), as_json=as_json)
        elif revoke:
            ended = revoke_tokens(database, name)
            text = f"{count(ended, 'token')} of {name} revoked"
            emit({"name": name, "revoked": ended}) if as_json else print(text)
        else:
            new_token = issue_token(database, name, role, days)
            issued = {"name": name, "role": role, "days": days, "token": new_token}
            emit(issued) if as_json else print(new_token)
    return 0


def _say_tokens(rows: "list[IssuedToken]", *, as_json: bool) -> None:
    if as_json:
        emit([row._asdict() for row in rows])
        return
    for row in rows:
        state = f"valid until {row.expires}" if row.valid else "not valid"
        console().print(f"{row.name:<20} {row.role:<9} {state}", markup=False)


def pull(
    run: RunPath,
    store: ReviewStoreUrl = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Copy a team's labels, comments and assignments from the server into the run's directory.

    `gate`, `labels stats`, `report` and `seal --again` read the directory. Copying twice adds
    nothing.
    """
    return _copy(run, store, reports, to_server=False, as_json=as_json)


def push(
    run: RunPath,
    store: ReviewStoreUrl = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Copy the labels, comments and assignments of a run's directory to the server of a team.

    Copying twice adds nothing.
    """
    return _copy(run, store, reports, to_server=True, as_json=as_json)


def _copy(run: Path, url: str | None, reports: Path, *, to_server: bool, as_json: bool) -> int:
    from llmeval.core.errors import UsageError
    from llmeval.review.review_store import RunFolder, copy_records
    from llmeval.store.directory import RunDir

    if not url:
        raise UsageError("--store postgresql://... names the database of the team")
    directory = RunDir(find_run(run, reports))
    directory.verify()
    folder = RunFolder(directory)
    with opened_store(directory, url) as server:
        added = copy_records(folder, server) if to_server else copy_records(server, folder)
    if not to_server and added["labels"]:
        index_again(directory.path)
    if as_json:
        emit({**added, "to": server.name if to_server else folder.name})
    else:
        what = ", ".join(f"{number:,} {kind}" for kind, number in added.items())
        console().print(f"Added {what}.", markup=False)
    return 0


def serve_team(
    page: PagedRun,
    url: str,
    default: "ReviewQueue",
    listening: "Listening",
    *,
    no_open: bool,
    as_json: bool,
) -> None:
    """Serve a run to everybody who has a token."""
    from llmeval.report.html.assets import policy
    from llmeval.review.access import Role
    from llmeval.review.assignment import queue_of
    from llmeval.review.postgres_store import PostgresReview, ReviewDatabase
    from llmeval.review.session import ReviewSession
    from llmeval.review.team_server import TeamServer

    listening.check()  # before the database is asked
    manifest = page.run.manifest()
    with ReviewDatabase(url) as database:
        store = PostgresReview(database, manifest.run_id, manifest.suite)
        store.add_draws(default.draws.values())

        def open_session(name: str, role: Role) -> ReviewSession:
            return ReviewSession(
                page.run,
                name,
                page.answers,
                lambda: queue_of(store, name, default),
                store,
                may_adjudicate=role == "approver",
                team=True,
            )

        server = TeamServer(open_session, page.page, policy(served=True), database, listening)
        about = f"Reviewing {page.run.path} with the records in {store.name}."
        serve(server, about, no_open=no_open, as_json=as_json)
    if as_json:
        emit({"added": server.added, "store": store.name})
    else:
        print(f"\n{count(server.added, 'record')} saved in {store.name}.")
        print(f"Next: llmeval review pull {page.run.path} --store URL")
