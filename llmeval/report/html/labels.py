"""What people said about a run's answers: `labels.jsonl`, read leniently."""

import msgspec

from llmeval.core.records import Label
from llmeval.store.directory import LABELS, RunDir, lines

_DECODER = msgspec.json.Decoder(Label)
_VERDICTS = {"pass": True, "fail": False}


def read_labels(run: RunDir) -> dict[tuple[str, int, str], bool]:
    """The last clear verdict (pass or fail) of a person, by (case, repeat, metric). Lines that are
    not labels are left
    out: the page shows the run without them.
    """
    last: dict[tuple[str, int, str, str], str] = {}
    for _, line in lines(run.path / LABELS):
        try:
            label = _DECODER.decode(line)
        except msgspec.DecodeError:
            continue
        key = (label.case_id, label.repeat, label.metric, label.reviewer)
        last.pop(key, None)  # a later line also comes later in the order
        last[key] = label.human_verdict
    verdicts = {}
    for (case_id, repeat, metric, _), verdict in last.items():
        if verdict in _VERDICTS:
            verdicts[case_id, repeat, metric] = _VERDICTS[verdict]
    return verdicts
