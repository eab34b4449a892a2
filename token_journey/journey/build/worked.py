"""One number of a step worked out, and what its numbers show: words are in stations.py."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from token_journey.journey.journey import Journey, Step
from token_journey.journey.spelling import quoted
from token_journey.journey.stations import REMARKS, WORKED
from token_journey.numbers import number

# What is worked out closes as far as four digits go, or it is not shown: a mistake is no example.
_CLOSES = 2e-3
# Of more tokens than these the others are summed up.
_TERMS = 5
# An addition that makes a vector so many times as long is worth a word, and so is a token
# whose vector grows so many times as long as that of any other.
_JUMP, _SINK = 4.0, 10.0


def worked(step: Step, journey: Journey) -> str:
    """A sentence with the real numbers of this walk; empty where they are not all known."""
    work = _WORK.get(step.key)
    return work(journey) if work is not None else ""


def remark(step: Step, journey: Journey) -> str:
    """What is to be said of these numbers alone; mostly nothing."""
    look = {"resid_post": _jump, "layers": _sink}.get(step.key)
    return look(journey) if look is not None else ""


def _norm(stream: str, scale: str, gains: str, out: str) -> Callable[[Journey], str]:
    def work(journey: Journey) -> str:
        known = _first(journey, stream, scale, gains, out)
        if known is None or not _closes(known[0] / known[1] * known[2], known[3]):
            return ""
        x, rms, gain, result = (_digits(value) for value in known)
        token = quoted(journey.tokens[0])
        return WORKED["norm"].format(token=token, x=x, rms=rms, gain=_factor(gain), out=result)

    return work


def _sum(stream: str, added: str, out: str) -> Callable[[Journey], str]:
    def work(journey: Journey) -> str:
        known = _first(journey, stream, added, out)
        if known is None or not _closes(known[0] + known[1], known[2]):
            return ""
        x, more, result = (number(value) for value in known)
        token = quoted(journey.tokens[0])
        return WORKED["sum"].format(token=token, x=x, added=_factor(more), out=result)

    return work


def _first(journey: Journey, *names: str) -> list[float] | None:
    """Number 0 of the first token of each, if all are known."""
    last = journey.config.num_hidden_layers - 1
    found = [journey.seen(name.format(last=last)) for name in names]
    if any(value is None or not value.numel() for value in found):
        return None
    return [float(value.flatten()[0]) for value in found if value is not None]


def _scores(journey: Journey) -> str:
    names = ("attn.rot_q", "attn.rot_k", "attn.scores_raw", "attn.scores", "attn.pattern")
    q, k, raw, scores, pattern = (_head(journey.seen(name)) for name in names)
    if q is None or k is None or raw is None or scores is None or pattern is None:
        return ""
    key = int(pattern[-1].argmax())
    products = q[-1] * k[key]
    if not _closes(float(products.sum()), float(raw[-1, key])):
        return ""
    terms = [_product(_digits(float(q[-1, i])), _digits(float(k[key, i]))) for i in (0, 1, -1)]
    return WORKED["scores"].format(
        query=quoted(journey.tokens[-1]),
        key=quoted(journey.tokens[key]),
        first=terms[0],
        second=terms[1],
        last=terms[2],
        raw=_digits(float(raw[-1, key])),
        d=journey.config.head_dim,
        score=_digits(float(scores[-1, key])),
        share=number(float(pattern[-1, key])),
    )


def _weighted(journey: Journey) -> str:
    pattern, v, z = (_head(journey.seen(name)) for name in ("attn.pattern", "attn.v", "attn.z"))
    if pattern is None or v is None or z is None or journey.left_out:
        return ""
    products = pattern[-1] * v[:, 0]
    out = float(z[-1, 0])
    if not _closes(float(products.sum()), out):
        return ""
    order = pattern[-1].argsort(descending=True, stable=True).tolist()
    shown = order if len(order) <= _TERMS else order[: _TERMS - 1]
    terms = [_product(number(float(pattern[-1, i])), number(float(v[i, 0]))) for i in shown]
    if len(shown) < len(order):
        rest = number(float(products[order[len(shown) :]].sum()))
        terms.append(WORKED["rest"].format(rest=_factor(rest)))
    token = quoted(journey.tokens[-1])
    return WORKED["weighted"].format(token=token, terms=" + ".join(terms), out=number(out))


def _head(value: Tensor | None) -> Tensor | None:
    """The first head, and the keys and values that it looks at."""
    return None if value is None or not value.numel() else value[0]


def _neuron(journey: Journey) -> str:
    found = [journey.seen(f"mlp.{name}") for name in ("gate", "gate_act", "up", "post")]
    if any(value is None or not value.numel() for value in found):
        return ""
    gate, opened, up, post = (value[-1] for value in found if value is not None)
    neuron = int(post.abs().argmax())
    g, a, u, p = (float(value[neuron]) for value in (gate, opened, up, post))
    if not _closes(a * u, p) or not _closes(float(gate[neuron].sigmoid()) * g, a):
        return ""
    return WORKED["mlp"].format(
        neuron=neuron,
        token=quoted(journey.tokens[-1]),
        gate=_digits(g),
        opened=_digits(a),
        up=_factor(_digits(u)),
        out=_digits(p),
    )


def _closes(made: float, given: float) -> bool:
    return abs(made - given) <= _CLOSES * max(abs(given), 1e-3)


def _digits(value: float) -> str:
    """Four digits, so that a product of such numbers comes out."""
    return f"{value:#.4g}".removesuffix(".")


def _product(*factors: str) -> str:
    return " · ".join(map(_factor, factors))


def _factor(digits: str) -> str:
    return f"({digits})" if digits.startswith(("-", "−")) else digits


_WORK: dict[str, Callable[[Journey], str]] = {
    "norm1": _norm("resid_pre", "ln1.scale", "input_layernorm.weight", "ln1.out"),
    "scores": _scores,
    "weighted": _weighted,
    "resid_mid": _sum("resid_pre", "attn_out", "resid_mid"),
    "norm2": _norm("resid_mid", "ln2.scale", "post_attention_layernorm.weight", "ln2.out"),
    "mlp": _neuron,
    "resid_post": _sum("resid_mid", "mlp_out", "resid_post"),
    "final_norm": _norm(
        "blocks.{last}.resid_post", "ln_final.scale", "model.norm.weight", "ln_final.out"
    ),
}


# -- what the numbers show ----------------------------------------------------------------------


def _jump(journey: Journey) -> str:
    before, after = journey.seen("resid_mid"), journey.seen("resid_post")
    if before is None or after is None:
        return ""
    lengths, grown = before.norm(dim=-1), after.norm(dim=-1)
    most = int((grown / lengths).argmax())
    if not float(grown[most]) > _JUMP * float(lengths[most]):
        return ""
    return REMARKS["jump"].format(
        token=quoted(journey.tokens[most]),
        before=_length(float(lengths[most])),
        after=_length(float(grown[most])),
    )


def _sink(journey: Journey) -> str:
    if journey.growth is None or journey.growth.of or len(journey.tokens) < 2:
        return ""
    length = journey.growth.length.nan_to_num(0.0)
    layer = int(length[:, 0].argmax())
    if not float(length[layer, 0]) > _SINK * float(length[:, 1:].max()) or not layer:
        return ""
    return REMARKS["sink"].format(
        token=quoted(journey.tokens[0]), length=_length(float(length[layer, 0])), layer=layer - 1
    )


def _length(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"
