"""What people agree on in their labels of a run's answers, read leniently."""

import msgspec

from llmeval.core.errors import StoreError
from llmeval.core.records import Label
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import AnswerKey, agreed, counted
from llmeval.store.people_files import every_line

_DECODER = msgspec.json.Decoder(Label)


def read_labels(run: RunDir) -> dict[AnswerKey, bool]:
    """The verdict (pass or fail) on each answer that reviewers agree on or that was adjudicated.
    Lines that are not labels are left out: the page shows the run without them.
    """
    labels = []
    try:
        for _, line in every_line(run.path / LABELS):
            try:
                labels.append(_DECODER.decode(line))
            except msgspec.DecodeError:
                continue
        return agreed(counted(labels)).verdicts
    except (StoreError, ValueError):  # a link, or a time that is none
        return {}
