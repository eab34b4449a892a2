"""From a checkpoint to a pack: what `token-journey capture` does."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.capture.plan import Plan
from token_journey.capture.resume import Resumable
from token_journey.capture.selection import ROWS, Selection
from token_journey.errors import CheckpointError
from token_journey.foreign import foreign
from token_journey.models.checkpoint import Checkpoint
from token_journey.models.source import open_source
from token_journey.models.tokenizer import tokenized
from token_journey.packs.manifest import Kept
from token_journey.packs.writer import (
    PackWriter,
    refuse_to_replace_others,
    refuse_what_is_out_of_reach,
)

if TYPE_CHECKING:
    from torch import Tensor

    from token_journey.models.parts import Parts
    from token_journey.models.streamed import Weights
    from token_journey.packs.writer import Captured


@dataclass(frozen=True)
class Order:
    """What a user asks for.

    model:   a folder, a repository on the hub, or the address of a folder
    prompts: texts by name
    layers:  those to keep, or "all"; the first, the middle and the last if None
    """

    model: str
    prompts: Mapping[str, str]
    revision: str | None = None
    layers: tuple[int, ...] | str | None = None
    device: str = "auto"
    streamed: bool = False
    sliced: bool = False
    held_back: bool = False

    @property
    def options(self) -> list[str]:
        """What was asked for beside the model and the prompts, as it is typed."""
        layers = self.layers
        numbers = layers if isinstance(layers, str) else ",".join(map(str, layers or ()))
        given = {
            "--revision": self.revision,
            "--layers": numbers or None,
            "--device": None if self.device == "auto" else self.device,
        }
        flags = {
            "--stream": self.streamed,
            "--slice": self.sliced,
            "--held-back": self.held_back,
        }
        return [
            *(word for option, value in given.items() if value for word in (option, value)),
            *(flag for flag, asked in flags.items() if asked),
        ]


def plan_for(order: Order) -> Plan:
    """What a capture will do. Reads descriptions and the tokenizer, no weights.

    Raises CheckpointError.
    """
    for name, text in order.prompts.items():
        if not text.strip():
            raise CheckpointError(f"Prompt {name} is empty: give it some text.")
    if order.streamed and order.device == "cuda":
        raise CheckpointError("A streamed capture computes on the CPU: leave out --device cuda.")
    checkpoint = Checkpoint(open_source(order.model, order.revision))
    layers = _layers(order.layers, checkpoint.layers)
    complete = not order.sliced and len(layers) == checkpoint.layers
    # A large tokenizer takes as much memory as transformers: one after the other.
    found = tokenized(checkpoint.tokenizer_json(), order.prompts, whole=complete)
    prompts = found.prompts
    for prompt in prompts:
        if not prompt.ids:
            raise CheckpointError(f"Prompt {prompt.name} has no tokens: give it some text.")
        if max(prompt.ids) >= checkpoint.family.shape.vocab_size:
            raise CheckpointError(
                f"The tokenizer gives prompt {prompt.name} ids that the model has no rows for: "
                "the two don't belong together."
            )
    selection = Selection(checkpoint.family, prompts, layers, order.sliced)
    return Plan(checkpoint, selection, order.streamed, found.content, found.begin_token)


def _layers(asked: tuple[int, ...] | str | None, count: int) -> tuple[int, ...]:
    if asked is None:
        return tuple(sorted({0, (count - 1) // 2, count - 1}))
    if isinstance(asked, str):
        return tuple(range(count))
    wrong = [layer for layer in asked if not 0 <= layer < count]
    if wrong:
        raise CheckpointError(f"There is no layer {wrong[0]}: this model has 0 to {count - 1}.")
    return tuple(sorted(set(asked)))


def capture(order: Order, plan: Plan, out: Path) -> None:
    """Make the pack that a plan describes. Raises CheckpointError, PackError.

    Nothing is computed of what there is no memory for.

    Interrupted, it goes on after the last layer that was finished.
    """
    refuse_to_replace_others(out)
    refuse_what_is_out_of_reach(out)
    work = out.parent / f".{out.name}.work"
    plan.refuse_a_full_disk(out, work)
    plan.refuse_too_much()
    from token_journey.capture.measure import Ids, Measurement, best

    selection = plan.selection
    with _parts(order, plan) as (parts, weights, circumstances):
        prompts = {p.name: Ids(p.ids, p.start) for p in selection.prompts}
        measurement = Measurement(parts, prompts, selection.candidates, twice=True)
        resumable = Resumable(work, selection, _begun_as(order, plan))
        done = resumable.last_layer
        if done is not None:
            measurement.streams = resumable.streams()
        with _progress(plan, done) as finished:
            for step in measurement.steps(selection.until, None if done is None else done + 1):
                kept = {} if step.layer is None else selection.layer_weights(step.layer)
                cut = {
                    name: _cut(weights.whole(name), k, selection.lists) for name, k in kept.items()
                }
                resumable.add(step, measurement.streams, cut)
                finished(step.layer)
        found = resumable.found()
        lists = dict(selection.lists)
        if selection.to_the_logits and not selection.everything:
            last = [captured["logits.last"].value for captured in found.values()]
            lists[ROWS] = sorted({*selection.rows, *best(last, selection.candidates)})
        pack = _writer(order, plan, out.name, lists, circumstances)
        _fill(pack, plan, found, resumable, weights, lists)
    pack.write(out)
    resumable.remove()


def _fill(
    pack: PackWriter,
    plan: Plan,
    found: Mapping[str, Mapping[str, Captured]],
    resumable: Resumable,
    weights: Weights,
    lists: Mapping[str, list[int]],
) -> None:
    selection = plan.selection
    if plan.tokenizer is not None:
        begin = {} if plan.begin_token is None else {"begin_token": plan.begin_token}
        pack.add_tokenizer(plan.tokenizer, **begin)
    for prompt in selection.prompts:
        selection.store(pack, prompt, found[prompt.name])
    for name, weight in resumable.weights():
        layer = int(name.split(".")[2])
        pack.add_weight(name, weight, visible=selection.layer_weights(layer)[name])
    for name, part in selection.outer_weights().items():
        stored = weights.rows(name, lists[str(part[0])]) if part else weights.whole(name)
        pack.add_weight(name, stored, visible=part)


def _cut(weight: Tensor, part: Kept | None, lists: Mapping[str, list[int]]) -> Tensor:
    import torch

    for axis, name in (part or {}).items():
        weight = weight.index_select(axis, torch.tensor(lists[str(name)]))
    return weight


def _begun_as(order: Order, plan: Plan) -> str:
    """The same for captures that give the same pack, so that one can go on with the other."""
    checkpoint, selection = plan.checkpoint, plan.selection
    same = {
        "origin": dict(checkpoint.source.origin),
        "tensors": {name: str(stored) for name, stored in checkpoint.tensors.items()},
        "prompts": [str(prompt) for prompt in selection.prompts],
        "layers": selection.layers,
        "sliced": selection.sliced,
        "streamed": plan.streamed,
        "device": order.device,
        "stamps": checkpoint.source.stamps(sorted({s.file for s in checkpoint.tensors.values()})),
    }
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


def _writer(
    order: Order,
    plan: Plan,
    name: str,
    lists: Mapping[str, list[int]],
    circumstances: Mapping[str, Any],
) -> PackWriter:
    checkpoint, origin = plan.checkpoint, plan.checkpoint.source.origin
    # A pack's own name is refused where it can't be shown.
    name, title = (foreign(text, 100)[:200] for text in (name, origin["id"].rpartition("/")[2]))
    return PackWriter(
        name,
        title=title or name,
        config=checkpoint.family.shape,
        model={
            "id": origin["id"],
            "revision": origin["revision"],
            "license": origin.get("license"),
            "source": origin["source"],
            "files_sha256": origin.get("files_sha256", {}),
            "architecture": checkpoint.family.architecture,
            "dtype": checkpoint.dtype,
            "parameters": checkpoint.parameters,
        },
        captured=circumstances,
        index_lists=lists,
        more={
            **({"beyond": dict(checkpoint.family.beyond)} if checkpoint.family.beyond else {}),
            **({"sliced": True} if plan.selection.sliced else {}),
            **({"held_back": True} if order.held_back else {}),
        },
    )


@contextmanager
def _parts(order: Order, plan: Plan) -> Iterator[tuple[Parts, Weights, dict[str, Any]]]:
    """The model in parts, its weights for the pack, and how all was computed."""
    from token_journey.capture.measure import circumstances
    from token_journey.models.streamed import Streamed, Weights

    command = foreign(shlex.join(["token-journey", "capture", order.model, *order.options]), 1500)
    if plan.streamed:
        streamed = Streamed(plan.checkpoint, plan.selection.rows)
        yield streamed, streamed, circumstances(command, streamed=True)
        return
    from token_journey.models.in_memory import loaded

    with loaded(plan.checkpoint, order.device) as (parts, folder_checkpoint, about):
        yield parts, Weights(folder_checkpoint), circumstances(command, ["accelerate"], **about)


@contextmanager
def _progress(plan: Plan, done: int | None) -> Iterator[Any]:
    """A bar on a terminal, of bytes and layers; `finished(layer)` moves it on.

    It begins where an earlier run stopped, after layer `done`. Of a whole model, which
    transformers reads, it counts the layers alone.
    """
    from tqdm import tqdm

    layers, begun = len(plan.layers_walked), 0 if done is None else done + 1
    options: dict[str, Any] = {"disable": None, "leave": False}
    if not plan.streamed:
        with tqdm(total=layers, initial=begun, unit="layer", **options) as bar:
            yield lambda layer: bar.update(layer is not None)
        return
    read = 0 if done is None else plan.bytes_until(done)
    total, counted = sum(plan.reads.values()), plan.checkpoint.source.counted
    options |= {"unit": "B", "unit_scale": True, "postfix": f"{begun}/{layers} layers"}
    with tqdm(total=total, initial=read, **options) as bar:

        def finished(layer: int | None) -> None:
            if layer is not None:
                bar.set_postfix_str(f"{layer + 1}/{layers} layers")

        before, counted.report = counted.report, bar.update
        try:
            yield finished
        finally:
            counted.report = before
