"""What a page's charts are drawn from, as JSON; long tensors are base64 of float32."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from token_journey.drawing.vega import deflated
from token_journey.journey.build.rope_rates import rates
from token_journey.journey.journey import Journey
from token_journey.journey.page.simple_charts import SimpleChart
from token_journey.journey.stations import SAID


def payload(journey: Journey, drawn: Mapping[str, Sequence[SimpleChart]]) -> str:
    """JSON that can stand in a script block: it holds no `<`."""
    told = json.dumps(_told(journey, drawn), ensure_ascii=False, separators=(",", ":"))
    return told.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _told(journey: Journey, drawn: Mapping[str, Sequence[SimpleChart]]) -> dict[str, Any]:
    config = journey.config
    return {
        "text": journey.text,
        "words": SAID,
        "tokens": [{"piece": t.piece, "place": t.place} for t in journey.tokens],
        "layer": journey.layer,
        "heads": config.num_attention_heads,
        "headDim": config.head_dim,
        "rates": rates(journey),
        "patterns": {layer: packed(_lower(p)) for layer, p in sorted(journey.patterns.items())},
        "raw": _packed(journey.seen("attn.scores_raw")),
        "scores": _packed(journey.seen("attn.scores")),
        "q": _packed(journey.seen("attn.q")),
        "k": _packed(journey.seen("attn.k")),
        "rotQ": _packed(journey.seen("attn.rot_q")),
        "rotK": _packed(journey.seen("attn.rot_k")),
        "gate": _packed(_last(journey.seen("mlp.gate"))),
        "open": _packed(_last(journey.seen("mlp.gate_act"))),
        "logits": _packed(journey.logits),
        "pieces": journey.pieces,
        "branches": {token: list(pieces) for token, pieces in journey.branches.items()},
        "charts": {c.name: _chart(c) for found in drawn.values() for c in found},
    }


def vocabulary(journey: Journey) -> str:
    """The texts of all tokens that exist, by id, as deflated JSON; empty if they are not known."""
    if not journey.vocabulary:
        return ""
    return deflated(json.dumps(journey.vocabulary, ensure_ascii=False, separators=(",", ":")))


def packed(tensor: Tensor) -> str:
    """Base64 of its numbers as little-endian float32, last axis fastest."""
    values = tensor.detach().to(torch.float32).contiguous().numpy().astype("<f4")
    return base64.b64encode(values.tobytes()).decode("ascii")


def _packed(tensor: Tensor | None) -> str | None:
    return None if tensor is None else packed(tensor)


def _last(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor[-1]


def _lower(pattern: Tensor) -> Tensor:
    """(H, T, T) to (H, T (T + 1) / 2): no token looks at a later one.

    The pattern as it is where one does, which is somebody's mistake and is to be seen.
    """
    if pattern.triu(1).any():
        return pattern
    rows, columns = torch.tril_indices(*pattern.shape[-2:])
    return pattern[:, rows, columns]


def _chart(chart: SimpleChart) -> dict[str, Any]:
    rows = [[float(f"{value:.5g}") for value in row.values] for row in chart.rows]
    return {
        "kind": chart.kind,
        "unit": chart.unit,
        "overTokens": chart.over_tokens,
        "growing": chart.growing,
        "rows": [[value if math.isfinite(value) else None for value in row] for row in rows],
        "tokens": [row.token for row in chart.rows],
    }
