"""What the commands of `llmeval review` share: the page, the queue, and serving until Ctrl-C."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from llmeval.report.html.row import ReportRow
    from llmeval.report.html.triage import Triage
    from llmeval.review.intake import AnswerStatus
    from llmeval.review.review_store import ReviewStore
    from llmeval.store.directory import RunDir, UnitKey
    from llmeval.web.guarded_server import GuardedServer

ReviewStoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        help=(
            "Keep labels, comments and assignments on a server, for a team:"
            " postgresql://USER:PASSWORD@HOST/DATABASE. A variable keeps the password out of the"
            " list of processes."
        ),
        metavar="URL",
        envvar="LLMEVAL_REVIEW_STORE",
        show_default=False,
    ),
]
N = Annotated[int, typer.Option("--n", help="The number of answers to review.", metavar="N")]
RandomShare = Annotated[
    float,
    typer.Option(
        help="The share of random answers: only those can measure a judge.", metavar="SHARE"
    ),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(help="Vote on this metric; default: all that judges decide.", metavar="METRIC"),
]
Port = Annotated[
    int, typer.Option(help="The port; default: a free one.", min=0, max=65535, metavar="PORT")
]
NoOpen = Annotated[
    bool, typer.Option("--no-open", help="Print the address; do not start a browser.")
]
Reviewer = Annotated[
    str | None,
    typer.Option(help="The name of the reviewer; default: your login name.", metavar="NAME"),
]


class PagedRun(NamedTuple):
    """A run whose page was written."""

    run: "RunDir"
    page: Path
    answers: "dict[tuple[str, int], AnswerStatus]"
    urgent: "list[UnitKey]"
    """Answers that need attention, the most urgent first."""


@contextmanager
def paged(run: "RunDir", baseline: "RunDir | None") -> Iterator[PagedRun]:
    """The page of a run, in a temporary folder."""
    import tempfile

    from llmeval.report.html import write_html
    from llmeval.report.html.triage import TriageQueue
    from llmeval.review.intake import answers_of

    urgent: list[tuple[int, float, int, UnitKey]] = []

    def watch(row: "ReportRow", place: "Triage") -> None:
        if place.queue is not TriageQueue.REST:
            key = (row.case.id, row.now.answer.repeat)
            urgent.append((place.queue, -place.priority, len(urgent), key))

    with tempfile.TemporaryDirectory(prefix="llmeval-review-") as folder:
        page = Path(folder) / "review.html"
        # every row is held: whatever is drawn must be there to be read
        write_html(run, page, baseline=baseline, embed="all", served=True, watch=watch)
        yield PagedRun(run, page, answers_of(run), [key for *_, key in sorted(urgent)])


@contextmanager
def opened_store(run: "RunDir", url: str | None) -> "Iterator[ReviewStore]":
    """Where the records of a review are: on the server, or in the run's directory."""
    from llmeval.review.postgres_store import PostgresReview, ReviewDatabase
    from llmeval.review.review_store import RunFolder

    if not url:
        yield RunFolder(run)
        return
    manifest = run.manifest()
    with ReviewDatabase(url) as database:
        yield PostgresReview(database, manifest.run_id, manifest.suite)


def serve(server: "GuardedServer", about: str, *, no_open: bool, as_json: bool) -> None:
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


def login() -> str:
    """The login name of the person who runs the command."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "reviewer"


def reviewer_name(stated: str | None, run: Path) -> str:
    """The name on a reviewer's labels; by default the login name.

    Args:
        stated: the value of `--reviewer`.
        run: the directory of the run.

    Raises:
        UsageError: the name is empty or confusable, or the run has labels of this person in another
            spelling, which would count as a second person.
        StoreError: the run's labels can't be read.
    """
    from llmeval.core.errors import UsageError
    from llmeval.core.person_names import person_key, person_name
    from llmeval.store.directory import LABELS
    from llmeval.store.labels import read

    name = person_name(login() if stated is None else stated, "--reviewer")
    for label in read(run / LABELS):
        if label.reviewer != name and person_key(label.reviewer) == person_key(name):
            raise UsageError(
                f"--reviewer {name}: {run} has labels of {label.reviewer!r}, the same name in"
                " another spelling: write it as there"
            )
    return name
