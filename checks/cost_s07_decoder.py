"""What stage 7 costs: a layer as a whole."""

from token_journey.cost.benches import BASELINES, costs


@costs("decoder layer", kv_heads=(16, 4, 1), baselines=BASELINES)
def test_decoder_layer(cost):
    """From the stream that enters a layer to the stream that leaves it."""
    x, layer, (cos, sin) = cost.work.stream(), cost.work.layer, cost.work.tables
    cost.of(lambda: cost.stage.decoder_layer(x, layer, cos, sin, cost.work.config))
