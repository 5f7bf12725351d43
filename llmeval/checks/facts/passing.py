"""Names that an answer mentions beside its answer: "a friend of X", "older than X", "who competed with X"."""

import regex

_KIN = (
    "brother|sister|sibling|son|daughter|father|mother|parent|wife|husband|spouse|cousin|nephew|niece|uncle|aunt|grandson|"
    "granddaughter|grandfather|grandmother|child|widow"
)
_RELATION = (
    "friend|rival|student|pupil|teacher|mentor|tutor|colleague|contemporary|successor|predecessor|follower|disciple|admirer|"
    "critic|opponent|enemy|ally|competitor|assistant|prot[eé]g[eé]e?|apprentice|neighbou?r|fan|imitator|biographer|translator|"
    "suburb|counterpart|alternative|classmate|roommate|acquaintance|companion|compatriot|adviser|advisor|secretary|general|"
    "imitation|rip-off|copy|parody"
)
_OTHER_LANGUAGES = (
    "freund(?:in)?|rivale?|schüler(?:in)?|lehrer(?:in)?|kollege|zeitgenosse|nachfolger|vorgänger|gegner|bruder|schwester|sohn|tochter|"
    "ami|amie|rivale?|élève|maître|collègue|contemporain|successeur|prédécesseur|frère|sœur|fils|fille|"
    "amig[oa]|rival|alumn[oa]|discípul[oa]|maestr[oa]|colega|contemporáne[oa]|sucesor|predecesor|herman[oa]|hij[oa]|"
    "amic[oa]|rivale|alliev[oa]|maestr[oa]|collega|contemporane[oa]|successore|predecessore|fratello|sorella|figli[oa]|"
    "alun[oa]|mestre|contemporâne[oa]|sucessor|antecessor|irmão|irmã|filh[oa]|"
    "vriend(?:in)?|rivaal|leerling|leraar|collega|tijdgenoot|opvolger|voorganger|broer|zus|zoon|dochter"
)
_OF = r"(?:of|to|with|for|under|von|vom|de|du|des|di|del|della|da|do|van)"
_BEFORE = regex.compile(
    rf"\b(?:(?:{_RELATION}|{_KIN}|{_OTHER_LANGUAGES})s?\s+{_OF}\s+(?:(?:the|a|an)\s+|l['’]|d['’])?"
    r"|(?:who|which|that)\s+(?:had\s+|once\s+|often\s+)?(?:competed|worked|studied|fought|argued|served|collaborated|corresponded|quarrel+ed|lived|travel+ed)"
    r"\s+(?:with|under|against|alongside|for|near|next\s+to)\s+(?:the\s+)?"
    r"|(?:\p{L}+er(?<!other)|(?:more|less)\s+\p{L}+|rather)\s+than\s+(?:the\s+)?|as\s+\p{L}+\s+as\s+(?:the\s+)?"
    r"|(?:similar|compared|equal|close|next|second|related)\s+(?:to|with)\s+(?:the\s+)?|inspired\s+by\s+(?:the\s+)?|influenced\s+by\s+(?:the\s+)?"
    r"|(?:who|which)\s+(?:had\s+|once\s+|greatly\s+)?(?:admired|knew|met|loved|hated|influenced|inspired|taught|married|succeeded|followed|imitated|read|envied|copied|praised|criticized|criticised|helped)\s+(?:the\s+)?"
    r"|(?:wrote|made|composed|painted|built|did|designed|created|sang|filmed)\s+(?:it|this|that|them)\s+(?:for|with|about|after|like|before|against|near)\s+(?:the\s+)?"
    r"|reminiscent\s+of\s+(?:the\s+)?|in\s+the\s+style\s+of\s+(?:the\s+)?|(?:not\s+)?(?:just\s+|only\s+)?as\s+with\s+)$",
    regex.IGNORECASE,
)
_OWN = regex.compile(rf"(?:(?<=['’]s)|['’]s)\s+(?:\p{{L}}+\s+){{0,2}}?(?:{_RELATION}|{_KIN})s?\b", regex.IGNORECASE)
"""What follows a name in "X's rival"."""
_ASKED = regex.compile(
    rf"\b(?:{_RELATION}|{_KIN}|{_OTHER_LANGUAGES}|than|similar|inspir\w*|influenc\w*|related|whose|married|marry|taught|teach\w*|named?\s+after"
    r"|suburb|comparable|compared|based\s+on)s?\b|\b(?:who|what|which)\s+(?:\p{L}+\s+){0,2}?(?:is|was|are|were)\s+(?:the\s+)?(?:(?:bigg|larg|small|tall|short|old|young|fast|slow|heavi|light|long|high|low|deep|clos|near|rich|great|strong|cold|hott|warm|earli|lat)er|better|worse|more|less)\b",
    regex.IGNORECASE,
)
_REACH = 70


def is_passing(raw: str, start: int, end: int, question: str) -> bool:
    """Whether what is at [start, end) stands only in relation to the thing that the answer is about.

    A question that asks for a relation, or compares, is answered by such a phrase.
    """
    before = raw[max(0, start - _REACH) : start]
    if not _BEFORE.search(before) and not _OWN.match(raw, end):
        return False
    return not _ASKED.search(question)
