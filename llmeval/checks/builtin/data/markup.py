"""Checks of XML and HTML: parsed with nothing fetched, no entity expanded and no document type
accepted.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator

from llmeval.checks.arguments import Text, Texts, clip
from llmeval.checks.base import Result, check, verdict
from llmeval.checks.builtin.data.html_reader import HTML, TAG, StartTag, read_html
from llmeval.checks.reading.payload import (
    MAX_CHARS,
    Fence,
    Malformed,
    body,
    malformed_fails,
    offset_of,
    read,
    too_long,
)
from llmeval.core.records import Answer, Case, Span

_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DECLARED = re.compile(r"""\s*<\?xml[^>]*?encoding\s*=\s*["'][^"']*["']""")
_XML_NAME = r"[^\W\d][\w.-]*"
_STEP = rf"(?:{_XML_NAME}|\*)(?:\[(?:@?{_XML_NAME}(?:=(?:'[^']*'|\"[^\"]*\"))?|\d+|last\(\))\])*"
_PATH = re.compile(rf"(?://?|\./|\.//)?{_STEP}(?:/{_STEP})*(?:/@{_XML_NAME})?")
_NAMES = re.compile(rf"'[^']*'|\"[^\"]*\"|@{_XML_NAME}|last\(\)|{_XML_NAME}")
_MAX_TRIES = 20


def parse_xml(text: str) -> Any:
    """The root element of a well-formed document, by lxml.

    Raises:
        Malformed: it is not well formed, or has a document type.
    """
    from lxml import etree

    declared = _DOCTYPE.search(text)
    if declared:
        raise Malformed(
            "not read as XML: it declares a document type or entities",
            declared.start(),
            declared.end(),
        )
    if _DECLARED.match(
        text
    ):  # what is given to the parser is UTF-8 whatever the text says of itself
        text = re.sub(r"""(encoding\s*=\s*["'])[^"']*""", r"\1utf-8", text, count=1)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        reason = str(error.msg).replace("\n", "")[:200]
        raise Malformed(
            f"not well-formed XML: {reason}", offset_of(text, *error.position)
        ) from None
    except ValueError as error:
        raise Malformed(f"not well-formed XML: {error}") from None


def _path(path: str) -> str:
    # A second // makes matching as slow as the answer is deep, many times over
    if not _PATH.fullmatch(path):
        raise ValueError(
            f"unsupported path {path!r}; write it like //book[@lang='en']/title, with // only "
            f"at the start"
        )
    return path


def _selector(selector: str) -> str:
    from cssselect import SelectorError

    try:
        _xpath(selector)
    except SelectorError as error:
        raise ValueError(f"not a CSS selector: {selector!r}: {error}") from None
    return selector


def _in_any_namespace(path: str) -> str:
    """The path with names matched whatever their namespace."""
    return _NAMES.sub(
        lambda m: m[0] if m[0][0] in "'\"@" or m[0] == "last()" else f"*[local-name()='{m[0]}']",
        path if path[0] in "/." else f"//{path}",
    )


@check(group="markup")
@malformed_fails
def xml(
    case: Case,
    answer: Answer,
    *,
    root: Text | None = None,
    has: list[Annotated[Text, AfterValidator(_path)]] = [],  # noqa: B006
    only: list[Text] | None = None,
    fence: Fence = "allow",
) -> Result:
    """The answer is one well-formed XML document, with this root element, something at every path
    in `has`, and no elements but `only` these.

    A path is XPath without functions and with `//` only in front; names match in any namespace.
    """
    element = read(body(answer.text, fence, "XML"), parse_xml)
    if root is not None and _local(element.tag) != root:
        return verdict(False, f"the root element is {clip(_local(element.tag))}, not {clip(root)}")
    missing = [path for path in has if not element.getroottree().xpath(_in_any_namespace(path))]
    if missing:
        return verdict(False, f"nothing at {', '.join(missing)}")
    if only is not None:
        names = (_local(one.tag) for one in element.iter() if isinstance(one.tag, str))
        other = next((name for name in names if name not in only), None)
        if other is not None:
            return verdict(False, f"{clip(other)} is not among the allowed elements")
    return verdict(True, "is well-formed XML")


@check(group="markup")
def contains_xml(case: Case, answer: Answer, *, tag: Text | None = None) -> Result:
    """Somewhere in the answer stands a well-formed XML element, called `tag` if one is given."""
    too_long(answer.text, MAX_CHARS, "XML")
    wrong = ""
    for start, end in _elements(answer.text, tag):
        try:
            parse_xml(answer.text[start:end])
        except Malformed as error:
            wrong = wrong or f": {error}"
            continue
        return verdict(True, "contains XML", Span(start, end, "XML", "contains_xml", "info"))
    return verdict(
        False, f"contains no well-formed XML element{f' {clip(tag)}' if tag else ''}{wrong}"
    )


def _elements(text: str, tag: str | None) -> Iterator[tuple[int, int]]:
    """Where elements may stand: from a first tag to the nearest and then to the last closing tag of
    its name.
    """
    tried = 0
    for opening in TAG.finditer(text):
        name = opening["name"]
        if opening["close"] or (tag is not None and name != tag):
            continue
        tried += 1
        if tried > _MAX_TRIES:
            return
        if opening[0].endswith("/>"):
            yield opening.span()
            continue
        closing = f"</{name}>"
        ends = dict.fromkeys(
            [text.find(closing, opening.end()), text.rfind(closing, opening.end())]
        )
        yield from ((opening.start(), end + len(closing)) for end in ends if end >= 0)


@check(group="markup")
@malformed_fails
def html(
    case: Case,
    answer: Answer,
    *,
    only: Texts | None = None,
    forbidden: list[str] = ["script", "iframe", "object", "embed"],  # noqa: B006
    has: list[Text] = [],  # noqa: B006
    select: list[Annotated[Text, AfterValidator(_selector)]] = [],  # noqa: B006
    fence: Fence = "allow",
) -> Result:
    """The answer is HTML: elements are known and closed, no text stands outside of them; those it
    must have are there.

    `only`: no other elements. `forbidden`: none of these. `has`: elements it must have. `select`:
    CSS selectors that must each match an element (`ul.steps > li`, `a[href^=https]`). Custom
    elements have a hyphen.
    """
    part = body(answer.text, fence, "HTML")
    tags = read(part, read_html)
    names = {tag.name for tag in tags}
    for tag in tags:
        why = _unwanted(tag, only, forbidden)
        if why:
            return verdict(False, why, part.span(tag.start, tag.end, why, "html"))
    missing = [name for name in has if name.lower() not in names]
    if missing:
        return verdict(False, f"has no <{missing[0]}>")
    for selector in select:
        if not _selected(part.text, selector):
            return verdict(False, f"nothing matches {clip(selector)}")
    return verdict(True, f"is HTML with {len(tags)} tags")


def _selected(text: str, selector: str) -> bool:
    from lxml import html as lxml_html

    parser = lxml_html.HTMLParser(no_network=True, huge_tree=False, encoding="utf-8")
    root = lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    return bool(root.xpath(_xpath(selector)))


@lru_cache(maxsize=256)
def _xpath(selector: str) -> str:
    from cssselect import HTMLTranslator

    return str(HTMLTranslator().css_to_xpath(selector))


def _unwanted(tag: StartTag, only: list[str] | None, forbidden: list[str]) -> str | None:
    if tag.name not in HTML and "-" not in tag.name:
        return f"<{tag.name[:40]}> is not an HTML element"
    if tag.name in forbidden:
        return f"<{tag.name}> is forbidden"
    if only is not None and tag.name not in only:
        return f"<{tag.name}> is not among the allowed elements"
    return None


@check(group="markup")
def contains_html(case: Case, answer: Answer) -> Result:
    """Somewhere in the answer stands an HTML element."""
    too_long(answer.text, MAX_CHARS, "HTML")
    for match in TAG.finditer(answer.text):
        if match["name"].lower() in HTML:
            span = Span(match.start(), match.end(), "HTML", "contains_html", "info")
            return verdict(True, f"contains <{match['name']}>", span)
    return verdict(False, "contains no HTML element")


def _local(name: str) -> str:
    return name.rpartition("}")[2]
