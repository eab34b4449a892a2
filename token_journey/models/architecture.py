"""Which models can be captured: Llama's layer, as transformers computes it.

It is decided from config.json alone, before any weight is looked at; most of it by
`refuse_by_name`, before transformers is imported.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from token_journey.errors import CheckpointError
from token_journey.llama.config import ModelConfig
from token_journey.llama.shapes import weight_shape
from token_journey.models.quantised import refuse_if_described
from token_journey.packs.manifest import BIASES, SCALED_ROPE

# The rest of the family differs inside the layer: other norms, windows, experts.
ARCHITECTURES = {"LlamaForCausalLM": "llama", "Qwen2ForCausalLM": "qwen2"}
ROPE_TYPES = ("default", "linear", "llama3")

_SIZES = (
    *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "head_dim", "intermediate_size"),
)
_MOST_LAYERS = 10_000
_LINEAR = (
    *("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"),
    *("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
)
EMBEDDING, FINAL_NORM, VOCABULARY = "model.embed_tokens", "model.norm", "lm_head"


@dataclass(frozen=True)
class Family:
    """A model as its config.json describes it.

    `config` is transformers' own; `beyond` says in what the model goes beyond
    the kata's stages, e.g. {"scaled RoPE": "llama3, factor 8"}.
    """

    architecture: str
    config: Any
    shape: ModelConfig
    beyond: Mapping[str, str]

    def layer_shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        """The shape of each of a layer's tensors, by its whole name."""
        names = ["input_layernorm.weight"]
        for linear in _LINEAR:
            names.append(f"{linear}.weight")
            names += [f"{linear}.bias"] if self._has_bias(linear) else []
        names.append("post_attention_layernorm.weight")
        whole = (f"model.layers.{layer}.{name}" for name in names)
        return {name: tuple(weight_shape(self.shape, name)) for name in whole}

    def outer_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of what lies outside the layers."""
        modules = [EMBEDDING, FINAL_NORM]
        modules += [] if self.shape.tie_word_embeddings else [VOCABULARY]
        names = (f"{module}.weight" for module in modules)
        return {name: tuple(weight_shape(self.shape, name)) for name in names}

    @property
    def vocabulary_weight(self) -> str:
        """The matrix that the logits are made with: its own, or the embedding."""
        return f"{EMBEDDING if self.shape.tie_word_embeddings else VOCABULARY}.weight"

    @property
    def untied(self) -> Family:
        """The same, with a matrix of its own for the vocabulary."""
        return replace(self, shape=replace(self.shape, tie_word_embeddings=False))

    def _has_bias(self, linear: str) -> bool:
        if self.architecture == "Qwen2ForCausalLM":
            return linear in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        key = "attention_bias" if linear.startswith("self_attn") else "mlp_bias"
        return bool(getattr(self.config, key))


def refuse_by_name(described: Any) -> None:
    """Raises CheckpointError for a config.json whose words alone say that it is not supported."""
    if not isinstance(described, dict):
        raise CheckpointError("config.json does not describe a model: fetch the file again.")
    architectures = described.get("architectures")
    named = architectures[0] if isinstance(architectures, list) and architectures else None
    if not isinstance(named, str) or named not in ARCHITECTURES:
        raise CheckpointError(
            f"This is a {named or 'model without a name'}, and only "
            f"{' and '.join(ARCHITECTURES)} can be captured."
        )
    if described.get("model_type", ARCHITECTURES[named]) != ARCHITECTURES[named]:
        raise CheckpointError(
            f"config.json calls a {named} a {described['model_type']!r}: fetch the file again."
        )
    for key, why in (
        ("auto_map", "it asks for code of its own to be run (auto_map)"),
        (
            "transformers_weights",
            "its weights lie under a name of their own (transformers_weights)",
        ),
    ):
        if described.get(key):
            raise CheckpointError(f"This checkpoint is not supported: {why}.")
    refuse_if_described(described)
    _refuse_odd_numbers(described)


def read_config(described: Mapping[str, Any]) -> Family:
    """What a config.json describes that was not refused by name. Raises CheckpointError."""
    named = described["architectures"][0]
    config = _parsed(named, described)
    _refuse_what_is_not_llamas(config)
    _refuse_angles_that_are_none(config)
    return Family(named, config, _shape(config), dict(_beyond(named, config)))


def _refuse_odd_numbers(described: Mapping[str, Any]) -> None:
    for key in _SIZES:
        value = described.get(key)
        if value is None and key in ("num_key_value_heads", "head_dim"):
            continue
        most = _MOST_LAYERS if key == "num_hidden_layers" else 2**31
        if type(value) is not int or not 0 < value < most:
            raise CheckpointError(f"config.json has {key} = {value!r}, which is no size.")
    eps = described.get("rms_norm_eps", 1e-6)
    if not isinstance(eps, float | int) or not 0 <= eps < math.inf:
        raise CheckpointError(f"config.json has rms_norm_eps = {eps!r}, which is no small number.")
    for group in ("rope_scaling", "rope_parameters"):
        about = described.get(group) or {}
        if not isinstance(about, dict):
            raise CheckpointError(f"config.json has a {group} that is no table: {about!r}.")
        for key, value in about.items():
            if isinstance(value, float | int) and not math.isfinite(value):
                raise CheckpointError(f"config.json has {group}.{key} = {value!r}.")


def _parsed(architecture: str, described: Mapping[str, Any]) -> Any:
    """transformers' reading of it, with all its defaults."""
    from transformers import LlamaConfig, Qwen2Config

    classes: dict[str, Any] = {"LlamaForCausalLM": LlamaConfig, "Qwen2ForCausalLM": Qwen2Config}
    # A head_dim of null means the same as none, which Qwen2's attention would not understand.
    told = {k: v for k, v in described.items() if k != "head_dim" or v is not None}
    try:
        return classes[architecture].from_dict(told)
    except Exception as error:  # its validation raises several kinds
        said = str(error).strip().splitlines()
        raise CheckpointError(
            f"transformers refuses this config.json ({said[-1].strip() if said else error!r})."
        ) from None


def _refuse_what_is_not_llamas(config: Any) -> None:
    rope = config.rope_parameters
    heads, shared = config.num_attention_heads, config.num_key_value_heads
    refused = {
        f"hidden_act {config.hidden_act!r}": config.hidden_act not in ("silu", "swish"),
        "a sliding window": bool(getattr(config, "sliding_window", None))
        or any(kind != "full_attention" for kind in getattr(config, "layer_types", None) or ()),
        f"RoPE of type {rope.get('rope_type')!r}": rope.get("rope_type") not in ROPE_TYPES,
        "RoPE on a part of each head": rope.get("partial_rotary_factor", 1.0) != 1.0,
        f"{heads} query heads on {shared} key/value heads": heads % shared != 0,
    }
    for what, found in refused.items():
        if found:
            raise CheckpointError(f"This checkpoint is not supported: it has {what}.")


def _refuse_angles_that_are_none(config: Any) -> None:
    """Make the frequencies of RoPE once: transformers leaves some of their settings unlooked at."""
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    try:
        frequencies = LlamaRotaryEmbedding(config).inv_freq
        sound = bool(((frequencies > 0) & frequencies.isfinite()).all())
    except Exception:  # a missing factor, a word for a number
        sound = False
    if not sound:
        raise CheckpointError(f"config.json describes no RoPE: {dict(config.rope_parameters)}.")


def _head_dim(config: Any) -> int:
    chosen: int | None = getattr(config, "head_dim", None)
    return chosen or int(config.hidden_size // config.num_attention_heads)


def _shape(config: Any) -> ModelConfig:
    return ModelConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        head_dim=_head_dim(config),
        intermediate_size=config.intermediate_size,
        rms_norm_eps=float(config.rms_norm_eps),
        rope_theta=float(config.rope_parameters["rope_theta"]),
        tie_word_embeddings=bool(config.tie_word_embeddings),
    )


def _beyond(architecture: str, config: Any) -> Iterator[tuple[str, str]]:
    biased = [
        part
        for part, there in (
            ("attention", architecture == "Qwen2ForCausalLM"),
            ("attention", getattr(config, "attention_bias", False)),
            ("mlp", getattr(config, "mlp_bias", False)),
        )
        if there
    ]
    if biased:
        yield BIASES, " and ".join(biased)
    rope = config.rope_parameters
    if rope["rope_type"] != "default":
        yield SCALED_ROPE, f"{rope['rope_type']}, factor {rope.get('factor')}"
