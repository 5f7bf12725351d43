"""Where the records of a file lie, by key, in 25 bytes a record: the texts stay on the disk."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator

UnitKey = tuple[str, int]
"""(case_id, repeat); a case itself has the repeat 0."""

_MASK = (1 << 64) - 1


class RecordIndex:
    """The places of records, numbered in the order recorded. Of several records of one key the last
    one counts.

    Only a hash of each key is held, so a reader compares the key of what it finds.
    """

    def __init__(self) -> None:
        self._begins, self._sizes = array("Q"), array("I")
        self._hashes = array("Q")
        self._sorted, self._order = array("Q"), array("I")
        self._replaced = bytearray()
        self.repeated = False
        """Whether any key is of a repeat after the first."""

    def add(self, key: UnitKey, begin: int, size: int) -> None:
        """Note a record of `size` bytes at byte `begin`."""
        self._hashes.append(hash(key) & _MASK)
        self._begins.append(begin)
        self._sizes.append(size)
        self.repeated = self.repeated or key[1] > 0

    def finish(self) -> "RecordIndex":
        """Call it after the last record; only then can keys be looked up."""
        import numpy as np

        # numpy, because a million hashes as objects of Python take 100 MB and two seconds
        hashes = np.frombuffer(self._hashes, dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")  # equal hashes stay in order
        in_order = hashes[order]
        replaced = np.zeros(len(order), dtype=np.uint8)
        replaced[order[:-1][in_order[1:] == in_order[:-1]]] = 1
        self._order = array("I", order.astype(np.uint32).tobytes())
        self._sorted = array("Q", in_order.tobytes())
        self._replaced = bytearray(replaced.tobytes())
        del hashes  # it holds the array
        self._hashes = array("Q")
        return self

    @property
    def records(self) -> int:
        """How many records there are, with those that do not count."""
        return len(self._replaced)

    def numbers(self) -> Iterator[int]:
        """The records that count, in the order recorded."""
        return (number for number, replaced in enumerate(self._replaced) if not replaced)

    def numbers_of(self, key: UnitKey) -> list[int]:
        """The records that may be of a key, the last recorded first."""
        hashed, numbers = hash(key) & _MASK, list[int]()
        at, end = bisect_left(self._sorted, hashed), len(self._sorted)
        while at < end and self._sorted[at] == hashed:
            numbers.append(self._order[at])
            at += 1
        numbers.reverse()
        return numbers

    def place(self, number: int) -> tuple[int, int]:
        """(begin, size) of a record in bytes."""
        return self._begins[number], self._sizes[number]

    def __len__(self) -> int:
        """How many keys there are. Two keys with one hash would count once; with 64 bits that does
        not happen."""
        return len(self._replaced) - sum(self._replaced)
