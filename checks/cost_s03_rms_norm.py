"""What stage 3 costs."""

from token_journey.cost.benches import costs


@costs("norm")
def test_rms_norm(cost):
    """One norm of one layer."""
    x, weight, eps = cost.work.stream(), cost.work.norm_weight(), cost.work.config.rms_norm_eps
    cost.of(lambda: cost.stage.rms_norm(x, weight, eps))
