"""A whole model in memory: on the CPU, on a GPU, or spread over what there is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from token_journey.bytesource import CheckpointError, HubRepository, LocalFolder
from token_journey.checkpoint import Checkpoint
from token_journey.memory import free_memory


class Loaded:
    """A model that transformers loaded, as the parts that capture.py walks through."""

    def __init__(self, model: Any, device: torch.device | None = None):
        """device: where the first layer computes; the model's own if not given"""
        self.model = model.train(False)
        self.config = model.config
        self.device = device or model.device
        # Weights that accelerate keeps elsewhere come anew for every use.
        self.steady = not any(hasattr(module, "_hf_hook") for module in model.modules())

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


# Of what is free in memory, so much may be weights; the rest is for computing.
_SHARE = 0.7
# Nothing here is drawn by chance; it is set and said all the same.
SEED = 0
Circumstances = dict[str, Any]


@contextmanager
def loaded(
    checkpoint: Checkpoint,
    device: str = "auto",
    max_memory: dict[Any, Any] | None = None,
    dtype: str = "auto",
) -> Iterator[tuple[Loaded, Checkpoint, Circumstances]]:
    """A whole checkpoint, spread by accelerate over GPU, memory and disk as it fits.

    device:     "auto" takes a GPU where there is one, "cuda" insists, "cpu" avoids it
    max_memory: as accelerate has it, e.g. {"cpu": "100MB"}; what is free if not given
    dtype:      of the weights in memory, e.g. "float32"; as they are stored if not given

    Yields the parts, the checkpoint in the folder that it was loaded from, and how
    it was computed. Raises CheckpointError.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    folder = _local_folder(checkpoint)
    if device == "cuda" and not torch.cuda.is_available():
        raise CheckpointError("There is no GPU that torch can use here: leave out --device cuda.")
    on_gpu = device != "cpu" and torch.cuda.is_available()
    untyped: Any = AutoModelForCausalLM
    quietly: Any = disable_progress_bar
    quietly()  # the capture has a bar of its own
    torch.manual_seed(SEED)
    with _exact_float32(), tempfile.TemporaryDirectory(prefix="token-journey-") as offloaded:
        model = untyped.from_pretrained(
            folder,
            dtype=dtype,
            device_map=_device_map(checkpoint, on_gpu, max_memory, dtype),
            max_memory=max_memory,
            offload_folder=offloaded,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
        )
        places = {str(place) for place in getattr(model, "hf_device_map", {"": "cpu"}).values()}
        first = torch.device("cuda", 0) if on_gpu else torch.device("cpu")
        about: Circumstances = {
            "device": str(first),
            "weights_on": sorted(places),
            "seed": SEED,
            **(
                {"gpu": torch.cuda.get_device_name(0), "cuda": torch.version.cuda} if on_gpu else {}
            ),
        }
        yield Loaded(model, first), Checkpoint(LocalFolder(folder)), about
        del model


def _device_map(checkpoint: Checkpoint, on_gpu: bool, max_memory: object, dtype: str) -> Any:
    needed = 4 * checkpoint.parameters if dtype == "float32" else checkpoint.stored_bytes
    if on_gpu or max_memory or needed > _SHARE * free_memory():
        return "auto"
    return {"": "cpu"}


def _local_folder(checkpoint: Checkpoint) -> Path:
    """Where the whole checkpoint lies; one on the hub is downloaded into the hub's cache."""
    source = checkpoint.source
    if isinstance(source, LocalFolder):
        return source.folder
    if isinstance(source, HubRepository):
        return source.download()
    raise CheckpointError("A web address is read part by part: add --stream.")


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
