"""Does a captured pack match what was published of its model?

The published figures are a pack of their own, which holds each printed number at
the indices it was printed for, and how far the true one may lie from it. Each is
held against the captured number of the same name, prompt and indices. The two
may be apart by what printing took away and by what two honest float32
implementations may be apart. Both follow from what was published: a pack's own
tolerances say nothing about whether it is right.

A sum of n products in float32 is off by some √n roundings of its largest term, for
their signs are as good as chance (Higham and Mary, 2019), and so is each layer. Of
numbers that are printed, of SmolLM2 and the witnesses, implementations were
measured to be off by at most 2.4 times √n · layers · 2⁻²⁴ · the largest of them.
"""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from token_journey.errors import Differs, PackError
from token_journey.foreign import foreign
from token_journey.llama.names import describe
from token_journey.packs.manifest import Entry, Prompt
from token_journey.packs.pack import Pack, find_packs

if TYPE_CHECKING:
    from torch import Tensor

_PROJECTION = "_flat"
_BLOCK = re.compile(r"blocks\.(\d+)\.")
# As of other tolerances: for two implementations, chance and other hardware.
_ROOM = 8
# The figures that the notebook computed from a mistake of its own, in the published pack.
_WRONG_RESIDUAL = "wrong_residual/"


# What a record says where it is the first that differs, for all before it were right.
_MEANINGS = (
    (r"revision", "another commit of the checkpoint: give --revision"),
    (r"ids of .*", "another tokenizer, or a begin token too many or too few"),
    (r".*\.weight", "weights of another revision, or rounded to another dtype on the way"),
    (r"embed", "the embedding's rows of other tokens, or weights in another dtype"),
    (r".*\.ln1\.out", "another epsilon or gain in RMSNorm, or arithmetic in bfloat16"),
    (r".*\.attn\.[qkv](_flat)?", "a projection of other weights or with a bias"),
    (r".*\.attn\.rot_[qk]", "RoPE with another base, scaling or pairing, or from another position"),
    (r".*\.attn\.scores_raw", "queries beside other heads' keys"),
    (r".*\.attn\.scores", "another scale than the root of head_dim, or another mask"),
    (r".*\.attn\.pattern", "a softmax over another axis, or in bfloat16"),
    (r".*\.attn\.z(_flat)?", "values of other heads, or heads merged in another order"),
    (r".*\.attn_out", "an output projection of other weights or with a bias"),
    (r"blocks\.0\.resid_post", "another residual stream, or another MLP, in layer 0"),
    (r".*\.resid_post", "another layer, or errors that added up: arithmetic in bfloat16"),
    (r"ln_final\.out", "another last layer, or a final norm too many or too few"),
)


@dataclass(frozen=True)
class Figure:
    """One record of the published figures beside the pack's.

    `compared` counts the numbers that the pack holds, of `published` ones; `off` is
    the largest distance, `allowed` how large it may be. `first` says what differs
    first, if anything does. `walked` says that it is an activation.
    """

    name: str
    published: int
    compared: int = 0
    off: float = 0.0
    allowed: float = 0.0
    first: str = ""
    walked: bool = False

    @property
    def verdict(self) -> str:
        if self.first:
            return "DIFFERS"
        return "matches" if self.compared else "not in this pack"

    @property
    def meaning(self) -> str:
        """What it would mean if this were the first record that differs."""
        fits = (told for name, told in _MEANINGS if re.fullmatch(name, self.name))
        return next(fits, "another computation of it")


def figures_of(model: str, packs: Path) -> Pack | None:
    """The published figures of a model on the hub, or of a folder that is named as it is."""
    for figures in _figures(packs):
        published: str = figures.model["id"]
        if model == published or model.lower() == published.rpartition("/")[2].lower():
            return figures
    return None


def published_for(pack: Pack, packs: Path) -> Pack | None:
    """The published figures of a pack's model: by its name, or by its shape alone."""
    alike = (figures for figures in _figures(packs) if figures.config == pack.config)
    return figures_of(pack.model["id"], packs) or next(alike, None)


def _figures(packs: Path) -> Iterator[Pack]:
    return (pack for folder in find_packs(packs) if (pack := Pack(folder)).source_is_print)


def verify(pack: Pack, published: Pack) -> list[Figure]:
    """Hold a pack against published figures, record by record, in the order of the walk."""
    return [
        _revision(pack, published),
        *_ids(pack, published),
        *_weights(pack, published),
        *(replace(record, walked=True) for record in _activations(pack, published)),
    ]


def _revision(pack: Pack, published: Pack) -> Figure:
    mine, theirs = pack.model.get("revision"), published.model["revision"]
    if mine is None:  # a folder does not say which commit it is
        return Figure("revision", 1)
    differs = "" if mine == theirs else f"the pack is of revision {mine}, published is {theirs}"
    return Figure("revision", 1, 1, first=differs)


def _ids(pack: Pack, published: Pack) -> Iterator[Figure]:
    for prompt in published.prompts.values():
        name, here = f"ids of “{prompt.text}”", _same_text(pack, prompt)
        if here is None:
            yield Figure(name, len(prompt.ids))
            continue
        pairs = zip(here.ids, prompt.ids, strict=False)
        parted = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
        if parted is None and len(here.ids) != len(prompt.ids):
            parted = min(len(here.ids), len(prompt.ids))
        first = ""
        if parted is not None:
            first = (
                f"token {parted} is {_at(here.ids, parted)}, published {_at(prompt.ids, parted)}"
            )
        yield Figure(name, len(prompt.ids), len(prompt.ids), first=first)


def _at(ids: Sequence[int], place: int) -> str:
    return str(ids[place]) if place < len(ids) else "missing"


def _same_text(pack: Pack, prompt: Prompt) -> Prompt | None:
    return next((p for p in pack.prompts.values() if p.text == prompt.text), None)


def _weights(pack: Pack, published: Pack) -> Iterator[Figure]:
    for name in published.weight_names():
        entry = published.weight_entry(name)
        if not pack.has_weight(name):
            yield Figure(name, published.weight(name).numel())
            continue
        mine = _Placed.of(pack.weight(name), pack.weight_entry(name))
        # A weight is the same number wherever it is read: float32 rounds the printed one.
        yield _compared(name, ("row", "column"), mine, published.weight(name), entry, 0.0)


def _activations(pack: Pack, published: Pack) -> Iterator[Figure]:
    for prompt in published.prompts.values():
        here = _same_text(pack, prompt)
        for name in published.activation_names(prompt.name):
            entry = published.activation_entry(prompt.name, name)
            if entry.stored_as != f"{prompt.name}/{name}":
                continue  # a second name of the same numbers
            printed = published.activation(prompt.name, name)
            source = name.removesuffix(_PROJECTION)
            if here is None or not pack.has_activation(here.name, source):
                yield Figure(name, printed.numel())
                continue
            about = pack.activation_entry(here.name, source)
            mine = _Placed.of(pack.activation(here.name, source), about)
            if source != name:
                mine = mine.merged(pack.config.head_dim)
            noise = _noise(published, name, printed)
            yield _compared(name, describe(name).axes, mine, printed, entry, noise)


def _has_the_notebooks_residual(pack: Pack, published: Pack) -> bool:
    """Whether layer 0 gives the figures that follow from the notebook's wrong residual."""
    found = []
    group = [name for name in published.apart_names if name.startswith(_WRONG_RESIDUAL)]
    for prompt in published.prompts.values():
        # Of some texts the ids alone were published.
        walked = any(published.activation_names(prompt.name))
        here = _same_text(pack, prompt) if walked else None
        for apart in group:
            name = f"blocks.0.{apart.removeprefix(_WRONG_RESIDUAL)}"
            if here is None or not pack.has_activation(here.name, name):
                continue
            about = pack.activation_entry(here.name, name)
            mine = _Placed.of(pack.activation(here.name, name), about)
            printed, entry = published.apart(apart), published.apart_entry(apart)
            axes = describe(name).axes
            noise = _noise(published, name, printed)
            found.append(_compared(name, axes, mine, printed, entry, noise))
    return any(record.compared for record in found) and not any(record.first for record in found)


@dataclass(frozen=True)
class _Placed:
    """Numbers, and the indices along each axis at which they stand in the whole tensor."""

    numbers: Tensor
    indices: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, numbers: Tensor, entry: Entry) -> _Placed:
        sizes = enumerate(numbers.shape)
        return cls(numbers, tuple(entry.visible.get(a, tuple(range(size))) for a, size in sizes))

    def merged(self, head_dim: int) -> _Placed:
        """Heads (H, T, d) side by side, (T, H·d)."""
        heads, tokens, dims = self.indices
        numbers = self.numbers.transpose(0, 1).flatten(1)
        return _Placed(numbers, (tokens, tuple(h * head_dim + i for h in heads for i in dims)))

    def only(self, wanted: Sequence[Sequence[int]]) -> _Placed:
        """What of it stands at these indices."""
        import torch

        numbers, kept = self.numbers, []
        for axis, (mine, theirs) in enumerate(zip(self.indices, wanted, strict=True)):
            place = {index: i for i, index in enumerate(mine)}
            both = [index for index in theirs if index in place]
            numbers = numbers.index_select(axis, torch.tensor([place[i] for i in both]).long())
            kept.append(tuple(both))
        return _Placed(numbers, tuple(kept))


def _noise(published: Pack, name: str, printed: Tensor) -> float:
    """How far two honest float32 implementations may be apart; `embed` is a copy."""
    config, block = published.config, _BLOCK.match(name)
    layers = int(block[1]) + 1 if block else config.num_hidden_layers
    if name == "embed":
        layers = 0
    finite = printed[printed.isfinite()]
    largest = finite.abs().max().item() if finite.numel() else 0.0
    terms = max(config.hidden_size, config.intermediate_size)
    return float(_ROOM * math.sqrt(terms) * layers * 2**-24 * largest)


def _compared(
    name: str,
    axes: Sequence[str],
    mine: _Placed,
    printed: Tensor,
    entry: Entry,
    noise: float,
) -> Figure:
    """noise: how far two honest float32 implementations may be apart"""
    import torch

    theirs = _Placed.of(printed, entry)
    if len(mine.indices) != len(theirs.indices):
        return Figure(name, printed.numel(), printed.numel(), first=f"{name} has another shape")
    mine = mine.only(theirs.indices)
    theirs = theirs.only(mine.indices)
    a, b = mine.numbers.double(), theirs.numbers.double()
    if not a.numel():
        return Figure(name, printed.numel())
    # A printed number was rounded once more when it was stored in float32.
    rounding = torch.finfo(torch.float32).eps * b.abs().nan_to_num(posinf=0.0)
    allowed = entry.tolerance + noise + rounding
    apart = torch.where(a == b, 0.0, (a - b).abs()).nan_to_num(nan=math.inf)
    wrong = apart > allowed
    first = ""
    if bool(wrong.any()):
        at = tuple(int(i) for i in wrong.nonzero()[0])
        places = (indices[i] for indices, i in zip(mine.indices, at, strict=True))
        place = ", ".join(f"{axis} {i}" for axis, i in zip(axes, places, strict=False))
        first = f"{name} at {place} is {a[at].item():.6g}, published {b[at].item():.4f}"
    return Figure(name, printed.numel(), a.numel(), apart.max().item(), float(allowed.max()), first)


def table(records: Sequence[Figure]) -> str:
    """The records as a person reads them, as wide as the terminal has room for."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    made.add_column("record", no_wrap=True, overflow="ellipsis", max_width=48)
    for head in ("numbers", "apart by", "allowed"):
        made.add_column(head, justify="right", no_wrap=True)
    made.add_column(no_wrap=True)
    for r in records:
        counted = f"{r.compared}/{r.published}" if r.compared else f"–/{r.published}"
        off = (f"{r.off:.2g}", f"{r.allowed:.2g}") if r.allowed else ("", "")
        made.add_row(r.name, counted, *off, r.verdict)
    # A narrow terminal breaks lines; rich would cut what they say.
    width = max(shutil.get_terminal_size((100, 24)).columns, 100)
    plain = Console(width=width, color_system=None, markup=False, emoji=False)
    with plain.capture() as drawn:
        plain.print(made)
    return "\n".join(line.rstrip() for line in drawn.get().splitlines())


def report(pack: Pack, packs: Path) -> str:
    """The table and what follows from it.

    Raises Differs where a figure does, with the table in its `__notes__`, and PackError
    where nothing was published of the model.
    """
    published = published_for(pack, packs)
    if published is None:
        raise PackError(
            f"Nothing that was published of {pack.title} is here to hold {pack.folder} against."
        )
    records = verify(pack, published)
    head = f"{foreign(str(pack.folder))} beside {published.title}"
    told = f"{head}\n\n{table(records)}\n\n{_how_many(records)}"
    first = next((record for record in records if record.first), None)
    if first is not None:
        why = f", which would mean {first.meaning}"
        if _has_the_notebooks_residual(pack, published):
            why = (
                "; its layer 0 is what the published notebook got from a mistake, adding the "
                "output of attention to the normalised input and not to the residual stream"
            )
        different = Differs(f"{pack.folder} is not what was published: {first.first}{why}.")
        different.add_note(told)
        raise different
    numbers = sum(record.compared for record in records)
    missing = sum(not record.compared for record in records)
    rest = f"; {missing} records are not in this pack" if missing else ""
    if not numbers:
        raise PackError(f"{pack.folder} holds none of the prompts that {published.title} has.")
    return f"{told}\n\n{numbers} numbers match what was published{rest}."


def _how_many(records: Sequence[Figure]) -> str:
    """Which of the published records of the walk the pack has something of."""
    walked = [record for record in records if record.walked]
    absent = [record.name for record in walked if not record.compared]
    told = f"{len(walked) - len(absent)} of {len(walked)} published records could be compared"
    if not absent:
        return f"{told}."
    last = f" to {absent[-1]}" if len(absent) > 1 else ""
    return f"{told}; not {absent[0]}{last}."
