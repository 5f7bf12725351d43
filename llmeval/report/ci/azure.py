"""Azure Pipelines: issues of the build, and its summary.

Source: Microsoft Learn, "Logging commands"; properties escape `;`, `]`, `\\r`, `\\n` and `%`.
"""

from llmeval.report.ci.annotations import Annotation, RunNotice, annotations


def tell_azure(notice: RunNotice) -> list[str]:
    """The logging commands to print."""
    lines = [
        _issue(annotation) for annotation in annotations(notice) if annotation.level != "notice"
    ]
    if notice.folder is not None:
        lines.append(f"##vso[task.uploadsummary]{(notice.folder / 'summary.md').resolve()}")
    return lines


def _issue(annotation: Annotation) -> str:
    where = f";sourcepath={_value(annotation.file)}" if annotation.file else ""
    line = "" if annotation.line is None else f";linenumber={annotation.line}"
    text = _data(f"{annotation.title}: {annotation.message}")
    return f"##vso[task.logissue type={annotation.level}{where}{line}]{text}"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")
