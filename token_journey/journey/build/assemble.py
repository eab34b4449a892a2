"""From what a source knows to a journey: stations in order, cut to what can be read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from einops import rearrange
from torch import Tensor

from token_journey.foreign import foreign
from token_journey.journey.build.attribution import attribution
from token_journey.journey.build.flow import flow
from token_journey.journey.build.shares import shares
from token_journey.journey.build.states import made_at, states
from token_journey.journey.build.worked import remark, worked
from token_journey.journey.journey import WORST, Candidate, Growth, Journey, Known, Lens, Seen, Step
from token_journey.journey.material import Material
from token_journey.journey.shortening import kept, left_out
from token_journey.journey.spelling import quoted
from token_journey.journey.stations import (
    STATIONS,
    TIED_HEAD,
    TIED_LENS,
    WEIGHTS,
    Station,
)
from token_journey.llama.config import ModelConfig
from token_journey.llama.names import describe
from token_journey.llama.shapes import activation_shape, weight_shape

BEST = 12
# Of so many of the likeliest tokens the texts are kept, for whoever plays with them.
SPELLED = 400
# And of so many of the least likely ones.
# Of a vocabulary up to this size all texts are kept.
WHOLE = 65_536
_LENS_BEST = 3


def assemble(material: Material, layer: int = 0) -> Journey:
    """The journey that a material makes.

    layer: the one to look into
    """
    config, tokens = material.config, material.tokens
    _derive(material, layer)
    shown = tuple(tokens[i] for i in kept(len(tokens)))
    logits = _whole(material, "logits.last")
    best = _best(logits, material) if logits is not None else []
    part = shares(config, len(tokens))
    lens = tuple(_lenses(material, best)) if material.lens else ()
    named = {c.id for c in best} | {t.id for t in shown}
    if logits is not None:
        named.update(logits.topk(min(SPELLED, len(logits))).indices.tolist())
        named.update(logits.topk(min(WORST, len(logits)), largest=False).indices.tolist())
    journey = Journey(
        title=foreign(material.title),
        source=foreign(material.source, 1000),
        text=material.text,
        config=config,
        parameters=material.parameters,
        tokens=shown,
        layer=layer,
        steps=_steps(material, layer, part, quoted(best[0]) if best else "it"),
        left_out=left_out(len(tokens)),
        missing=material.missing,
        patterns=dict(_patterns(material)),
        growth=_growth(material),
        flow=flow(material),
        attribution=attribution(material, best),
        lens=lens,
        logits=logits,
        best=best,
        pieces={token: material.spell(token) for token in sorted(named)},
        vocabulary=_vocabulary(material) if logits is not None else (),
        continuations=tuple(material.continuations),
        branches=material.branches,
        costs=_costs(part),
        also=material.also,
        facts=material.facts,
        runs=material.runs,
    )
    steps = [
        replace(s, worked=worked(s, journey), remark=remark(s, journey)) for s in journey.steps
    ]
    return replace(journey, steps=tuple(steps))


def _costs(part: dict[str, float]) -> tuple[tuple[str, float], ...]:
    titles = {station.key: station.title for station in STATIONS}
    costly = sorted(((titles[key], share) for key, share in part.items() if share), key=_second)
    return tuple(reversed(costly))


def _second(pair: tuple[str, float]) -> float:
    return pair[1]


# -- what follows from what is known ----------------------------------------------------------


def _derive(material: Material, layer: int) -> None:
    """Add what other names of the same numbers, or one formula, give."""
    found, block = material.activations, f"blocks.{layer}."
    eps = material.config.rms_norm_eps
    for flat, heads in (("q_flat", "q"), ("k_flat", "k"), ("v_flat", "v"), ("z_flat", "z")):
        known = found.get(f"{block}attn.{heads}")
        if f"{block}attn.{flat}" not in found and known is not None and not known.visible:
            merged = rearrange(known.value, "H T d -> T (H d)")
            found[f"{block}attn.{flat}"] = replace(known, value=merged)
    last = f"blocks.{material.config.num_hidden_layers - 1}.resid_post"
    for norm, stream in (
        (f"{block}ln1", f"{block}resid_pre"),
        (f"{block}ln2", f"{block}resid_mid"),
        ("ln_final", last),
    ):
        known = found.get(stream)
        if known is not None and not known.visible:
            scale = (known.value.square().mean(-1, keepdim=True) + eps).sqrt()
            found[f"{norm}.scale"] = Known(scale)
    logits = found.get("logits")
    if "logits.last" not in found and logits is not None and not logits.visible:
        found["logits.last"] = replace(logits, value=logits.value[-1])
    scores = found.get("logits.last")
    if "probs.last" not in found and scores is not None and not scores.visible:
        found["probs.last"] = Known(scores.value.softmax(-1))


def _vocabulary(material: Material) -> Sequence[str]:
    size = material.config.vocab_size
    return [material.spell(token) for token in range(size)] if size <= WHOLE else ()


def _whole(material: Material, name: str) -> Tensor | None:
    known = material.activations.get(name)
    return None if known is None or known.visible else known.value


# -- stations ---------------------------------------------------------------------------------


def _steps(material: Material, layer: int, part: dict[str, float], answer: str) -> tuple[Step, ...]:
    last = material.config.num_hidden_layers - 1
    did = [states(run, last) for run in material.runs]
    return tuple(
        replace(
            _step(station, material, layer, part[station.key], answer),
            states=tuple(each[station.key] for each in did) if station.stage is not None else (),
        )
        for station in STATIONS
    )


def _step(station: Station, material: Material, layer: int, share: float, answer: str) -> Step:
    words = {**_words(material.config, len(material.tokens), layer), "answer": answer}
    stage, story = station.stage, material.stories.get(station.key)
    names = (name.format(layer=layer, last=words["last"]) for name in station.seen)
    said = material.runs[0].said.get(stage, "") if material.runs and stage is not None else ""
    return Step(
        key=station.key,
        title=station.title.format(**words),
        stage=stage,
        formula=station.formula.format(**words),
        shapes=station.shapes.format(**words),
        why=station.why.format(**words),
        seen=tuple(_seen(name, station, material) for name in names),
        share=share or None,
        said=said,
        story=story if story is not None and story.layer in (None, layer) else None,
    )


def _words(config: ModelConfig, tokens: int, layer: int) -> dict[str, object]:
    heads, shared = config.num_attention_heads, config.num_key_value_heads
    groups = heads // shared
    return {
        "T": tokens,
        "D": config.hidden_size,
        "L": config.num_hidden_layers,
        "H": heads,
        "K": shared,
        "d": config.head_dim,
        "F": config.intermediate_size,
        "V": f"{config.vocab_size:,}",
        "Hd": heads * config.head_dim,
        "Kd": shared * config.head_dim,
        "half": config.head_dim // 2,
        "layer": layer,
        "last": config.num_hidden_layers - 1,
        "base": f"{config.rope_theta:,.0f}",
        "tied": TIED_HEAD if config.tie_word_embeddings else "",
        "tied_lens": TIED_LENS if config.tie_word_embeddings else "",
        "shared": f"Here {groups} query heads share one head of keys and values."
        if groups > 1
        else "Here every query head has keys and values of its own.",
    }


def _seen(name: str, station: Station, material: Material) -> Seen:
    if name.startswith("model.") or name == "lm_head.weight":
        return _weight(name, material)
    about = describe(name)
    shape = tuple(activation_shape(material.config, name, len(material.tokens)))
    taken = tuple(made_at(station, name, run) for run in material.runs)
    known = material.activations.get(name)
    return Seen(name, about.meaning, about.axes, shape, known, taken)


def _weight(name: str, material: Material) -> Seen:
    config, meaning = material.config, WEIGHTS[name.split(".")[-2]]
    known = material.weight(name)
    if known is None and name == "lm_head.weight" and config.tie_word_embeddings:
        known = material.weight("model.embed_tokens.weight")
    shape = tuple(weight_shape(config, name))
    axes = ("row", "column") if len(shape) == 2 else ("hidden",)
    return Seen(name, meaning, axes, shape, known)


# -- over all layers --------------------------------------------------------------------------


def _patterns(material: Material) -> Iterator[tuple[int, Tensor]]:
    for name, known in material.activations.items():
        if (found := re.fullmatch(r"blocks\.(\d+)\.attn\.pattern", name)) and not known.visible:
            yield int(found[1]), known.value


def _streams(material: Material) -> list[Known | None]:
    """The stream after the embedding and after each layer."""
    names = [f"blocks.{i}.resid_post" for i in range(material.config.num_hidden_layers)]
    return [material.activations.get(name) for name in ("embed", *names)]


def _growth(material: Material) -> Growth | None:
    streams = _streams(material)
    known = [s for s in streams if s is not None]
    parts = {tuple(s.visible.get(1, ())) for s in known}
    if len(known) < 2 or len(parts) > 1 or any(0 in s.visible for s in known):
        return None
    nothing = torch.full_like(known[0].value, math.nan)
    stack = torch.stack([nothing if s is None else s.value for s in streams]).float()
    turn = torch.cosine_similarity(stack[1:], stack[:-1], dim=-1)
    part = parts.pop()
    return Growth(
        length=stack.norm(dim=-1),
        turn=torch.cat([torch.ones_like(turn[:1]), turn]),
        from_start=torch.cosine_similarity(stack, stack[:1], dim=-1),
        of=f"of {len(part)} of {material.config.hidden_size} numbers a token" if part else "",
    )


def _best(logits: Tensor, material: Material) -> list[Candidate]:
    return _candidates(logits.softmax(-1), BEST, material)


def _candidates(probabilities: Tensor, count: int, material: Material) -> list[Candidate]:
    best = probabilities.topk(min(count, len(probabilities)))
    return [
        Candidate(token, material.spell(token), p)
        for token, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def _lenses(material: Material, best: Sequence[Candidate]) -> Iterator[Lens]:
    assert material.lens is not None
    for layer, known in enumerate(_streams(material), start=-1):
        if known is None or known.visible:
            continue
        logits = material.lens(known.value)
        probabilities = logits.float().softmax(-1)
        said = tuple(tuple(_candidates(p, _LENS_BEST, material)) for p in probabilities)
        chosen = float(probabilities[-1, best[0].id]) if best else math.nan
        yield Lens(layer, said, chosen)
