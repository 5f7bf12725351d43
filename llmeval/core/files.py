"""Atomic writes: after a crash or on a full disk, a reader sees the old file or the new file, never
a part. No write follows a link at its last part: a run directory may come from someone else, and
its files may be links out of it. The errors name the fix.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from llmeval.core.errors import StoreError

PRIVATE, SHARED = 0o600, 0o666
"""Permissions of a new file: for its owner alone, and as the umask states."""
NO_LINK = getattr(os, "O_NOFOLLOW", 0)
"""The flag for `os.open` that refuses a link. Windows has none; there only administrators make
links.
"""


def write_atomically(path: Path, *data: Iterable[bytes] | bytes, mode: int = SHARED) -> None:
    """Write a file, and the folders above it, so that a reader sees the old file or the new file,
    never a part. A link of that name is replaced, not followed.

    Args:
        path: the file.
        data: the content as chunks, in order.
        mode: permissions of the file, before the umask.

    Raises:
        StoreError: it can't be written; the old file is unchanged.
    """
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(temporary, _NEW, mode), "wb") as file:
                for part in data:
                    file.writelines([part] if isinstance(part, bytes) else part)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK | getattr(os, "O_BINARY", 0)


def irregular_kind(path: Path) -> str:
    """What a path names that is neither a file nor a folder: a pipe, a socket or a device. To read
    it may wait without end. Empty for files and folders, and where nothing is there.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    kinds = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for is_kind, name in kinds if is_kind(mode)), "")


def open_to_append(path: Path) -> BinaryIO:
    """A file that is read and appended to; never through a link.

    Raises:
        OSError: it can't be opened, or it is a link.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | NO_LINK | getattr(os, "O_BINARY", 0)
    return open(os.open(path, flags, SHARED), "ab+")


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
        errno.ELOOP: "it is a link, and no link is followed; remove it, or choose another --out",
        errno.EEXIST: "a file of that name is in the way; choose another directory with --out",
    }.get(error.errno or 0, "choose another directory with --out")
    return StoreError(f"{path}: {error.strerror or error}: {fix}")


def shown_path(path: Path | str) -> str:
    """A path as a text that every file and output can hold: bytes that are not UTF-8 as `\\xe9`."""
    text = str(path)
    if text.isascii():
        return text
    return os.fsencode(text).decode(errors="backslashreplace")
