"""`llmeval comment`: the run's summary as a comment on the pull or merge request."""

import os
from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import FormatOption, Json, Reports, RunPath, emit, find_run
from llmeval.report.ci.format import Format


def comment(
    run: RunPath,
    number: Annotated[
        int | None,
        typer.Option(help="The pull or merge request; default: that of the CI job.", metavar="N"),
    ] = None,
    report_url: Annotated[
        str | None,
        typer.Option(
            help=(
                "Where people can open the run's report.html; each case of the table links to it."
                " GitLab's artifacts have an address, GitHub's have none."
            ),
            metavar="URL",
            envvar="LLMEVAL_REPORT_URL",
            show_default=False,
        ),
    ] = None,
    format_: FormatOption = Format.AUTO,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Write the summary of a run to the pull or merge request.

    There is one comment for each suite, and later runs update it. A run that passes starts no
    comment. The text is made from the run's records, which are verified first. The token comes
    from GITHUB_TOKEN or GITLAB_TOKEN.
    """
    from llmeval.api import load_run
    from llmeval.report.ci.comment import link_to_artifact, publish, report_address, thread_of
    from llmeval.report.markdown import MAX_WORST, markdown
    from llmeval.report.run_view import recorded_view

    run_view = load_run(find_run(run, reports))
    run_view.directory.verify()
    thread = thread_of(os.environ, number, format_)
    address = report_address(os.environ, run_view.path, report_url)
    view = recorded_view(run_view.directory, run_view.manifest, run_view.summary, MAX_WORST)
    text = markdown(view, report=address)
    text += link_to_artifact(os.environ)
    done = publish(thread, text, news=run_view.summary.gate.decision != "PASS")
    if as_json:
        emit({"comment": done, "run": str(run_view.path)})
    else:
        print(
            {"quiet": "The run passes, and there is no comment to update: none was written."}.get(
                done, f"Comment {done}."
            )
        )
    return 0
