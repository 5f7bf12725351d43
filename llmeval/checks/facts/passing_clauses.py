"""Names inside a relative clause, a dedication or a genitive: "Brahms, whom X admired, wrote it",
"written for X", "Xs Bruder", "X的朋友"."""

import regex

_GERMAN = (
    r"(?:bruder|schwester|sohn|tochter|vater|mutter|schwager|schwägerin|onkel|tante|neffe|nichte"
    r"|vetter|enkel(?:in)?|frau|mann|witwe|schüler(?:in)?|lehrer(?:in)?|freund(?:in)?|kollege"
    r"|kollegin|rivale|rivalin|gegner(?:in)?|nachfolger(?:in)?|vorgänger(?:in)?|zeitgenosse"
    r"|assistent(?:in)?|biograph)"
)
_GENITIVE_BEFORE = regex.compile(rf"\b{_GERMAN}\s$", regex.IGNORECASE)
_GENITIVE_AFTER = regex.compile(rf"\s(?:\p{{L}}+\s){{0,2}}?{_GERMAN}\b", regex.IGNORECASE)
_HAN_AFTER = regex.compile(
    r"[的の](?:朋友|好友|弟弟|哥哥|兄弟|姐姐|妹妹|儿子|女儿|父亲|母亲|妻子|丈夫|学生|弟子|老师|对手|同事|继任者|前任"
    r"|友人|友達|兄|弟|姉|妹|父|母|妻|夫|息子|娘|師|師匠|先生|教え子|生徒|ライバル|同僚|後継者|前任者)"
)
_FOR = regex.compile(
    r"\b(?:written|composed|painted|built|made|created|designed|dedicated|commissioned|wrote"
    r"|composed|geschrieben|gewidmet|dédiée?|écrite?|dedicad[oa]|escrit[oa]|dedicat[oa]|scritt[oa]"
    r"|opgedragen|geschreven)\s(?:originally\s|especially\s)?"
    r"(?:for|to|against|in\s(?:honou?r|memory)\sof|für|pour|à|para|a|per|aan|voor)\s$",
    regex.IGNORECASE,
)
_FOR_ASKED = regex.compile(
    r"\b(?:for|to|whom|dedicat\w*|honou?r|memory|about|wem|wen|gewidmet|pour|qui\b.*\bpour|para|per"
    r"|voor|aan)\b",
    regex.IGNORECASE,
)
_RELATIVE = regex.compile(
    r"(?P<name>\p{Lu}[\p{L}.'’-]*),\s(?:(?:with|to|of|for|by|from|against|under|after|before"
    r"|about|bei|mit|von|zu|avec|de|con|com|met"
    r"|bij)\s)?(?P<word>who|whom|whose|der|die|den|dem|dessen|deren|qui|que|dont|quien|che|cui"
    r"|quem|dat|wie)\s(?P<clause>[^,.;:?!]{3,90})(?P<end>,\s\p{Ll}[\p{Ll}'’]|$)"
)
_CALLED = regex.compile(
    r"\b(?:called|named|known|pseudonym|alias|pen\sname|stage\sname|nicknamed|became|genannt|heißt"
    r"|hieß|bekannt|appelée?|nommée?|llamad[oa]|conocid[oa]|chiamat[oa]|chamad[oa]|genoemd"
    r"|performed|played|wrote|sang|recorded|directed"
    r"|composed)\b",
    regex.IGNORECASE,
)
_IS = regex.compile(
    r"\b(?:is|was|ist|war|est|était|es|era|fue|è|fu|foi|be|been)\s(?:\p{L}+\s)?$", regex.IGNORECASE
)
_SHORT = 160
_REACH = 60


def is_beside_person(raw: str, start: int, end: int, question: str) -> bool:
    """Whether the name at [start, end) only tells who or for whom another person was or worked."""
    if _HAN_AFTER.match(raw, end):
        return not _HAN_AFTER.search(question)
    before = raw[max(0, start - _REACH) : start]
    if _FOR.search(before):
        return not _FOR_ASKED.search(question)
    genitive = raw[start:end][-1:] in ("s", "’", "'") and not _asks_relation(question)
    if genitive and (_GENITIVE_BEFORE.search(before) or _GENITIVE_AFTER.match(raw, end)):
        return True
    return len(raw) <= _SHORT and _in_relative_clause(raw, start, end, question)


def _asks_relation(question: str) -> bool:
    return bool(_RELATION_ASKED.search(question))


_RELATION_ASKED = regex.compile(rf"\b(?:{_GERMAN}|wessen)\b", regex.IGNORECASE)


def _in_relative_clause(raw: str, start: int, end: int, question: str) -> bool:
    """Whether the place stands in a clause about another name, after which the sentence goes on."""
    asked = question.casefold()
    for match in _RELATIVE.finditer(raw):
        if not match.start("clause") <= start < end <= match.end("clause"):
            continue
        if match["name"].casefold() in asked or not match["end"]:
            return False
        return not (_CALLED.search(match["clause"]) or _IS.search(raw[:start]))
    return False
