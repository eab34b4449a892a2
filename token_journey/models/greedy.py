"""Greedy continuations, by transformers' `generate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import GenerationConfig, LlamaForCausalLM

from token_journey.packs.manifest import Generation, Prompt


def continued(
    model: LlamaForCausalLM,
    prompt: Prompt,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Sequence[int] = (),
    *,
    noise: float,
) -> Generation:
    """A prompt, continued with the best token each time by transformers' `generate`.

    noise: the end-to-end tolerance of the logits

    Raises ValueError where a best token leads the next best by less than ten
    times that: rounding could turn it over, and with it all that follows.
    """
    # `generate` fills what it is not told from the model's own settings, which may name end tokens.
    untyped: Any = model
    settings: Any = GenerationConfig
    before, untyped.generation_config = model.generation_config, settings()
    try:
        ids = torch.tensor([prompt.ids])
        out = untyped.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=settings(
                do_sample=False,
                max_new_tokens=max_new_tokens,
                min_new_tokens=min_new_tokens or None,
                eos_token_id=list(eos_ids) or None,
                pad_token_id=0,
                output_scores=True,
                return_dict_in_generate=True,
            ),
        )
    finally:
        untyped.generation_config = before
    best, second = torch.cat(out.scores).topk(2).values.unbind(-1)
    lead = (best - second).min().item()
    if lead < 10 * noise:
        raise ValueError(f"{prompt.name}: a token leads by {lead:.2g}, the noise is {noise:.2g}.")
    return Generation(
        prompt.name, max_new_tokens, min_new_tokens, list(eos_ids), out.sequences[0].tolist()
    )
