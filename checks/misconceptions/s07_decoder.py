"""Wrong ways to write stage 7."""
# ruff: noqa: F821

import torch

from token_journey import misconception

STREAM = "what the lesson says of the residual stream: what is added to what?"
NORMS = "where the two norms of a layer stand, and whose weight each has"
LAYERS = "the loop over the layers: how many, in which order, each with which weights?"
POSITIONS = "where the tokens stand when `len(caches[0])` came before them"
CACHES = "what the lesson says of caches: one a layer, handed on to attention"
CONFIG = "which numbers the configuration gives, and what each is for"
NAMES = "the names of the weights: where does the layer's number end?"


# -- the residual stream ------------------------------------------------------


@misconception(
    "decoder_layer",
    "attention is added to the normalised input",
    "the first residual is taken after the norm, so what came in is lost",
    read=STREAM,
)
def attention_on_the_normed(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    x = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(x, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the MLP is added to the normalised stream",
    "the second residual is taken after the norm, so what came in is lost",
    read=STREAM,
)
def mlp_on_the_normed(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    x = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(x, *mlp)


@misconception(
    "decoder_layer",
    "attention replaces the stream",
    "the first residual is left out: what came in is not added",
    read=STREAM,
)
def without_the_first_residual(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the MLP replaces the stream",
    "the second residual is left out: what came in is not added",
    read=STREAM,
)
def without_the_second_residual(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the second residual is the layer's input",
    "the MLP is added to what entered the layer, so attention's share of the stream is lost",
    read=STREAM,
)
def residual_from_the_start(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    middle = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(middle, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "attention and MLP work side by side",
    "both read what entered the layer, where the MLP should read what attention left",
    read=STREAM,
)
def parallel(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    attention = grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + attention + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the MLP reads what attention wrote, not the stream",
    "the second norm is given attention's output before it is added",
    read=STREAM,
)
def mlp_reads_attention(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    attention = grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(attention, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + attention + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the input is added twice",
    "what entered the layer is added after attention and once more after the MLP",
    read=STREAM,
)
def input_added_twice(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    middle = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(middle, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + middle + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the MLP comes before attention",
    "the two halves of the layer are exchanged, each with its own norm",
    read=STREAM,
)
def mlp_first(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    x = x + swiglu(normed, *mlp)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    return x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)


# -- the norms ----------------------------------------------------------------


@misconception(
    "decoder_layer",
    "attention reads the stream as it is",
    "the norm before attention is left out",
    read=NORMS,
)
def without_the_first_norm(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    x = x + grouped_query_attention(x, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the MLP reads the stream as it is",
    "the norm before the MLP is left out",
    read=NORMS,
)
def without_the_second_norm(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(x, *mlp)


@misconception(
    "decoder_layer",
    "both norms have the first one's weight",
    "the norm before the MLP is made with the weight of the norm before attention",
    read=NORMS,
)
def first_weight_twice(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    gains = layer["input_layernorm.weight"]
    x = x + grouped_query_attention(rms_norm(x, gains, eps), layer, cos, sin, *heads, cache)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(rms_norm(x, gains, eps), *mlp)


@misconception(
    "decoder_layer",
    "the two norms are exchanged",
    "the one called post_attention stands before attention, the other before the MLP",
    read=NORMS,
)
def norms_exchanged(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the norms come after the sums",
    "each norm is applied to the stream after something was added, as the first transformer did",
    read=NORMS,
)
def post_norm(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    x = x + grouped_query_attention(x, layer, cos, sin, *heads, cache)
    x = rms_norm(x, layer["input_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return rms_norm(x + swiglu(x, *mlp), layer["post_attention_layernorm.weight"], eps)


@misconception(
    "decoder_layer",
    "attention's output is normalised",
    "the norm called post_attention is applied to attention's output, and the MLP reads the sum",
    read=NORMS,
)
def attention_output_normed(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    attention = grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    x = x + rms_norm(attention, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(x, *mlp)


@misconception(
    "decoder_layer",
    "the norms stand on what the branches give back",
    "attention and the MLP read the stream as it is, and what they return is normalised before "
    "it is added",
    read=NORMS,
)
def norms_on_the_results(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    attention = grouped_query_attention(x, layer, cos, sin, *heads, cache)
    x = x + rms_norm(attention, layer["input_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + rms_norm(swiglu(x, *mlp), layer["post_attention_layernorm.weight"], eps)


@misconception(
    "decoder_layer",
    "the first norm is applied twice",
    "what attention reads has gone through the same norm two times",
    read=NORMS,
)
def normed_twice(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    gains = layer["input_layernorm.weight"]
    normed = rms_norm(rms_norm(x, gains, eps), gains, eps)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the norms always have an eps of 1e-6",
    "a fixed eps is used, whatever the configuration says",
    read=CONFIG,
)
def fixed_eps(x, layer, cos, sin, config, cache=None):
    heads = config.num_attention_heads, config.num_key_value_heads
    normed = rms_norm(x, layer["input_layernorm.weight"], 1e-6)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], 1e-6)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the norms always have an eps of 1e-5",
    "a fixed eps is used, whatever the configuration says",
    read=CONFIG,
)
def another_fixed_eps(x, layer, cos, sin, config, cache=None):
    heads = config.num_attention_heads, config.num_key_value_heads
    normed = rms_norm(x, layer["input_layernorm.weight"], 1e-5)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], 1e-5)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


# -- what the layer hands on --------------------------------------------------


@misconception(
    "decoder_layer",
    "there are taken to be as many key/value heads as query heads",
    "num_attention_heads is handed on twice",
    read=CONFIG,
)
def heads_alike(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_attention_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "gate and up are exchanged",
    "swiglu is handed up_proj where it takes the gate, and gate_proj where it takes up",
    read="the parameters of swiglu, in order",
)
def gate_and_up_exchanged(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("up", "gate", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "cos and sin are exchanged",
    "attention is handed the sines where it takes the cosines",
    read="the parameters of grouped_query_attention, in order",
)
def cos_and_sin_exchanged(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(normed, layer, sin, cos, *heads, cache)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


@misconception(
    "decoder_layer",
    "the layer's cache stays empty",
    "the layer does not hand it on, or takes an empty one for none (ask `is not None`), so "
    "attention sees only the new tokens",
    read=CACHES,
)
def cache_not_handed_on(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads)
    normed = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    mlp = [layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    return x + swiglu(normed, *mlp)


# -- the decoder --------------------------------------------------------------


@misconception(
    "decoder",
    "the final norm is applied here",
    "the stream is normalised after the last layer; that is lm_head's task, and it does it again",
    read="what the lesson says decoder returns",
)
def with_the_final_norm(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    gains = weights.get("model.norm.weight", torch.ones_like(x[0]))
    return rms_norm(x, gains, config.rms_norm_eps)


@misconception(
    "decoder",
    "every layer has layer 0's weights",
    "the weights are looked up once, for layer 0, and used in all layers",
    read=LAYERS,
)
def first_layer_again_and_again(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, 0), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the layers run in reverse",
    "the last layer comes first",
    read=LAYERS,
)
def in_reverse(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in reversed(range(config.num_hidden_layers)):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the layers are sorted as text",
    "10 comes before 2 in an alphabet, so a model of more than ten layers is shuffled",
    read=LAYERS,
)
def sorted_as_text(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in sorted(range(config.num_hidden_layers), key=str):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the last layer is left out",
    "the loop ends one layer early",
    read=LAYERS,
)
def one_layer_short(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers - 1):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the first layer is left out",
    "the loop counts the layers from 1, and they are counted from 0",
    read=LAYERS,
)
def from_layer_1(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(1, config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "every layer reads the embedding",
    "what a layer returns is not what the next one gets",
    read=LAYERS,
)
def layers_side_by_side(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        out = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return out


@misconception(
    "decoder",
    "each layer's input is added once more",
    "decoder adds to the stream what decoder_layer has added already",
    read=STREAM,
)
def added_once_more(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = x + decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the embedding is scaled",
    "the embedded tokens are multiplied by √D, as the first transformer and Gemma do",
    read="how the stream begins",
)
def scaled_embedding(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    x = x * x.shape[-1] ** 0.5
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "theta is always 10 000",
    "a fixed base is used for the frequencies, whatever the configuration says",
    read=CONFIG,
)
def fixed_theta(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, 10_000.0))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the head dim is guessed",
    "hidden_size / num_attention_heads is used, though a model may have another head_dim",
    read=CONFIG,
)
def guessed_head_dim(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    head_dim = config.hidden_size // config.num_attention_heads
    cos, sin = rotary_tables(positions, frequencies(head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "positions are counted from 1",
    "the first token stands at position 1, where it should stand at 0",
    read=POSITIONS,
)
def positions_from_1(token_ids, weights, config, caches=None):
    start = 1 if caches is None else len(caches[0]) + 1
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "positions restart at 0",
    "new tokens get the positions 0, 1, … although the caches hold earlier ones",
    read=POSITIONS,
)
def positions_restart(token_ids, weights, config, caches=None):
    positions = torch.arange(token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the position is the last old token's",
    "new tokens begin where the last token of the caches stands, one place too early",
    read=POSITIONS,
)
def positions_one_early(token_ids, weights, config, caches=None):
    start = 0 if caches is None else max(0, len(caches[0]) - 1)
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the caches are counted, not their tokens",
    "the positions begin at the number of caches, which is the number of layers",
    read=POSITIONS,
)
def caches_counted(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches)
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the positions are counted anew in each layer",
    "the first layer has filled its cache by then, so later layers see later positions",
    read="what the lesson says of one table of angles for all layers",
)
def angles_in_the_loop(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        start = 0 if caches is None else len(caches[0])
        positions = torch.arange(start, start + token_ids.shape[-1])
        cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the caches are not handed on",
    "the layers run without their caches, so new tokens never see the earlier ones",
    read=CACHES,
)
def caches_not_handed_on(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config)
    return x


@misconception(
    "decoder",
    "all layers share the first cache",
    "every layer adds its keys and values to caches[0]",
    read=CACHES,
)
def one_cache_for_all(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[0]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the positions are rounded to the dtype of the weights",
    "in bfloat16 there is no 257, so that far into a text neighbours stand at one place",
    read=POSITIONS,
)
def rounded_positions(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    positions = torch.arange(start, start + token_ids.shape[-1]).to(x.dtype)
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x


# -- layer_weights ------------------------------------------------------------


@misconception(
    "layer_weights",
    "layer 10 is taken for layer 1",
    "`model.layers.1` begins the names of layers 10, 11, … as well",
    read=NAMES,
)
def prefix_without_a_dot(weights, layer):
    prefix = f"model.layers.{layer}"
    return {k.split(".", 3)[3]: w for k, w in weights.items() if k.startswith(prefix)}


@misconception(
    "layer_weights",
    "the names keep their prefix",
    "the weights are the layer's, but still under their full names",
    read="the docstring of layer_weights: what are the weights called inside the layer?",
)
def full_names(weights, layer):
    return {k: w for k, w in weights.items() if k.startswith(f"model.layers.{layer}.")}


@misconception(
    "layer_weights",
    "layers are counted from 1",
    "the weights of the layer before are returned",
    read="how Hugging Face counts layers",
)
def counted_from_1(weights, layer):
    prefix = f"model.layers.{max(layer - 1, 0)}."
    return {k.removeprefix(prefix): w for k, w in weights.items() if k.startswith(prefix)}


@misconception(
    "layer_weights",
    "the other weights are handed on as well",
    "embedding, final norm and vocabulary are among the layer's weights",
    read="the docstring of layer_weights: which weights are returned?",
)
def with_all_others(weights, layer):
    prefix = f"model.layers.{layer}."
    return {
        k.removeprefix(prefix): w for k, w in weights.items() if ".layers." not in k or prefix in k
    }


@misconception(
    "layer_weights",
    "the weights are copied",
    "each layer's weights are in memory twice, though they are only read",
    read="the docstring of layer_weights: which tensors are returned?",
)
def copies(weights, layer):
    prefix = f"model.layers.{layer}."
    return {k.removeprefix(prefix): w.clone() for k, w in weights.items() if k.startswith(prefix)}


@misconception(
    "layer_weights",
    "the weights are cut off from the gradient",
    "they are detached on their way into the layer, so no training reaches them",
    read="the docstring of layer_weights: which tensors are returned?",
)
def detached(weights, layer):
    prefix = f"model.layers.{layer}."
    return {k.removeprefix(prefix): w.detach() for k, w in weights.items() if k.startswith(prefix)}


# -- more of what people really write -------------------------------------------


@misconception(
    "decoder_layer",
    "the MLP reads the copy that was normalised before attention",
    "the norm is computed only once, and what attention added is not in it",
    read=NORMS,
)
def normed_only_once(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    normed = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache)
    return x + swiglu(
        normed, *[layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")]
    )


@misconception(
    "decoder_layer",
    "the normalised copy takes the place of the stream, both times",
    "`x = norm(x)` and then `x = x + …`: what is added to should be x as it came in",
    read=STREAM,
)
def stream_normalised_twice(x, layer, cos, sin, config, cache=None):
    eps, heads = config.rms_norm_eps, (config.num_attention_heads, config.num_key_value_heads)
    x = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = x + grouped_query_attention(x, layer, cos, sin, *heads, cache)
    x = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    return x + swiglu(x, *[layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")])


@misconception(
    "decoder",
    "the position is the number of the layer",
    "the angles are made anew in each layer, and all tokens stand at the layer's number",
    read=POSITIONS,
)
def position_of_the_layer(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    frequency = frequencies(config.head_dim, config.rope_theta)
    for n in range(config.num_hidden_layers):
        cos, sin = rotary_tables(torch.full((token_ids.shape[-1],), n), frequency)
        cache = None if caches is None else caches[n]
        x = decoder_layer(x, layer_weights(weights, n), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "the first axis of the ids is taken for the tokens",
    "`len(token_ids)` is the number of texts as soon as there is a batch; tokens are the last axis",
    read="the shapes: any number of leading axes",
)
def tokens_on_the_first_axis(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + len(token_ids))
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    for n in range(config.num_hidden_layers):
        cache = None if caches is None else caches[n]
        x = decoder_layer(x, layer_weights(weights, n), cos, sin, config, cache)
    return x


@misconception(
    "decoder",
    "positions are off by one once a cache is filled",
    "after n old tokens the first new one stands at n, not at n + 1",
    read=POSITIONS,
)
def off_by_one_after_a_cache(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    start = 0 if caches is None or not len(caches[0]) else len(caches[0]) + 1
    positions = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    for n in range(config.num_hidden_layers):
        cache = None if caches is None else caches[n]
        x = decoder_layer(x, layer_weights(weights, n), cos, sin, config, cache)
    return x


@misconception(
    "layer_weights",
    "the weights are taken out of the model's",
    "`pop` removes them: the caller's weights are changed, and the second time they are gone",
    read=NAMES,
)
def weights_popped(weights, layer):
    prefix = f"model.layers.{layer}."
    names = [name for name in weights if name.startswith(prefix)]
    return {name.removeprefix(prefix): weights.pop(name) for name in names}
