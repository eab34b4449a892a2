"""Witnesses: tiny random Llamas made to show the mistakes that trained weights hide.

A trained norm has gains near 1 and inputs far above eps, so that a forgotten
gain or eps changes little; a trained pattern may be nearly flat or nearly
one-hot; a model with as many key/value heads as query heads can't show how
they are repeated. These three have none of that in common with a trained
model: gains from −2 to 3, peaky patterns, gates on both sides of SiLU's bend,
and every way of sharing keys and values. The weights are random; what they
compute is transformers' doing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from token_journey.llama.config import ModelConfig
from token_journey.packs.manifest import Generation, Prompt

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import LlamaForCausalLM

    from token_journey.packs.writer import PackWriter


@dataclass(frozen=True)
class Witness:
    """The recipe of one: its shape, what it was made to show, and its prompts.

    `prompts` are (name, text or ids, first position).
    """

    name: str
    shows: str
    config: ModelConfig
    seed: int
    scales: Scales
    prompts: tuple[tuple[str, str | tuple[int, ...], int], ...]
    generations: tuple[GenerationToMake, ...]
    has_tokenizer: bool = False


@dataclass(frozen=True)
class GenerationToMake:
    """A greedy continuation to record.

    `stop_at` makes an end token of the token that the model freely gives at
    that place (1 is the first new one), so that a generation ends midway.
    """

    prompt: str
    longest: int
    shortest: int = 0
    stop_at: int | None = None


@dataclass(frozen=True)
class Scales:
    """How large a witness's numbers come out; standard deviations."""

    embedding: float
    scores: float
    logits: float
    # What all logits of a token have in common; softmax must not care.
    common_logit: float = 0.0


WITNESSES = {
    witness.name: witness
    for witness in (
        Witness(
            name="witness-gqa",
            shows="grouped heads, a head dim of its own, an eps that weighs, a tokenizer",
            config=ModelConfig(
                vocab_size=590,
                hidden_size=48,
                num_hidden_layers=3,
                num_attention_heads=6,
                num_key_value_heads=2,
                head_dim=16,
                intermediate_size=110,
                rms_norm_eps=0.05,
                rope_theta=500.0,
                tie_word_embeddings=False,
            ),
            seed=53,
            scales=Scales(embedding=0.3, scores=2.5, logits=3.0),
            prompts=(
                ("aco", "açò es or...", 0),
                ("bytes", "🎶 Ŷ: col·legi", 0),
                ("camins", "el camí de la muntanya", 0),
                ("words", "The word is gold now, always", 0),
                ("later", "qui té paraules té or", 11),
            ),
            generations=(
                GenerationToMake("aco", 12),
                GenerationToMake("bytes", 8),
                GenerationToMake("words", 12, stop_at=4),
                GenerationToMake("words", 12, shortest=9, stop_at=4),
                GenerationToMake("camins", 1),
            ),
            has_tokenizer=True,
        ),
        Witness(
            name="witness-mqa",
            shows="one key/value head for all, tiny inputs, a tied vocabulary",
            config=ModelConfig(
                vocab_size=97,
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=1,
                head_dim=12,
                intermediate_size=70,
                rms_norm_eps=1e-5,
                rope_theta=50.0,
                tie_word_embeddings=True,
            ),
            seed=56,
            scales=Scales(embedding=1e-3, scores=2.5, logits=3.0),
            prompts=(
                ("one", (41,), 0),
                ("seven", (3, 88, 17, 17, 60, 5, 29), 0),
                ("later", (3, 88, 17, 17, 60, 5, 29), 11),
            ),
            generations=(
                GenerationToMake("one", 10),
                GenerationToMake("seven", 10, stop_at=4),
                GenerationToMake("seven", 10, shortest=8, stop_at=4),
                GenerationToMake("seven", 1),
            ),
        ),
        Witness(
            name="witness-mha",
            shows="a key/value head for each query head, logits around ±100",
            config=ModelConfig(
                vocab_size=89,
                hidden_size=40,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=4,
                head_dim=10,
                intermediate_size=94,
                rms_norm_eps=1e-3,
                rope_theta=2500.0,
                tie_word_embeddings=False,
            ),
            seed=47,
            scales=Scales(embedding=1.0, scores=3.0, logits=2.0, common_logit=120.0),
            prompts=(
                ("five", (7, 52, 31, 0, 88), 0),
                ("nine", (64, 12, 12, 70, 3, 45, 81, 26, 9), 0),
            ),
            generations=(
                GenerationToMake("five", 10),
                GenerationToMake("nine", 10, stop_at=5),
                GenerationToMake("nine", 10, shortest=8, stop_at=5),
                GenerationToMake("nine", 1),
            ),
        ),
    )
}


def build_model(witness: Witness) -> LlamaForCausalLM:
    """The witness's model, in float32."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = witness.config
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape.vocab_size,
            hidden_size=shape.hidden_size,
            num_hidden_layers=shape.num_hidden_layers,
            num_attention_heads=shape.num_attention_heads,
            num_key_value_heads=shape.num_key_value_heads,
            head_dim=shape.head_dim,
            intermediate_size=shape.intermediate_size,
            rms_norm_eps=shape.rms_norm_eps,
            rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
            tie_word_embeddings=shape.tie_word_embeddings,
        )
    )
    generator = torch.Generator().manual_seed(witness.seed)

    def uniform(low: float, high: float, size: Any) -> Tensor:
        # Uniform, not normal: torch draws it without a logarithm, so it is the
        # same on every processor.
        return torch.rand(size, generator=generator) * (high - low) + low

    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            low, high = _range(name, witness)
            parameter.copy_(uniform(low, high, parameter.shape))
        if witness.scales.common_logit:
            model.lm_head.weight += _common_direction(witness, uniform)
    return model


# The root mean square of a gain drawn from −2 to 3.
_GAIN = (7 / 3) ** 0.5


def _range(name: str, witness: Witness) -> tuple[float, float]:
    """The ends between which a weight is drawn: what keeps every activation at its scale."""
    shape, scales = witness.config, witness.scales
    layer = int(name.split(".")[2]) if ".layers." in name else 0
    # Unit inputs, times the gains of the norm in front, summed over the hidden axis.
    fan_in = _GAIN * shape.hidden_size**0.5
    if layer == 0 and "self_attn" in name:
        # Beside its eps, the first norm's input is small, and so is its output.
        fan_in *= scales.embedding / (scales.embedding**2 + shape.rms_norm_eps) ** 0.5
    if name.endswith("norm.weight"):
        if name == "model.norm.weight" and shape.tie_word_embeddings:
            # A tied vocabulary's rows are as small as the embedding's; the gains make up for it.
            gain = scales.logits / (scales.embedding * fan_in)
            return -2.0 * gain, 3.0 * gain
        return -2.0, 3.0
    deviation = {
        "embed_tokens": scales.embedding,
        "lm_head": scales.logits / fan_in,
        # Scores are q·k/√d, with a deviation of σ(q)σ(k).
        "q_proj": scales.scores**0.5 / fan_in,
        "k_proj": scales.scores**0.5 / fan_in,
        "v_proj": (1.0 + layer) / fan_in,
        "o_proj": 1.0 / (shape.num_attention_heads * shape.head_dim) ** 0.5,
        # Up to ±6 and beyond, where SiLU, GELU and ReLU part and meet again.
        "gate_proj": (3.0 - 0.5 * layer) / fan_in,
        "up_proj": (0.7 + 0.3 * layer) / fan_in,
        "down_proj": 1.0 / shape.intermediate_size**0.5,
    }[name.split(".")[-2]]
    return -deviation * 3**0.5, deviation * 3**0.5


def _common_direction(witness: Witness, uniform: Any) -> Tensor:
    """What every vocabulary row gets on top, so that a token's logits share a large part."""
    scale = witness.scales.common_logit / (_GAIN * witness.config.hidden_size**0.5)
    direction: Tensor = uniform(-scale * 3**0.5, scale * 3**0.5, witness.config.hidden_size)
    return direction


def build_pack(name: str) -> PackWriter:
    """Capture everything of a witness: all weights, all activations, all logits."""
    from token_journey.capture.measure import circumstances
    from token_journey.capture.recipes.in_memory import all_activations
    from token_journey.packs.writer import PackWriter

    witness = WITNESSES[name]
    pack = PackWriter(
        name,
        title=f"{name}, a tiny random Llama",
        config=witness.config,
        model={
            "id": name,
            "revision": f"seed {witness.seed}",
            "license": "Apache-2.0",
            "source": "random weights, made by `token-journey rebuild`",
            "files_sha256": {},
            "shows": witness.shows,
        },
        captured=circumstances(f"token-journey rebuild {name}", seed=witness.seed),
    )
    model = build_model(witness)
    for parameter_name, parameter in model.named_parameters():
        pack.add_weight(parameter_name, parameter.detach())
    prompts = _prompts(witness, pack)
    noise = 0.0
    for prompt in prompts.values():
        captured = all_activations(model, prompt.ids, prompt.start)
        noise = max(noise, captured["logits"].end_to_end)
        pack.add_prompt(prompt)
        pack.add_captured(prompt.name, captured)
    for generation in _generations(witness, model, prompts, noise):
        pack.add_generation(generation)
    return pack


def _prompts(witness: Witness, pack: PackWriter) -> dict[str, Prompt]:
    """The witness's prompts by name; adds its tokenizer to the pack, where it has one."""
    if not witness.has_tokenizer:
        return {
            name: Prompt(
                name,
                text=f"{len(given)} ids from position {start} on",
                ids=tuple(given),
                pieces=tuple(str(i) for i in given),
                start=start,
            )
            for name, given, start in witness.prompts
            if not isinstance(given, str)
        }
    from token_journey.capture.recipes.witness_tokenizer import BOS_ID, train
    from token_journey.models.tokenizer import encode_prompt

    tokenizer = train()
    pack.add_tokenizer(tokenizer.to_str().encode(), begin_token=BOS_ID)
    return {
        name: encode_prompt(tokenizer, name, given, start)
        for name, given, start in witness.prompts
        if isinstance(given, str)
    }


def _generations(
    witness: Witness, model: LlamaForCausalLM, prompts: dict[str, Prompt], noise: float
) -> Iterator[Generation]:
    """Raises ValueError for a recipe that does not do what it says."""
    from token_journey.models.greedy import continued

    for recipe in witness.generations:
        prompt, eos_ids = prompts[recipe.prompt], []
        if recipe.stop_at is not None:
            free = continued(model, prompt, recipe.stop_at, noise=noise).ids
            *before, end = free[len(prompt.ids) :]
            if end in before:
                raise ValueError(f"{witness.name}: {recipe} would stop earlier, choose another.")
            eos_ids = [end]
        yield continued(model, prompt, recipe.longest, recipe.shortest, eos_ids, noise=noise)
