"""A walk that is computed now: any sentence, by a model that transformers runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from token_journey.chain.walker import Ground
from token_journey.errors import JourneyError, no_text
from token_journey.journey.journey import Known, Token
from token_journey.journey.material import Material
from token_journey.journey.shortening import cut
from token_journey.journey.sources.continuing import continue_all
from token_journey.journey.sources.from_stages import GivenToStages, beyond_the_kata
from token_journey.journey.sources.settings import Settings
from token_journey.journey.spelling import ALSO, shown, tokens_of
from token_journey.llama.config import ModelConfig
from token_journey.llama.names import describe
from token_journey.llama.vocabulary import Vocabulary
from token_journey.models.checkpoint import Checkpoint
from token_journey.models.hooks import record
from token_journey.models.in_memory import loaded
from token_journey.models.precision import Deviation, OwnDtype, Widened
from token_journey.models.source import open_source
from token_journey.models.spelling import Spelling
from token_journey.models.tokenizer import opened, refuse_what_never_ends, tokenized

# A walk looks at all pairs of tokens, in all heads of all layers.
MOST_TOKENS = 1024


@dataclass(frozen=True)
class Model:
    """A model in memory, ready to walk any number of sentences.

    `tokenizer_json` is its tokenizer, described; `beyond` says in what it goes beyond
    the kata's stages.
    """

    title: str
    origin: str
    config: ModelConfig
    parameters: int
    model: Any
    tokenizer: Tokenizer
    tokenizer_json: bytes
    beyond: dict[str, str]

    def encode(self, text: str) -> list[int]:
        """The ids of a text. Raises JourneyError, CheckpointError for one that can't be walked."""
        refuse_what_never_ends(self.tokenizer_json, [text])
        ids: list[int] = self.tokenizer.encode(text).ids
        if not text.strip() or not ids:
            raise no_text()
        if len(ids) > MOST_TOKENS:
            raise JourneyError(
                f"The text has {len(ids):,} tokens, and a walk takes at most {MOST_TOKENS:,}: "
                "give a shorter one."
            )
        if max(ids) >= self.config.vocab_size:
            raise JourneyError(
                "The tokenizer gives ids that the model has no rows for: the two don't belong "
                "together."
            )
        return ids

    def tokens(self, text: str, ids: list[int]) -> list[Token]:
        in_front = len(self.tokenizer.encode("").ids)
        return tokens_of(ids, {i: self._bytes(i) for i in ids}, in_front)

    def spell(self, token: int) -> str:
        return shown(self._bytes(token))

    def _bytes(self, token: int) -> bytes:
        text: str | None = self.tokenizer.id_to_token(token)
        if text is None:
            return f"id {token}".encode()
        if token in self._added:
            return text.encode()
        return self._spelling.bytes_of(text)

    @cached_property
    def _added(self) -> frozenset[int]:
        """Tokens that are no pieces of text, such as the end token."""
        return frozenset(self.tokenizer.get_added_tokens_decoder())

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling.of(self.tokenizer_json)


@contextmanager
def opened_model(name: str | Path, revision: str | None = None) -> Iterator[Model]:
    """A checkpoint, in float32: a folder, or a repository on the hub. Raises CheckpointError."""
    checkpoint = Checkpoint(open_source(str(name), revision))
    content = checkpoint.tokenizer_json()
    tokenizer = opened(content)
    with loaded(checkpoint, "cpu", dtype="float32") as (parts, _, _):
        origin = checkpoint.source.origin
        yield Model(
            title=str(origin["id"]).rpartition("/")[2],
            origin=str(origin["source"]),
            config=checkpoint.family.shape,
            parameters=checkpoint.parameters,
            model=parts.model,
            tokenizer=tokenizer,
            tokenizer_json=content,
            beyond=dict(checkpoint.family.beyond),
        )


@torch.no_grad()
def material_of(model: Model, text: str, settings: Settings) -> Material:
    """What a model computes on a sentence, and how it would go on.

    Raises JourneyError for a text that can't be walked.
    """
    ids = model.encode(text)
    activations = record(model.model, ids, cut=partial(_readable, len(ids)))
    logits = activations["logits.last"] = activations.pop("logits")[0]
    activations["probs.last"] = logits.softmax(-1)
    continuations, branches = continue_all(model.model, ids, logits, settings, model.spell)
    also = model.encode(ALSO)
    return Material(
        title=model.title,
        source=f"Computed by transformers {version('transformers')} in float32, from "
        f"{model.origin}.",
        missing="not computed",
        text=text,
        config=model.config,
        parameters=model.parameters,
        tokens=model.tokens(text, ids),
        activations={
            "tokens": Known(cut(torch.tensor(ids), ("token",), len(ids))),
            **{name: Known(value) for name, value in activations.items()},
        },
        weight=partial(_weight, model.model),
        spell=model.spell,
        lens=partial(_stopped_here, model.model),
        continuations=continuations,
        branches=branches,
        also=tuple(model.tokens(ALSO, also)),
    )


def _readable(count: int, name: str, value: Tensor) -> Tensor | None:
    if name == "logits":  # of the others nothing is said
        return value[-1:]
    return cut(value, describe(name).axes, count)


def _stopped_here(model: Any, stream: Tensor) -> Tensor:
    """The logits (T, V) of a stream (T, D), normalised with its own length."""
    with torch.no_grad():
        logits: Tensor = model.lm_head(model.model.norm(stream))
        return logits


def _weight(model: Any, name: str) -> Known | None:
    return Known(model.get_parameter(name).detach().cpu())


@torch.no_grad()
def given_to_stages(model: Model, material: Material) -> GivenToStages:
    """What stages are given to walk the same sentence, and how far rounding may lead them.

    As in precision.py: measured on two honest float32 implementations against float64.
    Raises JourneyError.
    """
    if model.beyond:
        raise beyond_the_kata(model.title, model.beyond)
    found = tokenized(model.tokenizer_json, {"": material.text}, whole=True)
    prompt = found.prompts[0]
    vocabulary = found.content and Vocabulary.from_tokenizer_json(found.content.decode())
    weights = {name: weight.detach() for name, weight in model.model.named_parameters()}
    readable = partial(_readable, len(prompt.ids))
    with Widened(), OwnDtype():
        exact = record(model.model, prompt.ids, cut=readable, exact=True)
    with OwnDtype(halves=True):
        other = record(model.model, prompt.ids, cut=readable)
    for each in (exact, other):
        logits = each["logits.last"] = each.pop("logits")[0]
        each["probs.last"] = logits.softmax(-1)
    allowed = {
        name: Deviation().add(known.value, exact[name]).add(other[name], exact[name]).tolerance
        for name, known in material.activations.items()
        if name in exact
    }
    ground = Ground(
        model.config, weights, prompt.ids, prompt.words, vocabulary or None, found.begin_token
    )
    return GivenToStages(ground, allowed)
