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
# So many parts are held against the vocabulary at once.
_AT_ONCE = 64
# What the sum of a layer's heads may lack of its attention without that there are biases.
_ROUNDING = 1e-3


def attribution(material: Material, best: Sequence[Candidate]) -> Attribution | None:
    """Of the two likeliest tokens; None where not all of it is known."""
    vocabulary, read, start = _vocabulary(material), _reading(material), _last(material, "embed")
    layers = [_added(material, n) for n in range(material.config.num_hidden_layers)]
    known = [each for each in layers if each is not None]
    if len(best) < 2 or vocabulary is None or read is None or start is None:
        return None
    if len(known) < len(layers):
        return None
    two = vocabulary[[candidate.id for candidate in best[:2]]].double()
    added = torch.cat([start[None].double(), *known]) * read
    logits = (added @ two.mT).tolist()
    says = _says(material, added.to(vocabulary.dtype), vocabulary)
    heads = len(known[0]) - 2
    parts = [Part(-1, None, *logits[0])]
    for place, (one, other) in enumerate(logits[1:]):
        layer, within = divmod(place, heads + 2)
        if within == heads:
            if abs(one) + abs(other) > _ROUNDING:
                parts.append(Part(layer, None, one, other, of_bias=True))
            continue
        head = within if within < heads else None
        parts.append(Part(layer, head, one, other, says[place + 1]))
    return Attribution(best[0], best[1], tuple(parts))


def _says(
    material: Material, added: Tensor, vocabulary: Tensor
) -> list[tuple[tuple[str, float], ...]]:
    """The tokens that each part raises most."""
    found = []
    for some in torch.split(added, _AT_ONCE):
        best = (some @ vocabulary.mT).topk(min(_TOLD, len(vocabulary)))
        for ids, values in zip(best.indices.tolist(), best.values.tolist(), strict=True):
            told = zip(map(material.spell, ids), values, strict=True)
            found.append(tuple(told))
    return found


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
