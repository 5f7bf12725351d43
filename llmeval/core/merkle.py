"""The Merkle root of a set of cases: the identity of the data, whatever its order.

Source: RFC 9162, section 2.1.1 (leaf: sha256(0x00 + data), node: sha256(0x01 + left + right)).
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec


class CasesRoot:
    """Takes the cases one by one, 32 bytes of memory each."""

    def __init__(self) -> None:
        self._leaves = bytearray()

    def add(self, case_id: str, digest: str) -> None:
        """Take a case. A case that comes twice counts twice."""
        # msgspec writes an array of two texts as RFC 8785 does, and faster
        self._leaves += _leaf(msgspec.json.encode((case_id, digest)))

    def hex(self) -> str:
        """The root over the leaves in the order of their hashes, as hex; of no case, sha256 of
        nothing.
        """
        import numpy as np

        # as columns of numbers, because a million objects of Python would take 100 MB
        columns = np.frombuffer(bytes(self._leaves), dtype=">u8").reshape(-1, 4)
        return _root(columns[np.lexsort(columns.T[::-1])].tobytes()).hex()


def cases_root(cases: Iterable[tuple[str, str]]) -> str:
    """The root over (id, digest) of each case, as hex; their order does not matter."""
    root = CasesRoot()
    for case in cases:
        root.add(*case)
    return root.hex()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over the data of each leaf, in order."""
    return _root(b"".join(map(_leaf, leaves)))


def _root(level: bytes) -> bytes:
    """Over hashes of 32 bytes one after the other. Pairs level by level; a node without a partner
    moves up. This is the tree of RFC 9162, whose left part has the largest power of two of the
    leaves.
    """
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 32:
        above, whole = bytearray(), len(level) // 64 * 64
        for place in range(0, whole, 64):
            above += hashlib.sha256(b"\x01" + level[place : place + 64]).digest()
        level = bytes(above) + level[whole:]
    return level


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()
