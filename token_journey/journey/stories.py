"""Spot the bug: two mistakes of the published walk, and the numbers that give them away.

Both stand in a notebook that walked the real Aitana-2B-S and printed what it saw. The
records that follow from them are kept in the pack, apart from the model's own.
"""

from __future__ import annotations

from torch import Tensor

from token_journey.journey.journey import Story
from token_journey.pack import Pack, Prompt

_SHOWN = 5  # numbers of a token


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
    own, model = pack.apart("wrong_residual/resid_post"), "blocks.0.resid_post"
    apart = float((own - pack.activation(prompt.name, model)).abs().max())
    return Story(
        title="Spot the bug: to what was it added?",
        question=(
            f"The notebook printed these numbers of “{prompt.pieces[token]}”. The last row is what "
            "it took for the stream after attention, and went on with. Which two rows above were "
            "added?"
        ),
        columns=("", *(f"number {i}" for i in range(_SHOWN))),
        rows=(
            _row("x, the stream that came in", stream),
            _row("norm(x), the copy that attention read", copy),
            _row("attention( norm(x) )", attention),
            _row("what the notebook went on with", printed),
        ),
        answer=(
            "The second and the third: attention was added to the normalised copy. The stream was "
            "lost, and is much smaller here: the first and the third row make "
            f"{_numbers(stream + attention)}. Nothing crashes, and all shapes are "
            "right. What shows it: this walk's layer 0 ends elsewhere than the model's own, by up "
            f"to {apart:.2f}. So all that the notebook printed of the MLP of layer 0 belongs to "
            "another model, and is not shown here as Aitana's. Your stage 7 is judged on this."
        ),
    )


def _second_norm(pack: Pack, prompt: Prompt) -> Story:
    given = pack.activation(prompt.name, "ln_final.out")
    ratio = pack.apart("second_final_norm/ln_final.out") / given
    best = pack.manifest["apart"]["second_final_norm"]["top5"][0]
    return Story(
        title="Spot the bug: how often was it normalised?",
        question=(
            "The notebook took the last hidden state that the model returned, and normalised it "
            "before the vocabulary was asked. Here is by what each number was multiplied. Read "
            "down the columns: what is odd?"
        ),
        columns=("token", *(f"number {i}" for i in range(_SHOWN))),
        rows=tuple(_row(piece, row) for piece, row in zip(prompt.pieces, ratio, strict=True)),
        answer=(
            "In every column nearly the same factor for all tokens, and none is far from 1. A "
            "stream of any length would have been shrunk by a factor of its own for each token; "
            "here there was hardly anything left to shrink, and only the gains γ were multiplied "
            "in again. So it was normalised already: the last hidden state that transformers "
            f"returns is the final norm's output. The guess that followed, “{best[1]}” with "
            f"{100 * best[2]:.1f} %, is not the model's; what Aitana really says next was not "
            "published."
        ),
    )


def _row(name: str, numbers: Tensor) -> tuple[str, ...]:
    return (name, *(f"{number:.4f}" for number in numbers[:_SHOWN].tolist()))


def _numbers(numbers: Tensor) -> str:
    return f"[{', '.join(f'{number:.4f}' for number in numbers[:3].tolist())}, …]"
