"""Adapters in PEFT's format: merged in memory, identified by both digests, refused where inexact."""

import json
import shutil
from pathlib import Path

import pytest

from llmeval.core.errors import ModelError
from llmeval.models.local import threads, weights
from tests.support.tables import each_row

threads.prepare()
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tests.models.test_local_model import make_model  # noqa: E402

MODULE = "model.layers.1.self_attn.q_proj"
CONFIG = {
    "peft_type": "LORA",
    "base_model_name_or_path": "../base",
    "r": 4,
    "lora_alpha": 8,
    "bias": "none",
    "target_modules": ["q_proj"],
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "base")


def write_adapter(folder: Path, module: str = MODULE, **config: object) -> Path:
    from safetensors.torch import save_file

    folder.mkdir(exist_ok=True)
    torch.manual_seed(5)
    down, up = torch.randn(4, 32), torch.randn(32, 4)
    start = f"base_model.model.{module}.lora_"
    save_file(
        {f"{start}A.weight": down, f"{start}B.weight": up}, folder / "adapter_model.safetensors"
    )
    (folder / "adapter_config.json").write_text(json.dumps({**CONFIG, **config}))
    return folder


@each_row(
    ("name", "config", "scale"),
    [
        ("plain", {}, 2.0),
        ("rslora", {"use_rslora": True}, 4.0),
        ("pattern", {"alpha_pattern": {"q_proj": 12}}, 3.0),
    ],
)
def test_merged_weights_are_base_plus_scaled_product(
    base: Path, name: str, config: dict[str, object], scale: float
) -> None:
    from safetensors.torch import load_file

    folder = write_adapter(base.parent / name, **config)  # type: ignore[arg-type]
    own = load_file(folder / "adapter_model.safetensors")
    plain, _ = weights.load(base, "float32", "cpu")
    merged, _ = weights.load(folder, "float32", "cpu")
    down, up = (own[f"base_model.model.{MODULE}.lora_{side}.weight"] for side in "AB")
    change = merged.get_submodule(MODULE).weight - plain.get_submodule(MODULE).weight
    assert torch.allclose(change, scale * up @ down, atol=1e-4)
    others = [key for key in plain.state_dict() if not key.startswith(MODULE)]
    assert all(torch.equal(plain.state_dict()[key], merged.state_dict()[key]) for key in others)


def test_identity_is_the_base_and_the_adapter(base: Path) -> None:
    folder = write_adapter(base.parent / "one")
    before = weights.file_digests(folder)
    assert {"base/model.safetensors", "adapter/adapter_model.safetensors"} <= set(before)
    write_adapter(base.parent / "two", base_model_name_or_path=str(base))
    (base.parent / "two" / "training_log.json").write_text("{}")
    assert weights.file_digests(base.parent / "two") == before
    write_adapter(base.parent / "two", lora_alpha=9)
    assert weights.file_digests(base.parent / "two") != before
    copied = base.parent / "other" / "base"
    shutil.copytree(base, copied)
    (copied / "generation_config.json").write_text("{}")
    write_adapter(copied.parent / "one")
    assert weights.file_digests(copied.parent / "one") != before


@each_row(
    ("name", "config", "words"),
    [
        ("dora", {"use_dora": True}, "use_dora is set"),
        ("bias", {"bias": "all"}, "bias is all"),
        ("kind", {"peft_type": "IA3"}, "only LORA"),
        ("saved", {"modules_to_save": ["lm_head"]}, "modules_to_save is set"),
        ("pissa", {"init_lora_weights": "pissa_niter_4"}, "changes the base too"),
        ("rank", {"r": 8}, "says rank 8"),
        ("absent", {"base_model_name_or_path": "./none"}, "is not a folder of a model"),
        ("module", {"module": "model.layers.7.self_attn.q_proj"}, "an adapter of another base"),
        ("shape", {"module": "model.layers.1.self_attn.k_proj"}, "an adapter of another base"),
        ("text", {"module": "model.embed_tokens"}, "not a linear map"),
    ],
)
def test_an_adapter_that_can_not_be_merged_exactly_is_refused(
    base: Path, name: str, config: dict[str, object], words: str
) -> None:
    folder = write_adapter(base.parent / name, **config)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=words):
        weights.load(folder, "float32", "cpu")


def test_every_tensor_of_an_adapter_counts(base: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = write_adapter(base.parent / "more")
    path = folder / "adapter_model.safetensors"
    save_file({**load_file(path), "base_model.model.lm_head.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(ModelError, match="can't be merged"):
        weights.load(folder, "float32", "cpu")


@each_row(
    ("flags", "dtype"),
    [("fpu avx512_bf16", "bfloat16"), ("fpu amx_bf16", "bfloat16"), ("fpu avx2", "float32")],
)
def test_auto_is_bfloat16_only_where_the_processor_has_it(
    base: Path, tmp_path: Path, flags: str, dtype: str
) -> None:
    listed = tmp_path / "cpuinfo"
    listed.write_text(f"processor : 0\nflags : {flags}\n\nprocessor : 1\nflags : {flags} x\n")
    with pytest.MonkeyPatch.context() as patch:
        known = weights.cpu_flags(listed)
        patch.setattr(weights, "cpu_flags", lambda: known)
        assert weights.defaults(base, "auto", "cpu") == (dtype, "cpu")
        assert weights.defaults(base, None, "cpu") == ("float32", "cpu")
