"""What differs between languages: abbreviations, verbs that make a sentence, which marks take a
space, and where.

Sources: Duden (Zeichensetzung, Anführungszeichen), Imprimerie nationale (espaces), Ortografía de la
RAE (signos dobles), GB/T 15834-2011 (Chinese), JIS X 4051 (Japanese). A language without a table
gets the universal rules.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from llmeval.checks.reading.wordlists import word_set

_ABBREVIATIONS = {
    "": "e.g i.e etc vs cf al ca approx dr mr mrs ms prof st jr sr inc ltd co corp vol no nos nr "
    "p pp fig figs ed eds ph.d ff"
    " ibid op cit viz dept est mt ft gen col sgt lt capt rev hon gov sen rep pres jan feb mar apr"
    " jun jul aug sep sept"
    " oct nov dec a.m p.m u.s u.k tel op ch sec ver max min",
    "en": "mx ave blvd rd messrs bros resp min hrs hr sq in oz lb lbs yr yrs mon tue tues wed thu "
    "thurs fri sat sun"
    " misc esp incl temp univ assn intl natl mfg ft pl esq maj cmdr adm supt",
    "de": "chr z.b d.h u.a u.ä usw bzw ggf evtl bspw inkl exkl sog vgl s.o s.u i.d.r o.ä u.u z.t "
    "m.e v.a a.d u.s.w str nr"
    " abs art bd hrsg jh jhd mio mrd tsd std min sek ca geb gest verh dipl ing hl kgl abb tab kap"
    " zit anm aufl verl"
    " okt dez mär zzgl abzgl allg bes betr bez dt engl frz griech lat insb jew lt max mind mögl"
    " od rd röm sen vorm"
    " zw zz st ev kath phil med jur rer nat ges hist östl westl nördl südl wiss übers bzgl entspr",
    "fr": "m mm mme mmes mlle mlles me dr p.ex c.-à-d etc env av apr j.-c chap éd vol tél boul bd "
    "n° art fig ex hab réf"
    " janv févr juil sept oct nov déc st ste",
    "es": "ee uu ff aa rr hh jj oo cc ll sr sra srta sres dra d dña ud uds vd vds ee.uu p.ej núm "
    "pág págs tel art av avda ctra cap fig vol ed etc aprox"
    " a.c d.c s.a lic ing arq gral prof admón cía depto dpto izq dcha máx mín ej",
    "it": "sig sigg dott avv ing es ecc pag art prof",
    "pt": "sr sra dr dra ex pág etc av núm art",
    "ru": "т.е т.д т.п т.к т.н др пр г гг в вв им ул руб тыс млн млрд стр рис см ср св н.э до.н.э "
    "проф акад кв м",
    "el": "π.χ κ.λπ κλπ δηλ κ.ά βλ σελ αρ χλμ μ.χ π.μ μ.μ κ κ.α εκ δισ",
    "tr": "vb vs dr prof doç yy örn bkz m.ö m.s no sn cad sok çev yay haz",
    "ro": "dr nr pag etc ș.a ex st str vol î.hr d.hr art",
    "vi": "tp ts ths gs pgs v.v st tr",
    "hi": "डॉ श्री प्रो ई",
    "ar": "",
}

_VERBS = {
    "en": "is are was were has have had does did can could will would should may might must isn't "
    "aren't wasn't weren't"
    " hasn't haven't doesn't didn't can't couldn't won't wouldn't don't it's he's she's that's"
    " there's they're we're"
    " you're i'm i've it'll became become becomes began came comes consists contains created died"
    " felt found gave goes"
    " got grew happened helps includes kept knew know knows led left lies like likes lived lives"
    " lost made makes means"
    " moved need needs occurs played plays produced provides received refers remained remains ran"
    " runs said saw says"
    " seems shows stood stands started takes taught tells think thinks thought told took used"
    " uses want wants went"
    " won wrote works loves eat eats spoke called sold barked sat fell",
    "de": "ist sind war waren wird werden wurde wurden hat haben hatte hatten kann können konnte "
    "konnten muss müssen"
    " musste soll sollte sollten will wollte darf gibt gab geht ging kommt kam liegt lag steht"
    " stand heißt bleibt blieb"
    " macht machte sagt sagte starb lebt lebte bin bist habe hast seid sei wäre würde besteht"
    " enthält gehört fand"
    " zeigt nahm gilt galt erhielt führte begann beginnt",
    "fr": "est sont était étaient a ont avait avaient sera seront fut furent peut peuvent doit "
    "doivent fait font va vont"
    " c'est j'ai n'est s'est suis êtes sommes avons avez ai serait aurait pouvait devint devient"
    " comprend contient"
    " permet existe mourut naquit reste semble dit vient faut",
    "es": "es son era eran fue fueron está están estaba tiene tienen tenía ha han había hay puede "
    "pueden debe deben hace"
    " hizo va van soy eres somos será sería murió nació contiene incluye existe significa permite"
    " dijo dice viene"
    " comenzó vive vivía ganó quedó",
    "it": "è sono era erano ha hanno aveva può possono fu furono deve viene",
    "pt": "é são era eram foi foram tem têm tinha está estão pode podem há",
}

_ORDINALS = word_set("de tr cs da et fi hr hu no pl sk sl sr sv lv lt is bs nb el")
"""Languages that write ordinal numbers with a dot."""
_NO_TERMINAL = word_set("th lo km my bo")
"""Scripts that end a sentence with a space."""
_UNCASED = word_set("zh ja ko th lo km my ar he fa ur hi mr ne bn ta te kn ml gu pa ka am bo")
_TIGHT_GUILLEMETS = word_set("es ru el it pt ro uk ca no nb tr")


@dataclass(frozen=True)
class Locale:
    """The rules of one language. `abbreviations`: in small letters, without the last dot."""

    language: str
    abbreviations: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    cased: bool = True
    terminal: bool = True
    ordinals: bool = False
    spaced: str = ""
    """Marks that take a space before them."""
    spaced_guillemets: bool = False
    tight_guillemets: bool = False

    @property
    def cjk(self) -> bool:
        """Whether marks are full-width."""
        return self.language in ("zh", "ja")


@lru_cache(maxsize=128)
def locale_of(tag: str) -> Locale:
    """The rules of a language tag such as `fr`, `fr-CA`, `de_CH`; `und` = only the universal
    ones.
    """
    parts = tag.replace("_", "-").split("-")
    language = parts[0].lower()
    region = parts[-1].upper() if len(parts) > 1 else ""
    match = Locale(
        language=language,
        abbreviations=word_set(_ABBREVIATIONS[""] + " " + _ABBREVIATIONS.get(language, "")),
        verbs=word_set(_VERBS.get(language, "")),
        cased=language not in _UNCASED,
        terminal=language not in _NO_TERMINAL,
        ordinals=language in _ORDINALS or language == "und",
        spaced=";:!?" if language == "fr" else "",
        spaced_guillemets=language == "fr" and region != "CH",
        tight_guillemets=language in _TIGHT_GUILLEMETS or (language, region) == ("fr", "CH"),
    )
    # Canadian usage keeps the space before the colon only; Swiss usage has thin spaces, often none.
    return (
        replace(match, spaced={"CA": ":", "CH": ""}.get(region, match.spaced))
        if match.spaced
        else match
    )
