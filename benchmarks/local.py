"""How fast local weights answer: our provider, plain transformers (the floor), and lm-eval's
backend if it is there.

    python benchmarks/local.py [--model smollm2-135m-instruct] [--prompts 64] [--lm-eval PYTHON]

Two loads. `even`: every reply has the same number of tokens. `mixed`: replies end after 4 to 64
tokens, as real ones do; a batch that waits for its longest row pays for that. A cell is tokens per
second of wall time, and in brackets per second of processor time, which a busy machine distorts
less. Only tokens that a reply needed are counted; time includes the prompts. All runs use the
number of threads that the provider chooses, waiting passively (see `threads.prepare`); lm-eval runs
like that, and with `--as-it-comes` once more with its own defaults.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
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
SPREAD = (4, 8, 12, 16, 24, 32, 48, 64)
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
    asked = [Instance("generate_until", {}, (lm.apply_chat_template([{"role": "user", "content": p}]),
             {"until": ["\\x00"], "max_gen_toks": n, "min_new_tokens": n, "do_sample": False}), i)
             for i, (p, n) in enumerate(items)]
    lm.generate_until(asked, disable_tqdm=True)
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


class Clock:
    """Wall and processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def speed(self, tokens: int) -> Speed:
        return Speed(tokens, time.perf_counter() - self._wall, time.process_time() - self._cpu)


def loads(prompts: int) -> dict[str, Load]:
    """The loads by name."""
    texts = [
        FORMS[i % len(FORMS)].format(TOPICS[i // len(FORMS) % len(TOPICS)]) for i in range(prompts)
    ]
    return {
        "even": [(text, 64) for text in texts],
        "mixed": [(text, SPREAD[(i * 5) % len(SPREAD)]) for i, text in enumerate(texts)],
    }


def needed(load: Load) -> int:
    """The tokens of a load's replies."""
    return sum(tokens for _, tokens in load)


async def ours(model: TransformersModel, load: Load, at_once: int) -> Speed:
    """The provider with `at_once` requests in flight; a reply that ends early counts what it
    has.
    """
    queue, made = iter(load), 0

    async def work() -> None:
        nonlocal made
        for text, tokens in queue:
            reply = await model.answer(
                Request(messages=(Message("user", text),), params={"max_tokens": tokens})
            )
            made += (reply.usage and reply.usage.output_tokens) or 0

    clock = Clock()
    await asyncio.gather(*[work() for _ in range(at_once)])
    return clock.speed(made)


def plain(model: Any, tokenizer: Any, load: Load, size: int) -> Speed:
    """`generate`, in batches sorted by length."""
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
            texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
        )
        longest = max(tokens for _, tokens in batch)
        model.generate(**inputs, max_new_tokens=longest, min_new_tokens=longest, do_sample=False)
    return clock.speed(needed(load))


def lm_eval(
    python: str, folder: Path, every: dict[str, Load], size: int, threads: int | None
) -> dict[str, Speed | str]:
    """lm-eval's backend, by load, in a process of its own. `threads` None: all its own defaults."""
    environment = {
        name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY" or threads
    }
    spec = {"folder": str(folder), "batch": size, "loads": every, "threads": threads}
    with subprocess.Popen(
        [python, "-c", LM_EVAL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment, "HF_HUB_OFFLINE": "1"},
        text=True,
    ) as process:
        try:
            out, err = process.communicate(json.dumps(spec), timeout=900)
        finally:
            process.kill()
    found: dict[str, Speed | str] = dict.fromkeys(every, "failed")
    for line in out.splitlines():
        if line.startswith("{"):
            for name, (wall, cpu) in json.loads(line).items():
                found[name] = Speed(needed(every[name]), wall, cpu)
    if "failed" in found.values():
        print(f"lm-eval: {err.strip().splitlines()[-1:]}", file=sys.stderr)
    return found


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


async def measure(options: argparse.Namespace) -> None:
    """Print the table."""
    import torch

    every = loads(options.prompts)
    few = {name: load[:8] for name, load in every.items()}
    show("way", every)
    show("---", ["---"] * len(every))
    for size, some in ((1, few), (16, every), (32, every)):
        model = TransformersModel(options.model, batch_size=size)
        await ours(model, every["even"][:2], 2)
        show(
            f"llmeval, {size} at a time", [await ours(model, load, size) for load in some.values()]
        )
        await model.close()
    folder = weights.locate(options.model).folder
    loaded, tokenizer = weights.load(folder, "float32", "cpu")
    threads = torch.get_num_threads()
    for size, some in ((1, few), (16, every), (32, every)):
        show(
            f"transformers generate, batch {size}",
            [plain(loaded, tokenizer, load, size) for load in some.values()],
        )
    if options.lm_eval:
        for size in (16, 32):
            show(
                f"lm-eval hf, batch {size}",
                lm_eval(options.lm_eval, folder, every, size, threads).values(),
            )
            if options.as_it_comes:
                own = lm_eval(options.lm_eval, folder, every, size, None)
                show(f"lm-eval hf, batch {size}, its own threads", own.values())
    print(
        f"\n{threads} thread(s). Label readouts over a shared rubric of {len(tokenizer(RUBRIC).input_ids)} tokens:",
        end=" ",
    )
    print(f"{readout(loaded, tokenizer, True)} a second computed once, ", end="", flush=True)
    print(f"{readout(loaded, tokenizer, False)} each for itself")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--lm-eval", metavar="PYTHON", help="a Python that has lm-eval")
    parser.add_argument(
        "--as-it-comes",
        action="store_true",
        help="lm-eval with its own threads too: slow when busy",
    )
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
