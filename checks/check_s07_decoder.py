"""Stage 7 · The decoder."""

from collections.abc import Mapping
from types import SimpleNamespace

import torch
from torch.nn import functional as F

from token_journey.checking import (
    captured,
    expect,
    expect_equal,
    expect_true,
    expect_written,
    rounding,
    tensor,
)
from token_journey.packs.manifest import BIASES, SCALED_ROPE

from . import manners

NAMES = (
    "input_layernorm.weight",
    "self_attn.q_proj.weight",
    "self_attn.k_proj.weight",
    "self_attn.v_proj.weight",
    "self_attn.o_proj.weight",
    "post_attention_layernorm.weight",
    "mlp.gate_proj.weight",
    "mlp.up_proj.weight",
    "mlp.down_proj.weight",
)
# Where a pack holds a layer's weights in full, and where a model's.
WHOLE_LAYER = {name: f"model.layers.{{l}}.{name}" for name in NAMES}
WHOLE_MODEL = {
    "table": "model.embed_tokens.weight",
    "out": "blocks.{last}.resid_post",
    "without": (BIASES, SCALED_ROPE),
}

STREAM = ("token", "hidden")


class Cache:
    """What stage 7 hands on and counts: one layer's keys and values."""

    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        if self.k is not None:
            k, v = torch.cat([self.k, k], dim=-2), torch.cat([self.v, v], dim=-2)
        self.k, self.v = k, v
        return k, v


def caches(config):
    return [Cache() for _ in range(config.num_hidden_layers)]


# -- a model small enough to be made here -------------------------------------

CONFIG = SimpleNamespace(
    vocab_size=11,
    hidden_size=10,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=6,
    intermediate_size=13,
    rms_norm_eps=1e-3,
    rope_theta=100.0,
    tie_word_embeddings=True,
)
IDS = torch.tensor([7, 2, 2, 10, 0])


def tiny_model():
    """Random weights, under Hugging Face's names."""
    generator = torch.Generator().manual_seed(7)
    hidden, neurons, d = CONFIG.hidden_size, CONFIG.intermediate_size, CONFIG.head_dim
    queries, keys = CONFIG.num_attention_heads * d, CONFIG.num_key_value_heads * d
    shapes = ((hidden,), (queries, hidden), (keys, hidden), (keys, hidden), (hidden, queries))
    shapes += ((hidden,), (neurons, hidden), (neurons, hidden), (hidden, neurons))

    def draw(*shape):
        return torch.rand(shape, generator=generator) - 0.5

    weights = {"model.embed_tokens.weight": 2 * draw(CONFIG.vocab_size, hidden)}
    for layer in range(CONFIG.num_hidden_layers):
        for name, shape in zip(NAMES, shapes, strict=True):
            weights[f"model.layers.{layer}.{name}"] = draw(*shape)
    return weights | {"model.norm.weight": 1 + draw(hidden)}


def tiny_layer(**changed):
    """The first layer of the tiny model; `attention=0.0` silences its attention, `mlp` its MLP."""
    model = tiny_model()
    weights = {name: model[f"model.layers.0.{name}"] for name in NAMES}
    weights["self_attn.o_proj.weight"] *= changed.get("attention", 1.0)
    weights["mlp.down_proj.weight"] *= changed.get("mlp", 1.0)
    return weights


def tiny_stream():
    return tiny_model()["model.embed_tokens.weight"][IDS]


def tiny_angles():
    angles = torch.arange(len(IDS))[:, None] / torch.tensor([1.0, 5.0, 25.0])
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


# -- layer_weights ------------------------------------------------------------


def test_weights_of_one_layer(stage):
    """layer_weights finds each layer's own tensors, and does not take layer 10 for layer 1."""
    inside = ["input_layernorm.weight", "mlp.up_proj.weight"]
    weights = {"model.embed_tokens.weight": torch.tensor(-1), "lm_head.weight": torch.tensor(-2)}
    for layer in range(12):
        weights |= {f"model.layers.{layer}.{name}": torch.tensor(layer) for name in inside}
    weights["model.norm.weight"] = torch.tensor(-3)
    for layer in (0, 1, 10, 11):
        found = stage.layer_weights(weights, layer)
        expect_true(
            isinstance(found, Mapping),
            "layer_weights should return a mapping from names to weights, a dict for example.",
        )
        expect_equal(sorted(found), inside, f"the list of names in layer {layer}")
        for name in inside:
            expect(found[name], torch.tensor(layer), f"{name} of layer {layer}")
            expect_true(
                found[name] is weights[f"model.layers.{layer}.{name}"],
                "layer_weights returned copies: hand on the same tensors, which costs no memory "
                "and lets gradients through.",
            )


# -- decoder_layer ------------------------------------------------------------


@captured(
    x="blocks.{l}.resid_pre",
    cos="rotary.cos",
    sin="rotary.sin",
    out="blocks.{l}.resid_post",
    **WHOLE_LAYER,
)
def test_layers_of_the_model(stage, case):
    """decoder_layer gives what the model's own layers gave."""
    case.expect(
        "out", stage.decoder_layer(case.x, case.layer_weights, case.cos, case.sin, case.config)
    )


@captured(
    x="blocks.{l}.resid_pre",
    cos="rotary.cos",
    sin="rotary.sin",
    k="blocks.{l}.attn.rot_k",
    v="blocks.{l}.attn.v",
    table="model.embed_tokens.weight",
    without=[BIASES],
)
def test_a_layer_hands_its_cache_on(stage, case):
    """The layer's cache receives each token's rotated key and its value."""
    cache = Cache()
    stage.decoder_layer(case.x, case.layer_weights, case.cos, case.sin, case.config, cache)
    expect_equal(
        len(cache), len(case.x), "how many tokens are in the cache after a layer", case.where
    )
    case.expect("k", cache.k)
    case.expect("v", cache.v)


def test_a_silent_layer(stage):
    """Where attention and MLP write 0, the stream leaves the layer as it came."""
    x, layer = tiny_stream(), tiny_layer(attention=0.0, mlp=0.0)
    out = stage.decoder_layer(x, layer, *tiny_angles(), CONFIG)
    expect(out, x, "the stream after a layer that writes nothing", axes=STREAM)


def test_a_layer_with_silent_attention(stage):
    """Where attention writes 0, the layer adds MLP(norm(x)) to x."""
    x, layer = tiny_stream(), tiny_layer(attention=0.0)
    wide = {name: w.double() for name, w in layer.items()}
    gains = wide["post_attention_layernorm.weight"]
    normed = F.rms_norm(x.double(), gains.shape, gains, CONFIG.rms_norm_eps)
    neurons = F.silu(normed @ wide["mlp.gate_proj.weight"].T) * (
        normed @ wide["mlp.up_proj.weight"].T
    )
    expected = (x + neurons @ wide["mlp.down_proj.weight"].T).float()
    out = stage.decoder_layer(x, layer, *tiny_angles(), CONFIG)
    expect(out, expected, "the stream after a layer with silent attention", axes=STREAM)


def test_a_layer_with_a_silent_mlp(stage):
    """Where the MLP writes 0, the layer adds attention(norm(x)) to x."""
    # One token attends to itself alone: its heads are its values, whatever the scores.
    x, layer = tiny_stream()[:1], tiny_layer(mlp=0.0)
    wide = {name: w.double() for name, w in layer.items()}
    gains = wide["input_layernorm.weight"]
    normed = F.rms_norm(x.double(), gains.shape, gains, CONFIG.rms_norm_eps)
    values = (normed @ wide["self_attn.v_proj.weight"].T).view(2, 6)
    heads = values[[0, 0, 1, 1]].view(1, 24)
    expected = (x + heads @ wide["self_attn.o_proj.weight"].T).float()
    cos, sin = tiny_angles()
    out = stage.decoder_layer(x, layer, cos[:1], sin[:1], CONFIG)
    expect(out, expected, "the stream after a layer with a silent MLP", axes=STREAM)


def layer_call(stage):
    """decoder_layer as a function of its stream and its weights."""

    def call(x, *weights):
        cos, sin = tiny_angles()
        layer = dict(zip(NAMES, weights, strict=True))
        return stage.decoder_layer(x, layer, cos.to(x.dtype), sin.to(x.dtype), CONFIG)

    return call


def test_layer_batches(stage):
    """A layer takes any number of axes in front."""
    given = tiny_stream(), *tiny_layer().values()
    manners.expect_batches(layer_call(stage), *given, what="decoder_layer")


def test_layer_gradients(stage):
    """Gradients reach the stream that enters a layer, and all its weights."""
    given = tiny_stream(), *tiny_layer().values()
    manners.expect_gradients(layer_call(stage), *given, what="decoder_layer")


def test_layer_bfloat16(stage):
    """A layer with bfloat16 stream and weights gives bfloat16."""
    given = tiny_stream(), *tiny_layer().values()
    manners.expect_bfloat16(layer_call(stage), *given, what="decoder_layer")


def test_layer_input_unchanged(stage):
    """A layer leaves its stream and its weights as they were."""
    given = tiny_stream(), *tiny_layer().values()
    manners.expect_inputs_unchanged(layer_call(stage), *given, what="decoder_layer")


# -- decoder ------------------------------------------------------------------


# Only distances between tokens count, so a prompt that was captured from
# position 11 on gives the same stream from position 0 on.
@captured(**WHOLE_MODEL)
def test_the_model_from_its_token_ids(stage, case):
    """decoder goes from token ids to the stream that the model's last layer gave."""
    actual = stage.decoder(case.token_ids, case.pack.all_weights(), case.config)
    case.expect("out", actual, end_to_end=True)


@captured(k="blocks.0.attn.rot_k", **WHOLE_MODEL)
def test_positions(stage, case):
    """The first token stands at position 0, and with caches the next goes on after the last."""
    memory, start = caches(case.config), case.prompt.start
    weights = case.pack.all_weights()
    if start:  # in the first layer, what came before changes nothing but the position
        stage.decoder(torch.zeros(start, dtype=torch.long), weights, case.config, memory)
    stage.decoder(case.token_ids, weights, case.config, memory)
    expected = start + len(case.token_ids)
    expect_equal(len(memory[0]), expected, "how many tokens the first cache holds", case.where)
    case.expect("k", memory[0].k[..., start:, :], end_to_end=True)


def test_batches(stage):
    """Token ids may have axes in front: each row is a sentence of its own."""
    weights = tiny_model()
    sentences = torch.stack([IDS.roll(places) for places in range(6)])
    alone = [tensor(stage.decoder(ids, weights, CONFIG), "the stream") for ids in sentences]
    alone = torch.stack(alone)
    expect(stage.decoder(sentences, weights, CONFIG), alone, "decoder of six sentences")
    batch, expected = sentences.view(1, 2, 3, 5), alone.view(1, 2, 3, 5, 10)
    expect(stage.decoder(batch, weights, CONFIG), expected, "decoder of 1 × 2 × 3 sentences")
    memory = caches(CONFIG)
    steps = [stage.decoder(ids, weights, CONFIG, memory) for ids in batch.split((3, 2), dim=-1)]
    expect(steps[-1], expected[..., 3:, :], "decoder of 1 × 2 × 3 sentences, in two pieces")


@captured(v="blocks.{last}.attn.v", **WHOLE_MODEL)
def test_each_layer_has_its_cache(stage, case):
    """The last of the caches receives what the last layer computes, and nothing else."""
    memory = caches(case.config)
    stage.decoder(case.token_ids, case.pack.all_weights(), case.config, memory)
    expected = [len(case.token_ids)] * len(memory)
    expect_equal([len(cache) for cache in memory], expected, "how many tokens each cache holds")
    case.expect("v", memory[-1].v, end_to_end=True)


@captured(**WHOLE_MODEL)
def test_piece_by_piece(stage, case):
    """With caches, a text that comes in pieces gives the stream that it gives at once."""
    ids, weights, memory = case.token_ids, case.pack.all_weights(), caches(case.config)
    # All but four tokens, two more, and one by one: as far as there are so many.
    pieces = [piece for piece in (ids[:-4], ids[-4:-2], ids[-2:-1], ids[-1:]) if len(piece)]
    streams = [stage.decoder(piece, weights, case.config, memory) for piece in pieces]
    joined = torch.cat([tensor(stream, "the stream of a piece") for stream in streams])
    case.expect("out", joined, end_to_end=True)


def first_keys(weights, theta, start):
    """The first layer's rotated keys by torch's own functions, in float64, as float32."""
    wide = {name: w.double() for name, w in weights.items()}
    x, d = wide["model.embed_tokens.weight"][IDS], CONFIG.head_dim
    gains = wide["model.layers.0.input_layernorm.weight"]
    normed = F.rms_norm(x, gains.shape, gains, CONFIG.rms_norm_eps)
    k = (normed @ wide["model.layers.0.self_attn.k_proj.weight"].T).unflatten(-1, (-1, d))
    turns = theta ** (-torch.arange(0, d, 2).double() / d)
    angles = torch.arange(start, start + len(IDS))[:, None] * turns
    points = torch.complex(*k.transpose(0, 1).chunk(2, dim=-1))
    points = points * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([points.real, points.imag], dim=-1).float()


def test_angles_of_every_call(stage):
    """A token's angles follow theta and its place in the text, however long, in any dtype."""
    whole, half = torch.float32, torch.bfloat16
    for theta, start, dtype in ((100.0, 0, whole), (5000.0, 0, whole), (100.0, 5000, half)):
        config, memory = SimpleNamespace(**vars(CONFIG) | {"rope_theta": theta}), caches(CONFIG)
        weights = {name: w.to(dtype) for name, w in tiny_model().items()}
        earlier = torch.zeros(CONFIG.num_key_value_heads, start, CONFIG.head_dim, dtype=dtype)
        for cache in memory:
            cache.update(earlier, earlier)
        stage.decoder(IDS, weights, config, memory)
        # Whoever computes in float32 inside may keep them so.
        keys, expected = memory[0].k[..., start:, :].float(), first_keys(weights, theta, start)
        # An angle m·θ_i is off by 4 eps of float32 a position at most, as in stage 4.
        rounded = 4 * torch.finfo(whole).eps * (start + len(IDS))
        rounded += 4 * torch.finfo(dtype).eps
        allowed = rounding(expected, terms=1) + rounded * expected.abs().max().item()
        what = f"the rotated keys of 5 tokens after {start}, theta {theta:.0f}, in {dtype}"
        expect(keys, expected, what, tolerance=allowed, axes=("key/value head", "token", "dim"))


def test_more_than_ten_layers(stage):
    """The layers run in the order of their numbers, 10 after 9, and as many as the model has."""
    ran = []

    class Noting(Cache):
        def update(self, k, v):
            ran.append(self)
            return super().update(k, v)

    layer = tiny_layer(attention=0.0, mlp=0.0)  # silent, so that all layers see the same stream
    weights = {"model.embed_tokens.weight": tiny_model()["model.embed_tokens.weight"]}
    for place in range(13):  # the last is none of the model's
        weights |= {f"model.layers.{place}.{name}": w for name, w in layer.items()}
        weights[f"model.layers.{place}.self_attn.v_proj.weight"] = (place + 1) * layer[
            "self_attn.v_proj.weight"
        ]
    memory = [Noting() for _ in range(12)]
    config = SimpleNamespace(**vars(CONFIG) | {"num_hidden_layers": 12})
    stage.decoder(IDS[:1], weights, config, memory)
    order = [memory.index(cache) for cache in ran]
    expect_equal(order, list(range(12)), "the order in which 12 layers fill their caches")
    values = torch.stack([cache.v for cache in memory])
    expected = torch.arange(1, 13).view(12, 1, 1, 1) * values[0]
    axes = ("layer", "key/value head", "token", "dim")
    expect(values, expected, "the values of 12 layers, each n times the first's", axes=axes)


def test_silent_layers(stage):
    """Where no layer writes, the stream is the embedding: neither scaled nor normalised."""
    weights = tiny_model()
    for name in weights:
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weights[name] = torch.zeros_like(weights[name])
    expect(
        stage.decoder(IDS, weights, CONFIG),
        tiny_stream(),
        "decoder with silent layers",
        axes=STREAM,
    )


def test_no_look_ahead(stage):
    """Another last token changes nothing at the tokens before it."""
    weights, other = tiny_model(), torch.cat([IDS[:-1], torch.tensor([9])])
    before, after = stage.decoder(IDS, weights, CONFIG), stage.decoder(other, weights, CONFIG)
    before, after = (tensor(stream, "the stream")[:-1] for stream in (before, after))
    expect(after, before, "the stream of the tokens before it", axes=STREAM)


def test_nothing_is_remembered(stage):
    """Without caches nothing is kept between calls: a sentence in between changes nothing."""
    weights = tiny_model()
    first = stage.decoder(IDS, weights, CONFIG)
    stage.decoder(IDS.flip(0), weights, CONFIG)
    again = stage.decoder(IDS, weights, CONFIG)
    expect(again, tensor(first, "the stream"), "decoder, called again", axes=STREAM)


def test_weights_unchanged(stage):
    """decoder leaves the ids, the weights and their names as they were."""
    ids, weights, untouched = IDS.clone(), tiny_model(), tiny_model()
    stage.decoder(ids, weights, CONFIG)
    expect_equal(list(weights), list(untouched), "the list of names after decoder")
    expect_true(torch.equal(ids, IDS), "decoder changed the token ids.")
    expect_true(
        all(torch.equal(weights[name], untouched[name]) for name in weights),
        "decoder changed a weight: compute new tensors, and leave those that you are given.",
    )


def decoder_call(stage):
    """decoder as a function of its weights."""
    names = list(tiny_model())[:-1]  # the final norm is not the decoder's
    return lambda *weights: stage.decoder(IDS, dict(zip(names, weights, strict=True)), CONFIG)


def test_gradients(stage):
    """Gradients reach the embedding and the weights of every layer."""
    weights = list(tiny_model().values())[:-1]
    manners.expect_gradients(decoder_call(stage), *weights, what="decoder")


def test_bfloat16(stage):
    """Weights in bfloat16 give a stream in bfloat16."""
    weights = list(tiny_model().values())[:-1]
    manners.expect_bfloat16(decoder_call(stage), *weights, what="decoder")


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """The layers are written here, not called from a library."""
    expect_written(stage, lambda: stage.layer_weights({}, 0))
