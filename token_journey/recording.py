"""See everything that a Llama computes, by our names, without computing any of it.

The maths is transformers' own: forward hooks see what its modules take and
give, and an attention function registered with it, its eager formula line by
line, sees what lies between. Logits are bit-identical to eager attention's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, LlamaForCausalLM
from transformers.masking_utils import eager_mask
from transformers.models.llama.modeling_llama import repeat_kv

Activations = dict[str, Tensor]

_ATTENTION = "token_journey"
_sink: ContextVar[Activations] = ContextVar("sink")


def record(
    model: LlamaForCausalLM, token_ids: Sequence[int], start: int = 0
) -> tuple[Activations, list[dict[str, Any]]]:
    """Run a model once, in its own dtype: its activations, and each layer's keyword arguments."""
    ids = torch.tensor([list(token_ids)])
    positions = torch.arange(start, start + ids.shape[1])[None]
    arguments: list[dict[str, Any]] = []

    def keep_arguments(_: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        arguments.append(kwargs)

    with recorded(model) as activations, ExitStack() as hooks:
        for layer in model.model.layers:
            handle = layer.register_forward_pre_hook(keep_arguments, with_kwargs=True)
            hooks.callback(handle.remove)
        model(input_ids=ids, position_ids=positions, use_cache=False)
    return activations, arguments


@contextmanager
def recorded(model: LlamaForCausalLM) -> Iterator[Activations]:
    """Let every module of the model write what it computes into a dict."""
    activations: Activations = {}
    before = model.config._attn_implementation
    token = _sink.set(activations)
    with ExitStack() as undo:
        undo.callback(_sink.reset, token)
        model.set_attn_implementation(_ATTENTION)
        undo.callback(model.set_attn_implementation, before)
        for handle in _hooks(model):
            undo.callback(handle.remove)
        yield activations


def _hooks(model: LlamaForCausalLM) -> Iterator[Any]:
    """Forward hooks on all modules; the attention function sees what has none."""
    config: Any = model.config
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    base = model.model
    yield _output(base.embed_tokens, "embed")
    yield base.rotary_emb.register_forward_hook(_keep_rotary)
    for layer, module in enumerate(base.layers):
        block, attention, mlp = f"blocks.{layer}.", module.self_attn, module.mlp
        yield _input(module, block + "resid_pre")
        yield _output(module.input_layernorm, block + "ln1.out")
        yield _output(attention.q_proj, block + "attn.q", heads)
        yield _output(attention.k_proj, block + "attn.k", kv_heads)
        yield _output(attention.v_proj, block + "attn.v", kv_heads)
        yield _output(attention.o_proj, block + "attn_out")
        yield _input(module.post_attention_layernorm, block + "resid_mid")
        yield _output(module.post_attention_layernorm, block + "ln2.out")
        yield _output(mlp.gate_proj, block + "mlp.gate")
        yield _output(mlp.act_fn, block + "mlp.gate_act")
        yield _output(mlp.up_proj, block + "mlp.up")
        yield _input(mlp.down_proj, block + "mlp.post")
        yield _output(mlp, block + "mlp_out")
        yield _output(module, block + "resid_post")
    yield _output(base.norm, "ln_final.out")
    yield _output(model.lm_head, "logits")


def _keep(name: str, batched: Tensor) -> None:
    _sink.get()[name] = batched[0].detach().clone(memory_format=torch.contiguous_format)


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


def _recording_attention(
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


AttentionInterface.register(_ATTENTION, _recording_attention)
AttentionMaskInterface.register(_ATTENTION, eager_mask)
