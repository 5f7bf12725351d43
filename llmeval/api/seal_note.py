"""The seal of a run, for its report."""

from datetime import UTC, datetime
from pathlib import Path

from llmeval.core.errors import LlmevalError
from llmeval.report.seal_note import SealNote
from llmeval.store.directory import RunDir


def seal_note(run: RunDir) -> SealNote | None:
    """What the report of a run says about its seal; None for a run without one."""
    from llmeval.governance.approvals import FOLDER, read_approvals
    from llmeval.governance.seal import SEAL
    from llmeval.governance.verify import check_seal

    if not (run.path / SEAL).exists():
        return None
    try:
        check, summary = check_seal(run.path, records_are_checked=True), run.summary()
        if check.problems:
            return SealNote(check.digest, summary, check.problems[0])
        folders = [run.path / FOLDER, Path(run.manifest().suite_file).parent / FOLDER]
        today = datetime.now(UTC).date().isoformat()
        approvals = tuple(
            each
            for _, each in read_approvals(folders, check.seal.run_id)
            if each.seal == check.digest and (each.until is None or each.until >= today)
        )
    except LlmevalError as error:
        return SealNote("", None, str(error))
    return SealNote(check.digest, summary, approvals=approvals)
