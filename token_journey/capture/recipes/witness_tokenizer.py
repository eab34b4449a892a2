"""A small tokenizer like Aitana's: BPE on text, with bytes for what it has no letter for.

Trained here, on a few paragraphs of its own, so that a pack of some hundred
kilobytes has merges, accents, byte fallback and a begin token to be tested on.
"""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

MERGES = 284
SPECIAL = ("<unk>", "<s>", "</s>")
BOS_ID = 1

TEXT = """\
açò es or, deia la iaia quan la collita era bona. Al matí, els xiquets eixien de casa amb un
tros de pa i se n'anaven cap a la séquia. L'aigua baixava clara i freda de la muntanya, i qui
tenia sed hi bevia. Açò era abans que les màquines arribaren a l'horta; ara tot va més ràpid,
però l'olor de la flor del taronger és la mateixa. Quan plou, el camí s'ompli de fang, i les
paraules dels vells, que eren moltes, no s'oblidaven mai... Qui té paraules té un tresor.

La lengua es una herramienta: corta, une, señala y guarda. Cada palabra que decimos llega desde
muy lejos, y cada una ha cambiado por el camino. Los niños aprenden a hablar escuchando; las
máquinas aprenden contando. Cuentan qué letra sigue a otra, qué sílaba sigue a otra, y con eso
hacen trozos que guardan en una lista. Después leen un texto y lo cortan en esos trozos... No
entienden nada todavía, pero ya pueden contar. La abuela decía que el pan, el agua y la palabra
no se le niegan a nadie.

The language of a place is like the water of a river: it is never the same and it is always
there. Every word that we say has come a long way, and each one has changed on the road. A
machine reads a text and cuts it into pieces; then it counts which piece comes after which. The
pieces are not letters and they are not words... They are something between the two, and they
are chosen because they come again and again. The old people say that gold is what you can
give away and still keep: that is what a word is.
"""


def train() -> Tokenizer:
    """Train the tokenizer; the same vocabulary every time.

    Ids are laid out as SentencePiece does: special tokens, 256 bytes, merges
    in the order in which they were learned, single characters.
    """
    pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    learned = _learn(pre_tokenizer)
    merges = [(left, right) for left, right in learned["merges"][:MERGES]]
    merged = list(dict.fromkeys(left + right for left, right in merges))
    letters = sorted(token for token in learned["vocab"] if len(token) == 1)
    tokens = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *merged, *letters]

    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: number for number, token in enumerate(tokens)},
            merges=merges,
            unk_token=SPECIAL[0],
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", BOS_ID)]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


def _learn(pre_tokenizer: Any) -> dict[str, Any]:
    """What the trainer learns from TEXT: its `vocab` and `merges`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    # More than is wanted, so that how many merges there are depends on MERGES alone.
    trainer = trainers.BpeTrainer(vocab_size=1000, show_progress=False)
    tokenizer.train_from_iterator(TEXT.splitlines(), trainer)
    model: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return model
