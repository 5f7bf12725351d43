"""LoRA of the last layers, with the frozen part computed once per example.

    python train.py --base smollm2-135m-instruct --data old.jsonl,new.jsonl:2 --out models/v1

`new.jsonl:2` uses a file twice. The adapter is written in PEFT's format, without the package: the
gain here is the cached frozen part, which PEFT does not have.
"""

import argparse
import contextlib
import json
import math
import random
import time
from pathlib import Path
from typing import Any

import torch
from data import messages_of
from safetensors.torch import save_file
from torch import Tensor, nn

from llmeval.models.local import weights

RANK, ALPHA, LAYERS, BATCH = 16, 32, 8, 16
MAPS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Lora(nn.Module):
    """A linear map with a trained difference of low rank."""

    def __init__(self, frozen: nn.Linear) -> None:
        super().__init__()
        self.frozen = frozen
        self.down = nn.Parameter(torch.randn(RANK, frozen.in_features) / math.sqrt(RANK))
        self.up = nn.Parameter(torch.zeros(frozen.out_features, RANK))

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = (x @ self.down.T) @ self.up.T
        result: Tensor = self.frozen(x) + ALPHA / RANK * change
        return result


def read_rows(stated: str) -> list[dict[str, Any]]:
    """The rows of `a.jsonl,b.jsonl:2`."""
    rows = []
    for part in stated.split(","):
        path, _, times = part.partition(":")
        lines = Path(path).read_text("utf-8").splitlines()
        rows += [json.loads(line) for line in lines] * int(times or 1)
    return rows


def tokens_of(row: dict[str, Any], tokenizer: Any) -> tuple[list[int], int]:
    """(tokens, length of the prompt): chat template, answer, end."""
    prompt = tokenizer.apply_chat_template(
        messages_of(row), add_generation_prompt=True, tokenize=False
    )
    first = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    answer = tokenizer(json.dumps(row["label"]), add_special_tokens=False)["input_ids"]
    return [*first, *answer, tokenizer.eos_token_id], len(first)


class Trainer:
    """The base, its trained layers, and the stored output of the frozen layers."""

    def __init__(self, base: str) -> None:
        folder = weights.locate(base).folder
        self.model, self.tokenizer = weights.load(folder, "float32", "cpu")
        self.model.requires_grad_(False)
        self.layers = self.model.model.layers
        self.first = len(self.layers) - LAYERS
        self.loras: dict[str, Lora] = {}
        for number in range(self.first, len(self.layers)):
            for name, inner in list(self.layers[number].named_modules()):
                if name.split(".")[-1] in MAPS:
                    parent = self.layers[number].get_submodule(name.rpartition(".")[0])
                    lora = Lora(inner)
                    setattr(parent, name.split(".")[-1], lora)
                    self.loras[f"model.layers.{number}.{name}"] = lora

    def load(self, adapter: Path) -> None:
        """Continue from an adapter of this trainer."""
        from safetensors.torch import load_file

        kept = load_file(adapter / "adapter_model.safetensors")
        for name, lora in self.loras.items():
            lora.down.data = kept[f"base_model.model.{name}.lora_A.weight"].float()
            lora.up.data = kept[f"base_model.model.{name}.lora_B.weight"].float()

    def frozen(self, known: list[tuple[list[int], int]]) -> list[tuple[Tensor, list[int], int]]:
        """What the frozen layers make of each example, (length, width), with its tokens."""
        order = sorted(range(len(known)), key=lambda number: len(known[number][0]))
        kept: dict[int, tuple[Tensor, list[int], int]] = {}
        for at in range(0, len(order), BATCH):
            numbers = order[at : at + BATCH]
            batch = [known[number] for number in numbers]
            longest = len(batch[-1][0])
            # padding is to the right, so causal attention never sees it
            tokens = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in batch])
            with torch.no_grad(), precision():
                x = self.model.model.embed_tokens(tokens)
                place = torch.arange(longest)[None]
                angles = self.model.model.rotary_emb(x, place)
                for layer in self.layers[: self.first]:
                    x = first_of(layer(x, position_embeddings=angles, position_ids=place))
            for number, row, (ids, n) in zip(numbers, x, batch, strict=True):
                kept[number] = (row[: len(ids)].float().clone(), ids, n)
        return [kept[number] for number in range(len(known))]

    def loss(self, batch: list[tuple[Tensor, list[int], int]]) -> Tensor:
        """Cross entropy over the answers of a batch, padded on the right."""
        longest = max(len(ids) for _, ids, _ in batch)
        x = torch.zeros(len(batch), longest, batch[0][0].shape[1])
        for row, (hidden, ids, _) in enumerate(batch):
            x[row, : len(ids)] = hidden
        place = torch.arange(longest)[None]
        with precision():
            angles = self.model.model.rotary_emb(x, place)
            for layer in self.layers[self.first :]:
                x = first_of(layer(x, position_embeddings=angles, position_ids=place))
            # The head only where an answer's token is predicted: padding is to the right, so
            # causal attention never sees it.
            rows = [
                (r, p) for r, (_, ids, n) in enumerate(batch) for p in range(n - 1, len(ids) - 1)
            ]
            places = torch.tensor(rows).T
            hidden = self.model.model.norm(x[places[0], places[1]])
            logits = self.model.lm_head(hidden)
        wanted = torch.tensor([batch[r][1][p + 1] for r, p in rows])
        return nn.functional.cross_entropy(logits.float(), wanted)

    def train(self, rows: list[dict[str, Any]], rate: float, epochs: int) -> None:
        """AdamW, 10 % warm-up, then linear to 0; batches of examples of equal length."""
        known = [tokens_of(row, self.tokenizer) for row in rows]
        kept = self.frozen(known)
        print(
            f"frozen part of {len(kept)} examples: {time.process_time():.0f} s of CPU", flush=True
        )
        weights_ = [each for lora in self.loras.values() for each in (lora.down, lora.up)]
        optimiser = torch.optim.AdamW(weights_, lr=rate)
        steps = epochs * math.ceil(len(kept) / BATCH)
        step, drawn = 0, random.Random(0)
        for _ in range(epochs):
            order = sorted(kept, key=lambda each: (len(each[1]), drawn.random()))
            batches = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
            drawn.shuffle(batches)
            for batch in batches:
                share = min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps))
                optimiser.param_groups[0]["lr"] = rate * min(1.0, share)
                loss = self.loss(batch)
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(weights_, 1.0)
                optimiser.step()
                step += 1
            print(f"step {step}/{steps}: loss {loss.item():.3f}", flush=True)

    def save(self, folder: Path, base: str) -> None:
        """Write the adapter in PEFT's format."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {}
        for name, lora in self.loras.items():
            tensors[f"base_model.model.{name}.lora_A.weight"] = lora.down.data.bfloat16()
            tensors[f"base_model.model.{name}.lora_B.weight"] = lora.up.data.bfloat16()
        save_file(tensors, folder / "adapter_model.safetensors")
        (folder / "adapter_model.safetensors").chmod(0o644)  # a serving user must read it
        config = {
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base,
            "r": RANK, "lora_alpha": ALPHA, "lora_dropout": 0.0, "bias": "none",
            "target_modules": list(MAPS), "inference_mode": True,
            "layers_to_transform": list(range(self.first, len(self.layers))),
        }  # fmt: skip
        text = json.dumps(config, indent=1)
        (folder / "adapter_config.json").write_text(text, encoding="utf-8")


def precision() -> "contextlib.AbstractContextManager[object]":
    """bfloat16 where the CPU multiplies in it."""
    if weights.cpu_flags() & {"avx512_bf16", "amx_bf16"}:
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def first_of(output: Any) -> Tensor:
    """The hidden states of a layer's output."""
    states: Tensor = output[0] if isinstance(output, tuple) else output
    return states


def main() -> None:
    """Train an adapter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="smollm2-135m-instruct")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="an adapter to continue from")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(0)
    trainer = Trainer(options.base)
    if options.start is not None:
        trainer.load(options.start)
    trainer.train(read_rows(options.data), options.rate, options.epochs)
    trainer.save(options.out, options.base)
    print(f"{options.out}: {time.process_time():.0f} s of CPU")


if __name__ == "__main__":
    main()
