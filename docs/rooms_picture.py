"""Draws docs/images/rooms.svg. A new room is one word in `LAYERS`.

python docs/generate.py
"""

import re
from pathlib import Path

IMAGE = Path(__file__).parent / "images" / "rooms.svg"
LAYERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("cli", "testing", "pytest_plugin"), "commands and tests: parse, call the API, show"),
    (("api",), "the Python API puts the rooms together"),
    (("datatests", "view", "monitor"), "tests of the cases; pages of all runs; traffic"),
    (("report", "importers", "governance"), "pages and CI; other tools; audit"),
    (("planning",), "sizes and simulates a gate"),
    (("compare", "review", "history"), "questions about runs"),
    (("runner", "gate"), "the one makes a run, the other decides it"),
    (("judges",), "what a model decides, and how far it is trusted"),
    (("data", "models"), "where cases and answers come from"),
    (("suite", "checks", "stats", "store", "web"), "independent of each other"),
    (("core",), "records, outcome, errors, files"),
)
"""(rooms, what they do) of each row, from the top."""
_LEFT, _WIDTH, _GAP, _ROW = 10, 380, 8, 66


def rooms_picture() -> str:
    """The picture as SVG. The style is that of the present file."""
    style = re.search(r"  <style>.*?</style>\n  <defs>.*?</defs>\n", IMAGE.read_text(), re.DOTALL)
    if style is None:
        raise ValueError(f"{IMAGE} has no style")
    height = _ROW * len(LAYERS) + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 {height}" width="400"'
        f' height="{height}" role="img" aria-labelledby="title desc">\n'
        '  <title id="title">The rooms of the code, and the direction of imports</title>\n'
        f'  <desc id="desc">{len(LAYERS)} layers from cli, testing and the pytest plugin at the top'
        " to core at the bottom. A room imports only rooms below it.</desc>\n",
        style[0],
        f'  <rect class="page" width="400" height="{height}"/>\n',
        *(_layer(number, *layer) for number, layer in enumerate(LAYERS)),
        f'  <text class="note" x="10" y="{height - 30}">A room imports only rooms below its own'
        " row.</text>\n</svg>\n",
    ]
    return "".join(parts)


def _layer(number: int, rooms: tuple[str, ...], note: str) -> str:
    top = 12 + _ROW * number
    width = (_WIDTH - _GAP * (len(rooms) - 1)) / len(rooms)
    parts = []
    for place, room in enumerate(rooms):
        left = _LEFT + place * (width + _GAP)
        parts.append(
            f'  <rect class="box" x="{left:g}" y="{top}" width="{width:g}" height="28" rx="5"/>\n'
            f'  <text class="room" x="{left + width / 2:g}" y="{top + 19}"'
            f' text-anchor="middle">{room}</text>\n'
        )
    parts.append(
        f'  <text class="note" x="200" y="{top + 43}" text-anchor="middle">{note}</text>\n'
    )
    if number + 1 < len(LAYERS):
        parts.append(f'  <path class="line" d="M24 {top + 32}v28" marker-end="url(#arrow)"/>\n')
    return "".join(parts)


def write_rooms_picture() -> None:
    """Write the file."""
    IMAGE.write_text(rooms_picture(), encoding="utf-8")
