"""The result of a run, sent to the CI server that runs this."""

from collections.abc import Mapping

from llmeval.report.ci.annotations import RunNotice
from llmeval.report.ci.format import Format, detect


def tell(notice: RunNotice, format_: Format, environment: Mapping[str, str]) -> list[str]:
    """Write the files that the server reads.

    Returns:
        The lines to print for it: commands of its log, where it has any.
    """
    chosen = detect(environment) if format_ is Format.AUTO else format_
    if chosen is Format.GITHUB:
        from llmeval.report.ci.github import tell_github

        return tell_github(notice, environment)
    if chosen is Format.GITLAB and notice.folder is not None:
        from llmeval.report.ci.gitlab import write_metrics

        write_metrics(notice.folder, notice.summary)
    if chosen is Format.AZURE:
        from llmeval.report.ci.azure import tell_azure

        return tell_azure(notice)
    return []
