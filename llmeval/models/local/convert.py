"""Converts a GGUF file of the Llama family once to a folder that transformers loads in two seconds.

Formats: the GGUF specification (ggml/docs/gguf.md) and llama.cpp's `convert_hf_to_gguf.py`, whose
permutation of the query and key rows is undone here. transformers can read GGUF itself, to the same
weights bit by bit, but it needs accelerate for that, takes five times as long, and leaves out the
tokenizer's digit splitting (`tokenizer.ggml.pre`).
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from llmeval.core.errors import ModelError

CONVERTER = 1
"""Version of the conversion. Increase it when the same GGUF file would give other weights or
another tokenizer.
"""

_LAYER = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_CONTROL_TOKEN = 3  # llama.cpp's LLAMA_TOKEN_TYPE_CONTROL


def convert(source: Path, target: Path, progress: Callable[[float], None] = lambda _: None) -> None:
    """Write `config.json`, `model.safetensors` (fp32), the tokenizer and the chat template of
    `source` into `target`.

    `progress` gets the completed share, in [0, 1].

    Raises:
        ModelError: this module does not support the file's architecture or tokenizer.
        OSError: `target` can't be written.
    """
    from gguf import GGUFReader

    reader = GGUFReader(source)
    meta = {key: field.contents() for key, field in reader.fields.items()}
    _expect(meta, "general.architecture", "llama", source)
    _expect(meta, "tokenizer.ggml.model", "gpt2", source)
    _expect(meta, "tokenizer.ggml.pre", "smollm", source)
    progress(0.4)
    tied = all(tensor.name != "output.weight" for tensor in reader.tensors)
    _write_json(target / "config.json", _config(meta, tied))
    _write_json(target / "generation_config.json", _special_ids(meta))
    _write_tokenizer(meta, target)
    progress(0.5)
    _write_weights(reader, meta, target, progress)


def _expect(meta: dict[str, Any], key: str, expected: str, source: Path) -> None:
    if meta.get(key) != expected:
        raise ModelError(
            f"{source.name}: {key} is {meta.get(key)!r}; this converter reads only {expected!r}",
            kind="config",
        )


def _special_ids(meta: dict[str, Any]) -> dict[str, int]:
    names = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
    return {key: meta[f"tokenizer.ggml.{name}_token_id"] for key, name in names.items()}


def _config(meta: dict[str, Any], tied: bool) -> dict[str, Any]:
    heads = meta["llama.attention.head_count"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "hidden_act": "silu",
        "hidden_size": meta["llama.embedding_length"],
        "intermediate_size": meta["llama.feed_forward_length"],
        "num_hidden_layers": meta["llama.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": meta["llama.attention.head_count_kv"],
        "head_dim": meta["llama.embedding_length"] // heads,
        "max_position_embeddings": meta["llama.context_length"],
        "rms_norm_eps": meta["llama.attention.layer_norm_rms_epsilon"],
        "rope_parameters": {"rope_type": "default", "rope_theta": meta["llama.rope.freq_base"]},
        "tie_word_embeddings": tied,
        "vocab_size": meta["llama.vocab_size"],
        **_special_ids(meta),
    }


def _write_tokenizer(meta: dict[str, Any], target: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, kinds = meta["tokenizer.ggml.tokens"], meta["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ", 1)) for merge in meta["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in control]
    )
    tokenizer.save(str(target / "tokenizer.json"))
    ids = _special_ids(meta)
    _write_json(
        target / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": tokens[ids["bos_token_id"]],
            "eos_token": tokens[ids["eos_token_id"]],
            "pad_token": tokens[ids["pad_token_id"]],
            "model_max_length": meta["llama.context_length"],
            "clean_up_tokenization_spaces": False,
        },
    )
    (target / "chat_template.jinja").write_text(meta["tokenizer.chat_template"], encoding="utf-8")


def _write_weights(
    reader: Any, meta: dict[str, Any], target: Path, progress: Callable[[float], None]
) -> None:
    from safetensors.numpy import save_file

    weights: dict[str, Any] = {}
    for done, (name, array) in enumerate(_tensors(reader, meta), start=1):
        weights[name] = array
        progress(0.5 + 0.4 * done / len(reader.tensors))
    path = target / "model.safetensors"
    save_file(weights, path, metadata={"format": "pt"})
    path.chmod(
        (target / "config.json").stat().st_mode
    )  # safetensors writes with mode 0600 and ignores the umask
    progress(1.0)


def _tensors(reader: Any, meta: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """(name, fp32 array) of each tensor, by transformers' names."""
    import numpy as np
    from gguf import dequantize

    heads = {
        "attn_q": meta["llama.attention.head_count"],
        "attn_k": meta["llama.attention.head_count_kv"],
    }
    for tensor in reader.tensors:
        name, part = _renamed(tensor.name)
        array = dequantize(tensor.data, tensor.tensor_type)
        if part in heads:
            array = _unpermuted(array, heads[part])
        yield name, np.ascontiguousarray(array, dtype=np.float32)


def _renamed(name: str) -> tuple[str, str]:
    """transformers' name of a GGUF tensor, and the part of a layer that it belongs to (empty
    outside the layers).
    """
    stem, kind = name.rsplit(".", 1)
    if stem in _TOP:
        return f"{_TOP[stem]}.{kind}", ""
    block, _, rest = stem.removeprefix("blk.").partition(".")
    if not stem.startswith("blk.") or rest not in _LAYER:
        raise ModelError(
            f"the GGUF file has a tensor {name!r} that this converter does not support",
            kind="config",
        )
    return f"model.layers.{block}.{_LAYER[rest]}.{kind}", rest


def _unpermuted(array: Any, heads: int) -> object:
    """Reorder rows of rotary pairs: from adjacent pairs (GGUF) to two halves (transformers)."""
    rows, columns = array.shape
    return (
        array.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
    )


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
