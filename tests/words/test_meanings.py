"""What torch, einops and Python say is put in plain words, and nothing else is."""

import math
import re

import einops
import pytest
import torch
from torch.nn import functional as F

from token_journey.words.meanings import MEANINGS, meaning

A = torch.rand(2, 5, 8)  # three axes
M = torch.rand(5, 8)
W = torch.rand(3, 8)
IDS = torch.tensor([1, 2])
NOTHING = None
SPLIT = "first, second = x.split(2, dim=-1)"
LEAF = torch.rand(3, requires_grad=True)


def changed_in_place():
    root = LEAF.exp()
    root += 1
    root.sum().backward()


def a_leaf_changed():
    leaf = LEAF.clone().detach().requires_grad_()
    leaf += 1


def read_before():
    while not A.numel():
        best = 1
    return best


def two(first, second):
    return first, second


def again():
    return again()


def unpacked(shape):
    rows, columns = shape
    return rows, columns


def unpacked_by_four(shape):
    a, b, c, d = shape
    return a, b, c, d


# What is done, and a part of what is said of it.
RAISED = {
    "not transposed": (lambda: M @ W, "Here they have 8 and 3. The second matrix, transposed"),
    "not transposed, more axes": (lambda: A @ W, "Here they have 8 and 3. The second matrix, tr"),
    "no product": (lambda: M @ torch.rand(3, 4), "as long as the last axis but one of `b`. Here "),
    "no product of vector": (lambda: torch.rand(3) @ torch.rand(4, 5), "Here they have 3 and 4."),
    "no product of stacks": (lambda: A @ torch.rand(2, 3, 8), "Here they have 8 and 3."),
    "no product with vector": (
        lambda: M @ torch.rand(5),
        "5 × 8 times a vector needs a vector of 8",
    ),
    "no product of two": (lambda: torch.rand(3) @ torch.rand(4), "they have 3 and 4"),
    "no axes": (lambda: torch.tensor(2.0) @ M, "one side is a single number"),
    "mT": (lambda: IDS.mT, "the last two axes, and the tensor has 1"),
    "max and where": (lambda: A - A.max(dim=-1), "two tensors at once, `.values` and"),
    "mm": (lambda: torch.mm(A, A), "`@` takes any axes in front"),
    "broadcast": (lambda: A + torch.rand(2, 5, 7), "on axis 2 one has 8 places and the other 7"),
    "mask": (
        lambda: A.masked_fill(torch.ones(5, 5, dtype=torch.bool), 0),
        "on axis 2 one has 5 places and the other 8",
    ),
    "expand": (
        lambda: A.expand(3, 5, 8),
        "of shape [2, 5, 8] does not fit into the shape [3, 5, 8]",
    ),
    "written": (
        lambda: torch.zeros(3).__setitem__(slice(None), torch.rand(9)),
        "of shape [9] does not fit into the shape [3]: axis 0 has 9 places and should have 3",
    ),
    "row of a row": (lambda: torch.zeros(3, 8).__setitem__(0, W), "does not fit into"),
    "expand less": (lambda: W.expand(8), "A tensor of 2 axes does not fit into one of 1"),
    "max of no numbers": (lambda: torch.zeros(0).max(), "a tensor without numbers"),
    "view": (lambda: A.mT.view(-1), "`reshape` copies them where it has to"),
    "reshape": (lambda: A.reshape(3, 7), "A tensor of 80 numbers can't get the shape [3, 7]"),
    "indices": (lambda: W[[1, 2], [0, 1, 2]], "shapes that fit together: [2], [3] do not"),
    "mask index": (lambda: W[torch.ones(5).bool()], "the mask has shape [5], the tensor [3, 8]"),
    "einops axes": (
        lambda: einops.rearrange(A, "t (h d) -> h t d", h=2),
        "names 2 axes, and the tensor has 3",
    ),
    "einops cut": (
        lambda: einops.rearrange(A, "... t (h d) -> ... h t d", h=3),
        "8 can't be divided by 3",
    ),
    "einops lengths": (
        lambda: einops.rearrange(A, "... t (h d) -> ... h t d"),
        "einops can't find out the lengths",
    ),
    "einops one side": (
        lambda: einops.rearrange(A, "b t d -> b h t d"),
        "names 'h' on one side of `->` only",
    ),
    "einops repeat": (lambda: einops.repeat(A, "b t d -> b h t d"), "makes the new axes 'h'"),
    "einsum lengths": (
        lambda: torch.einsum("btd,df->btf", A, W),
        "the letter d stands for two axes of different lengths, 8 and 3",
    ),
    "einsum letters": (
        lambda: torch.einsum("td,fd->tf", A, W),
        "has 2 letters for tensor number 0",
    ),
    "axis": (lambda: A.mean(dim=5), "no axis 5: its axes have the numbers -3 to 2"),
    "too many indices": (lambda: W[1, 2, 3], "than the tensor has axes, which is 2"),
    "row": (lambda: W[9], "Axis 0 has 3 places, counted from 0: there is no place 9"),
    "rows": (lambda: W[torch.tensor([0, 3])], "there is no place 3"),
    "embedding": (lambda: F.embedding(torch.tensor([9]), W), "An id is outside of the table"),
    "float index": (lambda: W[torch.tensor([0.5])], "`.long()` makes whole numbers"),
    "set index": (lambda: W[{1, 2}], "A set can't be an index of a tensor"),
    "gather axes": (lambda: A.gather(-1, IDS), "an index with as many axes as the tensor"),
    "gather floats": (lambda: M.gather(-1, M), "The index of `gather` or `scatter` must be whole"),
    "topk": (lambda: W.topk(20), "asked for more places than the axis has"),
    "tuple": (lambda: A.shape[4], "`x.shape[-1]` is the last one"),
    "range[]": (lambda: range(3)[:, None], "A range is indexed by one whole number"),
    "list": (lambda: [1][5], "A list has fewer places"),
    "unpack": (lambda: unpacked(A.shape), "more values on the right"),
    "unpack too many": (lambda: unpacked_by_four(A.shape), "There are 4 names on the left"),
    "cat axes": (lambda: torch.cat([A, W]), "here one has 3 and another 2"),
    "cat lengths": (
        lambda: torch.cat([A, torch.rand(2, 5, 7)], dim=1),
        "one behind the other along axis 1. All other axes must be equally long; one is 8 in one",
    ),
    "cat ()": (lambda: torch.cat([IDS, torch.tensor(3)]), "one has shape ()"),
    "cat int": (lambda: torch.cat([IDS, 3]), "number 1, counted from 0, is of type int"),
    "stack": (lambda: torch.stack([A, W]), "here are [2, 5, 8] and [3, 8]"),
    "stack of nothing": (lambda: torch.stack([]), "got an empty list"),
    "cat of nothing": (lambda: torch.cat([]), "got an empty list"),
    "two dtypes": (lambda: M.half() @ W.mT, "product of matrices are float16 and float32"),
    "polar": (lambda: torch.polar(A.half(), A), "should be float16 and is float32"),
    "dtype put": (
        lambda: torch.zeros(3).index_put((IDS,), torch.ones(2, dtype=torch.float64)),
        "Numbers that are float64 can't be written into a tensor that is float32",
    ),
    "float mask": (lambda: A.masked_fill(torch.ones(5, 8), 0), "of dtype bool"),
    "mean": (lambda: IDS.mean(), "Whole numbers have no mean here"),
    "long softmax": (lambda: IDS.softmax(-1), "no such operation for numbers that are int64"),
    "power": (lambda: IDS**-1, "A power with a negative exponent"),
    "if": (lambda: 1 if A > 0 else 2, "ask for one True or False"),
    "max": (lambda: max(A, A), "ask for one True or False"),
    "if of nothing": (lambda: bool(torch.zeros(0)), "ask for one True or False"),
    "item": (lambda: A.item(), "want one number, and a tensor has more"),
    "tensor of tensors": (lambda: torch.tensor([A, A]), "makes one tensor of several"),
    "math": (lambda: math.exp(A), "want one number, and a tensor has more"),
    "exp": (
        lambda: torch.exp(1.0),
        "`exp` of torch takes a tensor and was handed one of type float",
    ),
    "tril": (lambda: M.tril(2.0), "`tril` of torch takes int as `diagonal`"),
    "len": (lambda: len(A.sum()), "A tensor of shape () is one number"),
    "iteration": (lambda: list(A.sum()), "A tensor of shape () is one number"),
    "a class of nn": (lambda: torch.nn.Linear(M, W), "`x @ weight.mT` does what they do"),
    "a module's weight": (
        lambda: setattr(torch.nn.Linear(2, 2), "weight", W),
        "Here the weights are given: compute with them",
    ),
    "range": (lambda: range(A), "must be one whole number"),
    "stack of stacks": (
        lambda: A @ torch.rand(3, 8, 5),
        "on axis 0 one has 2 places and the other 3. Axes are paired from the last one on (in a",
    ),
    "half in view": (lambda: A.view(2, 80 / 2), "`//` gives a whole number"),
    "half": (lambda: range(4 / 2), "`//` gives a whole number"),
    "multinomial axes": (lambda: torch.multinomial(A, 1), "and no more axes"),
    "multinomial logits": (lambda: torch.multinomial(-W, 1), "Was it handed logits?"),
    "multinomial zeros": (lambda: torch.multinomial(0 * W, 1), "all probabilities are 0"),
    "in place": (changed_in_place, "was changed in place"),
    "a leaf": (a_leaf_changed, "An input was changed in place"),
    "numpy": (lambda: LEAF.numpy(), "numpy loses the gradients"),
    "cut off": (lambda: LEAF.detach().sum().backward(), "no gradient flows back"),
    "optimize": (lambda: torch.optim.SGD([LEAF.exp()]), "Nothing is trained here"),
    "join str": (lambda: "".join([b"a"]), '`b"".join(…)` joins `bytes`.'),
    "join ints": (lambda: b"".join([1]), "there is a whole number among them"),
    "join bytes": (lambda: b"".join(["a"]), "there is one of type str among them"),
    "byte + int": (lambda: b"a" + 1, "A whole number can't be put behind `bytes`"),
    "byte + str": (lambda: b"a" + "b", "`bytes` can only be joined with `bytes`"),
    "str + byte": (lambda: "a" + b"b", "`bytes` can only be joined with `bytes`"),
    "half a letter": (lambda: b"\xc3".decode(), "Join the bytes of all tokens"),
    "None +": (lambda: A + NOTHING, "One side of `+` is None"),
    "None <": (lambda: min(1, NOTHING), "One side of `<` is None"),
    "None @": (lambda: NOTHING @ A, "One side of `@` is None"),
    "operand": (lambda: A @ 3, "`@` does not work between one of type Tensor and one of type int"),
    "None.": (lambda: NOTHING.shape, "A value is None here"),
    "None[]": (lambda: NOTHING[0], "A value is None here"),
    "None()": (lambda: NOTHING(), "A value is None here"),
    "len(None)": (lambda: len(NOTHING), "A value is None here"),
    "several": (lambda: [].extend(3), "`append` puts a single value"),
    "call": (lambda: A(), "Is one of your variables called like a function?"),
    "attribute": (lambda: [].shape, "One of type list has no `.shape`"),
    "config[]": (lambda: object()["head_dim"], "read with a dot: `config.head_dim`"),
    "set[0]": (lambda: set(IDS)[0], "A set has no order"),
    "list key": (lambda: {}[[1]], "A list can't be a key"),
    "min": (lambda: min([]), "`min` was to choose from nothing"),
    "max of nothing": (lambda: max([]), "`max` was to choose from nothing"),
    "unbound": (read_before, "`best` is read before it has got a value"),
    "unknown": (lambda: no_such_name, "Python knows no `no_such_name` here"),  # noqa: F821
    "argument": (lambda: two(1), "`two` was called without a value for 'second'"),
    "numpy's axis": (lambda: two(1, 2, axis=3), "`two` has no parameter called `axis`"),
    "arguments": (lambda: two(1, 2, 3), "`two` was called with 3 values and takes 2"),
    "recursion": (again, "Does it have a case in which it stops?"),
    "division": (lambda: 1 / 0, "Something is divided by 0"),
}


def message(do):
    with pytest.raises(Exception) as raised:
        do()
    return str(raised.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", RAISED)
def test_what_is_raised_is_said_in_plain_words(case):
    do, said = RAISED[case]
    assert said in str(meaning(message(do)))


def test_a_split_into_too_many():
    said = message(lambda: unpacked(A.split(2, dim=-1)))
    assert "`x.chunk(n)` cuts into n parts" in str(meaning(said, SPLIT))
    assert "chunk" not in str(meaning(said)) and "chunk" not in str(meaning(said, "a, b = x"))


@pytest.mark.filterwarnings("ignore")
def test_every_sentence_is_tried():
    raised = [message(do) for do, _ in RAISED.values()] + [f"too many values to unpack\n{SPLIT}"]
    tried = {next(p for p, _ in MEANINGS if re.search(p, m)) for m in raised}
    assert {pattern for pattern, _ in MEANINGS} == tried


@pytest.mark.parametrize(
    "said",
    [
        "",
        "oh {0} no {x} %s",
        "temperature must be above 0",
        "token ids must lie between 0 and 2",
        "mat1 and mat2 shapes cannot be multiplied",
        "tuple",
        "None",
        "name 'torch' is not defined",  # for which there is a better sentence
    ],
)
def test_what_nobody_knows_gets_no_meaning(said):
    assert meaning(said) is None


def test_braces_in_a_message_stay():
    assert "lengths {x from" in str(meaning("Could not infer sizes for {{x} (…)"))


def test_no_sentence_gives_an_answer_away():
    for _, sentence in MEANINGS:
        assert "return " not in sentence and len(sentence) < 300
