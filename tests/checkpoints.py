"""Small random checkpoints, saved by transformers, and a server that hands them out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from token_journey.from_checkpoint import Order, Plan, capture, plan_for
from token_journey.pack import Pack
from token_journey.shipped import PACKS

TOKENIZER = PACKS / "witness-gqa" / "tokenizer.json"
SMALL: dict[str, Any] = {
    "vocab_size": 590,
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 8,
    "intermediate_size": 96,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
TEXTS = {"one": "els camins de la mar", "two": "açò es or..."}


def make(folder: Path, kind: str = "llama", shard: str = "5GB", **changes: Any) -> Path:
    """Save a random model with its tokenizer; every weight is far from what it begins as."""
    classes: Any = {
        "llama": (LlamaConfig, LlamaForCausalLM),
        "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    }
    config_class, model_class = classes[kind]
    dtype = changes.pop("dtype", torch.bfloat16)
    torch.manual_seed(changes.pop("seed", 1))
    sizes = {k: v for k, v in (SMALL | changes).items() if v is not None}
    model = model_class(config_class(**sizes))
    for name, parameter in model.named_parameters():
        spread = 0.5 if parameter.ndim == 1 else 0.15
        around = 1.0 if "norm" in name else 0.0
        torch.nn.init.normal_(parameter, around, spread)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "tokenizer.json").write_bytes(TOKENIZER.read_bytes())
    return folder


def captured(model: Path | str, out: Path, **wishes: Any) -> tuple[Pack, Plan]:
    """A pack of a checkpoint, and the plan that was followed."""
    order = Order(str(model), **{"prompts": TEXTS, **wishes})
    plan = plan_for(order)
    capture(order, plan, out)
    return Pack(out), plan


class Server(ThreadingHTTPServer):
    """Hands out a folder on loopback, by byte ranges or not, and keeps count.

    It also answers as the hub does for the repository `someone/small`.
    """

    daemon_threads = True

    def __init__(self, folder: Path, ranges: bool = True):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.ranges = ranges
        self.sent: dict[str, int] = {}
        self.authorizations: set[str | None] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


COMMIT = "c0ffee" + 34 * "0"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        self.server.authorizations.add(self.headers.get("authorization"))
        if path.startswith("api/models/someone/small"):
            return self._hub(path.removeprefix("api/models/someone/small").strip("/"))
        name = path.rpartition("/")[2]
        file = self.server.folder / name
        if not file.is_file():
            return self._answer(404, b"")
        asked = self.headers.get("range")
        if asked is None or not self.server.ranges:
            return self._answer(200, file.read_bytes(), name)
        begin, _, end = asked.removeprefix("bytes=").partition("-")
        with file.open("rb") as stream:
            stream.seek(int(begin))
            part = stream.read(int(end) + 1 - int(begin))
        place = f"bytes {begin}-{int(begin) + len(part) - 1}/{file.stat().st_size}"
        return self._answer(206, part, name, {"Content-Range": place})

    def _hub(self, path: str) -> None:
        files = sorted(self.server.folder.iterdir())
        if path.startswith("tree"):
            listed: Any = [
                {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f.name}
                for f in files
            ]
        else:
            listed = {
                "id": "someone/small",
                "modelId": "someone/small",
                "sha": COMMIT,
                "siblings": [{"rfilename": f.name, "size": f.stat().st_size} for f in files],
            }
        self._answer(200, json.dumps(listed).encode())

    def _answer(
        self, status: int, content: bytes, name: str = "", more: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        head = {"Content-Length": str(len(content)), "X-Repo-Commit": COMMIT, "ETag": '"e"'}
        for key, value in {**head, **(more or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)
            self.server.sent[name] = self.server.sent.get(name, 0) + len(content)


@contextmanager
def served(folder: Path, ranges: bool = True) -> Iterator[Server]:
    with Server(folder, ranges) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
