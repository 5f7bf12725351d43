"""The rule `volume`: has the traffic itself fallen? A fixed share, without statistics."""

from collections.abc import Sequence
from statistics import median

from llmeval.core.formatting import percent
from llmeval.core.monitor_record import MonitorRecord
from llmeval.stats.sequential.mean_drop import REFERENCE_DAYS


def volume_alarm(records: Sequence[MonitorRecord], share: float | None) -> str:
    """A sentence about the newest day, if it has fewer answers than a share of the median day of
    the reference; else empty, also while the reference is learned.

    Args:
        records: since the last acknowledgement, in their order. share: in (0, 1); None without
            the rule.
    """
    looks = [each for each in records if each.kind == "look"]
    if share is None or len(looks) <= REFERENCE_DAYS:
        return ""
    usual = median(each.lines for each in looks[:REFERENCE_DAYS])
    newest = looks[-1]
    if newest.lines >= share * usual:
        return ""
    return (
        f"volume: {newest.lines:,} answers on {newest.day}; the median day of the reference has"
        f" {usual:,.0f}, and the rule demands {percent(share)} of it"
    )
