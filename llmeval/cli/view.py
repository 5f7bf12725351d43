"""`llmeval view`: all runs in a browser, or as files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Json, Reports, console, emit
from llmeval.cli.history_common import HistoryUrl, open_for

if TYPE_CHECKING:
    from llmeval.view.server import ViewServer


def view(
    export: Annotated[
        Path | None,
        typer.Option(help="Write the pages to this folder, and serve nothing.", metavar="DIR"),
    ] = None,
    port: Annotated[
        int, typer.Option(help="The port; default: a free one.", min=0, max=65535, metavar="PORT")
    ] = 0,
    host: Annotated[
        str,
        typer.Option(help="The address to listen on; beyond 127.0.0.1 only with TLS or a proxy."),
    ] = "127.0.0.1",
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate for TLS (PEM).", metavar="FILE")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="Its private key (PEM).", metavar="FILE")
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(
            help="The proxy in front of it, such as https://evals.example.org.", metavar="URL"
        ),
    ] = None,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Print the address; do not start a browser.")
    ] = False,
    history: HistoryUrl = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Show all runs in the browser: suites, trends, cases through time, comparisons, leaderboards.

    The page is served on 127.0.0.1, and only with the address that is printed. Ctrl-C ends it. With
    --export the pages are files, for a CI artifact or a static site.
    """
    from llmeval.view.links import ServedLinks
    from llmeval.view.page import Site
    from llmeval.view.server import ViewServer
    from llmeval.web.guarded_server import Listening

    with open_for(reports, history) as opened:
        if export is not None:
            from llmeval.view.export import export_pages

            pages = export_pages(opened, export)
            _say_exported(export, pages, as_json=as_json)
            return 0
        place = str(reports) if not opened.store.shared else opened.store.name
        site = Site(opened, ServedLinks(), f"The runs of {place}, as they are now.")
        listening = Listening(host, port, tls_cert, tls_key, proxy)
        _serve(ViewServer(site, listening), no_open=no_open, as_json=as_json)
    return 0


def _say_exported(folder: Path, pages: int, *, as_json: bool) -> None:
    if as_json:
        emit({"folder": str(folder), "pages": pages})
    else:
        console().print(
            f"{pages:,} pages in {folder}: open {folder / 'index.html'}",
            markup=False,
            soft_wrap=True,
        )


def _serve(server: "ViewServer", *, no_open: bool, as_json: bool) -> None:
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
        print(f"Open {server.url}\nCtrl-C ends it.", flush=True)
    if not no_open:
        webbrowser.open(server.launch)
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
