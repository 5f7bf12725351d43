"""A small extraction service with the standard library: the application that extract.yaml tests.

extract.yaml calls `extract`. `python extract_app.py 8712` takes {"text": ...} by POST.
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

MONTHS = "january february march april may june july august september october november december"


def number(text: str) -> float:
    """1,234.50 and 1.234,50 as 1234.5: the last mark is the decimal point if two digits follow."""
    whole, mark, cents = re.fullmatch(r"([\d.,' ]*?)([.,]?)(\d{0,2})", text).groups()
    digits = re.sub(r"\D", "", whole)
    return float(f"{digits}.{cents or 0}") if mark else float(digits + cents)


def date(text: str) -> str | None:
    """2031-04-03, 3 April 2031, April 3, 2031 and 03.04.2031 (day first) as 2031-04-03."""
    if match := re.search(r"(\d{4})-(\d\d)-(\d\d)", text):
        return match[0]
    if match := re.search(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        return f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    names = MONTHS.split()
    for day, month, year in re.findall(r"(\d{1,2})\.? (\w+) (\d{4})", text):
        if month.lower() in names:
            return f"{year}-{names.index(month.lower()) + 1:02}-{int(day):02}"
    for month, day, year in re.findall(r"(\w+) (\d{1,2}), (\d{4})", text):
        if month.lower() in names:
            return f"{year}-{names.index(month.lower()) + 1:02}-{int(day):02}"
    return None


def extract(text: str) -> dict[str, object]:
    """The record of an invoice, as JSON."""
    total = re.search(r"(?i)(?:total|amount due|to pay)\D*([\d.,']+\d)", text)
    invoice = re.search(r"(?i)(?:invoice|bill)\s*(?:no\.)?:?\s*([A-Z]*-?\d[\w-]+)", text)
    record = {
        "vendor": text.splitlines()[0].strip(),
        "invoice": invoice[1] if invoice else None,
        "date": date(text),
        "total": number(total[1]) if total else None,
        "currency": "USD" if "$" in text or "USD" in text else "EUR",
    }
    return {"output": json.dumps(record, ensure_ascii=False)}


class Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(extract(body["text"])).encode())


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
