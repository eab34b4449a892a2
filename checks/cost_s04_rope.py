"""What stage 4 costs."""

from token_journey.cost.benches import costs


@costs("rope", kv_heads=(16, 4, 1))
def test_apply_rope(cost):
    """The queries and the keys of one layer, with tables that were made before."""
    work = cost.work
    heads = work.config.num_attention_heads + work.config.num_key_value_heads
    x, (cos, sin) = work.heads(heads), work.tables
    cost.of(lambda: cost.stage.apply_rope(x, cos, sin))
