"""Languages told apart: by script, by letters, by words."""

import pytest

from llmeval.checks.builtin.text.language import LANGUAGES, UNDETERMINED, identify, known
from llmeval.checks.builtin.text.language_words import without_names
from tests.checks.tried import tried
from tests.support.tables import each_row

SENTENCES = {
    "ar": "ذهبت اليوم إلى السوق واشتريت الفاكهة.",
    "bg": "Днес отидох на пазара и купих ябълки за вкъщи.",
    "bn": "আমি আজ বাজারে গিয়ে ফল কিনেছি।",
    "de": "Heute bin ich auf den Markt gegangen und habe Äpfel gekauft.",
    "el": "Σήμερα πήγα στην αγορά και αγόρασα μήλα.",
    "en": "Today I went to the market and bought some apples.",
    "es": "Hoy fui al mercado y compré unas manzanas.",
    "fa": "من امروز به بازار رفتم و میوه خریدم.",
    "fi": "Menin tänään torille ja ostin omenoita.",
    "fr": "Aujourd'hui je suis allé au marché et j'ai acheté des pommes.",
    "gu": "આજે હું બજારમાં ગયો અને ફળ ખરીદ્યા.",
    "he": "היום הלכתי לשוק וקניתי תפוחים.",
    "hi": "मैं आज बाज़ार गया और मैंने फल खरीदे।",
    "it": "Oggi sono andato al mercato e ho comprato delle mele.",
    "ja": "今日は市場に行ってりんごを買いました。",
    "kn": "ನಾನು ಇಂದು ಮಾರುಕಟ್ಟೆಗೆ ಹೋಗಿ ಹಣ್ಣು ಖರೀದಿಸಿದೆ.",
    "ko": "오늘 시장에 가서 사과를 샀어요.",
    "ml": "ഞാൻ ഇന്ന് ചന്തയിൽ പോയി പഴം വാങ്ങി.",
    "mr": "मी आज बाजारात गेलो आणि फळे घेतली.",
    "ne": "म आज बजार गएँ र फलफूल किनें।",
    "pa": "ਮੈਂ ਅੱਜ ਬਾਜ਼ਾਰ ਗਿਆ ਅਤੇ ਫਲ ਖਰੀਦੇ।",
    "pl": "Dzisiaj poszedłem na targ i kupiłem jabłka.",
    "pt": "Hoje fui ao mercado e comprei algumas maçãs.",
    "ru": "Сегодня я пошёл на рынок и купил яблоки.",
    "sw": "Leo nilienda sokoni na kununua matunda mengi.",
    "ta": "நான் இன்று சந்தைக்குச் சென்று பழம் வாங்கினேன்.",
    "te": "నేను ఈ రోజు మార్కెట్‌కు వెళ్లి పండ్లు కొన్నాను.",
    "th": "วันนี้ฉันไปตลาดและซื้อผลไม้",
    "uk": "Сьогодні я пішов на ринок і купив яблука.",
    "ur": "میں آج بازار گیا اور پھل خریدے۔",
    "vi": "Hôm nay tôi đi chợ và mua vài quả táo.",
    "zh": "今天我去市场买了一些苹果。",
}


@each_row("code", SENTENCES)
def test_a_sentence_of_each_language_that_ifeval_asks_for(code: str) -> None:
    guess = identify(SENTENCES[code])
    assert guess is not None
    assert guess.language == code
    assert 0 < guess.probability <= 1
    assert code in LANGUAGES


def test_capitals_and_code_do_not_change_the_language() -> None:
    assert identify(SENTENCES["de"].upper()) is not None
    assert identify(SENTENCES["de"].upper()).language == "de"
    assert (
        identify(SENTENCES["fr"] + "\n```\n" + "the code is in english " * 20 + "\n```").language
        == "fr"
    )


def test_names_in_latin_letters_do_not_hide_another_script() -> None:
    assert (
        identify("Οι ομάδες (Los Angeles Rams, San Diego Chargers, Los Angeles Lakers)").language
        == "el"
    )


@pytest.mark.parametrize("text", ["", "42", "Yes.", "Jane Doe", "да, нет"])
def test_too_little_to_tell(text: str) -> None:
    assert identify(text) is None


def test_one_word_is_enough_where_the_script_decides() -> None:
    assert identify("ನಮಸ್ಕಾರ").language == "kn"


def test_a_longer_text_in_no_language_is_undetermined() -> None:
    nonsense = (
        "Zwarteni molik pasu grevin, talo kibre funda els morave tij sanoku brel pindo vask uren"
    )
    assert identify(nonsense).language == UNDETERMINED


def test_the_same_text_always_reads_the_same() -> None:
    text = "Mia Anna Leo Ella Nora Iris Otto"
    assert len({identify(text) for _ in range(20)}) == 1


def test_codes_are_checked() -> None:
    assert known("EN") == "en"
    assert known("nb") == "no"
    with pytest.raises(ValueError, match="without region"):
        known("pt-BR")


# (text, its language, the language it must not be taken for)
NAMES = [
    ("Halldór Kiljan Laxness lived near Reykjavík.", "en", "is"),
    ("The Champs-Élysées are in Paris, France.", "en", "fr"),
    ("Jorge Luis Borges was born in Buenos Aires.", "en", "es"),
    ("São Paulo is larger than Rio de Janeiro.", "en", "pt"),
    ("It was sung by Ágætis Byrjun in Akureyri.", "en", "is"),
    ("Die Hauptstadt heißt New York City.", "de", "en"),
    ("Der Film The Lord of the Rings läuft heute.", "de", "en"),
    ("La capitale est Buenos Aires.", "fr", "es"),
    ("El libro se titula Pride and Prejudice.", "es", "en"),
]


@pytest.mark.parametrize(("text", "code", "other"), NAMES)
def test_names_do_not_make_the_language(text: str, code: str, other: str) -> None:
    assert tried({"language": code}, text).passed is True
    assert tried({"language": other}, text).passed is not True


# (text, what is asked, passed, whether the check is sure)
SHORT = [
    ("京都府京都市左京区", "ja", True, False),
    ("京都府京都市左京区", "zh", True, False),
    ("京都府京都市左京区", "en", False, True),
    ("千葉県成田市駅前", "ja", True, True),
    (
        "、".join(
            [
                "京都府",
                "大阪府",
                "奈良市",
                "愛知",
                "静岡",
                "山梨",
                "長野",
                "新潟",
                "富山",
                "石川",
                "福井",
                "三重",
                "滋賀",
                "兵庫",
                "和歌山",
                "鳥取",
                "島根",
                "岡山",
                "山口",
            ]
        ),
        "ja",
        True,
        False,
    ),
    ("这是什么", "ja", False, True),
    ("上海市浦东新区", "zh", True, True),
    ("Le Monde, El País, Die Zeit, La Stampa", "en", None, False),
    ("Łódź, Kraków, Gdańsk, Poznań", "en", None, False),
    ("This is not what I was looking for.", "de", False, True),
]


@pytest.mark.parametrize(("text", "asked", "passed", "sure"), SHORT)
def test_a_text_that_may_be_either_never_fails(
    text: str, asked: str, passed: bool | None, sure: bool
) -> None:
    result = tried({"language": asked}, text)
    assert result.passed is passed, result.reason
    assert (result.confidence is None) is (sure or passed is None)


# (text, the words that are no names, how many are names)
WORDS = [
    ("Johann Wolfgang von Goethe wrote it.", ("wrote", "it"), 3),
    (
        "The Beatles came to Los Angeles. There they sang.",
        ("the", "came", "to", "there", "they", "sang"),
        3,
    ),
    ("ALL CAPITALS HERE", ("all", "capitals", "here"), 0),
    ("The End Of The World", ("the", "of", "the"), 2),
    ("Paris is in France", ("is", "in"), 2),
    ("Paris, and France", ("and",), 2),
]


@pytest.mark.parametrize(("text", "rest", "names"), WORDS)
def test_words_and_names_are_told_apart(text: str, rest: tuple[str, ...], names: int) -> None:
    words = without_names(text, ("en",))
    assert words.rest == rest
    assert words.names == names
