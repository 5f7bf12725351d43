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
        leaves = self._leaves
        return _root(sorted(bytes(leaves[at : at + 32]) for at in range(0, len(leaves), 32))).hex()


def cases_root(cases: Iterable[tuple[str, str]]) -> str:
    """The root over (id, digest) of each case, as hex; their order does not matter."""
    root = CasesRoot()
    for case in cases:
        root.add(*case)
    return root.hex()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over the data of each leaf, in order."""
    return _root([_leaf(leaf) for leaf in leaves])


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _root(level: list[bytes]) -> bytes:
    """Pairs level by level; a node without a partner moves up. This is the tree of RFC 9162, whose
    left part has the largest power of two of the leaves.
    """
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + level[place] + level[place + 1]).digest()
            for place in range(0, len(level) - 1, 2)
        ]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return level[0]
