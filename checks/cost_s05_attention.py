"""What stage 5 costs, step by step."""

from token_journey.cost.benches import BASELINES, costs
from token_journey.llama.formulas import ATTENTION


@costs("attention", steps=tuple(ATTENTION), kv_heads=(16, 4, 1), baselines=BASELINES)
def test_attention(cost):
    """From the normalised input to what attention adds to the stream."""
    work, config = cost.work, cost.work.config
    x, layer, (cos, sin) = work.stream(), work.layer, work.tables
    heads = config.num_attention_heads, config.num_key_value_heads
    cost.of(lambda: cost.stage.grouped_query_attention(x, layer, cos, sin, *heads))
