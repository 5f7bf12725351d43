"""Statements of a run, written next to it, with signatures where a key is named."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from llmeval.core.errors import StoreError
from llmeval.core.files import write_atomically
from llmeval.governance.canonical import canonical_bytes
from llmeval.governance.dsse import private_key, signed_envelope
from llmeval.governance.ssh import sign_file
from llmeval.governance.statements import (
    EVALUATION,
    NO_APPROVALS,
    TEST_RESULT,
    VERIFICATION,
    SealedSummary,
    StatedApprovals,
    Subject,
    default_subjects,
    evaluation,
    statement,
    test_result,
    verification,
)
from llmeval.governance.verify import check_seal
from llmeval.store.directory import RunDir

FILES = {
    TEST_RESULT: "attestation.json",
    VERIFICATION: "attestation.svr.json",
    EVALUATION: "attestation.evaluation.json",
}
"""Where each predicate stands in the run's directory; its envelope ends in `.dsse.json`."""


class Attestation(NamedTuple):
    """What was written. `left_out`: the predicates that this run can't have, with the reason."""

    files: tuple[Path, ...]
    left_out: dict[str, str]


def attest(
    run: Path,
    subjects: Sequence[Subject] = (),
    sign: str | None = None,
    approvals: StatedApprovals = NO_APPROVALS,
) -> Attestation:
    """Write the statements of a sealed run.

    Args:
        run: its directory.
        subjects: what was tested; default: the candidate, and the commit of a clean checkout.
        sign: `ed25519:FILE`, `ed25519:env` or `ssh:FILE`; None: no signature.
        approvals: what people decided about the run.

    Raises:
        UsageError: no such key, or nothing to attest. StoreError: the run does not fit its seal.
    """
    key = None if sign is None or sign.startswith("ssh:") else private_key(sign)
    check = check_seal(run)
    if check.problems:
        raise StoreError(f"{run}: is not what was sealed: {check.problems[0]}")
    directory = RunDir(run)
    sealed = SealedSummary(check.seal, directory.manifest(), directory.summary())
    predicates = {
        TEST_RESULT: test_result(sealed, approvals),
        VERIFICATION: verification(sealed, approvals),
        EVALUATION: evaluation(sealed, approvals),
    }
    named = list(subjects) or default_subjects(sealed.manifest)
    written: list[Path] = []
    for kind, predicate in predicates.items():
        path, envelope = run / FILES[kind], run / FILES[kind].replace(".json", ".dsse.json")
        for old in (path, envelope, Path(f"{path}.sig")):
            old.unlink(missing_ok=True)  # a statement of an earlier state must not stay
        if predicate is None:
            continue
        payload = canonical_bytes(statement(named, kind, predicate))
        write_atomically(path, payload)
        written.append(path)
        if key is not None:
            write_atomically(envelope, signed_envelope(payload, key))
            written.append(envelope)
        elif sign is not None:
            written.append(sign_file(path, Path(sign.removeprefix("ssh:"))))
    reasons = {
        TEST_RESULT: "the run has no result (INVALID, incomplete, or a gate without rules)",
        VERIFICATION: "no property holds",
    }
    absent = {kind: reasons[kind] for kind, predicate in predicates.items() if predicate is None}
    return Attestation(tuple(written), absent)
