"""Capture: run a Llama on a prompt and keep all activations, each with its tolerances.

recording.py sees what transformers computes; precision.py says what a tolerance
is: eight times the distance from float32 to float64. There are two of each:

- `tolerance`: float64 runs the same layer on the float32 residual stream that
  enters it (after the last layer: the final norm and the vocabulary on what
  leaves it, what comes after on the last logits). For who is handed captured
  inputs.
- `end_to_end`: float64 runs the whole model on the token ids. For who starts
  there too: the errors of all layers add up.

`embed` is a copy, so its tolerances are 0.
"""

from __future__ import annotations

import copy
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    LlamaForCausalLM,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from token_journey.precision import Widened, tolerance
from token_journey.recording import Activations, record, recorded

# transformers' order: temperature, then top-k, then top-p.
WARPERS: dict[str, list[Any]] = {
    "temperature=0.7": [TemperatureLogitsWarper(0.7)],
    "top_k=5": [TopKLogitsWarper(5)],
    "top_p=0.9": [TopPLogitsWarper(0.9)],
    "temperature=0.7,top_k=20,top_p=0.8": [
        TemperatureLogitsWarper(0.7),
        TopKLogitsWarper(20),
        TopPLogitsWarper(0.8),
    ],
}


@dataclass(frozen=True)
class Captured:
    """One activation in float32, without batch axis, and its two tolerances."""

    value: Tensor
    tolerance: float
    end_to_end: float


class Capture:
    """A model in float32 and its copy in float64, ready to be run on prompts."""

    def __init__(self, model: LlamaForCausalLM):
        """Raises ValueError unless the model is in float32, on the CPU."""
        if model.dtype != torch.float32 or model.device.type != "cpu":
            raise ValueError("capture runs in float32 on the CPU: model.float().cpu() first.")
        self._model = model.train(False)
        self._exact = copy.deepcopy(model).double()
        with Widened():
            # Its frequencies are computed, and rounded, when it is made.
            self._exact.model.rotary_emb = LlamaRotaryEmbedding(model.config)

    @torch.no_grad()
    def run(self, token_ids: Sequence[int], start: int = 0) -> dict[str, Captured]:
        """Every activation of one prompt, in the order in which data flows.

        token_ids: at least one
        start:     the position of the first token

        Raises ValueError where float32 can't decide which tokens a warper keeps.
        """
        found, _ = record(self._model, token_ids, start)
        with Widened():
            whole, arguments = record(self._exact, token_ids, start)
            by_layer = self._layer_by_layer(found, arguments)
            by_layer.update(_warped(found["logits"][-1].double()))
            by_layer["logits.last"] = by_layer["logits"][-1]
            for activations in (found, whole):
                activations["logits.last"] = activations["logits"][-1].clone()
                activations.update(_warped(activations["logits.last"]))
        captured = {
            name: Captured(
                value,
                tolerance(value, by_layer.get(name, whole[name])),
                tolerance(value, whole[name]),
            )
            for name, value in found.items()
        }
        return captured | {"embed": Captured(found["embed"], 0.0, 0.0)}

    def _layer_by_layer(self, found: Activations, arguments: list[dict[str, Any]]) -> Activations:
        """Each layer in float64, on the float32 residual stream that enters it."""
        model = self._exact.model
        with recorded(self._exact) as activations:
            for layer, (module, kwargs) in enumerate(zip(model.layers, arguments, strict=True)):
                module(found[f"blocks.{layer}.resid_pre"].double()[None], **kwargs)
            last = found[f"blocks.{len(model.layers) - 1}.resid_post"].double()[None]
            self._exact.lm_head(model.norm(last))
        return activations


def _warped(logits: Tensor) -> Activations:
    """What `generate` makes of the last token's logits (V,)."""
    ids: Any = None  # these warpers don't look at the text so far
    return {
        "probs.last": nn.functional.softmax(logits, dim=-1),
        **{
            f"warped.{name}": LogitsProcessorList(warpers)(ids, logits[None])[0]
            for name, warpers in WARPERS.items()
        },
    }


def circumstances(command: str, **more: Any) -> dict[str, Any]:
    """What a pack says of how it was captured, for its `captured` key."""
    return {
        "command": command,
        "device": "cpu",
        "dtype": "float32",
        **more,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers", "tokenizers")},
        },
        "platform": f"{platform.system()} {platform.machine()}",
        "date": date.today().isoformat(),
    }
