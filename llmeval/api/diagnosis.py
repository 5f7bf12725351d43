"""The checks of `llmeval doctor`, from Python."""

from pathlib import Path

from llmeval.api.machine_diagnosis import Diagnosis, diagnose_machine
from llmeval.api.own_thread import own_loop
from llmeval.api.suite_diagnosis import diagnose_suite


@own_loop
def doctor(
    suite: str | Path | None = None,
    *,
    environment: str | None = None,
    ask: bool = True,
    reports: str | Path = "reports",
) -> list[Diagnosis]:
    """Check this machine, and with a suite its file, models, endpoints and certificates.

    Args:
        suite: the suite file; None: only the machine.
        environment: one of the suite's environments.
        ask: whether each model gets one short question, which costs a call.
        reports: the folder that runs would be written to.

    Returns:
        All findings, also the good ones. A run is possible if none has the state `bad`.
    """
    findings = list(diagnose_machine(Path(reports)))
    if suite is not None:
        findings += diagnose_suite(Path(suite), environment, ask=ask)
    return findings
