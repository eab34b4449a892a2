"""A walk that was captured, or printed: what a pack holds of one of its prompts."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from token_journey.chain.walker import Ground
from token_journey.errors import JourneyError
from token_journey.journey.journey import Continuation, Known, Token
from token_journey.journey.material import Material
from token_journey.journey.shortening import OVER_TOKENS, cut
from token_journey.journey.sources.from_stages import GivenToStages, beyond_the_kata
from token_journey.journey.sources.stories import stories
from token_journey.journey.spelling import shown, tokens_in_print, tokens_of
from token_journey.llama.names import describe
from token_journey.packs.manifest import Prompt
from token_journey.packs.pack import Pack


def material_of(pack: Pack, text: str | None = None) -> Material:
    """What a pack knows of a prompt, by its text or its name; of the first if none is given.

    Raises JourneyError for a text that it was not captured on.
    """
    prompt = _prompt(pack, text)
    if pack.has_vocabulary:
        spelled = pack.vocabulary.id_to_bytes
        begin = int(bool(prompt.ids) and prompt.ids[0] == pack.begin_token)
        tokens = tokens_of(prompt.ids, spelled, begin)
    elif pack.source_is_print:
        spelled = {}
        tokens = tokens_in_print(prompt.ids, prompt.pieces, prompt.text)
    else:
        pieces = (piece.encode() for piece in prompt.pieces)
        spelled = dict(zip(prompt.ids, pieces, strict=True))
        begins = bool(prompt.pieces) and prompt.pieces[0].strip() not in prompt.text
        tokens = tokens_of(prompt.ids, spelled, int(begins))
    return Material(
        title=pack.title,
        source=_source(pack),
        missing="not published" if pack.source_is_print else "not in this pack",
        text=prompt.text,
        config=pack.config,
        parameters=int(pack.model.get("parameters", 0)),
        tokens=tokens,
        activations=dict(_activations(pack, prompt)),
        weight=lambda name: _weight(pack, name),
        spell=lambda token: shown(spelled[token]) if token in spelled else f"id {token}",
        continuations=[
            *(
                Continuation("greedy", tuple(shown(spelled[i]) for i in g.ids[len(prompt.ids) :]))
                for g in pack.generations
                if g.prompt == prompt.name and not g.eos_ids
            ),
            *_sampled(pack),
        ],
        also=_also(pack),
        facts=_facts(pack),
        stories=stories(pack, prompt),
    )


def _sampled(pack: Pack) -> Iterator[Continuation]:
    """The one continuation that was printed with the figures: it is of another text."""
    printed = pack.manifest.get("sampled_text") if pack.source_is_print else None
    if not printed:
        return
    top_k, where = printed["settings"]["top_k"], f"{printed['dtype']} on {printed['device']}"
    how = f"another text, sampled once: top-k = {top_k}, in {where}"
    yield Continuation(how, (printed["continuation_begins"],), of=printed["prompt"])


def _prompt(pack: Pack, text: str | None) -> Prompt:
    walked = [p for p in pack.prompts.values() if pack.has_activation(p.name, "embed")]
    if text is None and walked:
        return walked[0]
    for prompt in walked:
        if text in (prompt.text, prompt.name):
            return prompt
    known = ", ".join(f"“{prompt.text}”" for prompt in walked) or "nothing"
    raise JourneyError(
        f"{pack.name} holds what was captured once, on {known}: choose one of these, or walk any "
        "sentence with --model smollm2."
    )


def _source(pack: Pack) -> str:
    if pack.source_is_print:
        return (
            f"Figures of the real model, printed by a public notebook with four decimals "
            f"({pack.model['source']}). What it did not print is shown as not published."
        )
    captured = pack.manifest["captured"]
    return (
        f"Captured from {pack.model['id']} ({pack.model['revision']}) on {captured['date']}, in "
        f"{captured['dtype']}."
    )


def _activations(pack: Pack, prompt: Prompt) -> Iterator[tuple[str, Known]]:
    """All that hold every token."""
    yield "tokens", Known(cut(torch.tensor(prompt.ids), ("token",), len(prompt.ids)))
    for name in pack.activation_names(prompt.name):
        axes, visible = describe(name).axes, pack.activation_entry(prompt.name, name).visible
        if not OVER_TOKENS & {axes[axis] for axis in visible}:
            value = cut(pack.activation(prompt.name, name), axes, len(prompt.ids))
            yield name, Known(value, dict(visible))


def _weight(pack: Pack, name: str) -> Known | None:
    if not pack.has_weight(name):
        return None
    return Known(pack.weight(name), visible=dict(pack.weight_entry(name).visible))


def _also(pack: Pack) -> tuple[Token, ...]:
    """A sentence that was only cut into tokens, if the pack has one."""
    for prompt in pack.prompts.values():
        if not pack.has_activation(prompt.name, "embed"):
            return tuple(tokens_in_print(prompt.ids, prompt.pieces, prompt.text))
    return ()


def _facts(pack: Pack) -> dict[int, str]:
    """Entries of the vocabulary that were published without any text around them."""
    told = pack.manifest.get("vocabulary_facts") if pack.source_is_print else None
    if not told:
        return {}
    last = {int(token): text for token, text in told["last_entries"].items()}
    return {token: text for text, token in told["special_tokens"].items()} | last


def given_to_stages(pack: Pack, text: str | None) -> GivenToStages:
    """What stages are given to walk a prompt of a pack. Raises JourneyError without all weights."""
    prompt = _prompt(pack, text)
    last = f"model.layers.{pack.config.num_hidden_layers - 1}.mlp.down_proj.weight"
    needed = ("model.embed_tokens.weight", last)
    if not all(pack.has_weight(name) and pack.weight_entry(name).complete for name in needed):
        raise JourneyError(
            f"{pack.name} does not hold all weights, so no stages can walk it: take --model "
            "smollm2, or a pack that was captured with --layers all."
        )
    if pack.beyond:
        raise beyond_the_kata(pack.title, pack.beyond)
    entries = {n: pack.activation_entry(prompt.name, n) for n in pack.activation_names(prompt.name)}
    vocabulary = pack.vocabulary if pack.has_vocabulary else None
    begin = pack.begin_token if pack.has_vocabulary else None
    weights = pack.all_weights()
    ground = Ground(pack.config, weights, prompt.ids, prompt.words, vocabulary, begin)
    return GivenToStages(ground, {name: entry.end_to_end for name, entry in entries.items()})
