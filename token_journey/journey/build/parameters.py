"""What a model consists of, and where its parameters sit."""

from __future__ import annotations

from dataclasses import dataclass

from token_journey.journey.stations import CARD, OWN, PARTS, SHARED, TIED, UNTIED
from token_journey.llama import formulas
from token_journey.llama.config import ModelConfig


@dataclass(frozen=True)
class CardEntry:
    """An entry of the model card: what it is called, what it is, and what it means."""

    name: str
    value: str
    meaning: str


def card(config: ModelConfig, parameters: int, missing: str) -> list[CardEntry]:
    """The sizes of a model. `missing` stands for the parameters of one that nobody counted."""
    groups = config.num_attention_heads // config.num_key_value_heads
    values = {
        "parameters": f"{parameters:,}" if parameters else missing,
        "layers": f"{config.num_hidden_layers}",
        "hidden": f"{config.hidden_size}",
        "heads": f"{config.num_attention_heads}",
        "shared": f"{config.num_key_value_heads}",
        "head": f"{config.head_dim}",
        "neurons": f"{config.intermediate_size}",
        "vocabulary": f"{config.vocab_size:,}",
        "base": f"{config.rope_theta:,.0f}",
        "epsilon": f"{config.rms_norm_eps:g}",
        "tied": TIED if config.tie_word_embeddings else UNTIED,
    }
    shared = SHARED.format(groups=groups) if groups > 1 else OWN
    return [
        CardEntry(name, values[key], meaning.format(groups=shared))
        for key, (name, meaning) in CARD.items()
    ]


def module_tree(config: ModelConfig) -> str:
    """The modules of a Llama of this shape, as transformers prints them."""
    D, F, V = config.hidden_size, config.intermediate_size, config.vocab_size
    queries, keys = (
        n * config.head_dim for n in (config.num_attention_heads, config.num_key_value_heads)
    )
    norm = f"LlamaRMSNorm(({D},), eps={config.rms_norm_eps:g})"
    return _TREE.format(
        V=V,
        D=D,
        last=config.num_hidden_layers - 1,
        L=config.num_hidden_layers,
        q=_linear(D, queries),
        k=_linear(D, keys),
        o=_linear(queries, D),
        up=_linear(D, F),
        down=_linear(F, D),
        head=_linear(D, V),
        norm=norm,
    )


def _linear(inside: int, out: int) -> str:
    return f"Linear(in_features={inside}, out_features={out}, bias=False)"


_TREE = """\
LlamaForCausalLM(
  (model): LlamaModel(
    (embed_tokens): Embedding({V}, {D})
    (layers): ModuleList(
      (0-{last}): {L} x LlamaDecoderLayer(
        (self_attn): LlamaAttention(
          (q_proj): {q}
          (k_proj): {k}
          (v_proj): {k}
          (o_proj): {o}
        )
        (mlp): LlamaMLP(
          (gate_proj): {up}
          (up_proj): {up}
          (down_proj): {down}
          (act_fn): SiLUActivation()
        )
        (input_layernorm): {norm}
        (post_attention_layernorm): {norm}
      )
    )
    (norm): {norm}
    (rotary_emb): LlamaRotaryEmbedding()
  )
  (lm_head): {head}
)"""


def shares_of_parameters(config: ModelConfig) -> list[tuple[str, int]]:
    """The kinds of matrices with how many parameters they have, in the order of the walk."""
    layers = config.num_hidden_layers
    table = config.vocab_size * config.hidden_size
    inside = {
        PARTS["attention"]: formulas.attention(config, 1, 1).parameters * layers,
        PARTS["mlp"]: formulas.swiglu(config, 1, 1).parameters * layers,
    }
    norms = (2 * layers + 1) * config.hidden_size
    inside[PARTS["norms"]] = norms
    if config.tie_word_embeddings:
        return [(PARTS["tied"], table), *inside.items()]
    return [(PARTS["embedding"], table), *inside.items(), (PARTS["vocabulary"], table)]
