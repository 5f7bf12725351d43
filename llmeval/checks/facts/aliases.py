"""Other names of the same thing: abbreviations, countries in seven languages, cities that have two
names.

`territories.tsv` holds names of countries from the Unicode CLDR (as in Babel 2.19; English, German,
French, Spanish, Italian, Portuguese, Dutch; Unicode License v3) and, in English, official and
former names from ISO 3166 and its part 3. A library with the same data (Babel, 10 MB) would be a
dependency for one table. Names of cities are those of the United Nations Group of Experts on
Geographical Names and the usual English exonyms.
"""

from functools import cache
from importlib.resources import files

from llmeval.checks.facts.tokens import Tokens

_GROUPS = """
United Nations|UN|UNO|ONU|Vereinte Nationen|Nations unies|Naciones Unidas|Nazioni Unite|\
Nações Unidas|Verenigde Naties
European Union|EU|UE|Europäische Union|Union européenne|Unión Europea|Unione europea|\
União Europeia|Europese Unie
North Atlantic Treaty Organization|North Atlantic Treaty Organisation|NATO|OTAN
World Health Organization|World Health Organisation|WHO|Weltgesundheitsorganisation|\
Organisation mondiale de la santé|Organización Mundial de la Salud|\
Organizzazione mondiale della sanità|Organização Mundial da Saúde|OMS
World Trade Organization|World Trade Organisation|WTO
International Monetary Fund|IMF|Internationaler Währungsfonds|IWF|Fonds monétaire international|\
Fondo Monetario Internacional|Fondo monetario internazionale|Fundo Monetário Internacional|FMI
United Nations Educational, Scientific and Cultural Organization|UNESCO
National Aeronautics and Space Administration|NASA
Federal Bureau of Investigation|FBI
Central Intelligence Agency|CIA
European Space Agency|ESA
United States|Vereinigte Staaten|États-Unis|Estados Unidos|Stati Uniti|Verenigde Staten|\
United States of America|USA|US|EE. UU.|EUA
United Kingdom|UK|Vereinigtes Königreich|Royaume-Uni|Reino Unido|Regno Unito|Verenigd Koninkrijk|GB
International Space Station|ISS
Soviet Union|USSR|Union of Soviet Socialist Republics|Sowjetunion|Union soviétique|\
Unión Soviética|Unione Sovietica|União Soviética|Sovjet-Unie
East Germany|GDR|German Democratic Republic|DDR
World War I|World War One|First World War|WWI|WW1|WW I|Erster Weltkrieg|Première Guerre mondiale|\
Primera Guerra Mundial|Prima guerra mondiale|Primeira Guerra Mundial|Eerste Wereldoorlog
World War II|World War Two|Second World War|WWII|WW2|WW II|Zweiter Weltkrieg|\
Seconde Guerre mondiale|Segunda Guerra Mundial|Seconda guerra mondiale|Tweede Wereldoorlog
deoxyribonucleic acid|DNA|Desoxyribonukleinsäure|DNS|acide désoxyribonucléique|\
ácido desoxirribonucleico|ADN
ribonucleic acid|RNA
human immunodeficiency virus|HIV|VIH
acquired immunodeficiency syndrome|acquired immune deficiency syndrome|AIDS
artificial intelligence|AI
New York City|NYC
Los Angeles|L.A.
Washington, D.C.|Washington DC|Washington D.C.
Beijing|Peking
Mumbai|Bombay
Kolkata|Calcutta
Chennai|Madras
Bengaluru|Bangalore
Kyiv|Kiev
Ho Chi Minh City|Saigon
Guangzhou|Canton
Yangon|Rangoon
Nanjing|Nanking
Istanbul|Constantinople
Gdańsk|Danzig
Wrocław|Breslau
Munich|München|Monaco di Baviera
Cologne|Köln|Colonia|Keulen
Vienna|Wien|Vienne|Viena|Wenen
Rome|Roma|Rom
Milan|Milano|Mailand
Florence|Firenze|Florenz|Florencia
Naples|Napoli|Neapel|Nápoles
Venice|Venezia|Venedig|Venise|Venecia|Veneza
Turin|Torino
Genoa|Genova|Genua|Gênes|Génova
Prague|Praha|Prag|Praga|Praag
Warsaw|Warszawa|Warschau|Varsovie|Varsovia
Moscow|Moskva|Moskau|Moscou|Moscú|Mosca|Moskou
Lisbon|Lisboa|Lissabon|Lisbonne
Copenhagen|København|Kopenhagen|Copenhague
Brussels|Bruxelles|Brüssel|Bruselas|Brussel
Geneva|Genève|Genf|Ginebra|Ginevra
Athens|Athína|Athen|Athènes|Atenas|Atene
Seville|Sevilla
The Hague|Den Haag|La Haye|La Haya
Antwerp|Antwerpen|Anvers
London|Londres|Londra|Londen
Paris|París|Parigi|Parijs
Tchaikovsky|Tschaikowski|Tschaikowsky|Tchaïkovski|Chaikovski|Čajkovskij
Dostoevsky|Dostojewski|Dostoïevski|Dostoievski|Dostoevskij
Gorbachev|Gorbatschow|Gorbatchev
Khrushchev|Chruschtschow|Khrouchtchev
Chekhov|Tschechow|Tchekhov
Rachmaninoff|Rachmaninow|Rachmaninov
"""


@cache
def _groups() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Every name's stems, and the names of its group."""
    territories = (
        files("llmeval.checks.facts").joinpath("territories.tsv").read_text(encoding="utf-8")
    )
    lines = [line.partition("\t")[2] for line in territories.splitlines()]
    groups: dict[tuple[str, ...], tuple[str, ...]] = {}
    for line in [*_GROUPS.strip().splitlines(), *lines]:
        names = tuple(line.split("|"))
        for name in names:
            groups.setdefault(_key(name), names)
    return groups


def _key(name: str) -> tuple[str, ...]:
    stems = Tokens(name).stems
    return tuple(stems[1:] if stems[:1] == ["the"] else stems)


def aliases_of(name: str) -> tuple[str, ...]:
    """The other names of the thing with this name; empty if none is known."""
    if len(name) > 80 or (len(name) <= 3 and not name.isupper()):
        return ()
    key = _key(name)
    return tuple(alias for alias in _groups().get(key, ()) if _key(alias) != key)


@cache
def _countries() -> frozenset[str]:
    """Names of countries, as stems with a space between them."""
    text = files("llmeval.checks.facts").joinpath("territories.tsv").read_text(encoding="utf-8")
    names = [name for line in text.splitlines() for name in line.partition("\t")[2].split("|")]
    return frozenset(" ".join(_key(name)) for name in names)


def is_country(name: str) -> bool:
    """Whether the folded stems are the name of a country in one of the languages of the table."""
    return name.removeprefix("the ") in _countries()


def is_abbreviation(name: str) -> bool:
    """Whether a name must be in capitals in the text too: US is not `us`."""
    return len(name) <= 5 and name.isupper()
