"""Which JavaScript a suite can run as it is: code that reads no more of promptfoo than the answer,
the variables and the assertion's `config`. An import reads the source and runs none of it. What is
not recognised becomes a function to fill in.
"""

import re
from pathlib import Path

_CONTEXT = re.compile(
    r"\bcontext\b(?!\s*(?:\)|,|=>|\?\.\s*(?:vars|config)\b|\.\s*(?:vars|config)\b"
    r"|\[\s*['\"](?:vars|config)['\"]\s*\]))"
)
"""A use of `context` that is not one of its variables. A parameter list ends with `)`."""
_UNPACKED = re.compile(r"\{\s*(?:vars|config)(?:\s*,\s*(?:vars|config))?\s*\}\s*=\s*context\b")
_PROMPTFOO = re.compile(
    r"\b(?:providerResponse|logProbs|tokenUsage|latencyMs|mainModule|traceId|originalProvider)\b"
    r"|['\"]promptfoo|\b\w+\.(?:provider|prompt|trace|test(?!\s*\())\b"
)
"""Parts of promptfoo that a run does not pass on."""
_PROPERTY = re.compile(r"\boutput\s*(?:\?\.|\.)\s*(\w+)")
_TEXT_MEMBERS = frozenset(
    """at charAt charCodeAt codePointAt concat endsWith includes indexOf lastIndexOf length
    localeCompare match matchAll normalize padEnd padStart repeat replace replaceAll
    search slice split startsWith substr substring toLocaleLowerCase toLocaleUpperCase
    toLowerCase toString toUpperCase trim trimEnd trimStart valueOf""".split()
)
_ENDS = (".js", ".mjs", ".cjs")


def runs_as_it_is(source: str, *, objects: bool) -> bool:
    """Whether code needs no more than a run passes to it.

    Args:
        source: the code of an assertion or of a change of the answer.
        objects: whether the output may be an object; if not, code that reads properties of it would
            mean something else.
    """
    if "{{" in source or "{%" in source or not source.strip():
        return False
    if _PROMPTFOO.search(source) or _CONTEXT.search(_UNPACKED.sub("", source)):
        return False
    return objects or all(name in _TEXT_MEMBERS for name in _PROPERTY.findall(source))


def file_runs_as_it_is(path: Path, *, objects: bool) -> bool:
    """The same for a file. TypeScript is not run."""
    if path.suffix not in _ENDS:
        return False
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    return runs_as_it_is(source, objects=objects)


def provider_runs_as_it_is(path: Path) -> bool:
    """Whether a provider's file can be called: JavaScript that does not import promptfoo."""
    if path.suffix not in _ENDS:
        return False
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    return "callApi" in source and not re.search(r"['\"]promptfoo", source)


def split_file(name: str) -> tuple[str, str]:
    """`file://name.js:function` as file and function; the function is empty for the default."""
    match = re.fullmatch(r"(?:file://)?(.*?\.[cm]?[jt]s)(?::([\w.]+))?", name)
    return (match[1], match[2] or "") if match else (name, "")
