"""The pictures of a walk, in letters: bars, shades and arrows that need no colour to be read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from torch import Tensor

from token_journey.explain import number
from token_journey.journey.journey import Candidate, Journey, Token
from token_journey.journey.palette import printable, token_text
from token_journey.journey.parameters import shares_of_parameters
from token_journey.journey.spelling import visible, words_of

Picture = Callable[[Journey], RenderableType | None]

_BAR = 30
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SHADES = " ░▒▓█"
_LETTERS = 16
_STEPS = "▁▂▃▄▅▆▇█"
_ARROWS = "→↗↑↖←↙↓↘"
# More columns than these of four decimals don't fit a line.
_WIDE = 9


def _grid(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=any(columns))
    for column in columns:
        table.add_column(column)
    return table


def _bar(share: float) -> Text:
    """Of full length for 1, in eighths of a letter."""
    eighths = round(share * _BAR * 8)
    return Text("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip(), style="cyan")


def percent(share: float) -> str:
    """0.8 as 80.0 %."""
    return "< 0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %"


def _labels(journey: Journey) -> list[Text]:
    return [token_text(token, index) for index, token in enumerate(journey.tokens)]


# -- before the layers ------------------------------------------------------------------------


def _tokens(journey: Journey) -> RenderableType:
    parts: list[RenderableType] = [_spelled(journey.tokens)]
    if journey.also:
        parts += [Text("\nAnother sentence, only cut into tokens:", style="dim")]
        parts += [_spelled(journey.also)]
    return Group(*parts)


def _spelled(tokens: Sequence[Token]) -> RenderableType:
    """Word by word: its pieces and their ids."""
    table = _grid("word", "pieces", "ids")
    for word in words_of(tokens):
        pieces = Text(" ").join(token_text(token, index) for index, token in word)
        whole = "".join(token.piece for _, token in word).strip(" ")
        name = "(in front)" if word[0][1].word < 0 else printable(whole)
        ids = " ".join(str(token.id) for _, token in word)
        table.add_row(Text(name), pieces, Text(ids))
    return table


def _model(journey: Journey) -> RenderableType:
    table = _grid("where the parameters are", "", "")
    for name, count in shares_of_parameters(journey.config):
        share = count / journey.parameters
        table.add_row(Text(name), f"{count:,}", _bar(share).append(f" {percent(share)}"))
    table.add_row(Text("all", style="bold"), f"{journey.parameters:,}", "")
    return table


# -- inside a layer ---------------------------------------------------------------------------


def _scales(name: str) -> Picture:
    def picture(journey: Journey) -> RenderableType | None:
        scales = journey.seen(name)
        if scales is None:
            return None
        largest = float(scales.max())
        table = _grid("token", "RMS(x), by which it is divided", "")
        for label, scale in zip(_labels(journey), scales.flatten().tolist(), strict=True):
            table.add_row(label, number(scale), _bar(scale / largest))
        return table

    return picture


def _rotation(journey: Journey) -> RenderableType | None:
    before, after = journey.seen("attn.q"), journey.seen("attn.rot_q")
    if before is None or after is None:
        return None
    half = journey.config.head_dim // 2
    pair = half // 4  # turns slowly enough to be followed by eye
    rate = journey.config.rope_theta ** (-2 * pair / journey.config.head_dim)
    table = _grid("token", "position", "angle", "before", "", "after", "")
    for index, (label, token) in enumerate(zip(_labels(journey), journey.tokens, strict=True)):
        points = [heads[0, index, [pair, pair + half]].tolist() for heads in (before, after)]
        (x, y), (u, v) = points
        table.add_row(
            label,
            str(token.place),
            f"{math.degrees(token.place * rate):.0f}°",
            *(_arrow(x, y), f"({number(x)}, {number(y)})"),
            *(_arrow(u, v), f"({number(u)}, {number(v)})"),
        )
    title = f"Query head 0, numbers {pair} and {pair + half} as a point, before and after:"
    return Group(Text(title, style="dim"), table)


def _arrow(x: float, y: float) -> str:
    return _ARROWS[round(math.atan2(y, x) / (math.pi / 4)) % 8]


def _attention(journey: Journey) -> RenderableType | None:
    named = {
        "Q Kᵀ": journey.seen("attn.scores_raw"),
        "divided by √d, the future forbidden": journey.seen("attn.scores"),
        "after softmax": journey.seen("attn.pattern"),
    }
    known = {name: values[0] for name, values in named.items() if values is not None}
    parts: list[RenderableType] = []
    if len(journey.tokens) <= _WIDE:
        for name, values in known.items():
            parts += [Text(f"Head 0, {name} (row: query, column: key)", style="dim")]
            parts += [_matrix(values, journey), Text("")]
    elif known:
        parts += [Text("Head 0, what the last token finds at each key", style="dim")]
        parts += [_last_row(known, journey), Text("")]
    pattern = named["after softmax"]
    if pattern is not None:
        about = "All heads: row looks at column, the darker the more."
        parts += [Text(about, style="dim"), Columns(map(_map_of, range(len(pattern)), pattern))]
    return Group(*parts) if parts else None


def _last_row(known: Mapping[str, Tensor], journey: Journey) -> RenderableType:
    table = _grid("key", *known, "")
    rows = [values[-1].tolist() for values in known.values()]
    for label, *values in zip(_labels(journey), *rows, strict=True):
        table.add_row(label, *(number(value) for value in values), _bar(values[-1]))
    return table


def _matrix(values: Tensor, journey: Journey) -> RenderableType:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("")
    for label in _labels(journey):
        table.add_column(label, justify="right")
    for label, row in zip(_labels(journey), values.tolist(), strict=True):
        table.add_row(label, *(number(value) for value in row))
    return table


def _map_of(head: int, pattern: Tensor) -> Text:
    """A head's pattern in shades, two letters a number."""
    text = Text(f"head {head}\n", style="dim")
    for query, row in enumerate(pattern.tolist()):
        for key, share in enumerate(row):
            shade = _SHADES[min(round(share * 4 + 0.4), 4)] if key <= query else "·"
            text.append(shade * 2 if shade != "·" else " ·", style="cyan")
        text.append("\n")
    return text


# -- over the layers --------------------------------------------------------------------------


def _growth(journey: Journey) -> RenderableType | None:
    growth = journey.growth
    if growth is None:
        return None
    table = _grid("token", f"length {growth.of}", "from", "to", "turned away", "by")
    for index, label in enumerate(_labels(journey)):
        length = _known(growth.length[:, index])
        away = [1 - cosine for cosine in _known(growth.from_start[:, index])]
        angle = math.degrees(math.acos(max(-1.0, min(1.0, 1 - away[-1]))))
        table.add_row(
            label,
            _line([math.log(max(value, 1e-9)) for value in length]),
            number(length[0]),
            number(length[-1]),
            _line(away),
            f"{angle:.0f}°",
        )
    said = (
        "From the embedding to the last layer; lengths on a scale of factors, and how far each "
        "token has turned away from where it began."
    )
    return Group(Text(said, style="dim"), table)


def _known(values: Tensor) -> list[float]:
    return [value for value in values.tolist() if not math.isnan(value)]


def _line(values: Sequence[float]) -> str:
    """The course of some values, in at most so many letters."""
    if len(values) > _LETTERS:
        values = [values[round(i * (len(values) - 1) / (_LETTERS - 1))] for i in range(_LETTERS)]
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    return "".join(_STEPS[round((value - low) / room * 7)] for value in values)


# -- after the layers -------------------------------------------------------------------------


def _logits(journey: Journey) -> RenderableType | None:
    if journey.logits is None:
        return None
    table = _grid("the best", "logit")
    for candidate in journey.best[:5]:
        logit = float(journey.logits[candidate.id])
        table.add_row(Text(repr(candidate.piece)), number(logit))
    lowest = number(float(journey.logits.min()))
    table.add_row(Text("the lowest of all", style="dim"), lowest)
    return table


def _probabilities(journey: Journey) -> RenderableType | None:
    if not journey.best:
        return None
    table = _grid("next token", "id", "")
    for candidate in journey.best:
        share = candidate.probability
        bar = _bar(share).append(f" {percent(share)}")
        table.add_row(Text(repr(candidate.piece)), str(candidate.id), bar)
    return table


def _lens(journey: Journey) -> RenderableType | None:
    if not journey.lens or not journey.best:
        return None
    answer = journey.best[0].piece
    table = _grid("after", "it would say", "", "", f"{answer!r} has")
    for lens in journey.lens:
        name = "embedding" if lens.layer < 0 else f"layer {lens.layer}"
        said = [_said(candidate) for candidate in lens.best[-1]]
        table.add_row(name, *said, _bar(lens.chosen).append(f" {percent(lens.chosen)}"))
    return table


def _said(candidate: Candidate) -> Text:
    return Text(f"{candidate.piece!r} {percent(candidate.probability)}")


def _continuations(journey: Journey) -> RenderableType | None:
    if not journey.continuations:
        return None
    table = _grid("", "")
    for continuation in journey.continuations:
        text = Text(journey.text, style="dim")
        for piece in continuation.pieces:
            text.append(visible(piece), style="bold")
        table.add_row(Text(continuation.how), text)
    return table


def _cost(journey: Journey) -> RenderableType:
    table = _grid("", "")
    for name, share in journey.costs:
        table.add_row(Text(name), _bar(share).append(f" {percent(share)}"))
    return table


PICTURES: dict[str, Picture] = {
    "tokens": _tokens,
    "model": _model,
    "norm1": _scales("ln1.scale"),
    "rope": _rotation,
    "scores": _attention,
    "norm2": _scales("ln2.scale"),
    "layers": _growth,
    "lm_head": _logits,
    "probs": _probabilities,
    "lens": _lens,
    "generate": _continuations,
    "cost": _cost,
}
