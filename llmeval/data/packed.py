"""Data files that are compressed with gzip or Zstandard, unpacked within a limit."""

import gzip
import io
import tempfile
import zlib
from pathlib import Path
from typing import BinaryIO

from llmeval.core.errors import SuiteError, install_hint

SUFFIXES = (".gz", ".zst")
MAX_BYTES = 2 * 2**30
"""Most bytes of a file after unpacking. A small file may unpack to any size."""
_CHUNK = 2**20


def unpacked(path: Path, most: int = MAX_BYTES) -> BinaryIO:
    """The content as a temporary file, which the system deletes when it is closed.

    Args:
        path: a .gz or .zst file.
        most: the limit in bytes.

    Raises:
        SuiteError: the file is damaged, or larger than the limit.
        OSError: it can't be read, or the disk is full.
    """
    file = tempfile.TemporaryFile(prefix="llmeval-")  # noqa: SIM115 (the source closes it)
    try:
        with _opened(path) as packed:
            while chunk := packed.read(_CHUNK):
                file.write(chunk)
                if file.tell() > most:
                    raise SuiteError(
                        f"{path}: unpacks to more than {most // 2**20:,} MiB, which is the limit:"
                        " unpack it yourself, and name the unpacked file"
                    )
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        file.close()
        raise SuiteError(f"{path}: damaged, or not a {path.suffix} file: {error}") from None
    except BaseException as error:
        file.close()
        if type(error) is OSError and error.errno is None:  # of pyarrow: bytes that are no frame
            raise SuiteError(f"{path}: damaged, or not a {path.suffix} file: {error}") from None
        raise
    file.seek(0)
    return file


def _opened(path: Path) -> BinaryIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise SuiteError(
            f"{path}: Zstandard needs the package pyarrow: {install_hint('data')}, or unpack the"
            " file"
        ) from None
    return io.BufferedReader(pyarrow.CompressedInputStream(pyarrow.OSFile(str(path)), "zstd"))
