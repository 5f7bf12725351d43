"""Recorded answers, from a JSONL of {id, output, repeat?, finish_reason?, tool_calls?, data?,
usage?, model?, latency_ms?, trace?, error?}; of a conversation {id, turns, repeat?} with a list of
{user, output, tool_calls?, data?, usage?, latency_ms?, trace?}.
"""

import hashlib
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from llmeval.core.conversation import total_usage
from llmeval.core.errors import ModelError, SuiteError
from llmeval.core.files import irregular_kind
from llmeval.core.record_index import RecordIndex, UnitKey
from llmeval.core.records import AnswerTurn, Ended, Trace, Usage
from llmeval.models.base import Reply, Request
from llmeval.models.client.failed_reply import error_message, states_error
from llmeval.models.endings import is_broken
from llmeval.models.traces import read_trace


class _RecordedTurn(msgspec.Struct):
    user: str
    output: str | None
    tool_calls: list[dict[str, Any]] = []
    data: dict[str, Any] | None = None
    latency_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None
    usage: Usage | None = None
    trace: object = None
    error: Any = None


class _Recorded(msgspec.Struct):
    id: str | int
    output: str | msgspec.UnsetType | None = msgspec.UNSET
    repeat: int = 0
    finish_reason: str | None = None
    tool_calls: list[dict[str, Any]] = []
    data: dict[str, Any] | None = None
    usage: Usage | None = None
    model: str | None = None
    latency_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None
    trace: object = None
    turns: list[_RecordedTurn] = []
    ended: Ended | None = None
    error: Any = None


class Replay:
    """Recorded answers by case id and repeat. Only their places in the file are kept in memory, in
    about 40 bytes each.

    Raises:
        SuiteError: a line is not {id, output, repeat?}, or an id and repeat occur twice; names file
            and line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decoder = msgspec.json.Decoder(_Recorded)
        self._places = RecordIndex()
        hasher = hashlib.sha256()
        kind = irregular_kind(path)
        if kind:
            raise SuiteError(f"{path}: is {kind}, and only files are read: name a file")
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise SuiteError(
                f"{path}: {error.strerror}; `source` is relative to the suite file"
            ) from None
        weakref.finalize(self, self._file.close)
        offset = 0
        for number, line in enumerate(self._file, 1):
            hasher.update(line)
            if line.strip():
                key = self._key(line, number)
                self._places.add(key, offset, len(line))
            offset += len(line)
        self._places.finish()
        if len(self._places) < self._places.records:
            raise self._duplicate()
        self._digest = "sha256:" + hasher.hexdigest()

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, file name and the sha256 of the recorded answers."""
        return {"provider": "replay", "model": self._path.name, "sha256": self._digest}

    async def answer(self, request: Request) -> Reply:
        """The recorded answer.

        Raises:
            ModelError: there is none for this case and repeat, or the line records an error or null
                instead.
        """
        recorded = self._recorded((request.case_id or "", request.repeat))
        if recorded is None:
            raise ModelError(
                f"{self._path.name} has no answer for the case {request.case_id!r}, repeat"
                f" {request.repeat}",
                kind="candidate",
            )
        output = recorded.output
        if output is msgspec.UNSET:
            output = recorded.turns[-1].output
        broken = next((turn.error for turn in recorded.turns if states_error(turn.error)), None)
        recorded.error = recorded.error or broken
        if (
            output is None
            or any(turn.output is None for turn in recorded.turns)
            or states_error(recorded.error)
            or is_broken(recorded.finish_reason)
        ):
            reason = (
                error_message(recorded.error)
                if recorded.error
                else f"finish_reason {recorded.finish_reason}"
            )
            raise ModelError(
                f"{self._path.name} records no answer for the case {request.case_id!r}: {reason}",
                kind="candidate",
            )
        if recorded.turns:
            return self._conversation(recorded, output)
        return Reply(
            text=output,
            finish_reason=recorded.finish_reason,
            tool_calls=tuple(recorded.tool_calls),
            data=recorded.data,
            usage=recorded.usage,
            model=recorded.model,
            latency_ms=recorded.latency_ms,
            trace=self._trace(recorded.trace),
        )

    def _conversation(self, recorded: _Recorded, output: str) -> Reply:
        """The reply of a recorded conversation.

        Raises:
            ModelError: its `output` is not that of its last turn.
        """
        last = recorded.turns[-1]
        if output != last.output:
            raise ModelError(
                f"{self._path.name}: the `output` of the case {recorded.id!r} is not the output of"
                " its last turn; leave `output` out, or correct it",
                kind="candidate",
            )
        turns = tuple(
            AnswerTurn(
                user=turn.user,
                output=turn.output,
                tool_calls=tuple(turn.tool_calls),
                data=turn.data,
                latency_ms=turn.latency_ms,
                usage=turn.usage,
                trace=self._trace(turn.trace),
            )
            for turn in recorded.turns
        )
        times = [turn.latency_ms for turn in turns]
        present = [time for time in times if time is not None]
        return Reply(
            text=output,
            finish_reason=recorded.finish_reason,
            tool_calls=tuple(call for turn in turns for call in turn.tool_calls),
            data=last.data,
            usage=recorded.usage or total_usage(turn.usage for turn in turns),
            model=recorded.model,
            latency_ms=recorded.latency_ms
            or (sum(present) if len(present) == len(times) else None),
            turns=turns,
            ended=recorded.ended,
        )

    def _trace(self, value: object) -> Trace | None:
        return read_trace(value, f"{self._path.name}: trace", "candidate")

    async def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _recorded(self, key: UnitKey) -> _Recorded | None:
        """The line of a key; None without one."""
        for number in self._places.numbers_of(key):
            self._file.seek(self._places.place(number)[0])
            recorded = self._decoder.decode(self._file.readline())
            if (str(recorded.id), recorded.repeat) == key:
                return recorded
        return None

    def _key(self, line: bytes, number: int) -> UnitKey:
        """The key of a line. Raises SuiteError: it has none, or no answer."""
        try:
            recorded = self._decoder.decode(line)
        except msgspec.DecodeError as error:
            raise SuiteError(
                f"{self._path}:{number}: not {{id, output, repeat?}}: {error}"
            ) from None
        if recorded.output is msgspec.UNSET and not recorded.turns:
            raise SuiteError(
                f"{self._path}:{number}: not {{id, output, repeat?}}: `output` is missing, and so"
                " are the `turns` of a conversation"
            )
        return str(recorded.id), recorded.repeat

    def _duplicate(self) -> SuiteError:
        """The error for the first key that has two lines."""
        seen = set[UnitKey]()
        self._file.seek(0)
        for number, line in enumerate(self._file, 1):
            key = self._key(line, number) if line.strip() else None
            if key is not None and key in seen:
                return SuiteError(
                    f"{self._path}:{number}: a second answer for {key[0]!r}, repeat {key[1]}"
                )
            seen |= {key} if key is not None else set()
        raise AssertionError("two keys have one hash")


class StoredAnswers:
    """The candidate of a run that is scored again. Its answers are recorded, and no call is made.

    Args:
        identity: the identity of the original candidate.
        where: the run, for messages.
    """

    def __init__(self, identity: Mapping[str, object], where: str) -> None:
        self.identity = identity
        self._where = where

    async def answer(self, request: Request) -> Reply:
        """Always raises a ModelError: the answers of the run are read from its directory."""
        raise ModelError(f"{self._where} has no answer for this case", kind="config")

    async def close(self) -> None:
        """Nothing to release."""
