"""`llmeval card`: the section of a model card about a sealed run."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Json, Reports, RunPath, emit, find_run


def card(
    run: RunPath,
    out: Annotated[
        Path | None, typer.Option(help="Write the section here; default: print it.", metavar="FILE")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            "--eval-results",
            help="Also write the results for `.eval_results/` of the Hugging Face Hub.",
            metavar="FILE.yaml",
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="With --eval-results: the data set on the Hub.", metavar="OWNER/NAME"),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="With --eval-results: a page with the report.", metavar="URL")
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Write the section of a model card about a sealed run, as Markdown.

    It has the results with intervals, the slices below the mean, the judges' certificates, and what
    was not tested. It never says that a result is verified.
    """
    import re

    import yaml

    from llmeval.core.errors import UsageError
    from llmeval.core.files import write_atomically
    from llmeval.governance.verify import check_seal
    from llmeval.report.card import card as section
    from llmeval.report.card import eval_results
    from llmeval.store.directory import RunDir

    if results is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", dataset or ""):
        raise UsageError("--eval-results needs the data set on the Hub: --dataset OWNER/NAME")
    path = find_run(run, reports)
    check = check_seal(path)
    if check.problems:
        raise UsageError(f"{path} is not what was sealed: {check.problems[0]}")
    directory = RunDir(path)
    manifest, summary = directory.manifest(), directory.summary()
    text = section(manifest, summary, check.digest)
    if out is not None:
        write_atomically(out, text.encode())
    if results is not None and dataset is not None:
        entries = eval_results(manifest, summary, dataset, url)
        document = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
        write_atomically(results, document.encode())
    if as_json:
        emit({"markdown": text, "files": [str(each) for each in (out, results) if each]})
    elif out is None:
        print(text, end="")
    else:
        print(out)
    return 0
