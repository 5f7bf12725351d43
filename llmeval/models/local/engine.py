"""One loaded model and its jobs (continuous batching): rows enter and leave the running batch at
every step.

All engines of a process take turns on one thread, one step each, so that two models never compete
for the same cores. Jobs come from any thread. This module needs torch, so it is imported when a
model is first used.
"""

import gc
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import torch

from llmeval.core.errors import ModelError
from llmeval.models.local.chat_tokenizer import ChatTokenizer
from llmeval.models.local.guided import Guides
from llmeval.models.local.jobs import Generation, Job, Scoring
from llmeval.models.local.kv import Prefilled, Rows, hf_cache
from llmeval.models.local.prefill import OUT_OF_MEMORY, Prefiller
from llmeval.models.local.scoring import score

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmeval-local-models")
"""An executor with one thread. It runs one step at a time, so a process that ends waits for at most
one step.
"""


class Engine:
    """Generates and scores with one model. `load` gives (model, tokenizer) and is called at the
    first job.
    """

    def __init__(self, load: Callable[[], tuple[object, object]], batch_size: int) -> None:
        self.batch_size = batch_size
        self._load = load
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()
        self._inbox: list[Job] = []
        self._waiting: list[Job] = []
        self._sorted: list[Job] = []
        self._entering: list[Job] = []
        self._running: list[Generation] = []
        self._broken: ModelError | None = None
        self._scheduled = False
        self._closed = False

    def submit(self, job: Job) -> None:
        """Accept a job; its future gets the result or the error.

        Raises:
            ModelError: the model is closed.
        """
        with self._lock:
            if self._closed:
                raise ModelError("the local model is closed")
            self._inbox.append(job)
            if not self._scheduled:
                self._scheduled = True
                _THREAD.submit(self._turn)

    def close(self) -> None:
        """Fail the remaining jobs and free the weights; returns when this is done."""
        with self._lock:
            self._closed = True
        _THREAD.submit(self.step).result()

    def _turn(self) -> None:
        self.step()
        with self._lock:
            self._scheduled = bool(self._inbox or self._waiting or self._sorted or self._running)
            if self._scheduled:
                with suppress(RuntimeError):  # the process is ending
                    _THREAD.submit(self._turn)

    def step(self) -> None:
        """One step: accept new jobs, fill free rows, generate one token for
        each row. Never raises.
        """
        for part in (self._collect, self._admit, self._decode):
            try:
                with torch.inference_mode():
                    part()
            except OUT_OF_MEMORY as error:
                self._shrink(error)
            # a failure of the model is an error of these answers; the thread must continue
            except Exception as error:
                self._fail(ModelError(f"the local model failed: {type(error).__name__}: {error}"))

    def _collect(self) -> None:
        with self._lock:
            arrived, self._inbox = self._inbox, []
            closed = self._closed
        if closed:
            self._entering = [*self._waiting, *self._sorted, *arrived]
            self._waiting, self._sorted = [], []
            self._fail(ModelError("the local model was closed before it answered"))
            if self._loaded is not None:
                self._loaded.model.to(
                    "meta"
                )  # frees the weights now: the modules are in reference cycles
                self._loaded = None
            return
        for job in arrived:
            self._take_up(job)
        self._waiting = [job for job in self._waiting if not job.cancelled]
        self._sorted = [job for job in self._sorted if not job.cancelled]
        for row in reversed(range(len(self._running))):
            if self._running[row].cancelled:
                self._leave(row)

    def _take_up(self, job: Job) -> None:
        if job.cancelled or not job.future.set_running_or_notify_cancel():
            return
        try:
            loaded = self._ensure_loaded()
            job.prepare(loaded.text, loaded.context)
            if isinstance(job, Generation) and job.request.schema is not None:
                job.guide = loaded.guides().guide(job.request.schema)
        except Exception as error:
            job.future.set_exception(_as_model_error(error))
        else:
            self._waiting.append(job)

    def _ensure_loaded(self) -> "_Loaded":
        """Load the model at the first job. A load that failed is not tried again for the other
        jobs.
        """
        if self._broken is not None:
            raise self._broken
        if self._loaded is None:
            try:
                self._loaded = _Loaded(*self._load())
            except Exception as error:
                self._broken = _as_model_error(error)
                raise
        return self._loaded

    def _admit(self) -> None:
        loaded = self._loaded
        if loaded is None:
            return
        self._entering = self._next(min(self.batch_size, loaded.rows_limit) - len(self._running))
        chosen, now = list(self._entering), time.perf_counter()
        for job in chosen:
            job.started = job.started or now
        for indices, done in loaded.prefill([job.tokens for job in chosen]):
            group = [chosen[i] for i in indices]
            self._enter(loaded, group, done)
            self._entering = [job for job in self._entering if job not in group]

    def _next(self, count: int) -> list[Job]:
        """Up to `count` jobs, the longest first: a job that does not fit in memory then fails at
        once, and short jobs fill the gaps at the end. Jobs that wait now come before later ones of
        any length.
        """
        chosen: list[Job] = []
        while len(chosen) < count and (self._sorted or self._waiting):
            if not self._sorted:
                self._sorted, self._waiting = (
                    sorted(self._waiting, key=lambda job: len(job.tokens)),
                    [],
                )
            chosen.append(self._sorted.pop())
        return chosen

    def _enter(self, loaded: "_Loaded", group: Sequence[Job], done: Prefilled) -> None:
        """Answer the scoring jobs of a group after its prefill; add the other jobs to the running
        batch.
        """
        scorings = [(i, job) for i, job in enumerate(group) if isinstance(job, Scoring)]
        if scorings:
            results = score(
                loaded.model, done, [i for i, _ in scorings], [job.ids for _, job in scorings]
            )
            for (_, job), result in zip(scorings, results, strict=True):
                job.future.set_result(result)
        generations = [(i, job) for i, job in enumerate(group) if isinstance(job, Generation)]
        logits = done.logits[[i for i, _ in generations]]
        going = self._extend(loaded, [job for _, job in generations], logits)
        loaded.rows.add(done, [i for (i, _), on in zip(generations, going, strict=True) if on])
        self._running += [job for (_, job), on in zip(generations, going, strict=True) if on]

    def _decode(self) -> None:
        loaded = self._loaded
        if loaded is None or not self._running:
            return
        out = loaded.model(**loaded.rows.step([job.tokens[-1] for job in self._running]))
        loaded.rows.advance()
        going = self._extend(loaded, self._running, out.logits[:, -1].float())
        for row in reversed(range(len(going))):
            if not going[row]:
                self._leave(row)

    def _extend(
        self, loaded: "_Loaded", jobs: Sequence[Generation], logits: torch.Tensor
    ) -> list[bool]:
        """Add the next token to each job, and set the result of finished jobs. Returns which jobs
        continue.
        """
        if not jobs:
            return []
        likeliest = logits.argmax(-1).tolist()
        going = []
        for job, row, best in zip(jobs, logits, likeliest, strict=True):
            try:
                reply = job.take(best if job.is_plain else job.choose(row), loaded.eos)
            except Exception as error:  # must not fail the other replies
                job.future.set_exception(_as_model_error(error))
                going.append(False)
                continue
            if reply is not None:
                job.future.set_result(reply)
            going.append(reply is None)
        return going

    def _leave(self, row: int) -> None:
        if self._loaded is not None:
            self._loaded.rows.remove(row)
        last = self._running.pop()
        if row < len(self._running):
            self._running[row] = last

    def _shrink(self, error: BaseException) -> None:
        """Handle too little memory: the jobs of the batch continue later from their last token, in
        a batch of half the size.
        """
        crowd = len(self._running) + bool(self._entering)
        left = [job for job in (*self._running, *self._entering) if not job.future.done()]
        self._running, self._entering = [], []
        if self._loaded is not None:
            self._loaded.rows.clear()
            self._loaded.rows_limit = max(1, crowd // 2)
            crowd += self._loaded.prefill.forget()
        gc.collect()
        if crowd > 1:
            self._waiting += left
            return
        # No other job was in memory, so the longest prompt does not fit at all.
        left.sort(key=lambda job: len(job.tokens))
        self._entering = left[-1:]
        self._waiting += left[:-1]
        self._fail(
            ModelError(
                f"{len(left[-1].tokens)} tokens do not fit in memory: {error}"
                if left
                else str(error)
            )
        )

    def _fail(self, error: ModelError) -> None:
        """Fail the jobs of the running batch. Waiting jobs stay."""
        failing, self._running, self._entering = [*self._running, *self._entering], [], []
        if self._loaded is not None:
            self._loaded.rows.clear()
        for job in failing:
            if not job.future.done() and (
                job.future.running() or job.future.set_running_or_notify_cancel()
            ):
                job.future.set_exception(error)


class _Loaded:
    """The loaded weights, with their tokenizer and buffers."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        config = model.config.get_text_config(decoder=True)
        self.model = model
        self.text = ChatTokenizer(tokenizer)
        self.context: int | None = getattr(config, "max_position_embeddings", None)
        sliding = any(hf_cache.DynamicCache(config=model.config).is_sliding)
        self.prefill = Prefiller(model, sharing=not sliding)
        self.rows = Rows()
        self.rows_limit = 1 << 30
        stated = model.generation_config.eos_token_id
        eos = [*(stated if isinstance(stated, list) else [stated]), tokenizer.eos_token_id]
        self.eos = frozenset(token for token in eos if token is not None)
        self._vocabulary = config.vocab_size
        self._guides: Guides | None = None

    def guides(self) -> Guides:
        """Made for the first schema, because it takes a second."""
        if self._guides is None:
            self._guides = Guides(self.text.tokenizer, self._vocabulary, sorted(self.eos))
        return self._guides


def _as_model_error(error: Exception) -> ModelError:
    return (
        error if isinstance(error, ModelError) else ModelError(f"{type(error).__name__}: {error}")
    )
