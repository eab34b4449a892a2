"""What stage 10 costs: one more token, after T of them, with a cache and without."""

import torch

from token_journey.cost.benches import BASELINES, costs


@costs("token with cache", kv_heads=(16, 4, 1), baselines=BASELINES)
def test_token_with_cache(cost):
    """The caches hold T tokens; one runs."""
    work, config = cost.work, cost.work.config
    k, v = (work.heads(config.num_key_value_heads) for _ in "kv")

    def setup():
        caches = [cost.stage.KeyValueCache() for _ in range(config.num_hidden_layers)]
        for cache in caches:
            cache.update(k.clone(), v.clone())  # memory of its own, as while a text is written
        return torch.tensor([0], device=work.device), work.model, config, caches

    cost.of(
        lambda *given: cost.stage.next_logits(*given),
        setup,
        tokens=1,
        looked_at=work.size.tokens + 1,
    )


@costs("token without cache", baselines=BASELINES[:1])
def test_token_without_cache(cost):
    """All T tokens run again."""
    work, config = cost.work, cost.work.config
    ids = torch.zeros(work.size.tokens, dtype=torch.long, device=work.device)

    def setup():
        caches = [cost.stage.KeyValueCache() for _ in range(config.num_hidden_layers)]
        return ids, work.model, config, caches

    cost.of(lambda *given: cost.stage.next_logits(*given), setup)
