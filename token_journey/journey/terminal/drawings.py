"""The pictures of a walk, in letters: bars, shades and arrows that need no colour to be read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text
from torch import Tensor

from token_journey.journey.build.parameters import card, module_tree, shares_of_parameters
from token_journey.journey.build.rope_rates import rates
from token_journey.journey.journey import Journey, Part, Token
from token_journey.journey.spelling import quoted, visible, words_of
from token_journey.journey.stations import SAID
from token_journey.journey.terminal.colours import printable, shaded, token_text
from token_journey.numbers import number, percent

Drawn = Callable[[Journey], RenderableType | None]

_BAR = 30
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SHADES = " ░▒▓█"
_LETTERS = 16
# Of so many parts it is told what they add to the answer.
_TOLD = 12
# Gates at which SiLU is told; below the first is counted to it.
_GATES = (-4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0)
_STEPS = "▁▂▃▄▅▆▇█"
_PATTERN = "after softmax"
# More columns than these of four decimals don't fit a line.
_WIDE = 9
# Of the lens: what stands beside the tokens' columns, and how wide each of these is.
_LENS_FIXED, _LENS_COLUMN = 36, 11


def _grid(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=any(columns))
    for column in columns:
        table.add_column(column)
    return table


def _bar(share: float) -> Text:
    """Of full length for 1, in eighths of a letter."""
    eighths = round(share * _BAR * 8)
    return Text("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip(), style="cyan")


def _drawing(*lines: str) -> Text:
    """Lines that belong under each other: what a narrow terminal has no room for is cut off."""
    return Text("\n".join(lines), style="cyan", no_wrap=True, overflow="crop")


def _labels(journey: Journey) -> list[Text]:
    return [token_text(token, index) for index, token in enumerate(journey.tokens)]


# -- before the layers ------------------------------------------------------------------------


def _tokens(journey: Journey) -> RenderableType:
    parts: list[RenderableType] = [_spelled(journey.tokens)]
    if journey.facts:
        parts += [Text(f"\n{SAID['facts']}:", style="dim")]
        parts += [Text("  ".join(f"{i} {visible(t)}" for i, t in journey.facts.items()))]
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
    sizes = Table.grid(padding=(0, 2))
    for entry in card(journey.config, journey.parameters, journey.missing):
        sizes.add_row(entry.name, Text(entry.value, style="bold"), Text(entry.meaning, style="dim"))
    table = _grid("where the parameters are", "", "")
    parts = shares_of_parameters(journey.config)
    whole = journey.parameters or sum(count for _, count in parts)
    for name, count in parts:
        share = count / whole
        table.add_row(Text(name), f"{count:,}", _bar(share).append(f" {percent(share)}"))
    table.add_row(Text("all", style="bold"), f"{whole:,}", "")
    return Group(sizes, Text(""), table, Text(""), Text(module_tree(journey.config), style="dim"))


def _cut(journey: Journey) -> RenderableType:
    """The numbers of one token as a bar that is cut into heads."""
    heads, shared = journey.config.num_attention_heads, journey.config.num_key_value_heads
    wide = max(len(str(heads)) + 1, 4)
    group = heads // shared
    few = min(shared, max(1, 16 // group))
    rows = [("query", wide, few * group), *((name, group * wide, few) for name in ("key", "value"))]
    more = " …" if few < shared else ""
    text = SAID["heads"].format(
        H=heads,
        K=shared,
        d=journey.config.head_dim,
        Hd=heads * journey.config.head_dim,
        Kd=shared * journey.config.head_dim,
    )
    bars = [
        f"{name:6}│{''.join(f'{n:^{size - 1}}│' for n in range(count))}{more}"
        for name, size, count in rows
    ]
    return Group(Text(text, style="dim"), _drawing(*bars))


# -- inside a layer ---------------------------------------------------------------------------


def _scales(name: str) -> Drawn:
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
    config = journey.config
    half = config.head_dim // 2
    turns = [math.degrees(rate) for rate in rates(journey)]
    table = _grid("token", "position m", "turned by m · θ_0", "angle before", "", "angle after")
    for index, (label, token) in enumerate(zip(_labels(journey), journey.tokens, strict=True)):
        first, last = (_angle(heads[0, index, [0, half]]) for heads in (before, after))
        turn = f"{token.place} · {turns[0]:.1f}° = {token.place * turns[0]:.1f}°"
        table.add_row(label, str(token.place), turn, f"{first:.1f}°", "→", f"{last:.1f}°")
    title = SAID["turned"].format(layer=journey.layer, half=half)
    pair = half // 4
    slow = SAID["slow"].format(pair=pair, degrees=f"{turns[pair]:.2g}°", least=f"{turns[-1]:.2g}°")
    return Group(Text(title, style="dim"), table, Text(slow, style="dim"))


def _angle(point: Tensor) -> float:
    """Of a point seen from the centre, in degrees from 0 to 360."""
    x, y = point.tolist()
    return math.degrees(math.atan2(y, x)) % 360


def _attention(journey: Journey) -> RenderableType | None:
    named = {
        "Q Kᵀ": journey.seen("attn.scores_raw"),
        "divided by √d and masked": journey.seen("attn.scores"),
        _PATTERN: journey.seen("attn.pattern"),
    }
    known = {name: values[0] for name, values in named.items() if values is not None}
    parts: list[RenderableType] = []
    where = f"Layer {journey.layer}, head 0"
    if len(journey.tokens) <= _WIDE:
        for name, values in known.items():
            parts += [Text(f"{where}, {name} (row: query, column: key)", style="dim")]
            parts += [_matrix(values, journey, shares=values is known.get(_PATTERN)), Text("")]
    elif known:
        parts += [Text(f"{where}, what the last token finds at each key", style="dim")]
        parts += [_last_row(known, journey), Text("")]
    pattern = named[_PATTERN]
    if pattern is not None:
        about = SAID["maps"].format(layer=journey.layer)
        parts += [Text(about, style="dim"), Columns(map(_map_of, range(len(pattern)), pattern))]
    return Group(*parts) if parts else None


def _last_row(known: Mapping[str, Tensor], journey: Journey) -> RenderableType:
    table = _grid("key", *known, "")
    rows = [values[-1].tolist() for values in known.values()]
    for label, *values in zip(_labels(journey), *rows, strict=True):
        table.add_row(label, *(number(value) for value in values), _bar(values[-1]))
    return table


def _matrix(values: Tensor, journey: Journey, shares: bool) -> RenderableType:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("")
    for label in _labels(journey):
        table.add_column(label, justify="right")
    for label, row in zip(_labels(journey), values.tolist(), strict=True):
        table.add_row(label, *(Text(number(v), style=shaded(v) if shares else "") for v in row))
    return table


def _map_of(head: int, pattern: Tensor) -> Text:
    """A head's pattern in shades, two letters a number."""
    text = Text(f"head {head}\n", style="dim")
    for query, row in enumerate(pattern.tolist()):
        for key, share in enumerate(row):
            shade = _SHADES[min(math.ceil(4 * math.sqrt(share)), 4)] if key <= query else "·"
            text.append(shade * 2 if shade != "·" else " ·", style=shaded(share))
        text.append("\n")
    return text


def _silu(journey: Journey) -> RenderableType | None:
    """The curve at some places, and how many gates of the last token lie there."""
    gate = journey.seen("mlp.gate")
    if gate is None:
        return None
    gates = gate[-1]
    inside = [
        int(((gates >= low) & (gates < high)).sum())
        for low, high in pairwise([-math.inf, *_GATES[1:], math.inf])
    ]
    table = _grid("gate g", "SiLU(g)", "neurons", "")
    for place, count in zip(_GATES, inside, strict=True):
        value = place / (1 + math.exp(-place))
        share = count / len(gates)
        table.add_row(f"{place:g}", number(value), f"{count}", _bar(share))
    return Group(Text(SAID["silu"].format(token=quoted(journey.tokens[-1])), style="dim"), table)


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
            line([math.log(max(value, 1e-9)) for value in length]),
            number(length[0]),
            number(length[-1]),
            line(away),
            f"{angle:.0f}°",
        )
    return Group(Text(SAID["grown"], style="dim"), table)


def _known(values: Tensor) -> list[float]:
    return [value for value in values.tolist() if not math.isnan(value)]


def line(values: Sequence[float], every: bool = False) -> str:
    """The course of some values, in at most so many letters, or in one for each."""
    if len(values) > _LETTERS and not every:
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
    return _LensTable(journey) if journey.lens and journey.best else None


class _LensTable:
    """What each token would be followed by, for as many of the last tokens as the width holds."""

    def __init__(self, journey: Journey):
        self._journey = journey

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        journey = self._journey
        count = len(journey.tokens)
        room = options.max_width - _LENS_FIXED
        shown = max(1, min(count, room // _LENS_COLUMN))
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("after", no_wrap=True)
        for label in _labels(journey)[count - shown :]:
            table.add_column(label, no_wrap=True, overflow="ellipsis", max_width=_LENS_COLUMN - 2)
        table.add_column("sure", no_wrap=True, justify="right")
        answer = quoted(journey.best[0])
        table.add_column(f"{answer} has", no_wrap=True, justify="right")
        for lens in journey.lens:
            name = "embedding" if lens.layer < 0 else f"layer {lens.layer}"
            last = lens.best[-1][0].probability
            pieces = [printable(each[0].piece) for each in lens.best[count - shown :]]
            table.add_row(
                name, *map(Text, pieces), percent(last), Text(percent(lens.chosen), style="cyan")
            )
        yield table
        if shown < count:
            yield Text(SAID["all_tokens"].format(count=count, shown=shown), style="dim")


def _who(journey: Journey) -> RenderableType | None:
    """The parts that put the answer ahead most, and where they look."""
    found = journey.attribution
    if found is None:
        return None
    table = _grid(
        "part", quoted(found.answer), quoted(found.runner_up), "ahead by", "looks most at"
    )
    for part in found.strongest(_TOLD):
        table.add_row(
            part.name,
            number(part.answer),
            number(part.runner_up),
            Text(number(part.lead), style="bold"),
            looks_at(part, journey),
        )
    return table


def looks_at(part: Part, journey: Journey) -> Text:
    """The token that a head looks at most from the last one, and with what share."""
    pattern = journey.patterns.get(part.layer)
    return (
        Text() if part.head is None or pattern is None else most_of(pattern[part.head, -1], journey)
    )


def most_of(row: Tensor, journey: Journey) -> Text:
    """The token with the largest share of a row."""
    most = int(row.argmax())
    return Text.assemble(token_text(journey.tokens[most], most), f" {percent(float(row[most]))}")


def _continuations(journey: Journey) -> RenderableType | None:
    if not journey.continuations:
        return None
    table = _grid("", "")
    for continuation in journey.continuations:
        text = Text(continuation.of or journey.text, style="dim")
        for piece in continuation.pieces:
            text.append(visible(piece), style="bold")
        if not continuation.ended:
            text.append(" …", style="dim")
        table.add_row(Text(continuation.how), text)
    return Group(table, Text(SAID["limits"], style="dim"))


def _cost(journey: Journey) -> RenderableType:
    table = _grid("", "")
    for name, share in journey.costs:
        table.add_row(Text(name), _bar(share).append(f" {percent(share)}"))
    return table


PICTURES: dict[str, Drawn] = {
    "tokens": _tokens,
    "model": _model,
    "norm1": _scales("ln1.scale"),
    "heads": _cut,
    "rope": _rotation,
    "scores": _attention,
    "norm2": _scales("ln2.scale"),
    "mlp": _silu,
    "layers": _growth,
    "final_norm": _scales("ln_final.scale"),
    "lm_head": _logits,
    "probs": _probabilities,
    "lens": _lens,
    "who": _who,
    "generate": _continuations,
    "cost": _cost,
}
