"""What a capture of Aitana-2B-S costs, shown on a checkpoint of its shape with random weights.

    python benchmarks/capture.py [FOLDER]

Makes the checkpoint in FOLDER (4.5 GB; a temporary one if not given), captures it
streamed in three ways, grades solutions/ with the slice, and prints for each
command the bytes of weights read, the peak memory, the time and the pack's size.
"""

import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

HOME = Path(__file__).resolve().parent.parent
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 256000,
    "hidden_size": 2048,
    "intermediate_size": 5440,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "head_dim": 128,
    "hidden_act": "silu",
    "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "attention_bias": False,
    "mlp_bias": False,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "torch_dtype": "bfloat16",
}
# Twelve tokens each, with the begin token; the first is the published one.
PROMPTS = [
    "açò es or...",
    "la mar estava en calma i el cel era clar hui",
    "cada dijous a migdia es reunix el tribunal de les aigües",
    "el tren que va de València a Castelló ix a les nou",
]


def shapes():
    """Every tensor of the checkpoint, in the order in which it is stored."""
    d, f, v = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["vocab_size"]
    yield "model.embed_tokens.weight", (v, d)
    for layer in range(CONFIG["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        yield name + "input_layernorm.weight", (d,)
        for part in "qkvo":
            yield f"{name}self_attn.{part}_proj.weight", (d, d)
        yield name + "post_attention_layernorm.weight", (d,)
        yield name + "mlp.gate_proj.weight", (f, d)
        yield name + "mlp.up_proj.weight", (f, d)
        yield name + "mlp.down_proj.weight", (d, f)
    yield "model.norm.weight", (d,)
    yield "lm_head.weight", (v, d)


def make_checkpoint(folder):
    """Write the checkpoint tensor by tensor, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "model.safetensors").exists():
        return
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()), encoding="utf-8")
    header, end = {}, 0
    for name, shape in shapes():
        begin, end = end, end + 2 * torch.Size(shape).numel()
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    generator = torch.Generator().manual_seed(0)
    unfinished = folder / "model.safetensors.new"
    with unfinished.open("wb") as stream:
        stream.write(len(encoded).to_bytes(8, "little") + encoded)
        for _, shape in shapes():
            weight = torch.empty(shape, dtype=torch.bfloat16)
            spread = 0.02 if len(shape) > 1 else 0.2
            weight.normal_(0.0 if len(shape) > 1 else 1.0, spread, generator=generator)
            stream.write(weight.view(torch.uint8).numpy().tobytes())
            del weight
    unfinished.rename(folder / "model.safetensors")


def tokenizer():
    """A tokenizer of 256,000 tokens to which each word of the prompts is one token."""
    special = ["<unk>", "<s>", "</s>", "<pad>", "<|im_start|>", "<|im_end|>"]
    words = {"▁" + word for prompt in PROMPTS for word in prompt.split()}
    letters = sorted(
        {letter for word in words for letter in word} | set("abcdefghijklmnopqrstuvwxyz")
    )
    vocab = {
        token: i
        for i, token in enumerate([*special, *(f"<0x{b:02X}>" for b in range(256)), *letters])
    }
    merges = []

    def merge(left, right):
        if left + right not in vocab:
            vocab[left + right] = len(vocab)
            merges.append([left, right])

    for word in sorted(words):
        for end in range(1, len(word)):
            merge(word[:end], word[end])
    draw, known = random.Random(0), letters
    while len(vocab) < CONFIG["vocab_size"]:
        longer = [left + right for left in known for right in letters]
        draw.shuffle(longer)
        known = longer[: CONFIG["vocab_size"] - len(vocab)]
        for token in known:
            merge(token[:-1], token[-1])
    # A vocabulary that was converted from SentencePiece lists every way to make a token.
    for token in [*vocab][len(special) + 256 :]:
        ways = ([token[:cut], token[cut:]] for cut in range(1, len(token) - 1))
        merges += [way for way in ways if way[0] in vocab and way[1] in vocab]
    begin = {"id": "<s>", "ids": [1], "tokens": ["<s>"]}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                **{"id": i, "content": token, "special": True},
                **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False),
            }
            for i, token in enumerate(special)
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Metaspace",
            "replacement": "▁",
            "prepend_scheme": "always",
            "split": True,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": x, "type_id": 0}} for x in "AB"],
            "special_tokens": {"<s>": begin},
        },
        "decoder": None,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": vocab,
            "merges": merges,
        },
    }


def measured(command):
    """Output, seconds and peak megabytes of a command."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=HOME, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        output.seek(0)
        text = output.read().decode()
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{text}")
    return text, seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def main():
    with tempfile.TemporaryDirectory(prefix="token-journey-") as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else f"{scratch}/aitana-random")
        # In a process of its own: the peak of this one would count as that of each it starts.
        making = multiprocessing.get_context("spawn").Process(
            target=make_checkpoint, args=(folder,)
        )
        making.start()
        making.join()
        if making.exitcode:
            sys.exit(f"The checkpoint could not be made in {folder}.")
        tool = [sys.executable, "-m", "token_journey", "capture", str(folder)]
        prompts = [argument for prompt in PROMPTS for argument in ("--prompt", prompt)]
        ways = {
            "--stream --layers 0, one prompt": ["--stream", "--layers", "0", *prompts[:2]],
            "--stream": ["--stream", *prompts],
            "--stream --slice": ["--stream", "--slice", *prompts],
        }
        print(
            f"{'token-journey capture …':<33}{'weights MB':>10}{'peak MB':>9}{'s':>7}{'pack MB':>9}"
        )
        for way, options in ways.items():
            out = Path(scratch, "pack-" + str(len(way)))
            text, seconds, peak = measured([*tool, *options, "--out", str(out)])
            read = re.search(r"([\d,.]+) MB of weights were read", text)[1]
            size = sum(path.stat().st_size for path in out.iterdir()) / 1e6
            print(f"{way:<34}{read:>9}{peak:>9.0f}{seconds:>7.0f}{size:>9.1f}", flush=True)
        grading = [sys.executable, "-m", "pytest", "-q", "solutions/", "--pack", str(out)]
        text, seconds, peak = measured(grading)
        print(f"\npytest solutions/ --pack SLICE: {seconds:.0f} s, {peak:.0f} MB")
        print(text.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
