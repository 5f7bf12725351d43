"""Azure Pipelines: issues of the build, and the summary beside it.

Source: Microsoft Learn, "Logging commands"; properties escape `;`, `]`, `\\r`, `\\n` and `%`.
"""

from llmeval.report.ci.annotations import Annotation, annotations
from llmeval.report.ci.dispatch import RunNotice


def tell_azure(told: RunNotice) -> list[str]:
    """The logging commands to print."""
    lines = [_issue(point) for point in annotations(told) if point.level != "notice"]
    if told.folder is not None:
        lines.append(f"##vso[task.uploadsummary]{(told.folder / 'summary.md').resolve()}")
    return lines


def _issue(point: Annotation) -> str:
    where = f";sourcepath={_value(point.file)}" if point.file else ""
    line = "" if point.line is None else f";linenumber={point.line}"
    return (
        "##vso[task.logissue"
        f" type={point.level}{where}{line}]{_data(f'{point.title}: {point.message}')}"
    )


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")
