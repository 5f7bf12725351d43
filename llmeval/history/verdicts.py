"""The verdicts of one metric over all cases of a run, in one byte a verdict.

A history of rows (run, case, metric) is 100 times larger than one of vectors, and its questions
take seconds: 500 runs of 2,000 cases and 3 metrics make 78 MB of rows and 0.6 MB of vectors. The
place of a verdict in its vector is the place of its case in the run's case list.
"""

import zlib
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec

from llmeval.core.errors import StoreError
from llmeval.core.records import Status, digest

_LEVEL = 6
"""Of zlib: higher levels save 2 % and take twice as long."""
MOST_BYTES = 1 << 30
"""The largest vector that is read. A damaged or hostile database could state any size."""


class Verdict(IntEnum):
    """One verdict, as a byte of a vector."""

    FAIL = 0
    PASS = 1
    UNSCORED = 2
    """A judge gave no usable verdict, or was not called."""
    ERROR = 3
    """The answer is missing, or the check could not be carried out."""
    QUARANTINED = 4
    """The case is in quarantine: its verdict counts nowhere."""
    NOT_RUN = 5
    """The run has no such score."""
    NEEDS_REVIEW = 6
    """A person has to decide."""
    NOT_APPLICABLE = 7
    """The metric does not apply to the case."""

    @property
    def graded(self) -> bool:
        """Whether it is a grade: pass or fail."""
        return self <= Verdict.PASS

    @property
    def letter(self) -> str:
        """A letter for people: p f u e q . r -"""
        return LETTERS[self]


LETTERS = "fpueq.r-"
"""By the byte of a verdict."""
BY_STATUS = {
    Status.PASS: Verdict.PASS,
    Status.FAIL: Verdict.FAIL,
    Status.UNSCORED: Verdict.UNSCORED,
    Status.NOT_SCORED: Verdict.UNSCORED,
    Status.NEEDS_REVIEW: Verdict.NEEDS_REVIEW,
    Status.ERROR: Verdict.ERROR,
    Status.NOT_APPLICABLE: Verdict.NOT_APPLICABLE,
}
"""The byte of a score's status."""
_FROM_BEST = (
    Verdict.NOT_RUN,
    Verdict.NOT_APPLICABLE,
    Verdict.PASS,
    Verdict.NEEDS_REVIEW,
    Verdict.FAIL,
    Verdict.UNSCORED,
    Verdict.ERROR,
    Verdict.QUARANTINED,
)
"""The rule of `core.outcome` for several verdicts of one case."""
_RANKS = {verdict: rank for rank, verdict in enumerate(_FROM_BEST)}


def worst(verdicts: Sequence[int]) -> Verdict:
    """The verdict of a case, from those of its repeats or of its metrics; NOT_RUN without any."""
    return max(map(Verdict, verdicts), key=_RANKS.__getitem__, default=Verdict.NOT_RUN)


def short_digest(value: object) -> str:
    """The first 24 hex digits of a sha256. It names what only the database compares; digests of the
    run directory are kept whole.
    """
    return digest(value).removeprefix("sha256:")[:24]


class CaseList(NamedTuple):
    """The cases of a run, by id. Runs of the same cases share one list."""

    digest: str
    """`short_digest` of everything else."""
    ids: tuple[str, ...]
    """Sorted."""
    digests: tuple[str, ...]
    """The beginning of each case's digest, 16 hex digits: an edited case is another case."""
    clusters: tuple[str | None, ...]
    """Cases with the same cluster are not independent."""

    def place(self, case_id: str) -> int | None:
        """The place of a case; None where it is not in the list."""
        at = bisect_left(self.ids, case_id)
        return at if at < len(self.ids) and self.ids[at] == case_id else None

    def places(self) -> dict[str, int]:
        """The place of each case."""
        return {name: place for place, name in enumerate(self.ids)}


CaseKey = str | tuple[str, str]
"""The beginning of a case's digest, and its cluster where it has one: millions of cases are held,
and a text takes half as much memory as a pair.
"""


def case_key(case_digest: str, cluster: str | None) -> CaseKey:
    """What a case list holds of a case besides its id."""
    beginning = case_digest.removeprefix("sha256:")[:16]
    return beginning if cluster is None else (beginning, cluster)


def case_list(cases: Mapping[str, CaseKey]) -> CaseList:
    """A list from the cases by id."""
    ids = tuple(sorted(cases))
    keys = [cases[name] for name in ids]
    digests = tuple(key if isinstance(key, str) else key[0] for key in keys)
    clusters = tuple(None if isinstance(key, str) else key[1] for key in keys)
    return CaseList(short_digest([ids, digests, clusters]), ids, digests, clusters)


class PackedCases(NamedTuple):
    """A case list as the database holds it."""

    digest: str
    n: int
    ids: bytes
    digests: bytes
    clusters: bytes


def pack_cases(cases: CaseList) -> PackedCases:
    """Compress a list. Clusters are empty bytes where no case has one."""
    clustered = any(cluster is not None for cluster in cases.clusters)
    return PackedCases(
        cases.digest,
        len(cases.ids),
        _pack(msgspec.json.encode(cases.ids)),
        _pack("".join(cases.digests).encode()),
        _pack(msgspec.json.encode(cases.clusters)) if clustered else b"",
    )


def unpack_cases(packed: PackedCases) -> CaseList:
    """The list of compressed cases.

    Raises:
        StoreError: the bytes are damaged.
    """
    n = packed.n
    try:
        ids = msgspec.json.decode(_unpack(packed.ids), type=tuple[str, ...])
        text = _unpack(packed.digests).decode()
        clusters: tuple[str | None, ...] = (None,) * n
        if packed.clusters:
            clusters = msgspec.json.decode(_unpack(packed.clusters), type=tuple[str | None, ...])
    except (ValueError, zlib.error) as error:
        raise _damaged(f"the case list {packed.digest}", error) from None
    digests = tuple(text[at : at + 16] for at in range(0, len(text), 16))
    if not len(ids) == len(digests) == len(clusters) == n:
        raise _damaged(f"the case list {packed.digest}", ValueError("its parts differ"))
    return CaseList(packed.digest, ids, digests, clusters)


class Vector(NamedTuple):
    """The verdicts of one metric of a run. The repeats of a case are next to each other."""

    run_id: str
    metric: str
    case_list: str
    """Digest of the list that the places belong to."""
    repeats: int
    """Verdicts a case."""
    verdicts: bytes
    """A byte for each (case, repeat)."""
    values: tuple[float, ...] = ()
    """A value in [0, 1] for each verdict, in half precision; NaN without one. Empty where every
    value is 0 for fail and 1 for pass.
    """

    def of_case(self, place: int) -> bytes:
        """The verdicts of the case at a place."""
        return self.verdicts[place * self.repeats : (place + 1) * self.repeats]

    def value(self, place: int) -> float | None:
        """The mean value of the graded repeats of a case; None where none is graded."""
        begin = place * self.repeats
        graded = [
            self.values[at] if self.values else float(self.verdicts[at])
            for at in range(begin, begin + self.repeats)
            if self.verdicts[at] <= Verdict.PASS
        ]
        return sum(graded) / len(graded) if graded else None


class PackedVector(NamedTuple):
    """A vector as the database holds it."""

    run_id: str
    metric: str
    case_list: str
    repeats: int
    verdicts: bytes
    numbers: bytes
    """Values; empty where every value is 0 for fail and 1 for pass."""


def pack_vector(vector: Vector) -> PackedVector:
    """Compress a vector."""
    values = _pack(_halves(vector.values)) if vector.values else b""
    return PackedVector(
        vector.run_id,
        vector.metric,
        vector.case_list,
        vector.repeats,
        _pack(vector.verdicts),
        values,
    )


def unpack_vector(packed: PackedVector) -> Vector:
    """The vector of compressed bytes.

    Raises:
        StoreError: the bytes are damaged.
    """
    import numpy as np

    values: tuple[float, ...] = ()
    try:
        verdicts = _unpack(packed.verdicts)
        if packed.numbers:
            values = tuple(np.frombuffer(_unpack(packed.numbers), "<f2").astype(float).tolist())
    except (ValueError, zlib.error) as error:
        raise _damaged(f"{packed.metric} of run {packed.run_id}", error) from None
    if (verdicts and max(verdicts) > max(Verdict)) or packed.repeats < 1:
        raise _damaged(f"{packed.metric} of run {packed.run_id}", ValueError("no verdict"))
    if values and len(values) != len(verdicts):
        raise _damaged(f"{packed.metric} of run {packed.run_id}", ValueError("lengths differ"))
    return Vector(*packed[:4], verdicts, values)


def _halves(values: Sequence[float]) -> bytes:
    import numpy as np

    return np.asarray(array("d", values)).astype("<f2").tobytes()


def _pack(data: bytes) -> bytes:
    return zlib.compress(data, _LEVEL)


def _unpack(data: bytes) -> bytes:
    reader = zlib.decompressobj()
    text = reader.decompress(data, MOST_BYTES)
    if not reader.eof:
        raise ValueError("the compressed bytes do not end")
    return text


def _damaged(what: str, error: Exception) -> StoreError:
    return StoreError(
        f"the history is damaged: {what} can't be read ({error}). `llmeval history index` builds it"
        " again from the run directories"
    )
