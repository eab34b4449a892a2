"""What stage 8 costs."""

from token_journey.cost.benches import costs


@costs("lm_head")
def test_lm_head(cost):
    """The final norm, and logits for every token."""
    work = cost.work

    def setup():
        return work.stream(), work.norm_weight(), work.vocabulary, work.config.rms_norm_eps

    cost.of(lambda *given: cost.stage.lm_head(*given), setup)
