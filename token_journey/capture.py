"""Run a Llama and keep everything that it computes on the way, by our names.

The maths is transformers' own: forward hooks see what its modules take and
give, and an attention function registered with it, its eager formula line by
line, sees what lies between. Logits are bit-identical to eager attention's.

**Where tolerances come from.** Every activation a is computed in float32 and
again in float64, where rounding is 10⁹ times smaller, so |a₃₂ − a₆₄| is the
rounding error of one honest float32 implementation: transformers'. Another one
sums in another order and errs elsewhere by about as much, so two of them lie
within about twice that of each other, and chance and other hardware ask for
some room. A tolerance is `ROOM` (8) times the largest error in the tensor:

- `tolerance`: a₆₄ comes from the same layer, run in float64 on the float32
  residual stream that enters it. For who is handed captured inputs.
- `end_to_end`: a₆₄ comes from the whole model, run in float64 on the token
  ids. For who starts there too: errors of all layers add up.

Neither is less than the spacing of float32 numbers at the tensor's largest
magnitude (a tensor may happen to be exact). Copies (`embed`) have tolerance 0.
"""

from __future__ import annotations

import copy
import math
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers import (
    AttentionInterface,
    AttentionMaskInterface,
    GenerationConfig,
    LlamaForCausalLM,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)
from transformers.masking_utils import eager_mask
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, repeat_kv

from token_journey.pack import Generation, Prompt

ROOM = 8

# transformers' order: temperature, then top-k, then top-p.
WARPERS: dict[str, list[Any]] = {
    "temperature=0.7": [TemperatureLogitsWarper(0.7)],
    "top_k=5": [TopKLogitsWarper(5)],
    "top_p=0.9": [TopPLogitsWarper(0.9)],
    "temperature=0.7,top_k=20,top_p=0.8": [
        TemperatureLogitsWarper(0.7),
        TopKLogitsWarper(20),
        TopPLogitsWarper(0.8),
    ],
}

Activations = dict[str, Tensor]


@dataclass(frozen=True)
class Captured:
    """One activation in float32, without batch axis, and its two tolerances."""

    value: Tensor
    tolerance: float
    end_to_end: float


class Capture:
    """A model in float32 and its copy in float64, ready to be run on prompts."""

    def __init__(self, model: LlamaForCausalLM):
        """Raises ValueError unless the model is in float32, on the CPU."""
        if model.dtype != torch.float32 or model.device.type != "cpu":
            raise ValueError("capture runs in float32 on the CPU: model.float().cpu() first.")
        self._model = model.train(False)
        self._exact = copy.deepcopy(model).double()
        with _Widened():
            # Its frequencies are computed, and rounded, when it is made.
            self._exact.model.rotary_emb = LlamaRotaryEmbedding(model.config)

    @torch.no_grad()
    def run(self, token_ids: Sequence[int], start: int = 0) -> dict[str, Captured]:
        """Every activation of one prompt, in the order in which data flows.

        token_ids: at least one
        start:     the position of the first token

        Raises ValueError where float32 can't decide which tokens a warper keeps.
        """
        found, _ = record(self._model, token_ids, start)
        with _Widened():
            whole, arguments = record(self._exact, token_ids, start)
            by_layer = self._layer_by_layer(found, arguments)
            by_layer.update(_warped(found["logits"][-1].double()))
            by_layer["logits.last"] = by_layer["logits"][-1]
            for activations in (found, whole):
                activations["logits.last"] = activations["logits"][-1].clone()
                activations.update(_warped(activations["logits.last"]))
        return {
            name: Captured(
                value,
                _tolerance(name, value, by_layer.get(name, whole[name])),
                _tolerance(name, value, whole[name]),
            )
            for name, value in found.items()
        }

    def _layer_by_layer(self, found: Activations, arguments: list[dict[str, Any]]) -> Activations:
        """Each layer in float64, on the float32 residual stream that enters it."""
        model = self._exact.model
        with _recorded(self._exact) as activations:
            for layer, (module, kwargs) in enumerate(zip(model.layers, arguments, strict=True)):
                module(found[f"blocks.{layer}.resid_pre"].double()[None], **kwargs)
            last = found[f"blocks.{len(model.layers) - 1}.resid_post"].double()[None]
            self._exact.lm_head(model.norm(last))
        return activations


def circumstances(command: str, **more: Any) -> dict[str, Any]:
    """What a pack says of how it was captured, for its `captured` key."""
    return {
        "command": command,
        "device": "cpu",
        "dtype": "float32",
        **more,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers", "tokenizers")},
        },
        "platform": f"{platform.system()} {platform.machine()}",
        "date": date.today().isoformat(),
    }


def record(
    model: LlamaForCausalLM, token_ids: Sequence[int], start: int = 0
) -> tuple[Activations, list[dict[str, Any]]]:
    """Run a model once, in its own dtype: its activations, and each layer's keyword arguments."""
    ids = torch.tensor([list(token_ids)])
    positions = torch.arange(start, start + ids.shape[1])[None]
    arguments: list[dict[str, Any]] = []

    def keep_arguments(_: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        arguments.append(kwargs)

    with _recorded(model) as activations, ExitStack() as hooks:
        for layer in model.model.layers:
            handle = layer.register_forward_pre_hook(keep_arguments, with_kwargs=True)
            hooks.callback(handle.remove)
        model(input_ids=ids, position_ids=positions, use_cache=False)
    return activations, arguments


def continued(
    model: LlamaForCausalLM,
    prompt: Prompt,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Sequence[int] = (),
    *,
    noise: float,
) -> Generation:
    """A prompt, continued with the best token each time by transformers' `generate`.

    noise: the end-to-end tolerance of the logits

    Raises ValueError where a best token leads the next best by less than ten
    times that: rounding could turn it over, and with it all that follows.
    """
    # `generate` fills what it is not told from the model's own settings, which may name end tokens.
    untyped: Any = model
    settings: Any = GenerationConfig
    before, untyped.generation_config = model.generation_config, settings()
    try:
        ids = torch.tensor([prompt.ids])
        out = untyped.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=settings(
                do_sample=False,
                max_new_tokens=max_new_tokens,
                min_new_tokens=min_new_tokens or None,
                eos_token_id=list(eos_ids) or None,
                pad_token_id=0,
                output_scores=True,
                return_dict_in_generate=True,
            ),
        )
    finally:
        untyped.generation_config = before
    best, second = torch.cat(out.scores).topk(2).values.unbind(-1)
    lead = (best - second).min().item()
    if lead < 10 * noise:
        raise ValueError(f"{prompt.name}: a token leads by {lead:.2g}, the noise is {noise:.2g}.")
    return Generation(
        prompt.name, max_new_tokens, min_new_tokens, list(eos_ids), out.sequences[0].tolist()
    )


# -- seeing what a model computes ---------------------------------------------

_ATTENTION = "token_journey"
_sink: ContextVar[Activations] = ContextVar("sink")


@contextmanager
def _recorded(model: LlamaForCausalLM) -> Iterator[Activations]:
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


# -- after the last layer -----------------------------------------------------


def _warped(logits: Tensor) -> Activations:
    """What `generate` makes of the last token's logits (V,)."""
    ids: Any = None  # these warpers don't look at the text so far
    return {
        "probs.last": nn.functional.softmax(logits, dim=-1),
        **{
            f"warped.{name}": LogitsProcessorList(warpers)(ids, logits[None])[0]
            for name, warpers in WARPERS.items()
        },
    }


# -- how far off may be -------------------------------------------------------


class _Widened(TorchFunctionMode):
    """float64 wherever transformers' modules ask for float32.

    Its norms, RoPE and softmax compute in float32 whatever the model's dtype,
    so a model in float64 is not one of float64 precision without this.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func is torch.Tensor.float:
            func = torch.Tensor.double
        args = tuple(_widened(a) for a in args)
        return func(*args, **{key: _widened(value) for key, value in (kwargs or {}).items()})


def _widened(argument: Any) -> Any:
    return torch.float64 if argument is torch.float32 else argument


def _tolerance(name: str, value: Tensor, exact: Tensor) -> float:
    """`ROOM` times the largest rounding error, or one float32 spacing if that is more."""
    if name == "embed":
        return 0.0
    finite = value.isfinite()
    if not torch.equal(finite, exact.isfinite()):
        raise ValueError(f"{name}: float32 and float64 disagree on which elements are -inf.")
    numbers = value[finite].double()
    error = (numbers - exact[finite]).abs().max().item()
    return _two_digits_up(max(ROOM * error, _spacing(numbers.abs().max().item())))


def _spacing(magnitude: float) -> float:
    """The distance from a float32 number to the next."""
    return math.ldexp(1.0, math.frexp(magnitude)[1] - 24)


def _two_digits_up(number: float) -> float:
    """Rounded up to two significant digits, to be read by people."""
    if number == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    return float(f"{math.ceil(number / unit) * unit:.1e}")
