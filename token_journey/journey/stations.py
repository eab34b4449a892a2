"""The stations of the walk: what each is called, computes and is for.

Every sentence that a reader meets at a station is here, apart from code that computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from token_journey.course.stage import Stage
from token_journey.errors import JourneyError
from token_journey.llama import formulas
from token_journey.llama.formulas import Formula
from token_journey.numbers import size

if TYPE_CHECKING:
    from token_journey.journey.journey import State, Taken


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
    "Each token becomes a list of numbers, a vector, and travels to the right through all layers: "
    "the ",
    "residual stream",
    ". Attention fetches something from other tokens, the MLP works on each token alone, and both "
    "add to the vector. From the last one the model names the next token. Below are all stations "
    "of this way, with the real numbers of this sentence.",
)

# What the model card says of each of its entries, and what is left open until a model is known.
CARD = {
    "parameters": ("parameters", "numbers that were learned once"),
    "layers": ("layers, L", "each has attention and an MLP"),
    "hidden": ("hidden size, D", "numbers in the vector of a token"),
    "heads": ("query heads, H", "attentions side by side in a layer"),
    "shared": ("key/value heads, K", "{groups}"),
    "head": ("head size, d", "numbers in a query, a key or a value"),
    "neurons": ("neurons a layer, F", "small units inside the MLP"),
    "vocabulary": ("vocabulary, V", "tokens that exist for this model"),
    "base": ("RoPE base", "how slowly positions turn queries and keys"),
    "epsilon": ("ε of the norms", "keeps a norm from dividing by 0"),
    "tied": ("first and last matrix", "from ids to vectors, and from vectors to scores"),
}
TIED, UNTIED = "the same (tied)", "two of their own"
SHARED, OWN = "{groups} query heads share one", "each query head has its own"
TIED_HEAD = "Here it is the embedding table once more. "
TIED_LENS = (
    " Here lm_head is the embedding table once more. So right after the embedding a token mostly "
    "finds itself, or another one whose row holds larger numbers."
)

# Where parameters sit.
PARTS = {
    "embedding": "embedding table",
    "tied": "embedding table, also lm_head",
    "attention": "attention",
    "mlp": "MLP",
    "norms": "norms",
    "vocabulary": "lm_head, the last matrix",
}

# What weights are, by the module that holds them.
WEIGHTS = {
    "embed_tokens": "E, the embedding table: a row for each token that exists",
    "input_layernorm": "γ, the gains of the first norm",
    "q_proj": "W_q, that makes queries",
    "k_proj": "W_k, that makes keys",
    "v_proj": "W_v, that makes values",
    "o_proj": "W_o, that mixes the heads",
    "post_attention_layernorm": "γ, the gains of the second norm",
    "gate_proj": "W_gate, a row for each neuron",
    "up_proj": "W_up, a row for each neuron",
    "down_proj": "W_down, a column for each neuron",
    "norm": "γ, the gains of the last norm",
    "lm_head": "W_vocab, called lm_head: a row for each token that exists",
}

# One number of a step, worked out with the numbers of this sentence.
WORKED = {
    "norm": "Check it: for number 0 of {token}, x / RMS · γ is {x} / {rms} · {gain} ≈ {out}.",
    "scores": "Check it: in head 0 the query of {query} and the key of {key} make {first} + "
    "{second} + … + {last} ≈ {raw}. Then {raw} / √{d} ≈ {score}, and softmax makes a share of "
    "{share} of it.",
    "weighted": "Check it: in head 0, number 0 that {token} gathers is {terms} ≈ {out}.",
    "rest": "{rest} from the other tokens",
    "sum": "Check it: number 0 of {token} is {x} + {added} ≈ {out}.",
    "mlp": "Check it: neuron {neuron} of {token} has gate {gate}. SiLU({gate}) ≈ {opened}, and "
    "{opened} · {up} ≈ {out}.",
}

# What is only said where the numbers show it.
REMARKS = {
    "jump": "What is added can be much: this MLP takes the length of {token} from {before} to "
    "{after}.",
    "sink": "The vector of the first token, {token}, becomes far longer than all others: {length} "
    "after layer {layer}. This is common in such models. When a head finds nothing to fetch, it "
    "looks at the first token, which serves as a resting place (an “attention sink”), and very "
    "large numbers mark it (“massive activations”).",
}

# What is said beside pictures.
SAID = {
    "whose": "Text, pictures and numbers are the model's. What your stages made stands beside "
    "them, called yours, and is a walk of its own.",
    "about pattern": "How much each token (row) looks at each token before it (column)",
    "the model's": "The model's:",
    "yours": "yours",
    "reference": "the reference's",
    "about yours": "Yours: how much each token (row) looks at each token before it (column)",
    "about apart": "How far your shares are from the model's",
    "show pattern": "the pattern: shares of attention",
    "show yours": "your pattern",
    "show apart": "yours minus the model's",
    "show raw": "Q Kᵀ",
    "show scores": "Q Kᵀ / √d, the future −∞",
    "more": "More: --all, every station · --step rope, one of them · --html FILE --open, a page",
    "masked": "masked, it comes later",
    "left out": "{count} tokens are not shown",
    "facts": "Published entries of its vocabulary: special tokens, and the last 100",
    "river": "All layers from left to right, a band for each token, and the word that the model "
    "would say there",
    "cells": "Blue is above 0, brown below, pale near it; the first and the last numbers of each.",
    "legend": "The wider a band, the more of the vector is new: above the line by <a "
    "href='#scores'>attention</a>, below it by the <a href='#mlp'>MLP</a>. Words: <a "
    "href='#lens'>what it would say</a> if it stopped there.",
    "legend of layers": "The wider a band, the more of the vector is new after a <a "
    "href='#layers'>layer</a>{of}.",
    "legend who": " Curves: the heads that <a href='#who'>said {answer}</a> loudest.",
    "at the start": "Before layer 0: {token} is only itself.",
    "at a step": "Layer {layer}, {half}: {share} of the vector of {token} is new.",
    "would say": "Now it would say “{word}” ({share}).",
    "sum": "A logit is a sum: {answer} gets {answer_all} = {answer_embedding} from the embedding, "
    "{answer_heads} from all heads and {answer_mlps} from all MLPs. The runner-up {runner_up} gets "
    "{runner_up_all} = {runner_up_embedding} + {runner_up_heads} + {runner_up_mlps}.",
    "who": "By how much each head and MLP of each layer puts {answer} ahead; choose one",
    "lead": "by so much a part puts “{answer}” ahead of “{other}” (brown: behind)",
    "raises": "The tokens that it raises most, alone:",
    "looks": "Where it looks, from the last token:",
    "whole pattern": "its whole pattern",
    "at 0": "At position 0 nothing is turned.",
    "limits": "It ends with the end token, or after max_new_tokens. max_length counts the "
    "sentence, too; min_length forbids the end token until then.",
    "about raw": "How well the query of each token (row) fits the key of each token (column)",
    "about scores": "The same, divided by √d; later tokens are masked",
    "shares": "of the row's attention; an empty cell is a later token, which is masked",
    "products": "the larger the product, the better query and key fit; an empty cell is masked",
    "stored": "These numbers are kept for layer {layer} only. To see another layer's, walk with "
    "--layer.",
    "still": "This pair turns so slowly that the eye sees no move: the numbers below tell it.",
    "rotation": "Each token's point in one plane, before and after it is turned",
    "before": "○ before",
    "after": "● after; the thick arc between them is the turn",
    "turn": "Numbers {i} and {j} are turned by m · θ_i with i = {i}: position × {rate} = position "
    "× {degrees}.",
    "lens": "In each cell: the likeliest next token after this token, if the model stopped at this "
    "layer, and how sure it would be. The last column is the one that is asked; its last row is "
    "the model's answer.",
    "play": "Temperature, then top-k, then top-p act on all {count} logits, here in your browser, "
    "as your stage 9 does it. What is left is drawn from by chance.",
    "entropy": "{count} left, {likely} with more than one chance in a million. Entropy {bits} "
    "bits: as much doubt as among {equal} equally likely tokens.",
    "drawn": "Draw {draw} with seed {seed}, of probability {probability}.",
    "branch": "What follows is what the model chose, the best token each time.",
    "draws": "Separate draws so far, each in place of the one before:",
    "heads": "One query of {Hd} numbers is cut into {H} heads of {d}; key and value have {Kd} "
    "numbers, {K} heads. A query head looks at the keys and values under it.",
    "merged": "The {H} heads are laid side by side, {Hd} numbers. W_o mixes them into {D} numbers.",
    "answers": "Answers",
    "think": "Think first: the answer stands at the end of this walk.",
    "turned": "Layer {layer}, query head 0, pair 0: numbers 0 and {half} as a point, and its angle",
    "slow": "Pair 0 turns fastest. Pair {pair} turns by {degrees} at each position, the last one "
    "by {least}.",
    "maps": "Layer {layer}, all heads: the row looks at the column; the fuller the block, the "
    "more; · is masked.",
    "grown": "From the embedding to the last layer: how long the vector of each token is (each "
    "step up is the same factor), and how far it has turned away from where it began.",
    "all_tokens": "Of {count} tokens the last {shown} are shown: the page (--html) shows all.",
    "silu": "SiLU, and how many neurons of {token} have a gate between this number and the next:",
}

# How somebody's own stages did.
YOURS, REFERENCES = "yours", "the reference's"
STATES = {
    "same": "✓ {whose}: the model's numbers",
    "differs": "✗ {whose}: not the model's{by}",
    "stopped": "✗ {whose}: it stopped the walk here",
    "unreached": "∅ {whose}: the walk did not come here",
    "unknown": "· {whose}: not compared alone",
}


def stated(state: State) -> str:
    """A station's state in words."""
    by = f", by {size(state.difference)}" if 0 < state.difference < inf else ""
    if state.layer is not None:
        by += f", from layer {state.layer} on"
    whose = YOURS if state.by == "yours" else REFERENCES
    return STATES[state.kind].format(whose=whose, by=by)


def told(taken: Taken) -> str:
    """How far what stages made is from the model's, in words."""
    if taken.value is None and taken.shape:
        return "can't be laid beside the model's: its shape is another"
    if not taken.difference < inf:
        return "is not the model's"
    if taken.holds:
        return f"is the model's, up to {size(taken.difference)}"
    allowed = f"; rounding explains {size(taken.allowed)}" if taken.allowed else ""
    return f"is up to {size(taken.difference)} away from the model's{allowed}"


_BLOCK = "blocks.{layer}."
_WEIGHTS = "model.layers.{layer}."

STATIONS = (
    Station(
        "tokens",
        "The sentence becomes tokens",
        1,
        "text → pieces → ids",
        "a text → ({T},)",
        "A model computes with numbers. The tokenizer cuts the text into pieces that it knows, the "
        "tokens, and gives the number of each, its id. A frequent word is one token; a rare one is "
        "spelled with several.",
        ("tokens",),
    ),
    Station(
        "model",
        "The model that will read it",
        None,
        "L layers, each with attention and an MLP",
        "V = {V}, D = {D}, L = {L}, H = {H}, K = {K}, d = {d}, F = {F}",
        "A model is a long list of numbers, the parameters, that were learned once and don't "
        "change while it reads. Each word below comes back at a station of its own.",
    ),
    Station(
        "embed",
        "Every token becomes a vector",
        2,
        "x = E[id]",
        "({T},) → ({T}, {D})",
        "The embedding table E has one row of {D} numbers for each token that exists. The rows "
        "of this sentence are taken out. Layers read from these vectors and add to them, and "
        "never replace them.",
        ("model.embed_tokens.weight", "embed"),
        (formulas.embed,),
    ),
    Station(
        "norm1",
        "A normalised copy is made",
        3,
        "γ ⊙ x / RMS(x),   RMS(x) = √(mean(x²) + ε)",
        "({T}, {D}) → ({T}, {D})",
        "Attention reads a normalised copy of the stream, so that long and short vectors count "
        "alike: each vector is divided by its root mean square, RMS, and number i is multiplied "
        "by γ_i, a gain that was learned (⊙: number by number). ε keeps the RMS above 0. The "
        "stream itself stays as it is.",
        (_BLOCK + "ln1.scale", _WEIGHTS + "input_layernorm.weight", _BLOCK + "ln1.out"),
        (formulas.norm,),
    ),
    Station(
        "qkv",
        "Queries, keys and values",
        5,
        "Q = n W_qᵀ    K = n W_kᵀ    V = n W_vᵀ    with n = norm₁(x)",
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
        "tokens × (heads · d) → heads × tokens × d",
        "({T}, {Hd}) → ({H}, {T}, {d});  ({T}, {Kd}) → ({K}, {T}, {d})",
        "Each vector is cut into parts of {d} numbers, the heads. Every head is an attention of "
        "its own. {shared}",
        tuple(_BLOCK + f"attn.{name}" for name in "qkv"),
    ),
    Station(
        "rope",
        "Positions turn queries and keys",
        4,
        "turn pair i by m · θ_i,   θ_i = base^(−2i/d),   base = {base}",
        "({H}, {T}, {d}) → ({H}, {T}, {d})",
        "So far nothing says which token comes first. RoPE (rotary position embedding) tells it "
        "to queries and keys: numbers i and i + {half} of a head are a point in a plane, turned "
        "around the centre by m · θ_i. m is the token's position, from 0; the angle θ_i is 1 "
        "radian for the first pair and tiny for the last one. When a query meets a key, only "
        "the distance of their positions counts.",
        ("rotary.cos", "rotary.sin", _BLOCK + "attn.rot_q", _BLOCK + "attn.rot_k"),
        (formulas.rope,),
    ),
    Station(
        "scores",
        "Who looks at whom",
        5,
        "softmax( Q Kᵀ / √d + mask )",
        "({H}, {T}, {d}) · ({H}, {d}, {T}) → ({H}, {T}, {T})",
        "The scalar product of a query and a key (multiply number by number, then add up) says "
        "how well they fit. It is divided by √{d}, or softmax would see one token and no other. "
        "The mask puts −∞ in place of later tokens: the model learns to guess them. Softmax "
        "makes shares of each row, which sum to 1: how a token divides its attention.",
        (_BLOCK + "attn.scores_raw", _BLOCK + "attn.scores", _BLOCK + "attn.pattern"),
        (formulas.scores, formulas.softmax),
    ),
    Station(
        "weighted",
        "Values are gathered",
        5,
        "z = pattern · V,   pattern = the shares of attention",
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
        "The heads are laid side by side again, and one more matrix, W_o, mixes what they found "
        "into a vector of the stream's size.",
        (_BLOCK + "attn.z_flat", _WEIGHTS + "self_attn.o_proj.weight", _BLOCK + "attn_out"),
        (formulas.output_projection,),
    ),
    Station(
        "resid_mid",
        "Attention adds to the stream",
        7,
        "x_mid = x + attention( norm₁(x) )",
        "({T}, {D}) + ({T}, {D}) → ({T}, {D})",
        "What attention found is added to the stream: to x as it came in, not to the normalised "
        "copy that attention read. So half a layer computes only what is to be added, the "
        "residual.",
        (_BLOCK + "resid_pre", _BLOCK + "attn_out", _BLOCK + "resid_mid"),
        (formulas.residual,),
    ),
    Station(
        "norm2",
        "A second normalised copy",
        3,
        "γ ⊙ x_mid / RMS(x_mid)",
        "({T}, {D}) → ({T}, {D})",
        "The second half of the layer reads a normalised copy, too, with gains γ of its own.",
        (_BLOCK + "ln2.scale", _WEIGHTS + "post_attention_layernorm.weight", _BLOCK + "ln2.out"),
        (formulas.norm,),
    ),
    Station(
        "mlp",
        "Neurons open and close",
        6,
        "SiLU( n W_gateᵀ ) ⊙ ( n W_upᵀ )    with n = norm₂(x_mid),   SiLU(g) = g / (1 + e^(−g))",
        "({T}, {D}) → ({T}, {F})",
        "Now each token works alone. Each of the {F} neurons computes two scalar products with "
        "the normalised copy n: what there is to say (up), and how far its gate opens for it. "
        "SiLU lets large numbers pass and almost shuts the gate for negative ones: SiLU(−1.3) = "
        "−0.28, SiLU(−5) = −0.03.",
        (
            *(_WEIGHTS + f"mlp.{name}_proj.weight" for name in ("gate", "up")),
            *(_BLOCK + f"mlp.{name}" for name in ("gate", "gate_act", "up", "post")),
        ),
        (formulas.gate, formulas.up, formulas.activation),
    ),
    Station(
        "down",
        "Back to the stream's size",
        6,
        "mlp = ( SiLU(gate) ⊙ up ) W_downᵀ",
        "({T}, {F}) → ({T}, {D})",
        "One more matrix, W_down, has a column for each neuron. Each column is multiplied by what "
        "its neuron says, and all are added up to a vector of the stream's size.",
        (_WEIGHTS + "mlp.down_proj.weight", _BLOCK + "mlp_out"),
        (formulas.down,),
    ),
    Station(
        "resid_post",
        "The MLP adds to the stream",
        7,
        "x_out = x_mid + mlp( norm₂(x_mid) )",
        "({T}, {D}) + ({T}, {D}) → ({T}, {D})",
        "What the MLP said is added as well: the stream that leaves is the stream that came in, "
        "plus two additions.",
        (_BLOCK + "resid_mid", _BLOCK + "mlp_out", _BLOCK + "resid_post"),
        (formulas.residual,),
    ),
    Station(
        "layers",
        "The same in all {L} layers",
        7,
        "x → x_mid → x_out,   which is x of the next layer",
        "{L} × ( ({T}, {D}) → ({T}, {D}) )",
        "Each layer has matrices of its own and does the same with them. See how the stream "
        "grows, and turns away from where it began. Early additions stay in the sum: a late "
        "layer can read them.",
        ("blocks.{last}.resid_post",),
    ),
    Station(
        "final_norm",
        "The last norm",
        8,
        "γ ⊙ x / RMS(x)",
        "({T}, {D}) → ({T}, {D})",
        "One more RMSNorm, with gains γ of its own, brings all vectors to a like size. It is "
        "applied only once.",
        ("ln_final.scale", "model.norm.weight", "ln_final.out"),
        (formulas.norm,),
    ),
    Station(
        "lm_head",
        "A score for every token that exists",
        8,
        "logits = norm(x) W_vocabᵀ    (W_vocab is called lm_head)",
        "({T}, {D}) → ({T}, {V})",
        "The last matrix, lm_head, has a row of {D} numbers for each of the {V} tokens that "
        "exist. {tied}The scalar product of a row and a token's normalised vector is a logit, "
        "the score of that row's token.",
        ("lm_head.weight", "logits.last"),
        (formulas.logits,),
    ),
    Station(
        "probs",
        "Scores become probabilities",
        9,
        "p_i = e^(x_i) / ( e^(x_1) + … + e^(x_V) )",
        "({V},) → ({V},)",
        "Softmax turns the logits x_1 … x_V after the last token into numbers between 0 and 1 that "
        "sum to 1. This is the model's answer to the only question it knows: what comes next?",
        ("probs.last",),
    ),
    Station(
        "lens",
        "What it would have said earlier",
        None,
        "softmax( norm(xˡ) W_vocabᵀ )  for every layer l",
        "({L} + 1) × ({T}, {D}) → ({V},)",
        "The stream can be read before it is finished: after every layer it is normalised as "
        "the last norm does it, and lm_head and softmax read it. This is called the logit "
        "lens.{tied_lens}",
    ),
    Station(
        "who",
        "Who said {answer}?",
        None,
        "logit = Σ over parts of  ( γ ⊙ part / RMS ) · row of W_vocab",
        "1 + {L} × ({H} + 1) parts",
        "The last vector is the sum of all that was added on its way. The last norm divides it "
        "by one number, its RMS. With this number as it was, each head and each MLP has a part "
        "of its own in every logit: its direct part, without what later layers make of it. This "
        "is called direct logit attribution.",
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
        "How the operations of this walk are shared among its steps. Products of matrices are "
        "nearly all of it.",
    ),
)


def steps_of(stage: Stage) -> list[str]:
    """The keys of the stations that a stage teaches. Raises JourneyError where it has none."""
    keys = [station.key for station in STATIONS if station.stage == stage.number]
    if not keys:
        raise JourneyError(f"The walk has no step of its own for stage {stage.number}.")
    return keys
