"""Atomic writes: after a crash or on a full disk, a reader sees the old file or the new file, never
a part. The errors name the fix.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from llmeval.core.errors import StoreError


def write_atomically(path: Path, *data: Iterable[bytes] | bytes) -> None:
    """Write a file, and the folders above it, so that a reader sees the old file or the new file,
    never a part.

    Args:
        path: the file.
        data: the content as chunks, in order.

    Raises:
        StoreError: it can't be written; the old file is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                for part in data:
                    file.writelines([part] if isinstance(part, bytes) else part)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError in the block into the StoreError for writing `path`."""
    try:
        yield
    except OSError as error:
        raise store_error(path, error) from None


def store_error(path: Path, error: OSError) -> StoreError:
    """What went wrong with a file or folder, and the fix."""
    fix = {
        errno.ENOSPC: (
            "free some space and run the same command again; everything recorded so far is kept"
        ),
        errno.EACCES: "choose a directory you may write to with --out",
        errno.EROFS: "choose a directory you may write to with --out",
        errno.ENOTDIR: "a part of the path is a file; choose another directory with --out",
        errno.EEXIST: "a file of that name is in the way; choose another directory with --out",
    }.get(error.errno or 0, "choose another directory with --out")
    return StoreError(f"{path}: {error.strerror or error}: {fix}")
