"""How much of each token's vector is new after each half of a layer."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from token_journey.journey.journey import Flow, Known
from token_journey.journey.material import Material


def flow(material: Material) -> Flow | None:
    """By halves of layers if all of a layer is known; by layers if only the stream is."""
    found = material.activations
    layers = range(material.config.num_hidden_layers)
    halves = [
        _new(found.get(f"blocks.{n}.{before}"), found.get(f"blocks.{n}.{after}"))
        for n in layers
        for before, after in (("resid_pre", "resid_mid"), ("resid_mid", "resid_post"))
    ]
    if all(known is not None for known in halves):
        return Flow(_stacked(halves, len(material.tokens)), halves=True)
    streams = list(_streams(material))
    whole = [_new(streams[n], streams[n + 1]) for n in layers]
    if all(known is None for known in whole):
        return None
    parts = next((s.visible.get(1, ()) for s in streams if s is not None), ())
    size = material.config.hidden_size
    of = f"{len(parts)} of {size:,} numbers" if parts else ""
    return Flow(_stacked(whole, len(material.tokens)), halves=False, of=of)


def _streams(material: Material) -> Iterator[Known | None]:
    yield material.activations.get("embed")
    for layer in range(material.config.num_hidden_layers):
        yield material.activations.get(f"blocks.{layer}.resid_post")


def _new(before: Known | None, after: Known | None) -> Tensor | None:
    """For each token |added| / (|added| + |what was there|)."""
    if before is None or after is None or before.visible != after.visible or 0 in before.visible:
        return None
    added = (after.value - before.value).float().norm(dim=-1)
    new: Tensor = added / (added + before.value.float().norm(dim=-1)).clamp_min(1e-30)
    return new


def _stacked(known: list[Tensor | None], tokens: int) -> Tensor:
    size = next((len(each) for each in known if each is not None), tokens)
    return torch.stack([torch.full((size,), math.nan) if k is None else k for k in known])
