"""Telling the CI server how a run came out."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from llmeval.core.manifest import Manifest
from llmeval.core.results import Summary
from llmeval.report.ci.format import Format, detect
from llmeval.report.failing_cases import FailingCase


class RunNotice(NamedTuple):
    """A run, and what there is to say about it. `folder`: where its reports were written, None
    where none were.
    """

    run: Path
    folder: Path | None
    summary: Summary
    manifest: Manifest
    troubles: list[FailingCase]


def tell(told: RunNotice, format_: Format, environment: Mapping[str, str]) -> list[str]:
    """Write what the server takes as files; gives the lines to print for it (commands of its log,
    if it has any).
    """
    chosen = detect(environment) if format_ is Format.AUTO else format_
    if chosen is Format.GITHUB:
        from llmeval.report.ci.github import tell_github

        return tell_github(told, environment)
    if chosen is Format.GITLAB and told.folder is not None:
        from llmeval.report.ci.gitlab import write_metrics

        write_metrics(told.folder, told.summary)
    if chosen is Format.AZURE:
        from llmeval.report.ci.azure import tell_azure

        return tell_azure(told)
    return []
