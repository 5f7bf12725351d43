"""Images in the messages of cases: what the endpoint gets, what the page shows, what is refused."""

import base64
import gzip
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.errors import SuiteError
from llmeval.data import message_images
from tests.support.endpoint import serve


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(red: int) -> bytes:
    """A PNG of one pixel."""
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(bytes([0, red, 0, 0]))
    parts = _chunk(b"IHDR", head) + _chunk(b"IDAT", pixel) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def rows_of(report: Path) -> list[dict[str, Any]]:
    """The rows that a report holds."""
    page = report.read_text(encoding="utf-8")
    data = page.partition('id="chunk-0">')[2].partition("<")[0]
    rows: list[dict[str, Any]] = json.loads(gzip.decompress(base64.b64decode(data)))
    return rows


def suite_with(folder: Path, content: object, model: str) -> Path:
    case = {"id": "a", "messages": [{"role": "user", "content": content}], "reference": "red"}
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "cases.jsonl").write_text(json.dumps(case) + "\n")
    (folder / "data" / "dot.png").write_bytes(png(255))
    (folder / "secret.png").write_bytes(png(1))
    (folder / "data" / "notes.png").write_text("no image")
    path = folder / "s.yaml"
    path.write_text(
        f"suite: s\ncases: data/cases.jsonl\nmodels: {{m: {model}}}\ncandidate: m\n"
        "checks: [contains: red]\n"
    )
    return path


def image(url: str, **more: str) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


TEXT = {"type": "text", "text": "Which colour?"}


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_texts_and_images_reach_the_endpoint_in_their_order(tmp_path: Path, api: str) -> None:
    content = [
        image("dot.png", detail="low"),
        TEXT,
        image(data_url(png(9))),
        image("HTTPS://images.example/a/b.png?key=1"),
    ]
    said = {"type": "message", "content": [{"type": "output_text", "text": "It is red."}]}
    response = {"output": [said], "status": "completed"}
    with serve(lambda body, earlier: "It is red." if api == "chat" else response) as endpoint:
        model = (
            f"{{provider: openai, model: v, api: {api}, api_key: k, base_url: '{endpoint.url}'}}"
        )
        suite = suite_with(tmp_path, content, model)
        run = llmeval.run(suite, options=llmeval.Options(out=tmp_path / "out"))
        again = llmeval.run(suite, options=llmeval.Options(out=tmp_path / "again"))
        (tmp_path / "data" / "dot.png").write_bytes(png(128))
        changed = llmeval.run(suite, options=llmeval.Options(out=tmp_path / "changed"))
    assert run.decision == "PASS"
    body = endpoint.requests[0]
    (message,) = body["messages" if api == "chat" else "input"]
    parts: list[dict[str, Any]] = message["content"]
    urls = [
        part["image_url"] if api == "responses" else part["image_url"]["url"]
        for part in parts
        if "image" in part["type"]
    ]
    assert [part["type"] for part in parts] == (
        ["image_url", "text", "image_url", "image_url"]
        if api == "chat"
        else ["input_image", "input_text", "input_image", "input_image"]
    )
    assert urls == [data_url(png(255)), data_url(png(9)), "HTTPS://images.example/a/b.png?key=1"]
    assert "low" in json.dumps(parts[0])
    digests = [each.manifest.digests.cases for each in (run, again, changed)]
    assert digests[0] == digests[1] != digests[2]
    (row,) = rows_of(tmp_path / "out" / "report.html")
    shown = row["case"]["messages"][0]
    assert shown["content"].startswith("[image dot.png]\nWhich colour?\n[image in place]")
    assert [part.get("image", "")[:22] for part in shown["parts"]] == [
        "data:image/png;base64,", "", "data:image/png;base64,", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nothing.png", "can't be read .*relative to the file with the case"),
        ("notes.png", "is not a PNG, JPEG, GIF or WebP image"),
        ("../secret.png", "outside of the folder of the cases"),
        ("/etc/hostname", "outside of the folder of the cases"),
        ("data:image/svg+xml;base64,PHN2Zy8+", "is not a PNG"),
        ("data:image/png;base64,aGVsbG8=", "is not a PNG"),
        ("pipe.png", "is a pipe, and only files are read"),
        ("", "the url of an image is empty"),
        (" ", "the url of an image is empty"),
        ("https:///a.png", "names no host"),
        ("https://[::1/a.png", "names no host"),
        ("https://user:swordfish@images.example/a.png", "images.example has a user or a password"),
        ("HTTPS://token@images.example/a.png", "images.example has a user or a password"),
    ],
)
def test_what_is_no_image_of_the_cases_is_refused_with_its_line(
    tmp_path: Path, url: str, message: str
) -> None:
    suite = suite_with(tmp_path, [TEXT, image(url)], "{provider: python, function: 'a:b'}")
    os.mkfifo(tmp_path / "data" / "pipe.png")
    with pytest.raises(SuiteError, match=rf"cases.jsonl:1: messages: .*{message}") as refused:
        llmeval.run(suite, candidate=lambda text: "red")
    assert "swordfish" not in str(refused.value)


def test_limits_parts_and_candidates_without_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = "{provider: http, url: 'http://127.0.0.1:9/'}"
    suite = suite_with(tmp_path, [TEXT, image("dot.png")], http)
    with pytest.raises(SuiteError, match="can't be sent to a candidate of the provider `http`"):
        llmeval.run(suite)
    monkeypatch.setattr(message_images, "MAX_IMAGES", 40)
    with pytest.raises(SuiteError, match="the images of a message have at most"):
        llmeval.run(suite, candidate=lambda text: "red")
    monkeypatch.setattr(message_images, "MAX_IMAGE", 9)
    with pytest.raises(SuiteError, match="dot.png is larger than"):
        llmeval.run(suite, candidate=lambda text: "red")
    suite = suite_with(tmp_path, [{"type": "input_audio", "input_audio": {}}], http)
    with pytest.raises(SuiteError, match="Sound and files can't be sent"):
        llmeval.run(suite)
