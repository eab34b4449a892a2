"""What stage 6 costs, product by product."""

from token_journey.cost.benches import costs
from token_journey.llama.formulas import MLP


@costs("swiglu", steps=tuple(MLP))
def test_swiglu(cost):
    """From the normalised input to what the MLP adds to the stream."""
    x, layer = cost.work.stream(), cost.work.layer
    weights = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    cost.of(lambda: cost.stage.swiglu(x, *weights))
