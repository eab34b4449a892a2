"""One sentence on its way through a model, as plain data.

Who computed it (a model, a pack, a notebook that was printed) and who shows it
(a terminal, a page) need not know each other: this is what lies between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from torch import Tensor

from token_journey.llama.config import ModelConfig

# How many of the best and of the worst tokens are shown.
WORST = 8


@dataclass(frozen=True)
class Token:
    """One token of the sentence.

    `piece` is its text as it is to be shown (a space is a space, and bytes that are no
    letter alone are `<C3>`); `word` counts the words of the sentence, which blanks part;
    -1 stands for what the tokenizer put in front. `place` is its position in the model,
    which is not its index where some tokens of a long text are not shown. A character that
    takes several tokens is `part_of` each, and `part` the place of the first of them.
    """

    id: int
    piece: str
    word: int
    place: int
    part_of: str = ""
    part: int = -1


@dataclass(frozen=True)
class Known:
    """A tensor of the model, or the part of it at the indices that `visible` names for an axis."""

    value: Tensor
    visible: Mapping[int, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What somebody's stages made, beside the model's tensor of that name.

    `by` is whose stage made it: "yours" or "reference". `difference` is the largest distance
    to the model's and `allowed` how large rounding may make it. `value` is None where the
    two can't be laid side by side, for they differ in `shape`.
    """

    by: str
    shape: tuple[int, ...]
    difference: float
    allowed: float
    value: Tensor | None

    @property
    def holds(self) -> bool:
        return self.difference <= self.allowed


@dataclass(frozen=True)
class Run:
    """The sentence through somebody's stages, a walk of its own.

    `replaced` are the numbers of stages that they wrote and the reference stands in for, and
    `by` says by number whose each stage is. `taken` is what the stages made, first to last,
    and `first` the name of what left the model first. `stopped` is the number of the stage
    that ended the walk early. `said` is what there is to say of a stage, `verdict` of all.
    """

    replaced: tuple[int, ...]
    by: Mapping[int, str]
    taken: Mapping[str, Taken]
    verdict: str
    first: str = ""
    stopped: int | None = None
    wrote_other: bool = False
    said: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """How a run did at a station, over all layers.

    `kind` is "same", "differs", "stopped", "unreached", or "unknown" where nothing is held
    against the model. `layer` is the first in which it differs, if it stands in layers, and
    `first` says that the run left the model here.
    """

    kind: str
    by: str
    difference: float = 0.0
    layer: int | None = None
    first: bool = False


@dataclass(frozen=True)
class Seen:
    """A tensor of the walk, of the shape `shape`, and as much as is `known` of it, if anything.

    Of the axes token, query and key that is always the journey's tokens. `taken` is what
    each of the journey's runs made of it, None where it made none.
    """

    name: str
    meaning: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    known: Known | None = None
    taken: tuple[Taken | None, ...] = ()

    @property
    def value(self) -> Tensor | None:
        return self.known.value if self.known else None

    @property
    def visible(self) -> Mapping[int, tuple[int, ...]]:
        """By axis the indices that `value` holds; nothing for an axis that is there as a whole."""
        return self.known.visible if self.known else {}


@dataclass(frozen=True)
class Story:
    """A mistake that somebody made at this step, and the numbers that give it away.

    `rows` are numbers side by side, under `columns`. `layer` is where it happened, if it
    happened inside a layer.
    """

    title: str
    question: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    answer: str
    layer: int | None = None


@dataclass(frozen=True)
class Step:
    """A station of the walk.

    `key` names it in links and on the command line; `stage` is the kata's stage in which
    it is written, or None. `shapes` says what goes in and comes out. `seen` is what it
    made, first to last, and `share` how much of all operations it takes. `states` are those of
    the journey's runs, and `said` what there is to say of the first. `worked` works out one of
    the model's numbers, and `remark` says what these show beyond `why`.
    """

    key: str
    title: str
    stage: int | None
    formula: str
    shapes: str
    why: str
    seen: tuple[Seen, ...] = ()
    share: float | None = None
    states: tuple[State, ...] = ()
    said: str = ""
    worked: str = ""
    remark: str = ""
    story: Story | None = None


@dataclass(frozen=True)
class Candidate:
    """A token that could come next: its text and its probability."""

    id: int
    piece: str
    probability: float


@dataclass(frozen=True)
class Lens:
    """What the model would say after a layer, if it stopped there.

    `layer` is -1 for the embedding. `best` holds the likeliest candidates of every shown
    token; `chosen` is the probability, after the last token, of what the model says in the end.
    """

    layer: int
    best: tuple[tuple[Candidate, ...], ...]
    chosen: float


@dataclass(frozen=True)
class Continuation:
    """How the sentence could go on: `pieces`, chosen as `how` says.

    `ended` says that the model itself ended there; otherwise it was stopped. `of` is the
    text that goes on, where it is not the journey's own.
    """

    how: str
    pieces: tuple[str, ...]
    ended: bool = False
    of: str = ""


@dataclass(frozen=True)
class Growth:
    """The residual stream after the embedding (row 0) and after each layer, for every token.

    `length` is its norm and `turn` the cosine of the angle to what it was a row before
    (1 in row 0); `from_start` the cosine to the embedding. All are (layers + 1, T). Rows of
    which nothing is known are NaN; `of` says of what, where it is not the whole stream.
    """

    length: Tensor
    turn: Tensor
    from_start: Tensor
    of: str = ""


@dataclass(frozen=True)
class Flow:
    """How much of each token's vector each half of a layer adds, attention first.

    `added` (2 L, T) is |added| / (|added| + |what was there|): 0.5 adds as much as was there.
    Where `halves` is False it is (L, T), of whole layers; NaN is not known. `of` says of what,
    where it is not the whole vector.
    """

    added: Tensor
    halves: bool
    of: str = ""


@dataclass(frozen=True)
class Part:
    """What a part of the model adds to the logits of the answer and of the runner-up.

    A head of a layer, its MLP (`head` None), or the embedding (`layer` -1). `says` are the
    tokens whose logits it raises most, each with by how much. `of_bias`: of attention's biases.
    """

    layer: int
    head: int | None
    answer: float
    runner_up: float
    says: tuple[tuple[str, float], ...] = ()
    of_bias: bool = False

    @property
    def is_mlp(self) -> bool:
        return self.layer >= 0 and self.head is None and not self.of_bias

    @property
    def lead(self) -> float:
        """By how much it puts the answer before the runner-up."""
        return self.answer - self.runner_up

    @property
    def name(self) -> str:
        if self.layer < 0:
            return "the embedding"
        if self.of_bias:
            return f"layer {self.layer}, biases"
        return f"layer {self.layer}, " + ("MLP" if self.is_mlp else f"head {self.head}")


@dataclass(frozen=True)
class Attribution:
    """Who said the answer: the parts whose sums are the two logits."""

    answer: Candidate
    runner_up: Candidate
    parts: tuple[Part, ...]

    def strongest(self, count: int) -> list[Part]:
        """The parts that put the answer before the runner-up most."""
        return sorted(self.parts, key=lambda part: -part.lead)[:count]


@dataclass(frozen=True)
class Journey:
    """A sentence's whole way.

    `layer` is the one that is looked into; its activations are in `steps`, and `patterns`
    holds the attention patterns (H, T, T) of all layers of which they are known. Of a long
    text only the tokens in `tokens` are shown, and `left_out` says what is not.
    `logits` (V,) are those after the last token, and `pieces` the texts of all ids that
    anything here names, and of the likeliest ones; `vocabulary` are the texts of all, by id,
    if there are not too many. `branches` go on greedily after
    each of the likeliest next tokens, by their ids. `costs` are shares of all operations,
    largest first. `facts` are entries of the vocabulary that were published, by id, and
    `command` is what this walk was asked for with. All of this is one walk, the model's.
    `runs` are walks of somebody's own stages: the first as they are, each next one with one
    stage more that is the reference's.
    """

    title: str
    source: str
    text: str
    config: ModelConfig
    parameters: int
    tokens: tuple[Token, ...]
    layer: int
    steps: tuple[Step, ...]
    left_out: str = ""
    missing: str = "not in this pack"
    patterns: Mapping[int, Tensor] = field(default_factory=dict)
    growth: Growth | None = None
    flow: Flow | None = None
    attribution: Attribution | None = None
    lens: Sequence[Lens] = ()
    logits: Tensor | None = None
    best: Sequence[Candidate] = ()
    pieces: Mapping[int, str] = field(default_factory=dict)
    vocabulary: Sequence[str] = ()
    continuations: Sequence[Continuation] = ()
    branches: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    costs: Sequence[tuple[str, float]] = ()
    also: tuple[Token, ...] = ()
    facts: Mapping[int, str] = field(default_factory=dict)
    command: str = ""
    runs: tuple[Run, ...] = ()

    @property
    def verdict(self) -> str:
        """What there is to say of somebody's stages, if any walked."""
        return self.runs[0].verdict if self.runs else ""

    @property
    def gap(self) -> tuple[int, int] | None:
        """Before which of the shown tokens others are left out, and how many."""
        for index, (one, other) in enumerate(pairwise(self.tokens), start=1):
            if other.place > one.place + 1:
                return index, other.place - one.place - 1
        return None

    def step(self, key: str) -> Step:
        """Raises KeyError."""
        for step in self.steps:
            if step.key == key:
                return step
        raise KeyError(key)

    def seen(self, name: str) -> Tensor | None:
        """The value of an activation by its short name, e.g. `attn.q`, if all of it is there."""
        for step in self.steps:
            for each in step.seen:
                if each.name.endswith(name) and not each.visible:
                    return each.value
        return None
