"""transformers' own layers behind the functions of our stages, on the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM
from transformers.cache_utils import DynamicLayer
from transformers.models.llama import modeling_llama

from token_journey.llama.config import ModelConfig

llama: Any = modeling_llama  # whose functions have no types


class Transformers:
    """Stage functions, each of which calls what transformers has in its place.

    attention: "eager", written out as in stage 5, or "sdpa", torch's fused kernel

    A module is built at the first call and kept for the next: what is timed is its work.
    """

    def __init__(self, attention: str):
        self._attention = attention
        self._modules: dict[tuple[str, int], Any] = {}
        self._masks: dict[int, Tensor] = {}

    # -- the stages' functions --------------------------------------------------

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        norm: Tensor = self._norm(weight, eps)(x)
        return norm

    def apply_rope(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        turned: Tensor
        turned, _ = llama.apply_rotary_pos_emb(x[None], x[None, :0], cos[None], sin[None])
        return turned[0]

    def grouped_query_attention(
        self,
        x: Tensor,
        weights: Mapping[str, Tensor],
        cos: Tensor,
        sin: Tensor,
        n_heads: int,
        n_kv_heads: int,
    ) -> Tensor:
        config = _sizes(x, weights, n_heads, n_kv_heads)
        layer = self._layer(config, weights)
        out: Tensor
        out, _ = layer.self_attn(
            x[None], position_embeddings=(cos[None], sin[None]), attention_mask=self._mask(x)
        )
        return out[0]

    def swiglu(self, x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
        def build() -> Any:
            config = LlamaConfig(hidden_size=x.shape[-1], intermediate_size=len(w_gate))
            with torch.device("meta"):
                mlp = llama.LlamaMLP(config)
            _assign(mlp, {"gate_proj": w_gate, "up_proj": w_up, "down_proj": w_down})
            return mlp

        out: Tensor = self._module("mlp", w_gate, build)(x)
        return out

    def decoder_layer(
        self,
        x: Tensor,
        layer: Mapping[str, Tensor],
        cos: Tensor,
        sin: Tensor,
        config: ModelConfig,
    ) -> Tensor:
        out = self._layer(config, layer)(
            x[None], position_embeddings=(cos[None], sin[None]), attention_mask=self._mask(x)
        )
        first: Tensor = (out[0] if isinstance(out, tuple) else out)[0]
        return first

    def lm_head(self, x: Tensor, norm_weight: Tensor, w_vocab: Tensor, eps: float) -> Tensor:
        return torch.nn.functional.linear(self._norm(norm_weight, eps)(x), w_vocab)

    def KeyValueCache(self) -> _LayerCache:
        return _LayerCache()

    def next_logits(
        self,
        token_ids: Tensor,
        weights: Mapping[str, Tensor],
        config: ModelConfig,
        caches: list[_LayerCache],
    ) -> Tensor:
        model = self._module(
            "model", weights["model.norm.weight"], lambda: self._model(config, weights)
        )
        past = DynamicCache()
        past.layers = [cache.layer for cache in caches]
        out = model(token_ids[None], cache=past, logits_to_keep=1)
        logits: Tensor = out.logits[0, -1]
        return logits

    # -- transformers' modules on our weights -------------------------------------

    def _module(self, kind: str, weight: Tensor, build: Any) -> Any:
        key = kind, weight.data_ptr()
        if key not in self._modules:
            self._modules = {key: build()}  # the last one only: weights are large
        return self._modules[key]

    def _norm(self, weight: Tensor, eps: float) -> Any:
        def build() -> Any:
            norm = llama.LlamaRMSNorm(len(weight), eps)
            norm.weight = torch.nn.Parameter(weight, requires_grad=False)
            return norm

        return self._module("norm", weight, build)

    def _layer(self, config: ModelConfig, weights: Mapping[str, Tensor]) -> Any:
        def build() -> Any:
            with torch.device("meta"):
                layer = llama.LlamaDecoderLayer(self._config(config, layers=1), 0)
            _assign(layer, {n.removesuffix(".weight"): w for n, w in weights.items()})
            return layer

        return self._module("layer", weights["self_attn.q_proj.weight"], build)

    def _model(self, config: ModelConfig, weights: Mapping[str, Tensor]) -> Any:
        with torch.device("meta"):
            model = LlamaForCausalLM(self._config(config, config.num_hidden_layers))
        device = weights["model.norm.weight"].device
        _assign(model, {n.removesuffix(".weight"): w for n, w in weights.items()})
        model.tie_weights()
        model.model.rotary_emb = llama.LlamaRotaryEmbedding(model.config).to(device)
        return model.train(False)

    def _config(self, config: ModelConfig, layers: int) -> LlamaConfig:
        sizes: Any = LlamaConfig
        made: LlamaConfig = sizes(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            num_hidden_layers=layers,
            num_attention_heads=config.num_attention_heads,
            num_key_value_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            intermediate_size=config.intermediate_size,
            rms_norm_eps=config.rms_norm_eps,
            tie_word_embeddings=True,
            attn_implementation=self._attention,
        )
        return made

    def _mask(self, x: Tensor) -> Tensor | None:
        """What transformers hands to its layers; with none its fused kernel is causal by itself."""
        if self._attention == "sdpa":
            return None

        if len(x) not in self._masks:
            lowest = torch.full((1, 1, len(x), len(x)), torch.finfo(x.dtype).min, device=x.device)
            self._masks = {len(x): lowest.triu(1)}
        return self._masks[len(x)]


class _LayerCache:
    """One layer of transformers' cache, to be filled as ours is."""

    def __init__(self) -> None:
        layer: Any = DynamicLayer
        self.layer = layer()

    def update(self, k: Tensor, v: Tensor) -> None:
        self.layer.update(k[None], v[None])


def _sizes(x: Tensor, weights: Mapping[str, Tensor], n_heads: int, n_kv_heads: int) -> ModelConfig:
    of_heads = len(weights["self_attn.q_proj.weight"])
    return ModelConfig(
        vocab_size=1,
        hidden_size=x.shape[-1],
        num_hidden_layers=1,
        num_attention_heads=n_heads,
        num_key_value_heads=n_kv_heads,
        head_dim=of_heads // n_heads,
        intermediate_size=len(weights["mlp.gate_proj.weight"]),
        rms_norm_eps=1e-5,
        rope_theta=10_000.0,
        tie_word_embeddings=True,
    )


def _assign(module: torch.nn.Module, weights: Mapping[str, Tensor]) -> None:
    state = {f"{name}.weight": weight for name, weight in weights.items()}
    module.load_state_dict(state, assign=True, strict=False)
    for parameter in module.parameters():
        parameter.requires_grad_(False)
