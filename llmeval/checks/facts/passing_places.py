"""Places that only tell where another one is: "a village near X", "70 km south of X"."""

import regex

from llmeval.checks.facts.screened import screened

_DIRECTIONS = (
    r"(?:north|south|east|west|northeast|northwest|southeast|southwest"
    r"|north-east|north-west|south-east|south-west)"
)
_BEFORE = screened(
    r"(?<!\p{L})(?:"
    # English
    rf"near(?:by)?(?:\sto)?|close\sto|not\sfar\sfrom|outside(?:\sof)?|{_DIRECTIONS}\sof"
    r"|(?:suburbs?|outskirts|vicinity|north|south|east|west)\sof|next\sto|adjacent\sto"
    r"|(?:miles|kilomet(?:re|er)s|km|hours?)\s(?:away\s)?from"
    # German
    r"|(?:dorf|ort|stadt|kleinstadt|gemeinde|ortschaft|vorort)\s(?:bei|nahe|von)|in\sder\snähe\svon"
    r"|nahe(?:\sbei)?|unweit(?:\svon)?|(?:nörd|süd|öst|west|nordöst|nordwest|südöst"
    r"|südwest)lich\svon"
    r"|außerhalb\svon"
    # French
    r"|(?:tout\s)?près\s(?:de|d['’]|du)|non\sloin\s(?:de|d['’]|du)|à\scôté\s(?:de|d['’]|du)"
    r"|aux\s(?:environs|alentours)\s(?:de|d['’]|du)|en\sbanlieue\s(?:de|d['’])"
    r"|(?:au\s(?:nord|sud|nord-est|nord-ouest|sud-est|sud-ouest)|à\sl['’](?:est|ouest))"
    r"\s(?:de|d['’]|du)"
    # Spanish
    r"|cerca\sdel?|al\s(?:norte|sur|este|oeste|noreste|noroeste|sureste|suroeste)\sdel?"
    r"|junto\sa|en\slas\safueras\sde|no\slejos\sde"
    # Italian
    r"|vicino\sa(?:d)?|nei\spressi\sdi|a\s(?:nord|sud|est|ovest)\sdi|alla\speriferia\sdi"
    r"|non\slontano\sda"
    # Portuguese
    r"|perto\sd[eoa]s?|próxim[oa]\s(?:de|a|ao|à)|a(?:o)?\s(?:norte|sul|leste|oeste)\sd[eoa]"
    r"|nos\sarredores\sd[eoa]"
    # Dutch
    r"|in\sde\sbuurt\svan|ten\s(?:noorden|zuiden|oosten|westen)\svan|vlak\sbij|nabij"
    r"|(?:dorp|stad|stadje|plaats)\sbij"
    r")\s*(?:(?:the|the\scity\sof|der|dem|la|le|de|den|het)\s)?[\"“«']?$",
    regex.IGNORECASE,
)
_NEAR_ASKED = regex.compile(
    rf"\b(?:near\w*|close\w*|far|distance|direction|{_DIRECTIONS}|outside|which\scity|nahe|nähe|bei"
    r"|entfernt|weit|près|loin|distance|cerca|lejos|distancia|vicino|lontano|perto|longe|dichtbij"
    r"|ver)\b",
    regex.IGNORECASE,
)
_REACH = 48


def is_beside_place(raw: str, start: int, question: str) -> bool:
    """Whether what starts at `start` is a place that another one is said to be near, where the
    question does not ask what is near."""
    before = raw[max(0, start - _REACH) : start]
    if raw[start : start + 1].islower():
        return False  # `near the heart`
    return bool(_BEFORE.search(before)) and not _NEAR_ASKED.search(question)
