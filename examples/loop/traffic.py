"""The customers and the staff of the shop: messages to the server, and where each one ended.

The staff forward a message that came to the wrong department. So some days later the shop knows the
right answer to each message: `outcomes.jsonl`. A nightly job joins it with the server's log into
one file a day, which `llmeval monitor` reads.
"""

import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import data

CLIENTS = 16
"""Messages that are on their way at the same time; the server answers them as batches."""


@dataclass(frozen=True)
class Shop:
    """Where the files of the shop are. `first_day`: the date of day 1. `count`: messages a day."""

    folder: Path
    first_day: date
    count: int = 128

    def date_of(self, day: int) -> str:
        """The date of a day, such as 2026-11-30."""
        return (self.first_day + timedelta(days=day - 1)).isoformat()

    def send(self, days: Sequence[int], port: int, canary: int | None = None) -> None:
        """Send the messages of some days, and note where each one ended.

        With `canary`, the port of a second version, each message goes there too. The customer gets
        the answer of the first one.
        """
        sent = [(body, row) for day in days for body, row in self._day(day)]
        ports = [port] if canary is None else [port, canary]
        posts = [(each, body) for body, _ in sent for each in ports]
        with Clients() as clients, ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(clients.post, *zip(*posts, strict=True)))
        with (self.folder / "outcomes.jsonl").open("a", encoding="utf-8") as file:
            for body, row in sent:
                file.write(json.dumps({**row, "id": body["id"]}) + "\n")

    def _day(self, day: int) -> Iterator[tuple[dict[str, str], data.Row]]:
        for number, row in enumerate(data.day_of_traffic(day, self.count)):
            name, minute = f"d{day:02}-{number:03}", number * 1200 // self.count
            time = f"{self.date_of(day)}T{minute // 60:02}:{minute % 60:02}:00Z"
            body = {"id": name, "time": time, "session": name, "message": str(row["message"])}
            yield body, row

    def outcomes(self) -> dict[str, data.Row]:
        """By id, the label and the template of each message."""
        rows = data.read_lines(self.folder / "outcomes.jsonl")
        return {str(row["id"]): row for row in rows}

    def join(self, log: str, out: str) -> None:
        """Write the log with the outcomes: `out`/DATE.jsonl."""
        outcomes, days = self.outcomes(), dict[str, dict[str, data.Row]]()
        for line in data.read_lines(self.folder / log):
            outcome = outcomes.get(str(line["id"]))
            if outcome is not None:
                label = outcome["label"]
                assert isinstance(label, dict)
                tags = {"department": label["department"]}
                joined = {**line, "reference": json.dumps(label), "tags": tags}
                days.setdefault(str(line["time"])[:10], {})[str(line["id"])] = joined
        for day, lines in days.items():
            data.write_lines(self.folder / out / f"{day}.jsonl", lines.values())


class Clients:
    """One connection for each thread and port."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._opened: list[http.client.HTTPConnection] = []

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._opened:
            each.close()

    def post(self, port: int, body: dict[str, str]) -> str:
        """Send one message; the answer."""
        connections = self._own.__dict__.setdefault("by_port", {})
        if port not in connections:
            connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
            self._opened.append(connections[port])
        connections[port].request("POST", "/answer", json.dumps(body))
        reply = json.loads(connections[port].getresponse().read())
        return str(reply["output"])
