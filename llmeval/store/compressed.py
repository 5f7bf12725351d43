"""Files of records that are compressed: zstd frames one after the other, as `zstd -d` reads them.

Each frame holds about 256 KiB of whole lines and states its size, so a record is read by decoding
one frame. The table of frames is not stored. It is derived from the headers of the frames, and the
decoder refuses a frame whose content has another size, so it can't lead to other records than those
that were checked.
"""

import os
import sys
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from llmeval.core.errors import StoreError
from llmeval.core.files import PRIVATE, store_error, write_atomically, writing

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SUFFIX = ".zst"
"""Of a compressed file, after its plain name."""
LIMIT = 64 * 2**20
"""Bytes. A larger file of records is compressed when its run is complete."""
_FRAME = 2**18
"""Bytes of lines after which a frame ends."""
_LARGEST_FRAME = 2**28
"""Bytes. A frame that states more is refused: only a line of that length would make one."""
_HEADER = 18
"""Bytes of the longest header of a frame."""
_KEPT = 4
"""Decoded frames that a reader keeps."""
_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,
}
_OTHER_PROGRAM = "was compressed by another program. Unpack it with `zstd -d --rm`"


class CompressedFile:
    """A compressed file, open for reading. A context manager.

    `size`: bytes of its content. `torn`: whether the file ends within a frame; the content is then
    that of the frames before.

    Raises:
        StoreError: it can't be read, or is not what llmeval writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.torn = False
        self._begins, self._places = list[int](), [0]
        self._frames: OrderedDict[int, bytes] = OrderedDict()
        self._data: mmap | None = None
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size:
                    self._data = mmap(file.fileno(), 0, access=ACCESS_READ)
        except OSError as error:
            raise store_error(path, error) from None
        if self._data is not None:
            with memoryview(self._data) as view:
                self._find_frames(view)

    def __enter__(self) -> "CompressedFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._frames.clear()
        if self._data is not None:
            self._data.close()
            self._data = None

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the content; fewer where it ends.

        Raises:
            StoreError: a frame is damaged.
        """
        parts = []
        end = min(offset + size, self.size)
        while offset < end:
            number = bisect_right(self._begins, offset) - 1
            inner = offset - self._begins[number]
            part = self._frame(number)[inner : inner + end - offset]
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def chunks(self) -> Iterator[bytes]:
        """The content, a frame at a time. `StoreError` as `read`."""
        for number in range(len(self._begins)):
            yield self._decoded(number)

    def _find_frames(self, view: memoryview) -> None:
        place, end = 0, len(view)
        while place < end:
            with view[place:] as rest:
                try:
                    size = zstd.get_frame_size(rest)
                    content = zstd.get_frame_info(rest[:_HEADER]).decompressed_size
                except zstd.ZstdError:
                    if not self._is_cut(rest):
                        raise self._damaged(place) from None
                    self.torn = True
                    return
            if content is None or content > _LARGEST_FRAME:
                raise StoreError(f"{self.path}: {_OTHER_PROGRAM}")
            place += size
            if content:
                self._begins.append(self.size)
                self._places[-1:] = [place - size, place]
                self.size += content

    @staticmethod
    def _is_cut(rest: memoryview) -> bool:
        """Whether what is left can be the beginning of a frame."""
        magic = (0xFD2FB528).to_bytes(4, "little")
        return magic.startswith(bytes(rest[:4]))

    def _frame(self, number: int) -> bytes:
        kept = self._frames.get(number)
        if kept is None:
            kept = self._frames[number] = self._decoded(number)
            if len(self._frames) > _KEPT:
                self._frames.popitem(last=False)
        return kept

    def _decoded(self, number: int) -> bytes:
        assert self._data is not None
        begin, end = self._places[number], self._places[number + 1]
        following = self._begins[number + 1] if number + 1 < len(self._begins) else self.size
        size = following - self._begins[number]
        decoder = zstd.ZstdDecompressor()
        try:
            # a frame that holds more than it states is not decoded any further
            content = decoder.decompress(self._data[begin:end], size + 1)
        except zstd.ZstdError:
            raise self._damaged(begin) from None
        if len(content) != size:
            raise self._damaged(begin)
        return content

    def _damaged(self, place: int) -> StoreError:
        return StoreError(
            f"{self.path}, byte {place:,}: is damaged, and can't be unpacked. Take the file from a"
            " copy of the run, or run the suite again"
        )


def frames(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines, each with its newline, as the frames of a compressed file."""
    kept, size = list[bytes](), 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size >= _FRAME:
            yield zstd.compress(b"".join(kept), options=_OPTIONS)
            kept, size = [], 0
    if kept:
        yield zstd.compress(b"".join(kept), options=_OPTIONS)


def compressed(path: Path) -> Path:
    """The place of the compressed form of a file."""
    return path.with_name(path.name + SUFFIX)


def compress(path: Path) -> None:
    """Replace a file by its compressed form. At each moment one of them is there and whole. Where
    both are, they have the same content.

    Raises:
        StoreError: a file can't be read or written.
    """
    target = compressed(path)
    with writing(target):
        with path.open("rb") as source:
            write_atomically(target, frames(source), mode=PRIVATE)
        _make_durable(target)
        path.unlink()


def expand(path: Path) -> None:
    """Write the plain form of a file next to its compressed form, unless it is there. Nothing
    happens without a compressed form. A torn frame at its end is left out.

    Args:
        path: the plain file.

    Raises:
        StoreError: as `CompressedFile`, or a file can't be written.
    """
    source = compressed(path)
    if path.exists() or not source.exists():
        return
    with writing(path):
        with CompressedFile(source) as file:
            write_atomically(path, file.chunks(), mode=PRIVATE)
        _make_durable(path)


def _make_durable(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
