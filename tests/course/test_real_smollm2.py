"""solutions/ against the real SmolLM2, whole, as transformers runs it."""

import json
from types import SimpleNamespace

import pytest
import torch
from graded import grade
from transformers import AutoModelForCausalLM, AutoTokenizer

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation

COURSE = find_course()
PROMPTS = ["The capital of France is", "açò es or...", "Perquè l'àvia canta 🎶 i riu"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(whole_smollm2):
    return AutoModelForCausalLM.from_pretrained(
        whole_smollm2, dtype=torch.float32, attn_implementation="eager"
    ).eval()


@pytest.fixture(scope="module")
def ids(whole_smollm2):
    tokenizer = AutoTokenizer.from_pretrained(whole_smollm2)
    return {text: torch.tensor(tokenizer(text).input_ids) for text in PROMPTS}


@pytest.fixture(scope="module")
def mine(model):
    implementation = Implementation(COURSE.reference)
    config = model.config
    settings = SimpleNamespace(
        **{k: v for k, v in json.loads(config.to_json_string()).items() if k != "rope_parameters"},
        rope_theta=config.rope_parameters["rope_theta"],
    )
    return SimpleNamespace(
        decoder=implementation.module("s07_decoder").decoder,
        lm_head=implementation.module("s08_lm_head").lm_head,
        generate=implementation.module("s10_generate").generate,
        weights=dict(model.state_dict()),
        config=settings,
    )


@pytest.mark.parametrize("text", PROMPTS)
def test_logits(text, model, mine, ids):
    with torch.no_grad():
        expected = model(ids[text][None]).logits[0]
        stream = mine.decoder(ids[text], mine.weights, mine.config)
        table = mine.weights["model.embed_tokens.weight"]
        norm = mine.weights["model.norm.weight"]
        logits = mine.lm_head(stream, norm, table, mine.config.rms_norm_eps)
    # 30 layers of float32: the packs' measured end-to-end distances are of this size.
    assert (logits - expected).abs().max().item() < 1e-5 * expected.abs().max().item() * 30
    assert torch.equal(logits.argmax(-1), expected.argmax(-1))


@pytest.mark.parametrize("text", PROMPTS)
def test_32_greedy_tokens(text, model, mine, ids):
    expected = model.generate(
        ids[text][None], max_new_tokens=32, do_sample=False, eos_token_id=None, pad_token_id=2
    )[0]
    with torch.no_grad():
        out = mine.generate(ids[text], mine.weights, mine.config, max_new_tokens=32)
    assert out.tolist() == expected.tolist()


def test_grading_with_the_whole_model(whole_smollm2):
    """`--whole-model` adds the full forward pass, and the solutions pass it."""
    sliced = grade(COURSE.reference / "s07_decoder.py")
    whole = grade(COURSE.reference / "s07_decoder.py", options=("--whole-model",))
    assert whole.exit_code == 0
    assert len(whole.reports) > len(sliced.reports)
