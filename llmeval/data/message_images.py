"""Reads `content` of a case's message that is a list of parts, as OpenAI's protocol writes them. An
image in a file becomes a data URL, so a changed image is a changed case.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from llmeval.core.errors import SuiteError
from llmeval.core.files import irregular_kind
from llmeval.core.message_parts import MessagePart

MAX_IMAGE = 5 * 2**20
"""Most bytes of one image."""
MAX_IMAGES = 20 * 2**20
"""Most bytes of all images of one message."""
_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.S), "image/webp"),
)
_DATA = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=\s]+)\Z")


def read_parts(content: object, folder: Path | None, where: str) -> tuple[MessagePart, ...]:
    """The parts of a message.

    Args:
        content: what the case has as `content`: a list.
        folder: the folder that paths of images are relative to; None without one.
        where: `file:line`, for messages.

    Raises:
        SuiteError: a part is neither a text nor an image, or an image can't be read; with the fix.
    """
    if not isinstance(content, list) or not content:
        raise SuiteError(f"{where}: messages: content is a text, or a list of parts")
    parts = tuple(_part(each, folder, where) for each in content)
    if sum(len(part.image) for part in parts) * 3 // 4 > MAX_IMAGES:
        raise SuiteError(
            f"{where}: messages: the images of a message have at most {MAX_IMAGES // 2**20} MiB"
        )
    return parts


def _part(part: object, folder: Path | None, where: str) -> MessagePart:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if isinstance(part, Mapping) and kind == "text" and isinstance(part.get("text"), str):
        return MessagePart(text=part["text"])
    image = part.get("image_url") if isinstance(part, Mapping) and kind == "image_url" else None
    if isinstance(image, str):
        image = {"url": image}
    if not isinstance(image, Mapping) or not isinstance(image.get("url"), str):
        raise SuiteError(
            f"{where}: messages: a part is {{type: text, text: ...}} or {{type: image_url,"
            f" image_url: {{url: ...}}}}, not {str(part)[:120]!r}. Sound and files can't be sent"
        )
    url, name = _image(image["url"], folder, where)
    return MessagePart(image=url, name=name, detail=str(image.get("detail") or ""))


def _image(url: str, folder: Path | None, where: str) -> tuple[str, str]:
    """The URL that is sent, and the name of the image."""
    if not url.strip():
        raise SuiteError(
            f"{where}: messages: the url of an image is empty: write a path, https://... or a data"
            " URL"
        )
    if url.startswith("data:"):
        return _checked_data(url, where), "in place"
    if re.match(r"https?://", url, re.IGNORECASE):
        return url, _name_of_address(url, where)
    path = _path(url.removeprefix("file://"), folder, where)
    kind_of_path = irregular_kind(path)
    if kind_of_path:
        raise SuiteError(
            f"{where}: messages: the image {url} is {kind_of_path}, and only files are read"
        )
    try:
        if path.stat().st_size > MAX_IMAGE:
            raise SuiteError(
                f"{where}: messages: {url} is larger than {MAX_IMAGE // 2**20} MiB: make it smaller"
            )
        data = path.read_bytes()
    except OSError as error:
        raise SuiteError(
            f"{where}: messages: the image {url} can't be read ({error.strerror}); its path is"
            " relative to the file with the case"
        ) from None
    kind = _kind(data)
    if kind is None:
        raise SuiteError(f"{where}: messages: {url} is not a PNG, JPEG, GIF or WebP image")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}", url


def _name_of_address(url: str, where: str) -> str:
    """The host and path of an image's address.

    Raises:
        SuiteError: there is no host, or the address holds a password. A case is stored as it is in
            every run, so it must hold none. The message does not repeat it.
    """
    try:
        address = urlsplit(url)
        host, password = address.hostname, address.username is not None
    except ValueError:
        host, password = None, False
    if password:
        raise SuiteError(
            f"{where}: messages: the url of the image on {host} has a user or a password before the"
            " @, and would be stored in every run: remove it, or put the image into a file"
        )
    if not host:
        raise SuiteError(f"{where}: messages: {url[:120]!r} names no host")
    return f"{host}{address.path}"


def _path(name: str, folder: Path | None, where: str) -> Path:
    """The file of an image. A data set may come from elsewhere, so it names no file outside of its
    folder.
    """
    path = Path(name)
    if folder is None:
        raise SuiteError(
            f"{where}: messages: these cases have no folder: write {name} as a data URL"
        )
    whole = (folder / path).resolve()
    if path.is_absolute() or not whole.is_relative_to(folder.resolve()):
        raise SuiteError(
            f"{where}: messages: {name} is outside of the folder of the cases: put the image into"
            " that folder, and write the path from there"
        )
    return whole


def _checked_data(url: str, where: str) -> str:
    match = _DATA.match(url)
    try:
        data = base64.b64decode(match[2], validate=False) if match else b""
    except binascii.Error:
        data = b""
    if match is None or _kind(data) != match[1]:
        raise SuiteError(
            f"{where}: messages: {url[:40]}... is not a PNG, JPEG, GIF or WebP image as"
            " data:image/png;base64,..."
        )
    if len(data) > MAX_IMAGE:
        raise SuiteError(f"{where}: messages: an image has at most {MAX_IMAGE // 2**20} MiB")
    return url


def _kind(data: bytes) -> str | None:
    return next((kind for sign, kind in _SIGNATURES if sign.match(data)), None)
