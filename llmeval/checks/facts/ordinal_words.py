"""Ordinals in words, 1 to 21, in seven languages: of kings and popes, and of centuries.

Words are folded (see `tokens`). Source: the spell-out rules of CLDR (RBNF). Forms of both genders
are next to each other, with a slash between them.
"""

_TABLE = {
    "en": (
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
        "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth "
        "twenty-first"
    ),
    "de": (
        "erste zweite dritte vierte funfte sechste siebte/siebente achte neunte zehnte elfte "
        "zwolfte dreizehnte vierzehnte funfzehnte sechzehnte siebzehnte achtzehnte neunzehnte "
        "zwanzigste einundzwanzigste"
    ),
    "nl": (
        "eerste tweede derde vierde vijfde zesde zevende achtste negende tiende elfde twaalfde "
        "dertiende veertiende vijftiende zestiende zeventiende achttiende negentiende twintigste "
        "eenentwintigste"
    ),
    "fr": (
        "premier/premiere deuxieme/second/seconde troisieme quatrieme cinquieme sixieme septieme "
        "huitieme neuvieme dixieme onzieme douzieme treizieme quatorzieme quinzieme seizieme "
        "dix-septieme dix-huitieme dix-neuvieme vingtieme vingt-et-unieme"
    ),
    "es": (
        "primero/primera/primer segundo/segunda tercero/tercera/tercer cuarto/cuarta quinto/quinta "
        "sexto/sexta septimo/septima octavo/octava noveno/novena decimo/decima "
        "undecimo/undecima duodecimo/duodecima decimotercero/decimotercera "
        "decimocuarto/decimocuarta decimoquinto/decimoquinta decimosexto/decimosexta "
        "decimoseptimo/decimoseptima decimoctavo/decimoctava decimonoveno/decimonovena "
        "vigesimo/vigesima vigesimoprimero/vigesimoprimera"
    ),
    "it": (
        "primo/prima secondo/seconda terzo/terza quarto/quarta quinto/quinta sesto/sesta "
        "settimo/settima ottavo/ottava nono/nona decimo/decima undicesimo/undicesima "
        "dodicesimo/dodicesima tredicesimo/tredicesima quattordicesimo/quattordicesima "
        "quindicesimo/quindicesima sedicesimo/sedicesima diciassettesimo/diciassettesima "
        "diciottesimo/diciottesima diciannovesimo/diciannovesima ventesimo/ventesima "
        "ventunesimo/ventunesima"
    ),
    "pt": (
        "primeiro/primeira segundo/segunda terceiro/terceira quarto/quarta quinto/quinta "
        "sexto/sexta setimo/setima oitavo/oitava nono/nona decimo/decima "
        "decimo-primeiro/decima-primeira decimo-segundo/decima-segunda "
        "decimo-terceiro/decima-terceira decimo-quarto/decima-quarta decimo-quinto/decima-quinta "
        "decimo-sexto/decima-sexta decimo-setimo/decima-setima decimo-oitavo/decima-oitava "
        "decimo-nono/decima-nona vigesimo/vigesima vigesimo-primeiro/vigesima-primeira"
    ),
}
ORDINAL_WORDS: dict[str, tuple[tuple[str, ...], ...]] = {
    language: tuple(tuple(forms.split("/")) for forms in words.split())
    for language, words in _TABLE.items()
}
"""The forms of 1, 2, 3, ... by language."""
ORDINAL_VALUES = {
    form: n
    for table in ORDINAL_WORDS.values()
    for n, forms in enumerate(table, start=1)
    for form in forms
}
"""The number of each form; no form means two numbers."""
