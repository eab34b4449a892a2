"""Who said it: what each part of a model adds to the logits of its answer and of the runner-up.

The stream after the last layer is a sum: the embedding, and what each head and each MLP
added. The last norm divides that sum by one number, its RMS, and multiplies number i by γ_i;
lm_head then takes a scalar product. With the RMS as it was, all of this is linear, so a logit
is the sum of what the parts add to it: "direct logit attribution" (Elhage et al., 2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor

from token_journey.journey.journey import Attribution, Candidate, Part
from token_journey.journey.material import Material

# How many tokens are told of each part.
_TOLD = 3


def attribution(material: Material, best: Sequence[Candidate]) -> Attribution | None:
    """Of the two likeliest tokens; None where not all of it is known."""
    vocabulary, read = _vocabulary(material), _reading(material)
    if len(best) < 2 or vocabulary is None or read is None:
        return None
    two = vocabulary[[candidate.id for candidate in best[:2]]]
    parts: list[Part] = []
    for layer in range(material.config.num_hidden_layers):
        added = _added(material, layer)
        if added is None:
            return None
        parts += _parts(material, layer, added * read, vocabulary, two)
    start = _last(material, "embed")
    assert start is not None
    embedding = _part(-1, None, start * read, two)
    return Attribution(best[0], best[1], (embedding, *parts))


def _reading(material: Material) -> Tensor | None:
    """By what the last norm multiplies the last token's stream, number by number: γ / RMS."""
    gains = material.weight("model.norm.weight")
    last = material.config.num_hidden_layers - 1
    stream = _last(material, f"blocks.{last}.resid_post")
    if gains is None or gains.visible or stream is None:
        return None
    rms = (stream.double().square().mean() + material.config.rms_norm_eps).sqrt()
    return gains.value.double() / rms


def _vocabulary(material: Material) -> Tensor | None:
    tied = material.config.tie_word_embeddings
    known = material.weight("model.embed_tokens.weight" if tied else "lm_head.weight")
    return None if known is None or known.visible else known.value


def _added(material: Material, layer: int) -> Tensor | None:
    """What a layer's heads, then its biases, then its MLP add to the last token (H + 2, D)."""
    z, out, mlp = (
        _last(material, f"blocks.{layer}.{name}") for name in ("attn.z", "attn_out", "mlp_out")
    )
    mix = material.weight(f"model.layers.{layer}.self_attn.o_proj.weight")
    if z is None or out is None or mlp is None or mix is None or mix.visible:
        return None
    of_heads = rearrange(mix.value.double(), "D (H d) -> H D d", H=len(z))
    heads = torch.einsum("hDd,hd->hD", of_heads, z.double())
    rest = out.double() - heads.sum(0)
    return torch.cat([heads, rest[None], mlp[None].double()])


def _last(material: Material, name: str) -> Tensor | None:
    """An activation at the last token."""
    known = material.activations.get(name)
    return None if known is None or known.visible else known.value[..., -1, :]


def _parts(
    material: Material, layer: int, read: Tensor, vocabulary: Tensor, two: Tensor
) -> list[Part]:
    """Of a layer: a part for each head, one for biases if there are any, one for the MLP."""
    heads = len(read) - 2
    logits = read.to(vocabulary.dtype) @ vocabulary.mT
    best = logits.topk(min(_TOLD, logits.shape[-1]))
    found = []
    for place, (ids, values) in enumerate(
        zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ):
        head = place if place < heads else None
        part = _part(layer, head, read[place], two)
        says = tuple((material.spell(i), value) for i, value in zip(ids, values, strict=True))
        found.append(Part(part.layer, part.head, part.answer, part.runner_up, says))
    bias = found.pop(heads)
    if abs(bias.answer) + abs(bias.runner_up) > _ROUNDING:
        found.append(Part(layer, None, bias.answer, bias.runner_up, of_bias=True))
    return found


def _part(layer: int, head: int | None, read: Tensor, two: Tensor) -> Part:
    answer, runner_up = (two.double() @ read).tolist()
    return Part(layer, head, answer, runner_up)


# What the sum of a layer's heads may lack of its attention without that there are biases.
_ROUNDING = 1e-3
