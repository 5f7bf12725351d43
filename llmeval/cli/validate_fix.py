"""`llmeval validate --fix`: correct misspelled keys in the file, and show the difference."""

import difflib
from dataclasses import asdict
from pathlib import Path

from llmeval.core.errors import LlmevalError, UsageError


def fix_file(path: Path, environment: str | None) -> tuple[list[dict[str, object]], str]:
    """Correct the misspelled keys of a suite file, if the file is valid afterwards.

    Returns:
        The corrections, and the difference as text; both empty if nothing was changed.

    Raises:
        SuiteError: the file is still not valid with the corrections, so it was not changed.
        UsageError: it can't be read or written.
    """
    from llmeval.api import validate
    from llmeval.core.files import write_atomically
    from llmeval.suite.key_fixes import fix_keys
    from llmeval.suite.loader import parse_suite

    try:
        before = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return [], ""  # the check that follows says what is wrong
    after, fixes = fix_keys(before, str(path))
    if not fixes:
        return [], ""
    names = ", ".join(f"{fix.before} -> {fix.after} (line {fix.line})" for fix in fixes)
    try:
        validate(parse_suite(after, path, environment))
    except LlmevalError as error:
        raise type(error)(
            f"--fix: {path} was not changed. With {names} it is still not valid: {error}"
        ) from None
    try:
        write_atomically(path.resolve(), after.encode())
    except OSError as error:
        raise UsageError(f"--fix: {path}: {error.strerror}") from None
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), str(path), str(path), n=1, lineterm=""
    )
    return [asdict(fix) for fix in fixes], "\n".join(lines)
