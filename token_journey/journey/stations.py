"""The stations of the walk: what each is called, computes and is for.

Every sentence that a reader meets at a station is here, apart from code that computes.
"""

from __future__ import annotations

from dataclasses import dataclass

from token_journey.cost import formulas
from token_journey.cost.formulas import Formula


@dataclass(frozen=True)
class Station:
    """What is known of a step before any sentence is walked.

    `stage` is the stage of the kata that teaches it. `shapes` is filled with T, D, H, K, d,
    F and V; `{layer}` in names with the layer looked into. `seen` are activations and
    weights to show, and `counted` what it costs: once if it stands before or after the
    layers, in every layer otherwise.
    """

    key: str
    title: str
    stage: int | None
    formula: str
    shapes: str
    why: str
    seen: tuple[str, ...] = ()
    counted: tuple[Formula, ...] = ()

    @property
    def in_every_layer(self) -> bool:
        return any("{layer}" in name for name in self.seen)


# What the term in the middle means is said around it.
INTRODUCTION = (
    "To a transformer, a sentence is a row of tokens, and every token is one list of numbers, a "
    "vector. That vector travels through the model from layer to layer; this is called the ",
    "residual stream",
    ". At each layer it meets two helpers. Attention looks at the other tokens and fetches what "
    "matters from them; the MLP works on what was found. Neither replaces the vector: each only "
    "adds a little to it. After the last layer, the vector of the last token has gathered all that "
    "the model needs to name the next one. Below are all its stations, with the real numbers of "
    "this very sentence.",
)

_BLOCK = "blocks.{layer}."
_WEIGHTS = "model.layers.{layer}."

STATIONS = (
    Station(
        "tokens",
        "The sentence becomes tokens",
        1,
        "text → pieces → ids",
        "a text → ({T},)",
        "A model computes with numbers. The tokenizer cuts the text into pieces that it knows, and "
        "gives the number of each. Frequent words are one piece; rare ones are spelled with "
        "several.",
        ("tokens",),
    ),
    Station(
        "model",
        "The model that will read it",
        None,
        "L layers, each with attention and an MLP",
        "V = {V}, D = {D}, L = {L}, H = {H}, K = {K}, d = {d}, F = {F}",
        "A model is a long list of numbers, the parameters, that were learned once and don't "
        "change while it reads. They sit in a few kinds of matrices.",
    ),
    Station(
        "embed",
        "Every token becomes a vector",
        2,
        "x = E[id]",
        "({T},) → ({T}, {D})",
        "The embedding table has one row of {D} numbers for each token that exists. The rows of "
        "this sentence are taken out. From here on each token is a vector that travels through all "
        "layers, the residual stream: layers read from it and add to it, and never replace it.",
        ("embed",),
        (formulas.embed,),
    ),
    Station(
        "norm1",
        "A normalised copy is made",
        3,
        "γ ⊙ x / RMS(x),   RMS(x) = √(mean(x²) + ε)",
        "({T}, {D}) → ({T}, {D})",
        "Attention reads a copy of the stream in which every vector has the same length, so that "
        "large and small ones count alike. The stream itself stays as it is.",
        (_BLOCK + "ln1.scale", _BLOCK + "ln1.out"),
        (formulas.norm,),
    ),
    Station(
        "qkv",
        "Queries, keys and values",
        5,
        "Q = x W_qᵀ    K = x W_kᵀ    V = x W_vᵀ",
        "({T}, {D}) → ({T}, {Hd}), ({T}, {Kd}), ({T}, {Kd})",
        "Three matrices turn each token's copy into three things: what it looks for (query), "
        "what it offers to be found by (key), and what it hands over when it is found (value).",
        (
            *(_WEIGHTS + f"self_attn.{name}_proj.weight" for name in "qkv"),
            *(_BLOCK + f"attn.{name}_flat" for name in "qkv"),
        ),
        (formulas.projections,),
    ),
    Station(
        "heads",
        "Cut into heads",
        5,
        "T (H d) → H T d",
        "({T}, {Hd}) → ({H}, {T}, {d});  ({T}, {Kd}) → ({K}, {T}, {d})",
        "Each vector is cut into pieces of {d} numbers, the heads. Every head is an attention of "
        "its own, so a token can look at several places for several reasons. {shared}",
        tuple(_BLOCK + f"attn.{name}" for name in "qkv"),
    ),
    Station(
        "rope",
        "Positions turn queries and keys",
        4,
        "R(mθ) q,   R(mθ) k,   θ_i = base^(−2i/d)",
        "({H}, {T}, {d}) → ({H}, {T}, {d})",
        "So far nothing says who comes first. Now numbers i and i + {half} of each head are taken "
        "as a point in a plane, and the plane is turned by an angle that grows with the position. "
        "The scalar product of two turned vectors depends on their distance alone.",
        ("rotary.cos", "rotary.sin", _BLOCK + "attn.rot_q", _BLOCK + "attn.rot_k"),
        (formulas.rope,),
    ),
    Station(
        "scores",
        "Who looks at whom",
        5,
        "softmax( Q Kᵀ / √d + mask )",
        "({H}, {T}, {d}) · ({H}, {d}, {T}) → ({H}, {T}, {T})",
        "Each query is held against every key: a large product means “this is what I look for”. "
        "The products are divided by √{d}, the future is forbidden (−∞), and softmax makes of "
        "each row shares that sum to 1: how a token divides its attention.",
        (_BLOCK + "attn.scores_raw", _BLOCK + "attn.scores", _BLOCK + "attn.pattern"),
        (formulas.scores, formulas.softmax),
    ),
    Station(
        "weighted",
        "Values are gathered",
        5,
        "z = pattern · V",
        "({H}, {T}, {T}) · ({H}, {T}, {d}) → ({H}, {T}, {d})",
        "Every token receives the values of the tokens it looks at, each as much as its share "
        "says. This is the only place where something moves from one token to another.",
        (_BLOCK + "attn.z",),
        (formulas.weighted_sum,),
    ),
    Station(
        "output",
        "Heads are merged",
        5,
        "attention = merge(z) W_oᵀ",
        "({H}, {T}, {d}) → ({T}, {Hd}) → ({T}, {D})",
        "The heads are laid side by side again, and one more matrix mixes what they found into "
        "a vector of the stream's size.",
        (_BLOCK + "attn.z_flat", _WEIGHTS + "self_attn.o_proj.weight", _BLOCK + "attn_out"),
        (formulas.output_projection,),
    ),
    Station(
        "resid_mid",
        "Attention adds to the stream",
        7,
        "x' = x + attention( norm₁(x) )",
        "({T}, {D}) + ({T}, {D}) → ({T}, {D})",
        "What attention found is added to the stream: to x as it came in, not to the normalised "
        "copy that attention read.",
        (_BLOCK + "resid_pre", _BLOCK + "attn_out", _BLOCK + "resid_mid"),
        (formulas.residual,),
    ),
    Station(
        "norm2",
        "A second normalised copy",
        3,
        "γ ⊙ x' / RMS(x')",
        "({T}, {D}) → ({T}, {D})",
        "The second half of the layer reads a normalised copy, too, with gains γ of its own.",
        (_BLOCK + "ln2.scale", _BLOCK + "ln2.out"),
        (formulas.norm,),
    ),
    Station(
        "mlp",
        "Neurons open and close",
        6,
        "SiLU( x W_gateᵀ ) ⊙ ( x W_upᵀ ),   SiLU(g) = g / (1 + e^(−g))",
        "({T}, {D}) → ({T}, {F})",
        "Now each token works alone. {F} neurons compute two numbers each: what there is to say "
        "(up), and how far the gate opens for it. SiLU shuts the gate for negative numbers.",
        tuple(_BLOCK + f"mlp.{name}" for name in ("gate", "gate_act", "up", "post")),
        (formulas.gate, formulas.up, formulas.activation),
    ),
    Station(
        "down",
        "Back to the stream's size",
        6,
        "mlp = ( SiLU(gate) ⊙ up ) W_downᵀ",
        "({T}, {F}) → ({T}, {D})",
        "A last matrix turns what the open neurons say into a vector of the stream's size.",
        (_BLOCK + "mlp_out",),
        (formulas.down,),
    ),
    Station(
        "resid_post",
        "The MLP adds to the stream",
        7,
        "x\" = x' + mlp( norm₂(x') )",
        "({T}, {D}) + ({T}, {D}) → ({T}, {D})",
        "It is added as well. The layer is over: the stream that leaves is the stream that "
        "came in and two additions.",
        (_BLOCK + "resid_mid", _BLOCK + "mlp_out", _BLOCK + "resid_post"),
        (formulas.residual,),
    ),
    Station(
        "layers",
        "The same in all {L} layers",
        7,
        'x → x + attention( norm₁(x) ) → x" → …',
        "{L} × ( ({T}, {D}) → ({T}, {D}) )",
        "Each layer has matrices of its own and does the same with them. See how the stream of "
        "each token grows, and how it turns away from the direction in which it began. Early "
        "additions stay in it, so a late layer can read what an early one wrote.",
    ),
    Station(
        "final_norm",
        "The last norm",
        8,
        "γ ⊙ x / RMS(x)",
        "({T}, {D}) → ({T}, {D})",
        "The stream has any length by now. It is normalised once more, and only once.",
        ("ln_final.out",),
        (formulas.norm,),
    ),
    Station(
        "lm_head",
        "A score for every token that exists",
        8,
        "logits = norm(x) W_vocabᵀ",
        "({T}, {D}) → ({T}, {V})",
        "Each of the {V} rows of a last matrix is held against the stream of a token. The product "
        "is a logit: the larger, the better that token would go on here.",
        ("logits.last",),
        (formulas.logits,),
    ),
    Station(
        "probs",
        "Scores become probabilities",
        9,
        "p_i = e^(x_i) / ( e^(x_1) + … + e^(x_V) )",
        "({V},) → ({V},)",
        "Softmax makes numbers between 0 and 1 of the logits after the last token, which sum to "
        "1. This is the model's answer to the only question it knows: what comes next?",
        ("probs.last",),
    ),
    Station(
        "lens",
        "What it would have said earlier",
        None,
        "softmax( norm(xˡ) W_vocabᵀ )  for every layer l",
        "({L} + 1) × ({T}, {D}) → ({V},)",
        "The stream can be read before it is finished, by asking after every layer what the "
        "model would say if it stopped there: normalised with its own length at that place, then "
        "held against the vocabulary. This is called the logit lens.",
    ),
    Station(
        "generate",
        "One token more, and again",
        10,
        "ids ← ids + [next]",
        "({T},) → ({T} + 1,) → …",
        "A token is chosen, put behind the sentence, and all begins again. The best one each time "
        "is greedy; drawing by chance is sampling. Temperature flattens or sharpens the "
        "probabilities, top-k keeps the k best tokens, and top-p the fewest that reach p together.",
    ),
    Station(
        "cost",
        "Where the work was",
        None,
        "operations, counted",
        "{T} tokens",
        "How the operations of this one walk are shared among its steps, all {L} layers "
        "together. Products of matrices are nearly all of it.",
    ),
)
