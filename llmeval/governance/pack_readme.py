"""The README of an evidence pack, in plain words. It holds no text of a model or a person."""

from collections.abc import Collection

from llmeval.core.pack_index import PackIndex
from llmeval.governance.pack_files import KINDS, kind_of

_START = """\
# Evidence pack

This pack holds what these test runs of a language model application rest on. Check it with

    llmeval verify THIS_FILE.zip

That command needs no network, no model and no suite. It compares the digest of every file, and
computes each decision again from the records.

## Runs

| run | suite | decision | digest of the seal |
|---|---|---|---|
"""
_LIMITS = """
## What this pack shows, and what it does not

- A digest shows that a file was changed. It does not show who wrote the file.
- A person who rewrites a run, its seal and this pack together is detected only by a signature, or
  by a digest that was kept elsewhere.
- Compare the digests of the seals above with those in a signed statement, in an approval, or in the
  summary of the CI job.
- The events of a chain show an edit. A cut end shows only by an anchor that was kept elsewhere.
- Names in unsigned approvals are claims.
- The pack holds the cases and the answers. They may contain personal data or secrets of your
  application. Read them before you pass the pack on.
- A provider can change an API model without notice. The results describe the model at the time of
  the calls.
"""


def readme(index: PackIndex, names: Collection[str]) -> str:
    """The text of README.md.

    Args:
        index: of the pack. names: the paths of its files.
    """
    rows = "".join(
        f"| {run.run_id} | {run.suite} | {run.decision or 'none'} | {run.seal} |\n"
        for run in index.runs
    )
    counts = dict.fromkeys(KINDS, 0)
    for name in names:
        if (kind := kind_of(name)) is not None:
            counts[kind] += 1
    kinds = "".join(
        f"| {kind} | `{KINDS[kind]}` | {count or 'none'} |\n" for kind, count in counts.items()
    )
    files = f"\n## Files\n\n| kind | place | files |\n|---|---|---|\n{kinds}"
    chains = "".join(
        f"- {chain.path}: {chain.anchor or 'two branches that nobody has joined'}\n"
        for chain in index.chains
    )
    anchors = f"\n## Anchors of the chains of events\n\n{chains}" if chains else ""
    absent = (
        f"\n{len(index.absent)} files of the suites are named by their digest alone. `absent` in"
        " index.json names each one with the reason.\n"
        if index.absent
        else ""
    )
    return _START + rows + files + absent + anchors + _LIMITS
