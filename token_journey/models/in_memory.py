"""A whole model in memory: on the CPU, on a GPU, or spread over what there is."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from token_journey.errors import CheckpointError
from token_journey.memory import free_memory
from token_journey.models.checkpoint import Checkpoint
from token_journey.models.source import HubRepository, LocalFolder


class Loaded:
    """A model that transformers loaded, as the parts that a capture walks through."""

    def __init__(self, model: Any, device: torch.device | None = None):
        """device: where the first layer computes; the model's own if not given"""
        self.model = model.train(False)
        self.config = model.config
        self.device = device or model.device
        # Weights that accelerate keeps elsewhere come anew for every use.
        hooks = [module._hf_hook for module in model.modules() if hasattr(module, "_hf_hook")]
        self.steady = not hooks
        for hook in hooks:
            hook.pre_forward = _as_stored(hook.pre_forward)
            hook.post_forward = _as_stored(hook.post_forward)

    def rotary(self) -> nn.Module:
        made: nn.Module = type(self.model.model.rotary_emb)(self.config)
        return made

    def embed(self, ids: Tensor) -> Tensor:
        rows: Tensor = self.model.model.embed_tokens(ids.to(self.device))
        return rows

    def layer(self, number: int) -> AbstractContextManager[nn.Module]:
        return nullcontext(self.model.model.layers[number])

    def norm(self) -> AbstractContextManager[nn.Module]:
        return nullcontext(self.model.model.norm)

    def vocabulary(self) -> Iterator[tuple[int, Callable[[Tensor], Tensor]]]:
        yield 0, self.model.lm_head

    def remember(self, rows: set[int]) -> None:
        """Everything is in memory anyway."""


def _as_stored(move: Callable[..., Any]) -> Callable[..., Any]:
    """What moves weights, out of sight of precision.py's modes.

    They would have it read float32 as float64, and leave float64 in the place of float32.
    """

    @wraps(move)
    def moved(*args: Any, **kwargs: Any) -> Any:
        with torch._C.DisableTorchFunction():
            return move(*args, **kwargs)

    return moved


# Of what is free in memory, so much may be weights; the rest is for computing.
_SHARE = 0.7
# On a GPU, beside a layer that is widened: logits, scores, and what torch itself takes.
_ROOM_ON_A_GPU = 10**9
# Nothing here is drawn by chance; it is set and said all the same.
SEED = 0
Circumstances = dict[str, Any]


@contextmanager
def loaded(
    checkpoint: Checkpoint,
    device: str = "auto",
    max_memory: dict[Any, Any] | None = None,
    dtype: str | None = None,
) -> Iterator[tuple[Loaded, Checkpoint, Circumstances]]:
    """A whole checkpoint, spread by accelerate over GPU, memory and disk as it fits.

    device:     "auto" takes a GPU where there is one, "cuda" insists, "cpu" avoids it
    max_memory: as accelerate has it, e.g. {"cpu": "100MB"}; what is free if not given
    dtype:      of the weights in memory, e.g. "float32"; as they are stored if not given

    Yields the parts, the checkpoint in the folder that it was loaded from, and how
    it was computed. Raises CheckpointError.
    """
    from transformers import AutoModelForCausalLM

    folder = _local_folder(checkpoint)
    if device == "cuda" and not torch.cuda.is_available():
        raise CheckpointError("There is no GPU that torch can use here: leave out --device cuda.")
    on_gpu = device != "cpu" and torch.cuda.is_available()
    untyped: Any = AutoModelForCausalLM
    torch.manual_seed(SEED)
    with _exact_float32(), tempfile.TemporaryDirectory(prefix="token-journey-") as offloaded:
        with quietly():
            model = untyped.from_pretrained(
                folder,
                dtype=dtype or checkpoint.widest_dtype,
                **_placement(checkpoint, on_gpu, max_memory, dtype),
                offload_folder=offloaded,
                trust_remote_code=False,
                use_safetensors=True,
                local_files_only=True,
            )
        places = _places(model)
        gpus = [place for place in places if place.startswith("cuda")]
        if device == "cuda" and not gpus:
            raise CheckpointError(
                "The GPU has no room for any part of this model: leave out --device cuda."
            )
        first = torch.device(gpus[0] if gpus else "cpu")
        about: Circumstances = {
            "device": str(first),
            "weights_on": places,
            "seed": SEED,
            **(
                {"gpu": torch.cuda.get_device_name(first), "cuda": torch.version.cuda}
                if gpus
                else {}
            ),
        }
        yield Loaded(model, first), Checkpoint(LocalFolder(folder)), about
        del model


def _places(model: Any) -> list[str]:
    """Where a model's weights are: "cpu", "cuda:0", "disk".

    Where they are all in one place, transformers leaves no map behind, and in a map a
    GPU is its number alone.
    """
    places = getattr(model, "hf_device_map", {"": model.device}).values()
    return sorted({f"cuda:{place}" if isinstance(place, int) else str(place) for place in places})


def _placement(
    checkpoint: Checkpoint, on_gpu: bool, max_memory: dict[Any, Any] | None, dtype: str | None
) -> dict[str, Any]:
    """Where transformers may put weights: its `device_map`, and `max_memory` if it is to choose.

    Left alone, accelerate takes whatever accelerator it finds: a GPU that the user
    avoids, or a Mac's, which has no float64; and fills it to the brim.
    """
    if max_memory:
        return {"device_map": "auto", "max_memory": max_memory}
    in_memory = int(_SHARE * free_memory())
    if on_gpu:
        a_layer = sum(prod(shape) for shape in checkpoint.family.layer_shapes(0).values())
        room = (4 + 8) * a_layer + _ROOM_ON_A_GPU  # widened to float32, and to float64
        free = [torch.cuda.mem_get_info(n)[0] for n in range(torch.cuda.device_count())]
        budget: dict[Any, int] = {n: max(0, there - room) for n, there in enumerate(free)}
        return {"device_map": "auto", "max_memory": budget | {"cpu": in_memory}}
    needed = 4 * checkpoint.parameters if dtype == "float32" else checkpoint.stored_bytes
    if needed <= in_memory:
        return {"device_map": {"": "cpu"}}
    return {"device_map": "auto", "max_memory": {"cpu": in_memory}}


def _local_folder(checkpoint: Checkpoint) -> Path:
    """Where the whole checkpoint lies; one on the hub is downloaded into the hub's cache."""
    source = checkpoint.source
    if isinstance(source, LocalFolder):
        return source.folder
    if isinstance(source, HubRepository):
        return source.download(checkpoint.files)
    raise CheckpointError("A web address is read part by part: add --stream.")


@contextmanager
def quietly() -> Iterator[None]:
    """Without a bar, for a log would get it again and again, and a capture has its own; and without
    advice on what is as it should be.
    """
    from transformers.utils import logging as transformers_logging

    untyped: Any = transformers_logging
    untyped.disable_progress_bar()
    before, accelerates = untyped.get_verbosity(), logging.getLogger("accelerate")
    level = accelerates.level
    untyped.set_verbosity_error()
    accelerates.setLevel(logging.ERROR)
    try:
        yield
    finally:
        untyped.set_verbosity(before)
        accelerates.setLevel(level)


@contextmanager
def _exact_float32() -> Iterator[None]:
    """float32 with all of its 24 bits: no TF32 on a GPU, no bfloat16 inside."""
    precision = torch.get_float32_matmul_precision()
    convolutions = torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.allow_tf32 = convolutions
