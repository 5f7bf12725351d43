"""What surrounds or stands in for an answer: preambles, closing offers, placeholders left to fill
in.

Own phrase lists for English, German, French, Spanish, Italian, Portuguese, Dutch, Chinese and
Japanese; `phrases:` adds to them. The answer is read without the one fence or the quotes that may
wrap it.
"""

from collections.abc import Iterator
from typing import Annotated

import regex
from pydantic import AfterValidator, BeforeValidator

from llmeval.checks.base import Result, check, verdict
from llmeval.checks.reading.text import (
    Piece,
    masked,
    number_of,
    sentences,
    stripped,
    trim,
    unfenced,
)
from llmeval.core.records import Answer, Case

# Said alone, then a mark, then the answer: `Sure! ...`, `Of course, ...`
_OPENERS = (
    "sure(?: thing)?|certainly|of course|absolutely|definitely|no problem|okay|ok|alright|great "
    "question"
    "|good question"
    "|(?:i'd|i would|i'll|i will|i'm|i am) (?:be )?(?:happy|glad|delighted) to (?:help"
    "|assist)[^.!?:\n]{0,60}"
    "|happy to help|(?:thank you|thanks) for (?:your|asking|the|sharing)[^.!?\n]{0,80}"
    "|gerne?|klar|natürlich|selbstverständlich|aber gerne|sehr gerne|gute frage"
    "|bien sûr|certainement|avec plaisir|absolument|bonne question|d'accord"
    "|claro(?: que sí)?|por supuesto|desde luego|con gusto|con mucho gusto|buena pregunta|claro "
    "que sim|com certeza"
    "|certo|certamente|volentieri|ottima domanda|natuurlijk|zeker|graag gedaan"
    "|当然(?:可以)?|好的|没问题|もちろん(?:です)?|承知(?:いた)?しました|かしこまりました|わかりました"
)
# Opens a line that announces the answer and ends in a colon: `Here are three ideas:`
_ANNOUNCING = (
    "here(?:'s| is| are)|below (?:is|are)|the following|this is (?:a|the|your)|sure,? here"
    "|hier (?:ist|sind|kommt|kommen)|nachfolgend|im folgenden|voici|ci-dessous|aquí (?:tienes?"
    "|está|están|va|te)"
    "|a continuación|ecco|di seguito|aqui (?:está|estão|vai)|a seguir|hier (?:is|zijn|volgt)"
    "|以下(?:是|は|に|が)|这是|下面是|こちら(?:が|は)"
)
_AS_A_MACHINE = (
    "as an? (?:ai|language model|large language model|artificial intelligence)|als "
    "(?:ki|sprachmodell)"
)
_THEN = (
    r"here|i\b|i'|let me|let's|below|happy|glad|hier|ich|gerne|voici|je\b|j'|aquí|te\b|le\b"
    r"|ecco|segue|以下|这|下面"
)
_LEAD = r"[\s\"'“„«‘*_#>¡¿\-–—]*+"
_PREAMBLE = regex.compile(
    rf"{_LEAD}(?:(?:{_OPENERS})\s*(?:[!.:！。：—–](?=\W*\w)|-\s|[,，、]\s*(?=(?:{_THEN})))[^\n]{{0,300}}"
    rf"|(?:{_AS_A_MACHINE})\b[^\n]{{0,300}}"
    rf"|(?:{_ANNOUNCING})[^\n.!?。]{{0,300}}[:：][*_]*[^\S\n]*(?=\n|$))",
    regex.IGNORECASE,
)
_CODA = regex.compile(
    r"(?:please )?(?:let me know|feel free to|don't hesitate to|do not hesitate to)\b"
    r"|(?:i hope|hope) (?:this|that|it|these) (?:helps?|is helpful|was helpful|answers?|clarif)"
    r"|if you (?:have|need|want|would like|'d like) (?:any|more|further|additional|other|me to"
    r"|anything|help)"
    r"|(?:is there|was there) anything else|(?:would you like|do you want|shall i|want me "
    r"to)\b.{0,200}\?"
    r"|(?:happy|glad) to help with|any other questions"
    r"|lass(?:en sie)? (?:es )?mich (?:gerne )?wissen|ich hoffe,? (?:das|dies) (?:hilft|konnte)"
    r"|(?:wenn|falls|bei) "
    r"(?:du|sie|ihr)? ?(?:noch|weitere|weiteren)|zögern? (?:sie )?nicht|kann ich (?:dir|ihnen) "
    r"sonst"
    r"|n'hésite[zs]? pas|j'espère que (?:cela|ça|ceci)|si vous avez (?:d'autres|des|besoin)|si tu "
    r"as d'autres"
    r"|espero que (?:esto|te|le|esta|isso|ajude)|no dudes? en|si (?:tienes?|necesitas?) (?:más"
    r"|alguna|otra)"
    r"|av[ií]same si|hazme saber|se precisar de|fique à vontade|spero che (?:questo|ti|sia)|non "
    r"esitare|fammi sapere"
    r"|laat (?:het )?me (?:gerust )?weten"
    r"|希望(?:这|對|对|能)|如果(?:您|你)(?:有|还|需要)|请随时|お役に立て|ご(?:質問|不明)|お気軽に",
    regex.IGNORECASE,
)
_END_OF_TEXT = 2000
_SLOT = regex.compile(
    r"(?<![\w\]!])\[(?P<square>[^\[\]\n]{1,60})\](?![\[(:])|\{\{(?P<curly>[^{}\n]{1,60})\}\}"
    r"|<(?P<angle>(?:your|insert|enter|add|name|company|date|placeholder)\b[^<>\n]{0,50})>"
    r"|\b(?P<word>TODO|TBD|TBA|FIXME)\b|\blorem ipsum\b|(?P<blank>(?<![\w_])_{4,}(?![\w_])"
    r"|(?<!\w)X{3,}(?!\w))",
    regex.IGNORECASE,
)
_FILL_IN = regex.compile(
    r"\s*(?:your|my|the|insert|enter|add|fill|name|date|time|company|address|phone|e-?mail|city"
    r"|state|title|number|link"
    r"|url|recipient|sender|placeholder|specific|tu|su|nombre|fecha|votre|nom|ihr|dein|name|datum"
    r"|nome|data)\b",
    regex.IGNORECASE,
)
_CAPITALS = regex.compile(
    r"\s*\p{Lu}[\p{L}'’]*(?:[\s/_-]+(?:\p{Lu}[\p{L}'’]*|of|the|and|or|for|to|in|de|la|\d+))*\s*"
)
_SHOUTED = regex.compile(r"TODO|TBD|TBA|FIXME|X{3,}")


def listed(value: object) -> object:
    """One text is a list of one."""
    return [value] if isinstance(value, str) else value


def not_blank(values: list[str]) -> list[str]:
    """Refuses blank texts."""
    if any(not value.strip() for value in values):
        raise ValueError("a text here may not be empty")
    return values


Phrases = Annotated[list[str], BeforeValidator(listed), AfterValidator(not_blank)]


@check(group="structure", version=2)
def no_preamble(case: Case, answer: Answer, *, phrases: Phrases = []) -> Result:  # noqa: B006
    """The answer starts at once, without `Sure!`, `Here is...:`, `As an AI...`. `phrases`: further
    ways to start.
    """
    body = unfenced(answer.text)
    match = _PREAMBLE.match(body.text) or _own(phrases, body.text)
    if match is None:
        return verdict(True, "starts at once")
    hit = trim(Piece(match[0], body.start + match.start(), body.start + match.end()))
    return verdict(
        False,
        f"starts with a preamble: {_short(hit.text)}",
        hit.span("preamble", "no_preamble"),
    )


@check(group="structure", version=2)
def no_coda(case: Case, answer: Answer, *, phrases: Phrases = []) -> Result:  # noqa: B006
    """The answer ends with its content, without `I hope this helps`, `Let me know if...`.
    `phrases`: further ones.
    """
    body = unfenced(answer.text)
    skipped = max(0, len(body.text) - _END_OF_TEXT)
    for last in sentences(body.text[skipped:])[-2:]:
        match = _CODA.search(last.text) or _own(phrases, last.text)
        if match:
            span = _moved(last, body.start + skipped).span("closing phrase", "no_coda")
            return verdict(False, f"ends with a closing phrase: {_short(last.text)}", span)
    return verdict(True, "ends with its content")


@check(group="structure", version=2)
def no_placeholders(case: Case, answer: Answer, *, allow: Phrases = []) -> Result:  # noqa: B006
    """Nothing is left to fill in: `[Your Name]`, `{{date}}`, `<insert link>`, `____`, `TODO`,
    `lorem ipsum`.

    Code, links, citations, `[x]` and remarks such as `[laughs]` don't count. `allow`: texts in
    brackets that may stay.
    """
    allowed = {text.strip("[]{}<> ").casefold() for text in allow}
    matches = [
        piece
        for piece in _placeholders(masked(answer.text))
        if _inside(piece.text).casefold() not in allowed
    ]
    if not matches:
        return verdict(True, "no placeholder left")
    spans = (piece.span("placeholder", "no_placeholders") for piece in matches[:20])
    return verdict(
        False,
        f"{number_of(len(matches), 'placeholder')} left, first {_short(matches[0].text)}",
        *spans,
    )


def _placeholders(text: str) -> Iterator[Piece]:
    for match in _SLOT.finditer(text):
        square = match["square"]
        if square is not None and not (_FILL_IN.match(square) or _CAPITALS.fullmatch(square)):
            continue
        letters = (match["word"] or match["blank"] or "").isalpha()
        if letters and not _SHOUTED.fullmatch(match[0]):
            continue
        yield Piece(match[0], match.start(), match.end())


def _moved(piece: Piece, by: int) -> Piece:
    return Piece(piece.text, piece.start + by, piece.end + by)


def _inside(slot: str) -> str:
    return slot.strip("[]{}<> ")


def _own(phrases: list[str], text: str) -> "regex.Match[str] | None":
    """One of the caller's phrases at the start of the text, up to the end of its line."""
    if not phrases:
        return None
    return regex.match(
        rf"{_LEAD}(?:{'|'.join(map(regex.escape, phrases))})[^\n]*", text, regex.IGNORECASE
    )


def _short(text: str) -> str:
    line = stripped(text).text.split("\n", 1)[0]
    return repr(line if len(line) <= 80 else line[:79] + "…")
