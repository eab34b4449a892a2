"""Tokenizers of every kind: ids are their own, and what is shown can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from checkpoints import captured, make
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from token_journey.course.course import find_course
from token_journey.errors import CheckpointError
from token_journey.journey.journey import Token
from token_journey.journey.opening import opened
from token_journey.journey.sources.from_model import material_of, opened_model
from token_journey.journey.sources.from_pack import material_of as captured_material
from token_journey.journey.sources.settings import Settings
from token_journey.models.tokenizer import refuse_what_never_ends, tokenized
from token_journey.packs.pack import Pack

TEXT = "els camins de la mar són llargs i clars"
CORPUS = [TEXT, "la mar, els camins i l'horta", "açò és or; perquè la mascletà"] * 3
SPECIAL = ["<unk>", "<s>", "</s>"]


def trained(tokenizer: Tokenizer, trainer: Any) -> Tokenizer:
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def byte_level(**wishes: Any) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**wishes))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=alphabet, special_tokens=SPECIAL, show_progress=False
    )
    return trained(tokenizer, trainer)


def by_pattern() -> Tokenizer:
    """As Llama 3 and Qwen have it: a pattern cuts, and bytes are letters."""
    tokenizer = byte_level()
    pattern = Regex(r"'\w+|\w+|[^\s\w]+|\s+(?!\S)|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def letters(**wishes: Any) -> Tokenizer:
    """BPE that merges letters and has no bytes for what it does not know."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", **wishes))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return trained(
        tokenizer,
        trainers.BpeTrainer(vocab_size=200, special_tokens=SPECIAL, show_progress=False),
    )


def with_marks(**marks: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", **marks))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=SPECIAL, show_progress=False, **marks
    )
    return trained(tokenizer, trainer)


def unigram(**wishes: Any) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    return trained(tokenizer, trainer)


def word_level() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return trained(
        tokenizer, trainers.WordLevelTrainer(special_tokens=SPECIAL, show_progress=False)
    )


def word_piece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=SPECIAL, show_progress=False)
    return trained(tokenizer, trainer)


def of_the_kata() -> Tokenizer:
    packs = find_course().packs
    return Tokenizer.from_file(str(packs / "witness-gqa" / "tokenizer.json"))


def normalised() -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.normalizer = normalizers.NFD()
    return tokenizer


def clip() -> Tokenizer:
    """Byte-level, and a mark at the end of a word: as CLIP has it."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\w+|[^\s\w]+"), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, end_of_word_suffix="</w>", show_progress=False
    )
    return trained(tokenizer, trainer)


# Whether stage 1 can make the ids: bytes are merged, or letters and bytes, and nothing else.
KINDS: dict[str, tuple[Callable[[], Tokenizer], bool]] = {
    "the kata's": (of_the_kata, True),
    "byte-level": (byte_level, True),
    "byte-level, by a pattern": (by_pattern, True),
    "byte-level, normalised": (normalised, True),
    "letters without bytes": (letters, False),
    "letters, unknown ones together": (lambda: letters(fuse_unk=True), False),
    "a mark at the end of words": (lambda: with_marks(end_of_word_suffix="</w>"), False),
    "a mark inside words": (lambda: with_marks(continuing_subword_prefix="##"), False),
    "byte-level with a mark": (clip, False),
    "unigram": (unigram, False),
    "word level": (word_level, False),
    "word pieces": (word_piece, False),
}


# A normaliser's letters are not the text's.
OTHER_LETTERS = {"byte-level, normalised", "word pieces"}


def text_of(tokens: Sequence[Token]) -> str:
    """What tokens say together; of characters in several, the bytes."""
    told = "".join(token.piece for token in tokens if token.word >= 0).strip()
    return re.sub(
        "((?:<[0-9A-F]{2}>)+)",
        lambda found: bytes.fromhex(re.sub("[<>]", "", found[1])).decode(),
        told,
    )


def folder_with(tokenizer: Tokenizer, folder: Path) -> Path:
    make(folder, num_hidden_layers=1)
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    return folder


PROMPTS = {"plain": TEXT, "foreign": "la 🎶 mar ŵ", "spaces": "  la   mar ", "one": "a"}


@pytest.mark.parametrize("wishes", [{}, {"layers": "all"}, {"layers": "all", "sliced": True}])
@pytest.mark.parametrize("kind", KINDS)
def test_captured(kind: str, wishes: dict[str, Any], tmp_path: Path) -> None:
    make_tokenizer, merges = KINDS[kind]
    tokenizer = make_tokenizer()
    folder = folder_with(tokenizer, tmp_path / "model")
    pack, _ = captured(folder, tmp_path / "pack", streamed=True, prompts=PROMPTS, **wishes)
    assert pack.has_vocabulary is merges
    for name, text in PROMPTS.items():
        prompt = pack.prompts[name]
        assert list(prompt.ids) == tokenizer.encode(text).ids
        assert bool(prompt.words) is merges
        assert not merges or all(i in pack.vocabulary.id_to_bytes for i in prompt.ids)
    shown = captured_material(pack, TEXT).tokens
    assert kind in OTHER_LETTERS or text_of(shown) == TEXT
    assert merges or len({token.word for token in shown}) >= len(TEXT.split())


@pytest.mark.parametrize("kind", KINDS)
def test_walked(kind: str, tmp_path: Path) -> None:
    tokenizer = KINDS[kind][0]()
    folder = folder_with(tokenizer, tmp_path / "model")
    with opened_model(folder) as model:
        material = material_of(model, TEXT, Settings())
        assert kind in OTHER_LETTERS or text_of(material.tokens) == TEXT
        assert all(model.spell(i) for i in range(1, tokenizer.get_vocab_size()))
        assert material.also


def test_a_walk_from_end_to_end(tmp_path: Path) -> None:
    folder = folder_with(unigram(), tmp_path / "model")
    with opened(str(folder), find_course()) as walks:
        assert walks.walk(TEXT).best


# -- special tokens inside the text -----------------------------------------------------------


@pytest.mark.parametrize("text", ["la </s> mar", "</s>", "<s><s>la", "la</s>mar", "mar <unk>"])
@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_in_a_text(kind: str, text: str) -> None:
    tokenizer = KINDS[kind][0]()
    content = tokenizer.to_str().encode()
    for whole in (False, True):
        found = tokenized(content, {"p": text, "q": TEXT}, whole)
        special, plain = found.prompts
        assert list(special.ids) == tokenizer.encode(text).ids
        assert special.words == () and bool(plain.words) is KINDS[kind][1]
        assert any(mark in special.pieces for mark in SPECIAL)
        if found.content:
            kept = Tokenizer.from_str(found.content.decode())
            assert kept.encode(text).ids == list(special.ids)


def test_added_tokens_that_are_not_special() -> None:
    tokenizer = byte_level()
    tokenizer.add_tokens([AddedToken("camins", normalized=False)])
    for whole in (False, True):
        found = tokenized(tokenizer.to_str().encode(), {"p": TEXT, "q": "la mar"}, whole)
        assert [bool(prompt.words) for prompt in found.prompts] == [False, True]
        assert list(found.prompts[0].ids) == tokenizer.encode(TEXT).ids


def test_a_begin_token_that_the_vocabulary_has() -> None:
    tokenizer = byte_level()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    found = tokenized(tokenizer.to_str().encode(), {"p": TEXT})
    assert found.begin_token == tokenizer.token_to_id("<s>") == found.prompts[0].ids[0]
    assert found.prompts[0].words


# -- patterns ---------------------------------------------------------------------------------

ENDLESS = ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(a+a+)+$", r"^(\w+\s?)*$"]


def split_by(pattern: str) -> bytes:
    tokenizer = of_the_kata()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.Metaspace()]
    )
    return tokenizer.to_str().encode()


@pytest.mark.parametrize("pattern", ENDLESS)
def test_a_pattern_that_backtracks_for_ever(
    pattern: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = " ".join([30 * "a" + "!"] * 30)
    with pytest.raises(CheckpointError, match="does not come to an end") as caught:
        refuse_what_never_ends(split_by(pattern), [text], seconds=2.0)
    assert str(caught.value).count(".") == 2  # one sentence, and a file's name
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("pattern", [*ENDLESS, r"\s+", r"\p{L}+|\p{N}{1,3}|[^\s\p{L}]+"])
def test_a_pattern_that_ends_on_this_text(pattern: str) -> None:
    content = split_by(pattern)
    refuse_what_never_ends(content, ["la mar", ""])
    ids = Tokenizer.from_str(content.decode()).encode("la mar").ids
    assert list(tokenized(content, {"p": "la mar"}).prompts[0].ids) == ids


def test_a_walk_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(tmp_path / "model", num_hidden_layers=1)
    (folder / "tokenizer.json").write_bytes(split_by("(a+)+$"))
    text = " ".join([30 * "a" + "!"] * 3)
    with opened_model(folder) as model:
        assert model.encode("la mar")
        with pytest.raises(CheckpointError, match="does not come to an end"):
            model.encode(text)
    with pytest.raises(CheckpointError, match="does not come to an end"):
        captured(folder, tmp_path / "pack", streamed=True, prompts={"p": text})


# -- what can't be cut down --------------------------------------------------------------------


def test_what_can_not_be_cut_down_is_kept_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is sent in a circle: it costs room, and that is all."""
    folder = make(tmp_path / "model", num_hidden_layers=2)
    small, _ = captured(folder, tmp_path / "small", streamed=True, layers=(0,))
    monkeypatch.setattr("token_journey.models.tokenizer._reduced", lambda *_: None)
    whole, plan = captured(folder, tmp_path / "whole", streamed=True, layers=(0,))
    assert small.prompts == whole.prompts
    described = json.loads((whole.folder / "tokenizer.json").read_text())
    assert len(described["model"]["merges"]) == 284
    assert str(len(plan.tokenizer or b"")) and Pack(whole.folder).has_vocabulary
