"""Files that people add to: one file a person, in a folder of a run's directory, only appended to.

Two branches of a git repository that add lines of different people change different files, so git
merges them without a conflict. Lines of one person on two branches are in one file. The folder has
a `.gitattributes` that tells git to keep the lines of both sides (`merge=union`).

Older versions of llmeval wrote all lines into one file next to the folder. It is still read.
"""

import os
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from llmeval.core.errors import StoreError
from llmeval.core.files import open_to_append, writing
from llmeval.store.record_lines import lines

LOCK = ".labels.lock"
"""In a run's directory: one writer at a time."""
ATTRIBUTES = ".gitattributes"
UNION = b"*.jsonl merge=union\n"
NOBODY = "unnamed.jsonl"
"""The file of lines without a name."""
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_RESERVED = re.compile(r"(con|prn|aux|nul|unnamed|(com|lpt)[0-9])")
"""Windows can't write files of these names. The last one is `NOBODY`."""
_LONGEST_SLUG = 32


def file_of(person: str) -> str:
    """The name of a person's file. Two names never share a file, on systems that ignore case too.

    `ada` has `ada.jsonl`. Other names have a readable beginning and a part of their sha256.
    """
    if not person:
        return NOBODY
    if _PLAIN.fullmatch(person) and not _RESERVED.fullmatch(person):
        return f"{person}.jsonl"
    slug = re.sub(r"[^a-z0-9]+", "-", person.lower()).strip("-")[:_LONGEST_SLUG]
    digest = sha256(person.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{slug or 'name'}-{digest}.jsonl"


def folder_of(path: Path) -> Path:
    """The folder with one file a person, of records whose single file is `path`."""
    return path.with_suffix("")


def files_of(path: Path) -> list[Path]:
    """The files with these records: the single file of an older version, then one a person.

    Args:
        path: the single file, such as `RUN/labels.jsonl`.

    Raises:
        StoreError: the folder or a file in it is a link, which could lead anywhere.
    """
    folder = folder_of(path)
    files = [path] if path.exists() else []
    for place in (folder, *(sorted(folder.glob("*.jsonl")) if folder.is_dir() else ())):
        if place.is_symlink():
            raise StoreError(f"{place}: is a link. Replace it by the file that it leads to")
        if place != folder:
            files.append(place)
    return files


def every_line(path: Path) -> Iterator[tuple[str, bytes]]:
    """The lines of all files, each with `file:line`. A torn last line is left out, and so are empty
    lines.

    Args:
        path: as for `files_of`.

    Raises:
        StoreError: as `files_of`; a file can't be read.
    """
    for file in files_of(path):
        try:
            for number, (_, line) in enumerate(lines(file), start=1):
                if line.strip():
                    yield f"{file}:{number}", line
        except OSError as error:
            raise StoreError(f"{file}: can't be read: {error}") from None


def stamp_of_files(path: str | os.PathLike[str]) -> str:
    """Another text when one of the files has changed: their times and sizes.

    Args:
        path: as for `files_of`.
    """
    base = os.fspath(path)
    # most runs have neither: `access` is cheaper than an exception for each of 5,000 runs
    parts = [_state(base) if os.access(base, os.F_OK) else "-"]
    folder = base.removesuffix(".jsonl")
    if not os.access(folder, os.F_OK):
        return parts[0]
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))
    except OSError:  # a folder that can't be read is another state than one that is not there
        return f"{parts[0]} ?"
    return " ".join([*parts, *(f"{name}:{_state(f'{folder}/{name}')}" for name in names)])


def _state(path: str) -> str:
    try:
        state = os.stat(path)
    except OSError:
        return "-"
    return f"{state.st_mtime_ns:x}.{state.st_size:x}"


def append_lines(path: Path, person: str, records: Iterable[bytes]) -> None:
    """Append lines to a person's file. They are on the disk when this returns. Safe while others
    write.

    Args:
        path: as for `files_of`.
        person: whose lines these are.
        records: each a line without its end.

    Raises:
        StoreError: the file can't be written.
    """
    data = b"".join(record + b"\n" for record in records)
    folder = folder_of(path)
    file = folder / file_of(person)
    with writing(file):
        folder.mkdir(parents=True, exist_ok=True)
        if folder.is_symlink():
            raise StoreError(f"{folder}: is a link. Replace it by the folder that it leads to")
        with FileLock(path.parent / LOCK, timeout=10):
            _write_attributes(folder / ATTRIBUTES)
            with open_to_append(file) as opened:
                opened.truncate(_whole(file))
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())


def _write_attributes(path: Path) -> None:
    """The instruction for git, once."""
    if not path.exists():
        with open_to_append(path) as file:
            file.write(UNION)


def _whole(path: Path) -> int:
    """Where the last complete line ends: what a crash left torn after it is cut off."""
    return sum(len(line) for _, line in lines(path))
