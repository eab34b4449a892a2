"""solutions/ against transformers' LlamaForCausalLM, layer by layer, on random models.

The weights are drawn so that mistakes show: gains far from 1, attention that
is sharp, an eps that weighs.
"""

from types import SimpleNamespace

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation

IMPLEMENTATION = Implementation(find_course().reference)
DECODER = IMPLEMENTATION.module("s07_decoder")
HEAD = IMPLEMENTATION.module("s08_lm_head")
GENERATE = IMPLEMENTATION.module("s10_generate")

# hidden, query heads, key/value heads, head dim, neurons, layers, tied, theta, eps
SHAPES = {
    "K < H": (48, 6, 2, 16, 80, 3, False, 500.0, 0.05),
    "K = H": (64, 4, 4, 16, 96, 2, False, 10_000.0, 1e-5),
    "K = 1": (40, 5, 1, 8, 56, 2, True, 100_000.0, 1e-6),
    "tied, wide heads": (32, 2, 1, 64, 72, 2, True, 10_000.0, 1e-3),
    "heads of two": (24, 12, 3, 2, 40, 2, False, 10_000.0, 1e-5),
    "one layer, one head": (16, 1, 1, 16, 24, 1, False, 10_000.0, 1e-5),
}


def random_llama(shape, dtype=torch.float32, seed=0):
    hidden, heads, kv_heads, head_dim, neurons, layers, tied, theta, eps = shape
    config = LlamaConfig(
        vocab_size=131,
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=head_dim,
        intermediate_size=neurons,
        num_hidden_layers=layers,
        tie_word_embeddings=tied,
        rms_norm_eps=eps,
        rope_parameters={"rope_type": "default", "rope_theta": theta},
        attn_implementation="eager",
    )
    model = LlamaForCausalLM(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            drawn = torch.randn(weight.shape, generator=generator)
            if weight.ndim == 1:
                weight.copy_(drawn * 1.5 + 0.5)
            else:
                sharp = 3.0 if "q_proj" in name or "k_proj" in name else 1.0
                weight.copy_(drawn * sharp / weight.shape[-1] ** 0.5)
    return model.to(dtype)


def settings(model):
    config = model.config
    return SimpleNamespace(
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        head_dim=config.head_dim,
        rms_norm_eps=config.rms_norm_eps,
        rope_theta=config.rope_parameters["rope_theta"],
    )


def layer_outputs(model, ids):
    """What enters and leaves each layer, as hooks see it, and the logits."""
    streams = []
    hooks = [
        layer.register_forward_hook(lambda _, args, out: streams.append((args[0], out)))
        for layer in model.model.layers
    ]
    with torch.no_grad():
        logits = model(ids).logits
    for hook in hooks:
        hook.remove()
    return streams, logits


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_layer_by_layer_and_logits(shape, dtype):
    model = random_llama(SHAPES[shape], dtype)
    ids = torch.randint(131, (3, 11), generator=torch.Generator().manual_seed(1))
    streams, logits = layer_outputs(model, ids)
    weights, config = dict(model.state_dict()), settings(model)

    # Two float32 (or bfloat16) computations of one function differ by what either
    # of them differs from float64; transformers' own distance is the yardstick.
    exact = random_llama(SHAPES[shape]).to(dtype).double()
    exact_streams, exact_logits = layer_outputs(exact, ids)
    rope = IMPLEMENTATION.module("s04_rope")
    cos, sin = rope.rotary_tables(
        torch.arange(11), rope.frequencies(config.head_dim, config.rope_theta)
    )
    for layer, (x, out) in enumerate(streams):
        mine = DECODER.decoder_layer(x, DECODER.layer_weights(weights, layer), cos, sin, config)
        allowed = 4 * (out.double() - exact_streams[layer][1]).abs().max().item()
        assert mine.dtype == dtype
        assert (mine.double() - out.double()).abs().max().item() <= allowed, f"layer {layer}"

    stream = DECODER.decoder(ids, weights, config)
    head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    mine = HEAD.lm_head(stream, weights["model.norm.weight"], head, config.rms_norm_eps)
    allowed = 4 * (logits.double() - exact_logits).abs().max().item()
    assert mine.dtype == dtype
    assert (mine.double() - logits.double()).abs().max().item() <= allowed


@pytest.mark.parametrize("theta", [10_000.0, 100_000.0, 500_000.0])
@pytest.mark.parametrize("head_dim", [4, 16, 64, 128])
def test_frequencies_bit_by_bit(head_dim, theta):
    """Position magnifies the last bit of a frequency, so it is transformers' own."""
    config = LlamaConfig(
        head_dim=head_dim, rope_parameters={"rope_theta": theta, "rope_type": "default"}
    )
    theirs = LlamaRotaryEmbedding(config).inv_freq
    assert torch.equal(IMPLEMENTATION.module("s04_rope").frequencies(head_dim, theta), theirs)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_yardstick_is_short(shape):
    """What the test above allows in float32 is far less than any mistake moves."""
    model = random_llama(SHAPES[shape])
    ids = torch.randint(131, (1, 11), generator=torch.Generator().manual_seed(1))
    exact = random_llama(SHAPES[shape]).double()
    _, logits = layer_outputs(model, ids)
    _, exact_logits = layer_outputs(exact, ids)
    scale = exact_logits.abs().max().item()
    assert (logits.double() - exact_logits).abs().max().item() < 1e-4 * scale


@pytest.mark.parametrize("shape", SHAPES)
def test_greedy_generation(shape):
    model = random_llama(SHAPES[shape])
    prompt = torch.randint(131, (7,), generator=torch.Generator().manual_seed(2))
    expected = model.generate(
        prompt[None], max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None
    )[0]
    weights = dict(model.state_dict())
    mine = GENERATE.generate(prompt, weights, settings(model), max_new_tokens=12)
    assert mine.tolist() == expected.tolist()


def test_generation_with_end_tokens():
    model = random_llama(SHAPES["K < H"])
    prompt = torch.randint(131, (7,), generator=torch.Generator().manual_seed(2))
    free = model.generate(
        prompt[None], max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None
    )[0, 7:].tolist()
    ends = [free[4], free[9]]
    for minimum in (0, 6, 12):
        expected = model.generate(
            prompt[None],
            max_new_tokens=12,
            min_new_tokens=minimum,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=ends,
        )[0]
        mine = GENERATE.generate(
            prompt,
            dict(model.state_dict()),
            settings(model),
            max_new_tokens=12,
            min_new_tokens=minimum,
            eos_ids=ends,
        )
        assert mine.tolist() == expected.tolist(), f"min_new_tokens={minimum}"
