"""How fast local weights answer: our provider beside what transformers has itself, in the same run.

    python benchmarks/local.py [--model smollm2-135m-instruct] [--prompts 64] [--tokens 64]
                               [--rounds 3] [--lm-eval PYTHON]

Two loads. `even`: every reply has the same number of tokens. `mixed`: replies end after a
sixteenth of it up to all of it, as real ones do; a batch that waits for its longest row pays for
that.

The ways take turns in each round, in the opposite order in every other one, so that other work on
the machine hits all of them. A cell of the table is the median over the rounds: tokens per second
of wall time, and in brackets per second of processor time. The second table divides the medians of
llmeval by those of the other ways. Only tokens that a reply needed are counted; time includes the
prompts. All runs use the number of threads that the provider chooses, waiting passively (see
`threads.prepare`).
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from llmeval.core.records import Message
from llmeval.models.base import Request
from llmeval.models.local import TransformersModel, weights

TOPICS = (
    "a lighthouse",
    "two rivers",
    "an old clock",
    "winter bread",
    "a lost map",
    "the night train",
    "a red kite",
    "salt",
)
FORMS = (
    "Tell me a long story about {}.",
    "Write an essay on {} for a school magazine, in several paragraphs.",
    "List twenty facts about {}, each with an explanation.",
    "Explain to a child, step by step and in detail, everything there is to know about {}.",
)
SPREAD = (1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1)
"""Lengths of the mixed replies, as shares of the longest."""
RUBRIC = (
    "You judge answers. An answer is correct when it says what the reference says, in any words. It is incorrect when "
    "it contradicts the reference, leaves out what was asked for, or says nothing. Length, style and politeness do not "
    "matter. Extra statements do not matter unless they contradict the reference. "
) * 3
LM_EVAL = """
import json, sys, time
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
spec = json.load(sys.stdin)
if spec["threads"]:
    import torch; torch.set_num_threads(spec["threads"])
lm = HFLM(pretrained=spec["folder"], batch_size=spec["batch"], device="cpu", dtype="float32")
def run(items):
    requests = [Instance("generate_until", {}, (lm.apply_chat_template([{"role": "user", "content": p}]),
             {"until": ["\\x00"], "max_gen_toks": n, "min_new_tokens": n, "do_sample": False}), i)
             for i, (p, n) in enumerate(items)]
    lm.generate_until(requests, disable_tqdm=True)
run(spec["loads"]["even"][:2])
for name, items in spec["loads"].items():
    wall, cpu = time.perf_counter(), time.process_time()
    run(items)
    print(json.dumps({name: [time.perf_counter() - wall, time.process_time() - cpu]}), flush=True)
"""

Load = list[tuple[str, int]]
"""(prompt, tokens of the reply)"""


class Speed(NamedTuple):
    """What a load took."""

    tokens: int
    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.tokens / self.wall_s:.1f} ({self.tokens / self.cpu_s:.1f})"

    def times(self, other: "Speed") -> str:
        """How many times as fast as `other` this is, by wall and by processor time."""
        wall = self.tokens / self.wall_s * other.wall_s / other.tokens
        cpu = self.tokens / self.cpu_s * other.cpu_s / other.tokens
        return f"{wall:.2f} ({cpu:.2f})"


Way = Callable[[Load], Awaitable[Speed]]
Results = dict[str, dict[str, list[Speed]]]
"""The speeds of each round, by way and load."""
OURS = 32
"""Rows at a time of the provider: its default."""


class Clock:
    """Wall and processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def speed(self, tokens: int) -> Speed:
        return Speed(tokens, time.perf_counter() - self._wall, time.process_time() - self._cpu)


def loads(prompts: int, longest: int) -> dict[str, Load]:
    """The loads by name; the longest reply has `longest` tokens."""
    texts = [
        FORMS[i % len(FORMS)].format(TOPICS[i // len(FORMS) % len(TOPICS)]) for i in range(prompts)
    ]
    return {
        "even": [(text, longest) for text in texts],
        "mixed": [
            (text, round(longest * SPREAD[(i * 5) % len(SPREAD)])) for i, text in enumerate(texts)
        ],
    }


def needed(load: Load) -> int:
    """The tokens of a load's replies."""
    return sum(tokens for _, tokens in load)


async def ours(model: TransformersModel, load: Load, at_once: int) -> Speed:
    """The provider with `at_once` requests in flight; a reply that ends early counts what it has."""
    queue, generated = iter(load), 0

    async def work() -> None:
        nonlocal generated
        for text, tokens in queue:
            request = Request(messages=(Message("user", text),), params={"max_tokens": tokens})
            reply = await model.answer(request)
            generated += (reply.usage and reply.usage.output_tokens) or 0

    clock = Clock()
    await asyncio.gather(*[work() for _ in range(at_once)])
    return clock.speed(generated)


def generate(model: Any, tokenizer: Any, load: Load, size: int) -> Speed:
    """`generate` in batches sorted by the prompt's length: a reply's is not known before."""
    ordered = sorted(load, key=lambda item: -len(item[0]))
    clock = Clock()
    for at in range(0, len(ordered), size):
        batch = ordered[at : at + size]
        turns = [[{"role": "user", "content": text}] for text, _ in batch]
        texts = [
            tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
            for turn in turns
        ]
        inputs = tokenizer(
            texts,
            return_tensors="pt",
            padding=True,
            padding_side="left",
            add_special_tokens=False,
        )
        longest = max(tokens for _, tokens in batch)
        model.generate(**inputs, max_new_tokens=longest, min_new_tokens=longest, do_sample=False)
    return clock.speed(needed(load))


def continuous(model: Any, tokenizer: Any, load: Load, size: int) -> Speed:
    """transformers' continuous batching, at most `size` requests at a time.

    Through the manager behind `generate_batch`, which alone takes a limit for each request.
    """
    from transformers import ContinuousBatchingConfig, GenerationConfig

    generation = GenerationConfig(do_sample=False, eos_token_id=-1, pad_token_id=0)
    # The default is a share of the free memory, which costs seconds to fill with zeros.
    batching = ContinuousBatchingConfig(max_requests_per_batch=size, num_blocks=4 * size)
    clock = Clock()
    with model.continuous_batching_context_manager(
        generation_config=generation, continuous_batching_config=batching
    ) as manager:
        for text, tokens in load:
            turn = [{"role": "user", "content": text}]
            ids = tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_dict=False)
            manager.add_request(ids, max_new_tokens=tokens)
        generated = 0
        for _ in load:
            result = None
            while result is None or not result.is_finished():
                result = manager.get_result(timeout=1)
                if result is None and not manager.is_running():
                    raise RuntimeError("continuous batching ended before every reply was there")
            generated += len(result.generated_tokens)
        speed = clock.speed(generated)
    model.destroy_cached_continuous_batching_manager()
    return speed


def lm_eval(
    python: str, folder: Path, every: dict[str, Load], size: int, threads: int
) -> dict[str, Speed | str]:
    """lm-eval's backend, by load, in a process of its own."""
    spec = {"folder": str(folder), "batch": size, "loads": every, "threads": threads}
    with subprocess.Popen(
        [python, "-c", LM_EVAL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        text=True,
    ) as process:
        try:
            out, err = process.communicate(json.dumps(spec), timeout=900)
        finally:
            process.kill()
    speeds: dict[str, Speed | str] = dict.fromkeys(every, "failed")
    for line in out.splitlines():
        if line.startswith("{"):
            for name, (wall, cpu) in json.loads(line).items():
                speeds[name] = Speed(needed(every[name]), wall, cpu)
    if "failed" in speeds.values():
        print(f"lm-eval: {err.strip().splitlines()[-1:]}", file=sys.stderr)
    return speeds


def readout(model: Any, tokenizer: Any, sharing: bool) -> Speed:
    """Label readouts (counted as tokens) over one rubric and 64 short answers, in groups of 16."""
    import torch

    from llmeval.models.local.prefill import Prefiller

    ends = [f"Answer {i}: it is {topic}. Correct?" for i in range(8) for topic in TOPICS]
    prompts = [tokenizer(RUBRIC + end).input_ids for end in ends]
    prefill = Prefiller(model, sharing=sharing)
    clock = Clock()
    with torch.inference_mode():
        for at in range(0, len(prompts), 16):
            for _, done in prefill(prompts[at : at + 16]):
                torch.softmax(done.logits[:, :2], -1)
    return clock.speed(len(prompts))


def show(name: str, cells: Iterable[object]) -> None:
    """One row of the table."""
    print("| " + " | ".join([name, *map(str, cells)]) + " |", flush=True)


def median(speeds: Sequence[Speed]) -> Speed:
    """The medians of wall and processor time, each by itself."""
    return Speed(
        round(statistics.median(speed.tokens for speed in speeds)),
        statistics.median(speed.wall_s for speed in speeds),
        statistics.median(speed.cpu_s for speed in speeds),
    )


def plain_ways(model: Any, tokenizer: Any) -> dict[str, Way]:
    """What transformers has itself, by name."""

    def way(run: Callable[..., Speed], size: int) -> Way:
        async def timed(load: Load) -> Speed:
            return run(model, tokenizer, load, size)

        return timed

    return {
        "transformers `generate`, batch 16": way(generate, 16),
        "transformers `generate`, batch 32": way(generate, 32),
        "transformers continuous batching, 32": way(continuous, 32),
    }


async def rounds(ways: Mapping[str, Way], every: Mapping[str, Load], count: int) -> Results:
    """Each way on each load, `count` times, in turns."""
    results: Results = {name: {load: [] for load in every} for name in ways}
    for number in range(count):
        order = list(ways) if number % 2 == 0 else list(ways)[::-1]
        for name in order:
            for load, items in every.items():
                speed = await ways[name](items)
                results[name][load].append(speed)
                print(f"round {number + 1}: {name}: {load} {speed}", file=sys.stderr, flush=True)
    return results


async def measure(options: argparse.Namespace) -> None:
    """Print the tables."""
    import torch

    every = loads(options.prompts, options.tokens)
    model = TransformersModel(options.model, batch_size=OURS)
    await ours(model, every["even"][:2], 2)
    folder = weights.locate(options.model).folder
    loaded, tokenizer = weights.load(folder, "float32", "cpu")
    threads = torch.get_num_threads()

    async def own(load: Load) -> Speed:
        return await ours(model, load, OURS)

    ways: dict[str, Way] = {f"llmeval, {OURS} at a time": own, **plain_ways(loaded, tokenizer)}
    await rounds(ways, {"warm-up": every["even"][:2]}, 1)
    results = await rounds(ways, every, options.rounds)
    medians = {name: [median(by_load[load]) for load in every] for name, by_load in results.items()}
    first, *others = medians
    show("way", every)
    show("---", ["---"] * len(every))
    for name, cells in medians.items():
        show(name, cells)
    if options.lm_eval:
        for size in (16, 32):
            speeds = lm_eval(options.lm_eval, folder, every, size, threads)
            show(f"lm-eval hf, batch {size}", speeds.values())
    print("\nllmeval, times the other: of wall time (of processor time)")
    for name in others:
        pairs = zip(medians[first], medians[name], strict=True)
        show(name, [one.times(other) for one, other in pairs])
    tokens = len(tokenizer(RUBRIC).input_ids)
    print(
        f"\n{threads} thread(s). Label readouts over a shared rubric of {tokens} tokens:", end=" "
    )
    print(f"{readout(loaded, tokenizer, True)} a second computed once, ", end="", flush=True)
    print(f"{readout(loaded, tokenizer, False)} each for itself")
    await model.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64, help="of the longest reply")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lm-eval", metavar="PYTHON", help="a Python that has lm-eval")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
