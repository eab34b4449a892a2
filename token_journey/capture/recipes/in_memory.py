"""All activations of one prompt, of a model that the recipe has in memory."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import LlamaForCausalLM

from token_journey.capture.measure import Ids, Measurement
from token_journey.models.in_memory import Loaded
from token_journey.packs.writer import Captured


def all_activations(
    model: LlamaForCausalLM, token_ids: Sequence[int], start: int = 0, twice: bool = False
) -> dict[str, Captured]:
    """Every activation of one prompt, in the order in which data flows.

    token_ids: at least one
    start:     the position of the first token
    twice:     whether `end_to_end` is measured on two float32 implementations, for a model of
               many layers: along them one may be lucky

    Raises ValueError unless the model is in float32, on the CPU.
    """
    if model.dtype != torch.float32 or model.device.type != "cpu":
        raise ValueError("capture runs in float32 on the CPU: model.float().cpu() first.")
    measurement = Measurement(Loaded(model), {"": Ids(token_ids, start)}, twice=twice)
    found: dict[str, Captured] = {}
    for step in measurement.steps(model.config.num_hidden_layers - 1):
        found |= step.found[""]
    return found
