"""`pytest PATH --benchmark-only`: time the stages that lie at PATH.

checks/cost_<stage>.py says how a stage is called; each of its functions takes
`cost`, which has the stage and numbers to call it with, and hands back the call:

    @costs("attention", steps=ATTENTION, kv_heads=(16, 4, 1))
    def test_attention(cost):
        x, layer = cost.work.stream(), cost.work.layer
        cost.of(lambda: cost.stage.grouped_query_attention(x, layer, …))

It is run at every size, for the stage at PATH and for transformers' own layers,
once as a whole and once with a clock for each of its steps. A stage whose
checks fail is not timed.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from token_journey.cost.machine import Machine
from token_journey.cost.workload import AITANA, SMOLLM2, Size, config_of
from token_journey.llama.formulas import cost

TOKENS = (5, 64, 512, 2048)
BASELINES = ("transformers-eager", "transformers-sdpa")
THEIRS = "stage"  # by whom: whatever lies at PATH


def costs(
    step: str,
    *,
    steps: Sequence[str] = (),
    kv_heads: Sequence[int] = (),
    baselines: Sequence[str] = BASELINES[:1],
) -> pytest.MarkDecorator:
    """Time a call at all sizes.

    steps:    those inside it that are timed apart
    kv_heads: numbers of key/value heads; Aitana's own if none are given
    """
    return pytest.mark.costs(step, steps=steps, kv_heads=kv_heads, baselines=baselines)


def sizes(kv_heads: Sequence[int]) -> list[Size]:
    """All sizes to measure at: Aitana's with so many key/value heads, and SmolLM2's."""
    own = {model: config_of(model).num_key_value_heads for model in (AITANA, SMOLLM2)}
    aitana = [Size(AITANA, heads, t) for t in TOKENS for heads in kv_heads or [own[AITANA]]]
    return aitana + [Size(SMOLLM2, own[SMOLLM2], t) for t in TOKENS]


def seconds_at_least(step: str, size: Size, machine: Machine) -> float:
    """How long a call takes, were it bound by nothing but the machine's best rates."""
    tokens = 1 if step == "token with cache" else size.tokens
    return machine.least_seconds(cost(step, size.config, tokens, size.tokens))


def parametrize(metafunc: pytest.Metafunc) -> None:
    """By whom, at which size, and which of its steps; "" stands for the whole call."""
    mark = metafunc.definition.get_closest_marker("costs")
    if mark is None:
        return
    metafunc.fixturenames += [n for n in ("by", "size", "part") if n not in metafunc.fixturenames]
    asked = [
        (by, str(size), part)
        for by in (THEIRS, *mark.kwargs["baselines"])
        for size in sizes(mark.kwargs["kv_heads"])
        for part in ("", *mark.kwargs["steps"])
        # The fused kernel has no steps.
        if not (part and by == "transformers-sdpa")
    ]
    metafunc.parametrize(
        ("by", "size", "part"),
        asked,
        ids=["-".join(filter(None, (by, size, part))) for by, size, part in asked],
    )
