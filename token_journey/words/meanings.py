"""What torch, einops and Python mean by their errors: how one begins or reads, and plain words.

A sentence says what is so wherever the error comes from: which line raised it is known, but not
which of the operators in that line. `{0}`, `{1}`, … are the groups of the pattern.
"""

from __future__ import annotations

import re

from token_journey.words.language import _

_TRUTH = (
    "`if`, `while`, `and`, `or`, `not`, `in`, `min` and `max` ask for one True or False, and a "
    "tensor of several numbers has one for each. Write `&`, `|`, `~` or `torch.where` to decide "
    "for each number, or `.any()` or `.all()` to get one answer. `x is None` asks whether there is "
    "a tensor at all."
)
_ONE_NUMBER = (
    "`int()`, `float()`, `.item()`, the functions of `math` and each item of `torch.tensor([…])` "
    "want one number, and a tensor has more. torch has functions for whole tensors, such as "
    "`torch.exp`; `torch.stack([…])` makes one tensor of several."
)
_NOTHING = "Does one of your functions lack its `return`, or is a value used that begins as None?"
_CALLED = "Is one of your variables called like a function? Then give it another name."
_SHAPE_HAS = (
    "A shape has one number for each axis, and there may be any number of axes in front. "
    "`x.shape[-1]` is the last one, however many there are."
)
_PRODUCT = (
    "A product of matrices, `a @ b`, multiplies rows of `a` by columns of `b`: the last axis of "
    "`a` must be as long as the last axis but one of `b`."
)
_ONE_DTYPE = "Both must have the same dtype: `x.to(dtype)` and `x.float()` give a copy in another."
_BYTE = (
    "The items of a `bytes` are whole numbers, one by one: `bytes([number])` makes `bytes` of one."
)

MEANINGS: tuple[tuple[str, str], ...] = (
    (
        r"torch\.return_types\.(\w+)",
        "`{0}` along an axis returns two tensors at once, `.values` and `.indices`.",
    ),
    # -- products of matrices
    (
        r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x\2\)",
        f"{_PRODUCT} Here they have {{1}} and {{2}}. The second matrix, transposed (`.mT`), fits.",
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
        f"{_PRODUCT} Here they have {{1}} and {{2}}.",
    ),
    (
        r"Expected size for first two dimensions of batch2 tensor to be: \[\d+, (\d+)\] but got: "
        r"\[\d+, (\d+)\]",
        f"{_PRODUCT} Here they have {{0}} and {{1}}.",
    ),
    (
        r"size mismatch, got input \(\d+\), mat \((\d+)x(\d+)\), vec \((\d+)\)",
        "A matrix of {0} × {1} times a vector needs a vector of {1} numbers; it has {2}.",
    ),
    (
        r"inconsistent tensor size, expected tensor \[(\d+)\] and src \[(\d+)\]",
        "The product of two vectors needs two of the same length; they have {0} and {1}.",
    ),
    (
        r"both arguments to matmul need to be at least 1D",
        "`@` multiplies vectors and matrices, and one side is a single number, without axes. "
        "`*` multiplies by a number.",
    ),
    (
        r"tensor\.m[TH] is only supported on matrices or batches of matrices\. Got (\d+)-D tensor",
        "`.mT` exchanges the last two axes, and the tensor has {0}.",
    ),
    (
        r"self must be a matrix|batch\d must be a 3D tensor",
        "`torch.mm` and `torch.bmm` take a fixed number of axes. `@` takes any axes in front.",
    ),
    # -- shapes that do not meet
    (
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at "
        r"non-singleton dimension (\d+)",
        "Two tensors do not fit together: on axis {2} one has {0} places and the other {1}. Axes "
        "are paired from the last one on (in a product `a @ b`, those in front of the last two), "
        "and the two of a pair must be equally long, or one of them 1.",
    ),
    (
        r"The expanded size of the tensor \((\d+)\) must match the existing size \((\d+)\) at "
        r"non-singleton dimension (\d+)\.\s+Target sizes: (\[[\d, ]*\])\.\s+Tensor sizes: "
        r"(\[[\d, ]*\])",
        "A tensor of shape {4} does not fit into the shape {3}: axis {2} has {1} places and should "
        "have {0}. Only an axis of length 1 can be repeated to any length.",
    ),
    (
        r"expand\(.*the number of sizes provided \((\d+)\) must be greater or equal to the number "
        r"of dimensions in the tensor \((\d+)\)",
        "A tensor of {1} axes does not fit into one of {0}.",
    ),
    (
        r"view size is not compatible with input tensor's size and stride",
        "`view` needs numbers that lie in memory in their order (then a tensor is called "
        "contiguous). After `.mT`, `transpose` or a slice they may lie otherwise. `reshape` copies "
        "them where it has to.",
    ),
    (
        r"shape '(\[[-\d, ]*\])' is invalid for input of size (\d+)",
        "A tensor of {1} numbers can't get the shape {0}: that shape holds another count of "
        "numbers.",
    ),
    (
        r"shape mismatch: indexing tensors could not be broadcast together with shapes (\[.*\])",
        "Several index tensors between the same brackets must have shapes that fit together: "
        "{0} do not.",
    ),
    (
        r"The shape of the mask (\[[\d, ]*\]) at index (\d+) does not match the shape of the "
        r"indexed tensor (\[[\d, ]*\])",
        "A mask between brackets needs the shape of the axes that it picks from: the mask has "
        "shape {0}, the tensor {2}. `masked_fill` and `torch.where` repeat a mask along the axes "
        "in front.",
    ),
    # -- einops, torch.einsum
    (
        r"Wrong shape: expected (?:>=)?(\d+) dims\. Received (\d+)-dim tensor",
        "The left side of the einops pattern names {0} axes, and the tensor has {1}. `...` in a "
        "pattern stands for any number of axes.",
    ),
    (
        r"can't divide axis of length (\d+) in chunks of (\d+)",
        "einops was to cut an axis of {0} places into equal parts, and {0} can't be divided by "
        "{1}.",
    ),
    (
        r"Could not infer sizes for \{(.*?)\}",
        "einops can't find out the lengths {0} from the tensor. Give all but one of those that "
        "stand in one pair of brackets, as in `rearrange(x, 'a (b c) -> a b c', b=2)`.",
    ),
    (
        r"Identifiers only on one side of expression \(should be on both\): \{(.*?)\}",
        "The pattern names {0} on one side of `->` only. `rearrange` keeps all axes; `repeat` "
        "makes new ones, and `reduce` takes some away.",
    ),
    (
        r"Specify sizes for new axes in repeat: \{(.*?)\}",
        "`repeat` makes the new axes {0}: say how long they are, as in `repeat(x, 'a -> a b', "
        "b=3)`.",
    ),
    (
        r"einsum\(\): subscript (\w) has size (\d+) for operand \d+ which does not broadcast with "
        r"previously seen size (\d+)",
        "In the pattern the letter {0} stands for two axes of different lengths, {2} and {1}.",
    ),
    (
        r"einsum\(\): the number of subscripts in the equation \((\d+)\) does not match the number "
        r"of dimensions \((\d+)\) for operand (\d+)",
        "The pattern has {0} letters for tensor number {2}, counted from 0, and the tensor has {1} "
        "axes. `...` in a pattern stands for any number of axes.",
    ),
    # -- axes and places
    (
        r"Dimension out of range \(expected to be in range of \[(-?\d+), (-?\d+)\], but got "
        r"(-?\d+)\)",
        "The tensor has no axis {2}: its axes have the numbers {0} to {1}. −1 is the last axis.",
    ),
    (
        r"too many indices for tensor of dimension (\d+)",
        "There are more indices between the brackets than the tensor has axes, which is {0}.",
    ),
    (
        r"index (-?\d+) is out of bounds for dimension (\d+) with size (\d+)",
        "Axis {1} has {2} places, counted from 0: there is no place {0}.",
    ),
    (
        r"index out of range in self",
        "An id is outside of the table: ids go from 0 to the number of its rows less 1.",
    ),
    (
        r"tensors used as indices must be long, int, byte or bool tensors",
        "Whole numbers, or True and False, can be an index. `.long()` makes whole numbers of "
        "others.",
    ),
    (
        r"only integers, slices .* are valid indices \(got (\w+)\)",
        "A {0} can't be an index of a tensor. A list of whole numbers can: `x[list(ids)]`.",
    ),
    (
        r"Index tensor must have the same number of dimensions as input tensor",
        "`gather` and `scatter` need an index with as many axes as the tensor. It says for each "
        "place of the result where to look along the axis `dim`.",
    ),
    (
        r"Expected dtype int32/int64 for index|expected (?:dtype int64|scalar type Long) for index",
        "The index of `gather` or `scatter` must be whole numbers: `.long()` makes them.",
    ),
    (r"selected index k out of range", "`topk` was asked for more places than the axis has."),
    (r"tuple index out of range", f"A tuple has fewer places than were asked for. {_SHAPE_HAS}"),
    (
        r"list index out of range",
        "A list has fewer places than were asked for. Places are counted from 0, and an empty "
        "list has none.",
    ),
    (
        r"too many values to unpack.*\n.*\.split\(",
        "`x.split(n)` cuts into parts of length n, however many those are. `x.chunk(n)` cuts into "
        "n parts.",
    ),
    (
        r"too many values to unpack",
        f"There are more values on the right of `=` (or `in`) than names on the left. {_SHAPE_HAS}",
    ),
    (
        r"not enough values to unpack \(expected (?:at least )?(\d+), got (\d+)\)",
        "There are {0} names on the left of `=` (or `in`), and {1} values on the right. "
        f"{_SHAPE_HAS}",
    ),
    # -- torch.cat, torch.stack
    (
        r"Tensors must have same number of dimensions: got (\d+) and (\d+)",
        "`torch.cat` puts tensors with equally many axes one behind the other; here one has {0} "
        "and another {1}.",
    ),
    (
        r"Sizes of tensors must match except in dimension (\d+)\. Expected size (\d+) but got size "
        r"(\d+)",
        "`torch.cat` puts tensors one behind the other along axis {0}. All other axes must be "
        "equally long; one is {1} in one tensor and {2} in another.",
    ),
    (
        r"zero-dimensional tensor .* cannot be concatenated",
        "`torch.cat` needs tensors with at least one axis, and one has shape (). `x.reshape(1)` "
        "gives it one.",
    ),
    (
        r"expected Tensor as element (\d+) in argument 0, but got (\w+)",
        "`torch.cat` and `torch.stack` take a list of tensors, and number {0}, counted from 0, is "
        "of type {1}. `torch.tensor([number])` makes a tensor of a number.",
    ),
    (
        r"stack expects each tensor to be equal size, but got (\[[\d, ]*\]) at entry 0 and "
        r"(\[[\d, ]*\])",
        "`torch.stack` makes a new axis and needs tensors of one shape; here are {0} and {1}. "
        "`torch.cat` joins them along an axis that they have.",
    ),
    (
        r"expected a non-empty list of Tensors|stack expects a non-empty TensorList",
        "`torch.cat` and `torch.stack` got an empty list. Answer before you call them.",
    ),
    # -- dtypes
    (
        r"expected m1 and m2 to have the same dtype, but got: (\S+) != (\S+)",
        f"The two sides of a product of matrices are {{0}} and {{1}}. {_ONE_DTYPE}",
    ),
    (
        r"[Ee]xpected (?:object of )?(?:scalar type|dtype) (\w+) but (?:found|got) "
        r"(?:scalar type )?(\w+)",
        f"A tensor should be {{0}} and is {{1}}. {_ONE_DTYPE}",
    ),
    (
        r"Index put requires the source and destination dtypes match, got (\w+) .* and (\w+)",
        f"Numbers that are {{1}} can't be written into a tensor that is {{0}}. {_ONE_DTYPE}",
    ),
    (
        r"only supports boolean masks",
        "A mask must be True or False in each place, of dtype bool. A comparison such as `x > 0` "
        "gives one, and so does `.bool()`.",
    ),
    (
        r"could not infer output dtype\. Input dtype must be either a floating point",
        "Whole numbers have no mean here: `.float()` makes float32 of them.",
    ),
    (
        r"\"\w+\" not implemented for '(\w+)'",
        "torch has no such operation for numbers that are {0}. `.float()` makes float32 of them.",
    ),
    (
        r"Integers to negative integer powers are not allowed",
        "A power with a negative exponent needs floating-point numbers: `.float()` makes them.",
    ),
    # -- one number or many
    (r"Boolean value of Tensor with more than one value is ambiguous", _TRUTH),
    (r"Boolean value of Tensor with no values is ambiguous", _TRUTH),
    (r"only one element tensors can be converted to Python scalars", _ONE_NUMBER),
    (r"a Tensor with \d+ elements cannot be converted to Scalar", _ONE_NUMBER),
    (
        r"(\w+)\(\): argument '(\w+)' \(position \d+\) must be Tensor, not (\w+)",
        "`{0}` of torch takes a tensor and was handed one of type {2}. For a single number Python "
        "has `math`.",
    ),
    (
        r"(\w+)\(\): argument '(\w+)' (?:\(position \d+\) )?must be ([\w ]+), not (\w+)",
        "`{0}` of torch takes {2} as `{1}`, and was handed one of type {3}.",
    ),
    (
        r"(?:iteration over|len\(\) of) a 0-d tensor",
        "A tensor of shape () is one number and has no axes. `.item()` gives the number, "
        "`.reshape(1)` a tensor with one axis.",
    ),
    (
        r"only integer tensors of a single element can be converted to an index",
        "A place or a length must be one whole number, and a tensor of another kind came.",
    ),
    (
        r"'float' object cannot be interpreted as an integer|slice indices must be integers|"
        r"must be tuple of ints, ?but got float",
        "A whole number is needed. `/` gives a float also where nothing is left over; `//` gives a "
        "whole number.",
    ),
    (
        r"must be tuple of ints, but found element of type Tensor",
        "A size was wanted, and a tensor came. The classes of `torch.nn`, such as `nn.Linear`, are "
        "made from sizes; with weights that are given, `x @ weight.mT` does what they do.",
    ),
    (
        r"cannot assign '[\w.]+' as parameter '(\w+)'",
        "The classes of `torch.nn` keep weights of their own. Here the weights are given: compute "
        "with them, by plain operations. docs/pytorch-you-need.md says which are allowed.",
    ),
    # -- chance
    (
        r"prob_dist must be 1 or 2 dim",
        "`torch.multinomial` takes one row of probabilities or a matrix of rows, and no more axes: "
        "`reshape` can make one axis of all those in front.",
    ),
    (
        r"probability tensor contains either",
        "`torch.multinomial` was handed a probability that is NaN, infinite or below 0. Was it "
        "handed logits?",
    ),
    (
        r"invalid multinomial distribution \(sum of probabilities <= 0\)",
        "`torch.multinomial` was handed a row in which all probabilities are 0.",
    ),
    # -- gradients
    (
        r"one of the variables needed for gradient computation has been modified by an inplace",
        "A tensor was changed in place (`x += y`, `x[…] = y`, `x.mul_(y)`) although its old "
        "numbers are needed for the gradient. `x = x + y` makes a new one.",
    ),
    (
        r"(?:a leaf Variable|a view of a leaf Variable) that requires grad is being used in an "
        r"in-?place",
        "An input was changed in place (`x += y`, `x[…] = y`, `x.mul_(y)`). `x = x + y` makes a "
        "new tensor.",
    ),
    (
        r"Can't call numpy\(\) on Tensor that requires grad",
        "numpy loses the gradients: compute with torch's own operations.",
    ),
    (
        r"does not require grad and does not have a grad_fn",
        "The result is cut off from the input, so no gradient flows back. `.detach()`, `.item()`, "
        "`.data`, `torch.tensor(x)` and `torch.no_grad()` cut it off, and so do whole numbers.",
    ),
    (
        r"can't optimize a non-leaf Tensor",
        "Only a tensor that was not computed from others can be trained. Nothing is trained here: "
        "compute with the tensors that are given.",
    ),
    # -- bytes and str
    (
        r"sequence item \d+: expected str instance, bytes found",
        '`"".join(…)` joins `str`, and there are `bytes` among them: `b"".join(…)` joins `bytes`.',
    ),
    (
        r"sequence item \d+: expected a bytes-like object, int found",
        f'`b"".join(…)` joins `bytes`, and there is a whole number among them. {_BYTE}',
    ),
    (
        r"sequence item \d+: expected a bytes-like object, (\w+) found",
        '`b"".join(…)` joins `bytes`, and there is one of type {0} among them.',
    ),
    (
        r"can't concat int to bytes",
        f"A whole number can't be put behind `bytes`. {_BYTE}",
    ),
    (
        r"can't concat (\w+) to bytes|can only concatenate str \(not \"(bytes)\"\) to str",
        "`bytes` can only be joined with `bytes`, and `str` with `str`: symbols and pieces are "
        '`bytes`, and so is `b""`.',
    ),
    (
        r"'utf-8' codec can't decode",
        "These bytes are not a whole UTF-8 text. Join the bytes of all tokens before you decode "
        'them, and use `.decode("utf-8", errors="replace")`.',
    ),
    # -- Python
    (
        r"unsupported operand type\(s\) for (\S+): (?:'NoneType' and .*|.* and 'NoneType')",
        f"One side of `{{0}}` is None. {_NOTHING}",
    ),
    (
        r"'(\S+)' not supported between instances of (?:'NoneType' and .*|.* and 'NoneType')",
        f"One side of `{{0}}` is None. {_NOTHING}",
    ),
    (
        r"unsupported operand type\(s\) for (\S+): '([\w.]+)' and '([\w.]+)'",
        "`{0}` does not work between one of type {1} and one of type {2}.",
    ),
    (
        r"'NoneType' object (?:has no attribute '(\w+)'|is not \w+|has no len)|"
        r"cannot unpack non-iterable NoneType|object of type 'NoneType' has no len|"
        r"argument of type 'NoneType' is not",
        f"A value is None here. {_NOTHING}",
    ),
    (
        r"'([\w.]+)' object is not iterable",
        "A value of type {0} stands where several values are needed, as after `in` or behind "
        "`list +=`. `append` puts a single value into a list.",
    ),
    (
        r"'([\w.]+)' object is not callable",
        f"A value of type {{0}} stands where a function is called with `(…)`. {_CALLED}",
    ),
    (
        r"'([\w.]+)' object has no attribute '(\w+)'",
        "One of type {0} has no `.{1}`. Is it another value than you think, or is the name spelled "
        "otherwise?",
    ),
    (
        r"'set' object is not subscriptable",
        "A set has no order and so no place `[0]`: `list(…)` makes a list of it.",
    ),
    (
        r"'(\w+)' object is not subscriptable",
        "A value of type {0} has no places `[…]`. Is it another value than you think? A "
        "configuration is read with a dot: `config.head_dim`.",
    ),
    (
        r"(range|list|tuple) indices must be integers or slices, not (\w+)",
        "A {0} is indexed by one whole number. Only a tensor takes several indices, None, a mask "
        "or another tensor: `torch.tensor(…)` and `torch.arange(…)` make one.",
    ),
    (
        r"unhashable type: '(\w+)'",
        "A {0} can't be a key of a dict or a member of a set. A tuple can: `tuple(…)` makes one.",
    ),
    (
        r"(\w+)\(\): Expected reduction dim .* for input\.numel\(\) == 0",
        "`{0}` was to choose from a tensor without numbers. Answer before you call it.",
    ),
    (
        r"(\w+)\(\) (?:arg is an empty sequence|iterable argument is empty)",
        "`{0}` was to choose from nothing. With nothing to choose from, answer before you call it, "
        "or give it `default=…`.",
    ),
    (
        r"cannot access local variable '(\w+)' where it is not associated with a value|"
        r"local variable '(\w+)' referenced before assignment",
        "`{0}` is read before it has got a value. A name that gets a value anywhere in a function "
        "belongs to that function alone, also where the line that gives it one was not reached.",
    ),
    (
        r"name '(?!torch'|math'|einops')(\w+)' is not defined",
        "Python knows no `{0}` here. Is it spelled otherwise where it got its value, does its "
        "`import` stand at the top of the file, or is it inside another function?",
    ),
    (
        r"(\w+)\(\) got an unexpected keyword argument '(\w+)'",
        "`{0}` has no parameter called `{1}`. Is it a function of numpy that was given a tensor? "
        "torch has its own, with `dim` and `keepdim`.",
    ),
    (
        r"(\w+)\(\) missing \d+ required positional arguments?: (.*)",
        "`{0}` was called without a value for {1}.",
    ),
    (
        r"(\w+)\(\) takes (?:from )?(\d+)(?: to \d+)? positional arguments? but (\d+) (?:was|were) "
        r"given",
        "`{0}` was called with {2} values and takes {1}. In a class, `self` counts as one.",
    ),
    (
        r"maximum recursion depth exceeded",
        "A function calls itself again and again. Does it have a case in which it stops?",
    ),
    (r"(?:float |integer )?division (?:or modulo )?by zero", "Something is divided by 0."),
)
# How torch calls its dtypes in errors, and how Python calls them.
_DTYPES = {
    **{"Half": "float16", "BFloat16": "bfloat16", "Float": "float32", "float": "float32"},
    **{"Double": "float64", "double": "float64", "Long": "int64", "long": "int64"},
    **{"Int": "int32", "int": "int32", "Bool": "bool", "bool": "bool", "Byte": "uint8"},
}
_ABOUT_DTYPES = ("same dtype", "scalar type", "dtypes match", "not implemented for")


def meaning(message: str, line: str = "") -> str | None:
    """What an error's message means, where it is known.

    line: the code that raised it, as far as it is known
    """
    for pattern, sentence in MEANINGS:
        if found := re.search(pattern, f"{message}\n{line}"):
            values = [value or "" for value in found.groups()]
            if any(word in message for word in _ABOUT_DTYPES):
                values = [_dtype(value) for value in values]
            if len(values) == 2 and not all(values):  # one of two ways to say the same
                values = [value for value in values if value]
            return _(sentence).format(*values)
    return None


def _dtype(called: str) -> str:
    plain = called.removeprefix("c10::")
    return _DTYPES.get(plain, plain)


def called_with(function: str, values: list[str]) -> str:
    return _("`{function}` was called with {values}.").format(
        function=function, values="; ".join(values)
    )


def in_that_line(values: list[str]) -> str:
    return _("In that line: {values}.").format(values="; ".join(values))


def tensor(name: str, axes: str, shape: tuple[int, ...], dtype: str) -> str:
    """axes: how the lesson names the axes of this argument, if it does."""
    return _("{name}{axes} = {dtype}{shape}").format(
        name=name,
        axes=f" ({axes})" if axes else "",
        dtype=f"{dtype} " if dtype else "",
        shape=shape,
    )


def value(name: str, written: str) -> str:
    return f"{name} = {written}"


def dictionary(name: str, size: int, example: str) -> str:
    such = _(", such as {example}").format(example=example) if example else ""
    return _("{name} = a dict of {size}{such}").format(name=name, size=size, such=such)


def other_keys(key: str, kind: str, held: list[str]) -> str:
    """A key of a type that no dict has. held: what keys each has, as `has_keys` words it"""
    said = _("The key {key} is of type {kind}, but {held}.").format(
        key=key, kind=kind, held=_(", and ").join(held)
    )
    return f"{said} {_(_BYTE)}" if kind == "int" and "bytes" in held[0] else said


def no_such_name(name: str, key: str, near: str) -> str:
    return _("`{name}` has no key {key}; it has {near}.").format(name=name, key=key, near=near)


def no_such_key(key: str) -> str:
    return _("No dict that was given has the key {key}.").format(key=key)


def has_keys(name: str, kind: str) -> str:
    return _("the keys of `{name}` are of type {kind}").format(name=name, kind=kind)


def tuple_of(kinds: list[str]) -> str:
    return _("tuple ({kinds})").format(kinds=", ".join(kinds))


def means(sentence: str) -> str:
    return _("That means: {sentence}").format(sentence=sentence)
