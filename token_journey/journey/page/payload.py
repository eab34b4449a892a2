"""What a page's charts are drawn from, as JSON; long tensors are base64 of float32."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from token_journey.drawing.vega import deflated
from token_journey.journey.build.rope_rates import rates
from token_journey.journey.journey import Attribution, Journey, Run, State
from token_journey.journey.page.packing import packed
from token_journey.journey.page.pictures import pictures
from token_journey.journey.page.simple_charts import SimpleChart
from token_journey.journey.stations import SAID, stated, told


def payload(journey: Journey, drawn: Mapping[str, Sequence[SimpleChart]]) -> str:
    """JSON that can stand in a script block: it holds no `<`."""
    told = json.dumps(_told(journey, drawn), ensure_ascii=False, separators=(",", ":"))
    return told.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _told(journey: Journey, drawn: Mapping[str, Sequence[SimpleChart]]) -> dict[str, Any]:
    config = journey.config
    return {
        "text": journey.text,
        "words": SAID,
        "gap": journey.gap,
        "flow": _flow(journey),
        "lens": [
            [lens.layer, [[each[0].piece, _short(each[0].probability)] for each in lens.best]]
            for lens in journey.lens
        ],
        "answer": _answer(journey),
        "who": _who(journey.attribution),
        "runs": [_run(place, run, journey) for place, run in enumerate(journey.runs)],
        "pictures": pictures(journey),
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


def _flow(journey: Journey) -> dict[str, Any] | None:
    if journey.flow is None:
        return None
    return {"halves": journey.flow.halves, "added": packed(journey.flow.added)}


def _answer(journey: Journey) -> list[Any] | None:
    return [journey.best[0].piece, journey.best[0].probability] if journey.best else None


def _who(attribution: Attribution | None) -> dict[str, Any] | None:
    """The parts as [layer, head, to the answer, to the runner-up, what they raise most]."""
    if attribution is None:
        return None
    return {
        "answer": attribution.answer.piece,
        "runnerUp": attribution.runner_up.piece,
        "parts": [
            [
                part.layer,
                part.head,
                _short(part.answer),
                _short(part.runner_up),
                [[piece, _short(value)] for piece, value in part.says],
            ]
            for part in attribution.parts
            if not part.of_bias
        ],
    }


def _run(place: int, run: Run, journey: Journey) -> dict[str, Any]:
    patterns = {
        seen.name: packed(taken.value)
        for seen in journey.step("scores").seen
        if (taken := seen.taken[place]) and taken.value is not None and not taken.holds
    }
    return {
        "replaced": run.replaced,
        "verdict": run.verdict,
        "pattern": next(iter(patterns.values()), None),
        "states": {
            step.key: [_kind(step.states[place]), stated(step.states[place])]
            for step in journey.steps
            if step.states
        },
        "said": {s.key: run.said.get(s.stage, "") for s in journey.steps if s.stage},
        "tensors": {
            seen.name: [taken.by, taken.holds, told(taken)]
            for step in journey.steps
            for seen in step.seen
            if (taken := seen.taken[place] if seen.taken else None) is not None
        },
    }


def _kind(state: State) -> str:
    return f"{state.kind} state-first" if state.first else state.kind


def _short(value: float) -> float:
    return float(f"{value:.5g}")


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
    rows = [[_short(value) for value in row.values] for row in chart.rows]
    return {
        "kind": chart.kind,
        "unit": chart.unit,
        "overTokens": chart.over_tokens,
        "growing": chart.growing,
        "rows": [[value if math.isfinite(value) else None for value in row] for row in rows],
        "tokens": [row.token for row in chart.rows],
    }
