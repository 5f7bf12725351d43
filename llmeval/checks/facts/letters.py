"""Which option of a multiple-choice question an answer chooses, by its letter.

A capital A before a small letter is an article, `I` a pronoun; a letter counts where it stands as a
choice.
"""

import regex

from llmeval.checks.facts.final_answer import Final

_LETTER = regex.compile(
    r"(?<![\p{L}\p{N}'’])(?P<letter>[A-J])(?![\p{L}\p{N}+#]|['’]\p{L})(?!\.\s?\p{Lu}\p{Ll})"
)
_MARKED = regex.compile(
    r"(?:\b(?:option|choice|answer|letter|alternative|statement|antwort|réponse|opción|opzione"
    r"|opção|optie|vitamin|type|group|grade|hepatitis|team|plan|class)"
    r"(?:\s+(?:is|was|ist|est|es|è|é|lautet))?\s*:?|\b(?:choose|chose|pick|select|go\s+with"
    r"|it\s+is|it['’]s|is)|\()[\s*_(\"']*$",
    regex.IGNORECASE,
)
_NOT = regex.compile(
    r"(?:\bnot|n['’]t|\bcannot|\bnever)\s(?:be\s)?(?:option\s|answer\s)?\(?$", regex.IGNORECASE
)
_LEADING = regex.compile(
    r"^[\s*_(\[\"']*(?P<letter>[A-J])(?=[\s*_\"']*(?:[).:,;\]]|$|[–—-]\s|\s(?:is|because|since"
    r"|as)\b))"
)
_RIGHT = regex.compile(r"[\s*_)\"']*(?:is|would\s+be)\s+(?:the\s+)?(?:correct|right|best|true)\b")


def chosen_letter(raw: str, final: Final | None) -> tuple[str, int] | None:
    """The letter chosen and where it stands; None where there is none, or more than one."""
    if final is not None:
        result = _letters(raw, final.start, final.end)
        if len({letter for letter, _ in result}) == 1:
            return result[0]
    leading = _LEADING.match(raw)
    if leading and not (
        leading["letter"] == "A" and regex.match(r"\s\p{Ll}", raw[leading.end() :])
    ):
        following = (
            _LETTER.match(raw, leading.end() + 1)
            if raw[leading.end() : leading.end() + 1] == ","
            else None
        )
        if following is None and not _lists_on(raw, leading.end()):
            return leading["letter"], leading.start("letter")
    result = _letters(raw, 0, len(raw))
    right = [(letter, at) for letter, at in result if _RIGHT.match(raw, at + 1)]
    for some in (right, result):
        if some and len({letter for letter, _ in some}) == 1:
            return some[-1]
    return None


def _lists_on(raw: str, at: int) -> bool:
    """Whether another letter follows at once: `A, B or C`."""
    return bool(
        regex.match(
            r"[\s,;/]*(?:and|or|und|oder|et|ou|y|o|e)?\s*[B-J](?![\p{L}.):])", raw[at : at + 12]
        )
    )


def _letters(raw: str, start: int, end: int) -> list[tuple[str, int]]:
    result = []
    for match in _LETTER.finditer(raw, start, min(end, start + 20_000)):
        letter, at = match["letter"], match.start()
        marked = bool(_MARKED.search(raw, max(start, at - 24), at))
        small = regex.match(r"\s+\p{Ll}", raw[match.end() : match.end() + 8])
        if letter in "AI" and small and not marked:
            continue
        if _NOT.search(raw, max(start, at - 20), at):
            continue
        result.append((letter, at))
    return result
