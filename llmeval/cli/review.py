"""`llmeval review`: the report in a browser, where votes become labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli import review_team
from llmeval.cli.common import Json, Reports, RunPath, emit, find_run
from llmeval.cli.history_common import index_again
from llmeval.cli.monitor_group import DefaultGroup
from llmeval.cli.review_serving import (
    Metrics,
    N,
    NoOpen,
    PagedRun,
    Port,
    RandomShare,
    Reviewer,
    ReviewStoreUrl,
    paged,
    reviewer_name,
    serve,
)
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.review.queue import ReviewQueue
    from llmeval.review.session import ReviewSession
    from llmeval.store.directory import RunDir
    from llmeval.web.guarded_server import Listening


class ReviewGroup(DefaultGroup):
    """`llmeval review RUN` is `llmeval review open RUN`."""

    default = "open"


app = typer.Typer(
    cls=ReviewGroup,
    help=(
        "Review the answers of a run in the browser: `llmeval review RUN`. Its options:"
        " `llmeval review open --help`."
    ),
    no_args_is_help=True,
)
review_team.add_to(app)


@app.command("open")
def open_(
    run: RunPath,
    reviewer: Reviewer = None,
    n: N = 50,
    random_share: RandomShare = 0.2,
    metric: Metrics = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            help="Show this run's answers too; default: the baseline, if it exists.",
            metavar="RUN",
        ),
    ] = None,
    doubtful: Annotated[
        bool,
        typer.Option(
            "--doubtful",
            help=(
                "Review references that stored runs speak against, with all answers side by side."
            ),
        ),
    ] = False,
    store: ReviewStoreUrl = None,
    port: Port = 0,
    host: Annotated[
        str,
        typer.Option(
            help=(
                "With --store: the address to listen on; beyond 127.0.0.1 only with TLS or a proxy."
            )
        ),
    ] = "127.0.0.1",
    tls_cert: Annotated[
        Path | None,
        typer.Option(help="With --store: certificate for TLS (PEM).", metavar="FILE"),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="With --store: its private key (PEM).", metavar="FILE")
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(
            help="With --store: the proxy in front of it, such as https://evals.example.org.",
            metavar="URL",
        ),
    ] = None,
    no_open: NoOpen = False,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Review the answers of a run in the browser. Votes become labels.

    The judge's verdict stays hidden until you have voted. If answers are assigned to you
    (`llmeval review assign`), they are your queue. The page is served on 127.0.0.1, and only with
    the address that is printed. Ctrl-C ends it.

    With --store a team reviews on one server. People enter with a token that
    `llmeval review token NAME` prints.
    """
    from llmeval.report.baseline_run import baseline_run
    from llmeval.store.directory import RunDir
    from llmeval.web.guarded_server import Listening

    directory = RunDir(find_run(run, reports))
    directory.verify()
    before = (
        baseline_run(directory, directory.manifest())
        if baseline is None
        else RunDir(find_run(baseline, reports))
    )
    listening = Listening(host, port, tls_cert, tls_key, proxy)
    _refuse_options(listening, store, reviewer, doubtful=doubtful)
    name = "" if store else reviewer_name(reviewer, directory.path)
    if doubtful:
        return _review_references(
            directory,
            reports,
            reviewer_name(reviewer, directory.path),
            n,
            port,
            no_open=no_open,
            as_json=as_json,
        )
    with paged(directory, before) as page:
        queue = _default_queue(page, metric or [], n, random_share)
        if store:
            from llmeval.cli.review_team import serve_team

            serve_team(page, store, queue, listening, no_open=no_open, as_json=as_json)
            return 0
        session = _serve_one(page, queue, name, port, no_open, as_json)
    if session.added:
        index_again(directory.path)
    _end(session, as_json=as_json)
    return 0


def _refuse_options(
    listening: "Listening", store: str | None, reviewer: str | None, *, doubtful: bool
) -> None:
    """Refuse options that have no effect together.

    Raises:
        UsageError: names them.
    """
    from llmeval.core.errors import UsageError
    from llmeval.web.guarded_server import LOOPBACK

    if store and (reviewer is not None or doubtful):
        raise UsageError(
            "--store has no effect with --reviewer or --doubtful: people enter the team's server"
            " with their token"
        )
    others = (listening.certificate, listening.key, listening.proxy)
    if not store and (listening.host != LOOPBACK or any(others)):
        raise UsageError(
            "--host, --tls-cert, --tls-key and --proxy need --store: without it the server has no"
            " accounts, and listens on 127.0.0.1 only"
        )


def _default_queue(page: PagedRun, named: list[str], n: int, share: float) -> "ReviewQueue":
    """The queue of reviewers without an assignment, in the order that the page finds urgent."""
    from llmeval.review.queue import make_queue, metrics_to_review

    metrics = metrics_to_review(page.run, named)
    return make_queue(page.run, page.answers, page.urgent, metrics, n, share)


def _serve_one(
    page: PagedRun, default: "ReviewQueue", reviewer: str, port: int, no_open: bool, as_json: bool
) -> "ReviewSession":
    """Serve one reviewer on this machine."""
    from llmeval.report.html.assets import policy
    from llmeval.review.assignment import queue_of
    from llmeval.review.review_store import RunFolder
    from llmeval.review.server import ReviewServer
    from llmeval.review.session import ReviewSession

    store = RunFolder(page.run)
    queue = queue_of(store, reviewer, default)
    store.add_draws(queue.draws.values())
    session = ReviewSession(
        page.run, reviewer, page.answers, lambda: queue_of(store, reviewer, default), store
    )
    server = ReviewServer(session, page.page, policy(served=True), port)
    drawn = sum(len(made.drawn) for made in default.draws.values())
    what = "assigned to you" if queue is not default else f"{drawn:,} of them drawn at random"
    about = (
        f"Reviewing {page.run.path} as {session.reviewer}:"
        f" {count(len(queue.items), 'answer')}, {what}, {session.done():,} done."
    )
    serve(server, about, no_open=no_open, as_json=as_json)
    return session


def _review_references(
    run: "RunDir",
    reports: Path,
    reviewer: str,
    n: int,
    port: int,
    *,
    no_open: bool,
    as_json: bool,
) -> int:
    """Serve the queue of doubtful references."""
    import tempfile

    from llmeval.core.errors import UsageError
    from llmeval.datatests.doubtful import doubtful_cases
    from llmeval.review.reference_page import reference_policy, write_reference_page
    from llmeval.review.references import ReferenceSession
    from llmeval.review.server import ReviewServer
    from llmeval.store.labels import REFERENCE_LABELS
    from llmeval.store.people_files import folder_of

    cases = doubtful_cases(run, reports, n)
    if not cases:
        raise UsageError(
            f"{run.path}: no reference is doubtful by the runs below {reports}. It takes answers of"
            " at least 3 different candidates to the same cases"
        )
    session = ReferenceSession(run, reviewer, cases)
    with tempfile.TemporaryDirectory(prefix="llmeval-review-") as folder:
        page = Path(folder) / "review.html"
        write_reference_page(page, run.manifest().suite, cases)
        server = ReviewServer(session, page, reference_policy(), port)
        about = (
            f"Reviewing references of {run.path} as {session.reviewer}:"
            f" {count(len(cases), 'case')}, {len(session.state()):,} done."
        )
        serve(server, about, no_open=no_open, as_json=as_json)
    path, suite = folder_of(run.path / REFERENCE_LABELS), run.manifest().suite_file
    if as_json:
        emit({"reviewer": session.reviewer, "added": session.added, "labels": str(path)})
    else:
        print(f"\n{count(session.added, 'label')} saved in {path}.")
        print(f"Next: llmeval data fix {suite} --reports {reports}")
    return 0


def _end(session: "ReviewSession", *, as_json: bool) -> None:
    """Say what was saved and what comes next."""
    from llmeval.store.directory import LABELS
    from llmeval.store.labels import has_labels
    from llmeval.store.people_files import folder_of

    path, done, total = session.run.path / LABELS, session.done(), len(session.queue.items)
    if as_json:
        emit(
            {
                "reviewer": session.reviewer,
                "added": session.added,
                "done": done,
                "queue": total,
                "labels": str(folder_of(path)),
            }
        )
        return
    print(
        f"\n{count(session.added, 'record')} saved in {session.run.path}; {done:,} of"
        f" {count(total, 'answer')} of the queue done."
    )
    if not has_labels(path):
        return
    print(f"Next: llmeval labels stats {session.run.path}")
    manifest = session.run.manifest()
    for name in manifest.judges:
        certificate = f"certificates/{manifest.suite}-{name}.json"
        print(
            f"      llmeval judge certify {manifest.suite_file}:{name} --labels"
            f" {session.run.path} --out {certificate}"
        )
