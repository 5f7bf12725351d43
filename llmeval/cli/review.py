"""`llmeval review`: the report in a browser on this machine, where votes become labels."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Json, Reports, RunPath, emit, find_run
from llmeval.cli.history_common import index_again
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.report.html.row import ReportRow
    from llmeval.report.html.triage import Triage
    from llmeval.review.server import ReviewServer
    from llmeval.review.session import ReviewSession
    from llmeval.store.directory import RunDir, UnitKey


def review(
    run: RunPath,
    reviewer: Annotated[
        str | None,
        typer.Option(help="The name of the reviewer; default: your login name.", metavar="NAME"),
    ] = None,
    n: Annotated[
        int, typer.Option("--n", help="The number of answers to review.", metavar="N")
    ] = 50,
    random_share: Annotated[
        float,
        typer.Option(
            help="The share of random answers: only those can measure a judge.", metavar="SHARE"
        ),
    ] = 0.2,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Vote on this metric; default: all that judges decide.", metavar="METRIC"
        ),
    ] = None,
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
    port: Annotated[
        int, typer.Option(help="The port; default: a free one.", min=0, max=65535, metavar="PORT")
    ] = 0,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Print the address; do not start a browser.")
    ] = False,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Review the answers of a run in the browser. Votes become labels.

    The judge's verdict stays hidden until you have voted. Nothing leaves this machine: the page is
    served on 127.0.0.1, and only with the address that is printed. Ctrl-C ends it.
    """
    import tempfile

    from llmeval.report.baseline_run import baseline_run
    from llmeval.report.html.assets import policy
    from llmeval.review.server import ReviewServer
    from llmeval.store.directory import RunDir

    directory = RunDir(find_run(run, reports))
    directory.verify()
    before = (
        baseline_run(directory, directory.manifest())
        if baseline is None
        else RunDir(find_run(baseline, reports))
    )
    if doubtful:
        return _review_references(
            directory, reports, reviewer or _login(), n, port, no_open=no_open, as_json=as_json
        )
    with tempfile.TemporaryDirectory(prefix="llmeval-review-") as folder:
        page = Path(folder) / "review.html"
        session = _session(
            directory, before, page, reviewer or _login(), n, random_share, metric or []
        )
        server = ReviewServer(session, page, policy(served=True), port)
        drawn = sum(len(review_session.drawn) for review_session in session.queue.draws.values())
        about = (
            f"Reviewing {directory.path} as {session.reviewer}:"
            f" {count(len(session.queue.items), 'answer')}, {drawn:,} of them drawn at random,"
            f" {session.done():,} done."
        )
        _serve(server, about, no_open=no_open, as_json=as_json)
    if session.added:
        index_again(directory.path)
    _end(session, as_json=as_json)
    return 0


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
        _serve(server, about, no_open=no_open, as_json=as_json)
    path, suite = run.path / REFERENCE_LABELS, run.manifest().suite_file
    if as_json:
        emit({"reviewer": session.reviewer, "added": session.added, "labels": str(path)})
    else:
        print(f"\n{count(session.added, 'label')} saved in {path}.")
        print(f"Next: llmeval data fix {suite} --reports {reports}")
    return 0


def _session(
    run: "RunDir",
    before: "RunDir | None",
    page: Path,
    reviewer: str,
    n: int,
    share: float,
    named: list[str],
) -> "ReviewSession":
    """The page written, and the queue in the order that the page finds urgent."""
    from llmeval.report.html import write_html
    from llmeval.report.html.triage import TriageQueue
    from llmeval.review.intake import answers_of
    from llmeval.review.queue import make_queue, metrics_to_review
    from llmeval.review.session import ReviewSession

    metrics, answers = metrics_to_review(run, named), answers_of(run)
    urgent: list[tuple[int, float, int, UnitKey]] = []

    def watch(row: "ReportRow", place: "Triage") -> None:
        if place.queue is not TriageQueue.REST:
            key = (row.case.id, row.now.answer.repeat)
            urgent.append((place.queue, -place.priority, len(urgent), key))

    # every row is held: whatever is drawn must be there to be read
    write_html(run, page, baseline=before, embed="all", served=True, watch=watch)
    queue = make_queue(run, answers, (key for *_, key in sorted(urgent)), metrics, n, share)
    return ReviewSession(run, reviewer, answers, queue)


def _serve(server: "ReviewServer", about: str, *, no_open: bool, as_json: bool) -> None:
    """Until Ctrl-C, or SIGTERM; also where the process was started with SIGINT ignored, as shells
    do with `&`.
    """
    import signal
    import webbrowser

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)

    if as_json:
        print(server.url, file=sys.stderr, flush=True)
    else:
        print(about)
        print(
            f"Open {server.url}\nCtrl-C ends the review; every vote is saved at once.", flush=True
        )
    if not no_open:
        webbrowser.open(server.launch)
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _end(session: "ReviewSession", *, as_json: bool) -> None:
    from llmeval.store.directory import LABELS

    path, done, total = session.run.path / LABELS, session.done(), len(session.queue.items)
    if as_json:
        emit(
            {
                "reviewer": session.reviewer,
                "added": session.added,
                "done": done,
                "queue": total,
                "labels": str(path),
            }
        )
        return
    print(
        f"\n{count(session.added, 'label')} saved in {path}; {done:,} of {count(total, 'answer')}"
        " of the queue done."
    )
    if not path.exists():
        return
    print(f"Next: llmeval labels stats {session.run.path}")
    manifest = session.run.manifest()
    for name in manifest.judges:
        certificate = f"certificates/{manifest.suite}-{name}.json"
        print(
            f"      llmeval judge certify {manifest.suite_file}:{name} --labels"
            f" {session.run.path} --out {certificate}"
        )


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "reviewer"
