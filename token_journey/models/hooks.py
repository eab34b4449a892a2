"""See everything that a Llama computes, by our names, without computing any of it.

The maths is transformers' own: forward hooks see what its modules take and
give, and an attention function registered with it, its eager formula line by
line, sees what lies between. Logits are bit-identical to eager attention's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, LlamaForCausalLM
from transformers.masking_utils import eager_mask
from transformers.models.llama.modeling_llama import repeat_kv

Activations = dict[str, Tensor]
# What is to be kept of an activation, by its name; None for nothing.
Cut = Callable[[str, Tensor], Tensor | None]

_ATTENTION = "token_journey"
_sink: ContextVar[tuple[Activations, Cut]] = ContextVar("sink")


def whole(name: str, value: Tensor) -> Tensor:
    """All of every activation."""
    return value


@contextmanager
def recording_attention(config: Any) -> Iterator[None]:
    """Let what was made with this configuration compute attention where it is seen."""
    before = config._attn_implementation
    config._attn_implementation = _ATTENTION
    try:
        yield
    finally:
        config._attn_implementation = before


def record(
    model: LlamaForCausalLM,
    token_ids: Sequence[int],
    start: int = 0,
    cut: Cut = whole,
    exact: bool = False,
) -> Activations:
    """Run a model once, as a whole and in its own dtype: its activations, as far as `cut` says.

    exact: go on in float64 from the embedding on, where precision.py widens the weights
    """
    ids = torch.tensor([list(token_ids)])
    positions = torch.arange(start, start + ids.shape[1])[None]
    untyped: Any = model
    base = untyped.model
    with ExitStack() as undo:
        undo.enter_context(recording_attention(untyped.config))
        activations = undo.enter_context(recorded_layers(dict(enumerate(base.layers)), cut))
        if exact:
            widen = base.embed_tokens.register_forward_hook(lambda _, args, out: out.double())
            undo.callback(widen.remove)
        for handle in (
            _output(base.embed_tokens, "embed"),
            base.rotary_emb.register_forward_hook(_keep_rotary),
            _output(base.norm, "ln_final.out"),
            _output(untyped.lm_head, "logits"),
        ):
            undo.callback(handle.remove)
        model(input_ids=ids, position_ids=positions, use_cache=False)
    return activations


@contextmanager
def recorded_layers(layers: Mapping[int, Any], cut: Cut = whole) -> Iterator[Activations]:
    """Let decoder layers, given by their number, write what they compute into a dict."""
    activations: Activations = {}
    token = _sink.set((activations, cut))
    with ExitStack() as undo:
        undo.callback(_sink.reset, token)
        for number, layer in layers.items():
            for handle in _hooks(layer, number):
                undo.callback(handle.remove)
        yield activations


def _hooks(layer: Any, number: int) -> Iterator[Any]:
    """Forward hooks on a layer's modules; the attention function sees what has none."""
    block, attention, mlp = f"blocks.{number}.", layer.self_attn, layer.mlp
    config: Any = attention.config
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    yield _input(layer, block + "resid_pre")
    yield _output(layer.input_layernorm, block + "ln1.out")
    yield _output(attention.q_proj, block + "attn.q", heads)
    yield _output(attention.k_proj, block + "attn.k", kv_heads)
    yield _output(attention.v_proj, block + "attn.v", kv_heads)
    yield _output(attention.o_proj, block + "attn_out")
    yield _input(layer.post_attention_layernorm, block + "resid_mid")
    yield _output(layer.post_attention_layernorm, block + "ln2.out")
    yield _output(mlp.gate_proj, block + "mlp.gate")
    yield _output(mlp.act_fn, block + "mlp.gate_act")
    yield _output(mlp.up_proj, block + "mlp.up")
    yield _input(mlp.down_proj, block + "mlp.post")
    yield _output(mlp, block + "mlp_out")
    yield _output(layer, block + "resid_post")


def _keep(name: str, batched: Tensor) -> None:
    activations, cut = _sink.get()
    kept = cut(name, batched[0].detach())
    if kept is not None:
        activations[name] = kept.cpu().clone(memory_format=torch.contiguous_format)


def _input(module: nn.Module, name: str) -> Any:
    def hook(_: nn.Module, args: tuple[Tensor, ...]) -> None:
        _keep(name, args[0])

    return module.register_forward_pre_hook(hook)


def _output(module: nn.Module, name: str, heads: int = 0) -> Any:
    """Keep (T, N), or (heads, T, N / heads) where a number of heads is given."""

    def hook(_: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
        _keep(name, out.view(*out.shape[:-1], heads, -1).transpose(1, 2) if heads else out)

    return module.register_forward_hook(hook)


def _keep_rotary(_: nn.Module, args: Any, out: tuple[Tensor, Tensor]) -> None:
    _keep("rotary.cos", out[0])
    _keep("rotary.sin", out[1])


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """transformers' `eager_attention_forward`, keeping each line's result."""
    groups: Any = module.num_key_value_groups
    key_states, value_states = repeat_kv(key, groups), repeat_kv(value, groups)
    raw = torch.matmul(query, key_states.transpose(2, 3))
    scores = raw * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    pattern = nn.functional.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    z = torch.matmul(pattern, value_states)

    name = f"blocks.{module.layer_idx}.attn."
    _keep(name + "rot_q", query)
    _keep(name + "rot_k", key)
    _keep(name + "scores_raw", raw)
    # transformers writes the future as the lowest number of the dtype; it stands for −inf.
    lowest = torch.finfo(scores.dtype).min
    _keep(name + "scores", scores.masked_fill(scores <= lowest / 2, -math.inf))
    _keep(name + "pattern", pattern)
    _keep(name + "z", z)
    return z.transpose(1, 2).contiguous(), pattern


AttentionInterface.register(_ATTENTION, _attention)
AttentionMaskInterface.register(_ATTENTION, eager_mask)
