"""What every activation is called, what it means, and what its axes are.

Activations use TransformerLens's names without `hook_`; weights keep their
Hugging Face state-dict names. Packs hold one prompt at a time, so no
activation here has a batch axis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

RESIDUAL = ("token", "hidden")
QUERY_HEADS = ("head", "token", "dim")
KEY_VALUE_HEADS = ("key/value head", "token", "dim")
SCORES = ("head", "query", "key")
ALL_HEADS = ("token", "all heads")
ALL_KEY_VALUE_HEADS = ("token", "all key/value heads")
NEURONS = ("token", "neuron")
VOCABULARY = ("token", "vocabulary")


@dataclass(frozen=True)
class Activation:
    """Its axes, first to last, and one phrase that says what it is."""

    axes: tuple[str, ...]
    meaning: str


_ACTIVATIONS = {
    "tokens": Activation(("token",), "token ids"),
    "embed": Activation(RESIDUAL, "the embedded tokens"),
    "rotary.cos": Activation(("token", "dim"), "cos mθ"),
    "rotary.sin": Activation(("token", "dim"), "sin mθ"),
    "resid_pre": Activation(RESIDUAL, "the residual stream that enters the layer"),
    "ln1.scale": Activation(("token", "scale"), "RMS(x), with eps, before attention"),
    "ln1.out": Activation(RESIDUAL, "the normalised input of attention"),
    "attn.q": Activation(QUERY_HEADS, "the queries before RoPE"),
    "attn.k": Activation(KEY_VALUE_HEADS, "the keys before RoPE"),
    "attn.v": Activation(KEY_VALUE_HEADS, "the values"),
    "attn.rot_q": Activation(QUERY_HEADS, "the queries after RoPE"),
    "attn.rot_k": Activation(KEY_VALUE_HEADS, "the keys after RoPE"),
    "attn.scores_raw": Activation(SCORES, "Q Kᵀ"),
    "attn.scores": Activation(SCORES, "Q Kᵀ / √d, future = −inf"),
    "attn.pattern": Activation(SCORES, "the attention pattern"),
    "attn.z": Activation(QUERY_HEADS, "pattern @ V"),
    "attn.q_flat": Activation(ALL_HEADS, "the queries before they are split into heads"),
    "attn.k_flat": Activation(ALL_KEY_VALUE_HEADS, "the keys before they are split into heads"),
    "attn.v_flat": Activation(ALL_KEY_VALUE_HEADS, "the values before they are split into heads"),
    "attn.z_flat": Activation(ALL_HEADS, "the heads, merged"),
    "attn_out": Activation(RESIDUAL, "the output of attention"),
    "resid_mid": Activation(RESIDUAL, "the residual stream after attention"),
    "ln2.scale": Activation(("token", "scale"), "RMS(x), with eps, before the MLP"),
    "ln2.out": Activation(RESIDUAL, "the normalised input of the MLP"),
    "mlp.gate": Activation(NEURONS, "W_gate x"),
    "mlp.gate_act": Activation(NEURONS, "SiLU(gate)"),
    "mlp.up": Activation(NEURONS, "W_up x"),
    "mlp.post": Activation(NEURONS, "SiLU(gate) ⊙ up"),
    "mlp_out": Activation(RESIDUAL, "the output of the MLP"),
    "resid_post": Activation(RESIDUAL, "the residual stream that leaves the layer"),
    "ln_final.scale": Activation(("token", "scale"), "RMS(x), with eps, before the vocabulary"),
    "ln_final.out": Activation(RESIDUAL, "the output of the final norm"),
    "logits": Activation(VOCABULARY, "the logits"),
    "logits.last": Activation(("vocabulary",), "the logits of the last token"),
    "probs.last": Activation(("vocabulary",), "the probabilities of the next token"),
}

_BLOCK = re.compile(r"blocks\.\d+\.")


def describe(name: str) -> Activation:
    """Axes and meaning of an activation, e.g. `blocks.3.attn.q`.

    Raises KeyError for a name that is not one of ours.
    """
    short = _BLOCK.sub("", name)
    if short.startswith("warped."):
        return Activation(("vocabulary",), f"the logits after {short.removeprefix('warped.')}")
    return _ACTIVATIONS[short]
