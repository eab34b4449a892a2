"""Walk prompts through a model and keep all activations, each with its tolerances.

models/hooks.py sees what transformers' layers compute; models/precision.py says what a
tolerance is: eight times the distance from float32 to float64. There are two of
each:

- `tolerance`: float64 runs the same layer on the float32 residual stream that
  enters it (after the last layer: the final norm and the vocabulary on what
  leaves it, what comes after on the last logits). For who is handed captured
  inputs.
- `end_to_end`: float64 runs the whole model on the token ids. For who starts
  there too: the errors of all layers add up.

`embed` is a copy, so its tolerances are 0.

The walk goes layer by layer, all prompts through one before the next, so that
a model need never be in memory as a whole: whoever has it (models/parts.py) hands out
one layer at a time.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)
from transformers.masking_utils import create_causal_mask

from token_journey.memory import give_back
from token_journey.models.hooks import Activations, recorded_layers, recording_attention
from token_journey.models.parts import Parts
from token_journey.models.precision import Deviation, OwnDtype, Widened, tolerance
from token_journey.packs.writer import Captured

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


@dataclass
class Streams:
    """The residual stream (T, D) of one prompt, in float32 and in float64.

    `other` is in float32 as another honest implementation has it, if one is asked for.
    """

    single: Tensor
    double: Tensor
    other: Tensor | None = None


@dataclass(frozen=True)
class LayerFound:
    """What one step of a measurement found, by prompt and name.

    `layer` is the layer's number, None for what comes before and after the layers. A
    layer is still in memory when its step is handed out.
    """

    layer: int | None
    found: dict[str, dict[str, Captured]]


@dataclass(frozen=True)
class Ids:
    """What a prompt is to a model: token ids and the position of the first."""

    ids: Sequence[int]
    start: int = 0


class Measurement:
    """Prompts on their way through a model.

    `streams` are theirs after the last step; to go on after an interruption,
    they are set to what they were, and `steps` begins at the layer after.
    """

    def __init__(
        self,
        parts: Parts,
        prompts: Mapping[str, Ids],
        candidates: int = 0,
        twice: bool = False,
    ):
        """A measurement that has not begun.

        candidates: of how many likely next tokens the vocabulary's rows are remembered
        twice:      whether `end_to_end` is measured on two float32 implementations
        """
        self._parts = parts
        self._prompts = dict(prompts)
        self._candidates = candidates
        self._twice = twice
        self.streams: dict[str, Streams] = {}

    @torch.no_grad()
    def steps(self, until: int, begin: int | None = None) -> Iterator[LayerFound]:
        """The embedding, the layers up to `until`, and the logits if that is the last one.

        begin: the first layer to compute, where `streams` hold what enters it
        """
        if begin is None:
            yield LayerFound(None, {name: self._embed(name) for name in self._prompts})
        arguments = {name: self._arguments(prompt) for name, prompt in self._prompts.items()}
        for number in range(begin or 0, until + 1):
            with self._parts.layer(number) as layer:
                yield LayerFound(number, self._layer(layer, number, arguments))
        if until == self._parts.config.num_hidden_layers - 1:
            yield LayerFound(None, self._after_the_layers())

    def _embed(self, name: str) -> dict[str, Captured]:
        prompt = self._prompts[name]
        embedded = self._parts.embed(torch.tensor(list(prompt.ids))).cpu()
        other = embedded.float() if self._twice else None
        self.streams[name] = Streams(embedded.float(), embedded.double(), other)
        found = {"embed": Captured(embedded.float(), 0.0, 0.0)}
        (_, tables), (_, exact) = self._tables(prompt, False), self._tables(prompt, True)
        for table, value, wide in zip(("cos", "sin"), tables, exact, strict=True):
            allowed = tolerance(value[0].cpu(), wide[0].cpu())
            found[f"rotary.{table}"] = Captured(value[0].cpu(), allowed, allowed)
        return found

    def _tables(self, prompt: Ids, exact: bool) -> tuple[Tensor, Any]:
        """The positions (1, T), and cos and sin (1, T, d) of them."""
        device = self._parts.device
        positions = torch.arange(prompt.start, prompt.start + len(prompt.ids), device=device)[None]
        like = torch.empty(0, dtype=torch.float64 if exact else torch.float32, device=device)
        with Widened() if exact else nullcontext():
            # Its frequencies are computed, and rounded, when it is made.
            rotary = self._parts.rotary().to(device)
            return positions, rotary(like, position_ids=positions)

    def _arguments(self, prompt: Ids) -> tuple[dict[str, Any], dict[str, Any]]:
        """What transformers' models hand to their layers, in float32 and in float64."""
        both = []
        for exact in (False, True):
            positions, tables = self._tables(prompt, exact)
            dtype = torch.float64 if exact else torch.float32
            like = torch.empty(1, len(prompt.ids), 1, dtype=dtype, device=self._parts.device)
            with recording_attention(self._parts.config), Widened() if exact else nullcontext():
                # No padding and no cache, whose name is another in every release.
                mask = create_causal_mask(
                    self._parts.config, like, None, None, position_ids=positions
                )
            both.append(
                {
                    "attention_mask": mask,
                    "position_embeddings": tables,
                    "position_ids": positions,
                    "use_cache": False,
                }
            )
        return both[0], both[1]

    def _layer(
        self, layer: nn.Module, number: int, arguments: Mapping[str, tuple[Any, Any]]
    ) -> dict[str, dict[str, Captured]]:
        """All prompts through one layer: in float32, then twice in float64."""

        def recorded(entering: Tensor, arguments: Any) -> Activations:
            with recording_attention(self._parts.config), recorded_layers({number: layer}) as seen:
                layer(entering[None].to(self._parts.device), **arguments)
            return seen

        leaving = f"blocks.{number}.resid_post"
        single, other = {}, {}
        with OwnDtype(self._parts.steady):
            for name, stream in self.streams.items():
                single[name] = recorded(stream.single, arguments[name][0])
        if self._twice:
            with OwnDtype(self._parts.steady, halves=True):
                for name, stream in self.streams.items():
                    other[name] = recorded(_there(stream.other), arguments[name][0])
        give_back()
        found: dict[str, dict[str, Captured]] = {}
        with Widened(), OwnDtype(self._parts.steady):
            for name, stream in self.streams.items():
                alone = recorded(stream.single.double(), arguments[name][1])
                whole = recorded(stream.double, arguments[name][1])
                second = other.get(name, single[name])
                found[name] = {
                    key: _captured(value, alone[key], whole[key], second[key])
                    for key, value in single[name].items()
                }
                self.streams[name] = Streams(
                    single[name][leaving],
                    whole[leaving],
                    second[leaving] if self._twice else None,
                )
        return found

    def _after_the_layers(self) -> dict[str, dict[str, Captured]]:
        entering: dict[str, list[Tensor]] = {}
        found: dict[str, dict[str, Captured]] = {}
        device = self._parts.device
        with self._parts.norm() as norm:
            for name, streams in self.streams.items():
                single = norm(streams.single[None].to(device))
                with Widened():
                    alone = norm(streams.single.double()[None].to(device))
                    whole = norm(streams.double[None].to(device))
                entering[name] = [single, alone, whole]
                if self._twice:
                    entering[name].append(norm(_there(streams.other)[None].to(device)))
                found[name] = {"ln_final.out": _captured(*(x[0] for x in entering[name]))}
        for name, logits in self._logits(entering).items():
            found[name] |= logits
        return found

    def _logits(self, entering: Mapping[str, list[Tensor]]) -> dict[str, dict[str, Captured]]:
        size = self._parts.config.vocab_size
        logits = {name: torch.empty(x[0].shape[1], size) for name, x in entering.items()}
        # Of the others only the last token's are needed again.
        last = {
            name: [torch.empty(size, dtype=x.dtype) for x in xs[1:]]
            for name, xs in entering.items()
        }
        off = {name: (Deviation(), Deviation()) for name in entering}
        for begin, linear in self._parts.vocabulary():
            for name, (single, *others) in self._block(linear, entering).items():
                rows = slice(begin, begin + single.shape[-1])
                logits[name][:, rows] = single
                off[name][0].add(single, others[0])
                for value in (single, *others[2:]):
                    off[name][1].add(value, others[1])
                for kept, each in zip(last[name], others, strict=True):
                    kept[rows] = each[-1]
            seen = {name: logits[name][-1, : rows.stop] for name in entering}
            self._parts.remember(best(seen.values(), self._candidates))
        return {
            name: {
                "logits": Captured(logits[name], *(each.tolerance for each in off[name])),
                **_after_the_logits(logits[name][-1].clone(), *last[name]),
            }
            for name in entering
        }

    def _block(
        self, linear: Callable[[Tensor], Tensor], entering: Mapping[str, Sequence[Tensor]]
    ) -> dict[str, list[Tensor]]:
        """The logits of some rows of the vocabulary, in float32 and twice in float64."""
        with OwnDtype(self._parts.steady):
            return {name: [linear(x)[0].cpu() for x in xs] for name, xs in entering.items()}


def _after_the_logits(
    single: Tensor, alone: Tensor, whole: Tensor, other: Tensor | None = None
) -> dict[str, Captured]:
    """The last token's logits (V,), and what `generate` makes of them.

    single, other: in float32, as two implementations have it
    alone, whole:  in float64, from the captured stream and from the token ids

    Where float32 can't decide which tokens a warper keeps, what it keeps is left out.
    """
    second = single if other is None else other
    found = {"logits.last": _captured(single, alone, whole, second)}
    with Widened():
        logits = (single, single.double(), whole, second)
        all_warped = [_warped(x) for x in logits]
    for name in all_warped[0]:
        versions = [warped[name] for warped in all_warped]
        if all(torch.equal(versions[0].isfinite(), x.isfinite()) for x in versions[1:]):
            found[name] = _captured(*versions)
    return found


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


def circumstances(command: str, others: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """What a pack says of how it was captured, for its `captured` key.

    others: further libraries whose versions count
    """
    return {
        "command": command,
        "device": "cpu",
        "dtype": "float32",
        **more,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers", "tokenizers", *others)},
        },
        "platform": f"{platform.system()} {platform.machine()}",
        "date": date.today().isoformat(),
    }


def best(logits: Iterable[Tensor], count: int) -> set[int]:
    """The ids of the `count` largest numbers of each."""
    return {i for x in logits for i in x.topk(min(count, len(x))).indices.tolist()}


def _captured(
    single: Tensor, alone: Tensor, whole: Tensor, other: Tensor | None = None
) -> Captured:
    single, alone, whole = single.cpu(), alone.cpu(), whole.cpu()
    end_to_end = Deviation().add(single, whole)
    if other is not None:
        end_to_end.add(other.cpu(), whole)
    return Captured(single, tolerance(single, alone), end_to_end.tolerance)


def _there(stream: Tensor | None) -> Tensor:
    assert stream is not None
    return stream
