"""The file `.env` next to a suite: values for `${NAME}`, for people who keep their keys there.

Its values never enter the environment of the process, so no other program and no library sees them.
Messages name the variables and never show a value or a line of the file.
"""

import errno
import io
import os
import stat
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.core.files import NO_LINK

NAME = ".env"
MAX_BYTES = 2**20
_FLAGS = os.O_RDONLY | NO_LINK | getattr(os, "O_NONBLOCK", 0)


def read_env_file(folder: Path) -> dict[str, str]:
    """The variables of `.env` in a folder, by name; none without such a file.

    A line is `NAME=value`, with `export` before it or quotes around the value if you like. `${X}`
    in a value stays as it is. Names without a value are left out.

    Raises:
        SuiteError: the file is a link, a folder or a device, is larger than 1 MiB, is not UTF-8, or
            a line has another form. The message names the line and does not show it.
    """
    path = folder / NAME
    text = _text(path)
    if text is None:
        return {}
    from dotenv.parser import parse_stream

    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise SuiteError(
                f"{path}:{binding.original.line}: not a line of the form NAME=value (its content is"
                " not shown, because it may be secret)"
            )
        if binding.key is not None and binding.value:
            values[binding.key] = binding.value
    return values


def _text(path: Path) -> str | None:
    try:
        file = os.open(path, _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_plain(path) from None
        raise SuiteError(f"{path}: can't be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise _not_plain(path)
    with open(file, "rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SuiteError(f"{path}: larger than {MAX_BYTES // 2**20} MiB, which no file of keys is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SuiteError(f"{path}: not UTF-8; save it as UTF-8") from None


def _not_plain(path: Path) -> SuiteError:
    return SuiteError(
        f"{path}: a link, a folder or a device, not a plain file. Keys are only read from a plain"
        " file: replace it by one, or remove it and set the variables in the environment"
    )
