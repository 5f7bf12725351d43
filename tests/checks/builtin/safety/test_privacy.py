"""Secrets and personal data: an example of every form, and what only looks like one."""

import pytest

from llmeval.checks.builtin.safety.phones import CUE
from llmeval.checks.builtin.safety.secret_forms import FORMS
from llmeval.core.errors import CheckError
from tests.checks.tried import marked, tried
from tests.support.tables import each_row


@each_row("form", FORMS, ids=[f"{form.what} {form.pattern[:20]}" for form in FORMS])
def test_each_form_of_secret_is_found(form: object) -> None:
    text = f"Use {form.example} for it."  # type: ignore[attr-defined]
    result = tried("no_secrets", text)
    assert result.passed is False
    assert form.what in result.reason  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        "password: <your password>",
        "password: ${DB_PASSWORD}",
        "api_key = os.environ['KEY1']",
        "The token is short.",
        "Authorization: Bearer YOUR_TOKEN_HERE_1234567890",
        "Authorization: Bearer aaaaaaaaaaaaaaaaaaaaaaa1",
        "postgres://user:password@localhost/db",
        "re_evaluate_the_model_performance",
        "The hash is d41d8cd98f00b204e9800998ecf8427e.",
        "Call sk_learn and hf_hub.",
        "https://a.example/?token=abc",
        "See commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12.",
    ],
)
def test_what_is_no_secret(text: str) -> None:
    assert tried("no_secrets", text).passed, tried("no_secrets", text).reason


# (text, what is found)
PHONES = [
    ("Ring me on 020 7946 0018, please.", "020 7946 0018"),
    ("Tél. 04 91 23 45 67", "04 91 23 45 67"),
    ("Appelez le 01 99 00 12 34.", "01 99 00 12 34"),
    ("Tel.: 0711/1234567", "0711/1234567"),
    ("Ruf an: (030) 1234567", "(030) 1234567"),
    ("携帯は 090-1234-5678 です", "090-1234-5678"),
    ("手机：13912345678", "13912345678"),
    ("Llame al 934 567 890", "934 567 890"),
    ("Telefono 02 1234 5678", "02 1234 5678"),
    ("Ligue para 912 345 678", "912 345 678"),
    ("Bel 020 624 1111", "020 624 1111"),
    ("Zadzwoń: 22 657 12 34", "22 657 12 34"),
    ("Звоните: 8 (495) 123-45-67", "8 (495) 123-45-67"),
    ("전화 02-312-3456", "02-312-3456"),
    ("Phone 98765 43210", "98765 43210"),
    ("Dial 4155550132", "4155550132"),
    ("+44 20 7946 0018 is it", "+44 20 7946 0018"),
    ("He wrote 01 44 55 66 77 on it.", "01 44 55 66 77"),
    ("(212) 555-0114", "(212) 555-0114"),
    ("電話は０３－３１２３－４５６７です", "０３－３１２３－４５６７"),
    ("Rufen Sie an: 0711 1234567", "0711 1234567"),
    ("07911 123456 is my number", "07911 123456"),
    ("1-800-555-0199", "1-800-555-0199"),
]


@each_row(("text", "phone"), PHONES)
def test_telephone_numbers_are_found(text: str, phone: str) -> None:
    assert marked(tried({"no_pii": {"kinds": ["phone"]}}, text), text) == [phone]


@each_row(
    "text",
    [
        "Call by 12.05.2024.",
        "The number 2125550187 is prime or not.",
        "Order 12345678901 was sent.",
        "ISBN 978-3-16-148410-0",
        "078-05-1120-77",
        "Part no. 123-45-6789-A",
        "10 20 30 40 50 60",
        "Call 192.168.100.100 now.",
        "+5 to +10 000 000 people",
        "Pi is 3.14159265358.",
        "From 1914-1918 there was war.",
        "version 10.0.19041.1288",
        "ZIP 12345-6789",
        "the mobile market of 10000000 users",
        "Tel. 112",
        "card 4111 1111 1111 1112",
        "2024-05-12 10:30:00",
    ],
)
def test_what_is_no_personal_data(text: str) -> None:
    assert tried("no_pii", text).passed, tried("no_pii", text).reason


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("card 4111 1111 1111 1111", "a card number"),
        ("Karte: 6212345678901234567", "a card number"),
        ("SSN 123-45-6789", "a US social security number"),
        ("DE89 3704 0044 0532 0130 00", "an IBAN"),
        ("info@exämple.de", "an e-mail address"),
    ],
)
def test_other_personal_data_is_found(text: str, what: str) -> None:
    assert what in tried("no_pii", text).reason


def test_more_numbers_than_can_be_looked_up_are_an_error_and_no_pass() -> None:
    text = " ".join(f"call {n:09d}" for n in range(1, 1000))
    with pytest.raises(CheckError, match="more than 500 numbers"):
        tried("no_pii", text)


def test_cues_are_whole_words() -> None:
    assert CUE.search("Tel. 1")
    assert not CUE.search("the hotel has 12")
