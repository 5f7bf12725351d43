"""A small RAG service with the standard library: the application that rag.yaml tests.

rag.yaml calls `answer`. As a service, `python rag_app.py 8710` takes {"question": ...} by POST.
"""

import json
import math
import re
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

DOCUMENTS = {
    "returns": "You can return a bike within 30 days of delivery. The return is free of charge.",
    "refunds": "A refund reaches your bank account within 5 working days of the return.",
    "warranty": "Frames have a warranty of 10 years. Other parts have a warranty of 2 years.",
    "delivery": "Delivery takes 3 to 5 working days. Delivery to islands costs 25 euros extra.",
    "assembly": "You assemble the pedals and the saddle yourself. It takes 20 minutes.",
    "service": "The first service is due after 300 kilometres. Our workshop does it for free.",
    "battery": "A full charge of the battery takes 4 hours. It is good for about 80 kilometres.",
    "theft": "Report a theft to the police first. Then our insurance pays for a new bike.",
    "sizes": "The small frame fits riders from 150 to 165 centimetres. Others need the large one.",
    "contact": "The hotline is open on weekdays from 9 to 17 o'clock. Its number is 071 555 0147.",
}  # fmt: skip
COMMON = set("a an and are at be can do does for from have how i in is it its long my of on or our "
             "the to until we what when which who with you your".split())  # fmt: skip


def words(text: str) -> set[str]:
    """The words of a text that say what it is about, without a plural s."""
    return {word.rstrip("s") for word in re.findall(r"\w+", text.lower())} - COMMON


def search(question: str, k: int = 3) -> list[str]:
    """The ids of the `k` documents that share the rarest words with the question."""
    bags = {name: words(f"{name} {text}") for name, text in DOCUMENTS.items()}
    weight = {word: math.log(1 + len(bags) / (1 + sum(word in bag for bag in bags.values())))
              for word in words(question)}  # fmt: skip
    score = {name: sum(weight[w] for w in bag & weight.keys()) for name, bag in bags.items()}
    return sorted(score, key=lambda name: -score[name])[:k]


def answer(question: str) -> dict[str, object]:
    """The best sentence of the best document, with its citation."""
    ids = search(question)
    sentences = re.split(r"(?<=[.])\s", DOCUMENTS[ids[0]])
    best = max(sentences, key=lambda sentence: len(words(sentence) & words(question)))
    contexts = [{"id": name, "text": DOCUMENTS[name]} for name in ids]
    return {"output": f"{best} [{ids[0]}]", "contexts": contexts}


class Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer(body["question"])).encode())


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
