"""Spot the bug: two mistakes of the published walk, and the numbers that give them away.

Both stand in a notebook that walked the real Aitana-2B-S and printed what it saw. The
records that follow from them are kept in the pack, apart from the model's own.
"""

from __future__ import annotations

from torch import Tensor

from token_journey.journey.journey import Story
from token_journey.numbers import percent
from token_journey.packs.manifest import Prompt
from token_journey.packs.pack import Pack

_SHOWN = 3  # numbers of a token: so few that all of them can be seen on a phone


def stories(pack: Pack, prompt: Prompt) -> dict[str, Story]:
    """The stories that a pack's records tell, by the station where they happen."""
    found = {}
    if "wrong_residual/resid_mid" in pack.apart_names:
        found["resid_mid"] = _wrong_residual(pack, prompt)
    if "second_final_norm/ln_final.out" in pack.apart_names:
        found["final_norm"] = _second_norm(pack, prompt)
    return found


def _wrong_residual(pack: Pack, prompt: Prompt) -> Story:
    token = 1
    names = ("embed", "blocks.0.ln1.out", "blocks.0.attn_out")
    stream, copy, attention = (pack.activation(prompt.name, name)[token] for name in names)
    printed = pack.apart("wrong_residual/resid_mid")[token]
    theirs = pack.apart("wrong_residual/resid_post")
    model = pack.activation(prompt.name, "blocks.0.resid_post")
    apart = float((theirs - model).abs().max())
    right = stream + attention
    return Story(
        title="Spot the bug: to what was it added?",
        question=(
            f"The notebook printed these numbers of “{prompt.pieces[token]}”. Row 4 is what it "
            "took for the stream after attention, and went on with. It is the sum of two of the "
            "rows above it. Of which two? Try it with number 0."
        ),
        columns=("", *(f"number {i}" for i in range(_SHOWN))),
        rows=(
            _row("1: x, the stream", stream),
            _row("2: norm(x), the copy", copy),
            _row("3: attention( norm(x) )", attention),
            _row("4: what it went on with", printed),
        ),
        answer=(
            "Of rows 2 and 3: attention was added to the normalised copy, and the stream was lost. "
            f"The right sum, of rows 1 and 3, is {_numbers(right)}: its number 0 is about "
            f"{float(printed[0] / right[0]):.0f} times smaller. Nothing crashes, and all shapes "
            "are right. How can it be noticed? The notebook also printed what the model itself "
            f"returns after layer 0: {_numbers(model[token])}. Its own layer 0, computed step by "
            f"step, ended with {_numbers(theirs[token])}. The two should be equal; over all tokens "
            f"they differ by up to {apart:.2f}. So what the notebook printed of the MLP of layer 0 "
            "belongs to another model, and is not shown here as Aitana's. Your stage 7 is judged "
            "on this."
        ),
        layer=0,
    )


def _second_norm(pack: Pack, prompt: Prompt) -> Story:
    given = pack.activation(prompt.name, "ln_final.out")
    ratio = pack.apart("second_final_norm/ln_final.out") / given
    best = pack.manifest["apart"]["second_final_norm"]["top5"][0]
    stream, copy = (pack.activation(prompt.name, name) for name in ("embed", "blocks.0.ln1.out"))
    # The number that four decimals tell most of, for each token.
    clear = int(stream.abs().min(dim=0).values.argmax())
    first = copy[:, clear] / stream[:, clear]
    place = pack.activation_entry(prompt.name, "embed").visible[1][clear]
    spread = float((ratio.amax(0) / ratio.amin(0)).max() - 1)
    return Story(
        title="Spot the bug: what did the last norm find?",
        question=(
            "The notebook took the last vectors that the model returned (its “last hidden state”), "
            "normalised them, and asked the vocabulary. A norm multiplies number i of a token by "
            f"γ_i / RMS. The first {_SHOWN} columns show by what this norm multiplied. For "
            "comparison the last column shows it for the first norm of layer 0. Read down the "
            "columns: what is odd?"
        ),
        columns=("token", *(f"no. {i}" for i in range(_SHOWN)), f"layer 0, no. {place}"),
        rows=tuple(
            (*_row(piece, row), f"{other:.0f}")
            for piece, row, other in zip(prompt.pieces, ratio, first.tolist(), strict=True)
        ),
        answer=(
            "Within a column the gain γ_i is the same, so the factors differ as the tokens' RMS "
            f"does. In layer 0 they go from {float(first.min()):.0f} to {float(first.max()):.0f}, "
            "for vectors in a stream are long or short. In the other columns they hardly differ, "
            f"by up to {percent(spread)}: all vectors that came in had nearly the same RMS. "
            "They had been normalised before. (Their RMS still differs a little, because the first "
            "time the gains were multiplied in; now they are in twice.) The last hidden state that "
            "transformers returns is the output of the final norm: it is shown here as "
            "ln_final.out, normalised once. For the same reason the stream that leaves the last "
            "layer was never printed, and is missing in the step before. The guess that followed, "
            f"“{best[1]}” with {percent(best[2])}, is not the model's; what Aitana really says "
            "next was not published."
        ),
    )


def _row(name: str, numbers: Tensor) -> tuple[str, ...]:
    return (name, *(f"{number:.4f}" for number in numbers[:_SHOWN].tolist()))


def _numbers(numbers: Tensor) -> str:
    return f"[{', '.join(f'{number:.4f}' for number in numbers[:3].tolist())}, …]"
