"""Small random checkpoints, saved by transformers, and a server that hands them out."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from token_journey.capture.capture import Order, Plan, capture, plan_for
from token_journey.course.course import find_course
from token_journey.packs.pack import Pack

PACKS = find_course().packs

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


def same(one: Pack, other: Pack) -> None:
    """The same names, weights to the last bit, and activations within tolerance."""
    assert [*one.prompts.values()] == [*other.prompts.values()]
    assert {*one.weight_names()} == {*other.weight_names()}
    for name in one.weight_names():
        assert torch.equal(one.weight(name), other.weight(name)), name
    for prompt in one.prompts:
        assert {*one.activation_names(prompt)} == {*other.activation_names(prompt)}
        for name in one.activation_names(prompt):
            apart = one.activation(prompt, name) - other.activation(prompt, name)
            allowed = one.activation_entry(prompt, name).end_to_end
            assert apart.nan_to_num(0.0).abs().max().item() <= allowed, name


class Server(ThreadingHTTPServer):
    """Hands out a folder on loopback, by byte ranges or not, and keeps count.

    It also answers as the hub does for any repository's name. `asked` holds the paths
    that were asked for, with the authorization that came along; what can be set says how
    the hub refuses.
    """

    daemon_threads = True

    def __init__(self, folder: Path, ranges: bool = True):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.ranges = ranges
        self.sent: dict[str, int] = {}
        self.asked: dict[str, str | None] = {}
        # A status and the hub's word for it: of the whole repository, or of its files alone.
        self.no_repository: tuple[int, str] | None = None
        self.no_files: tuple[int, str] | None = None
        # Once so many bytes of weights were sent, connections break off in the midst of an answer.
        self.breaks_at: int | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


COMMIT = "c0ffee" + 34 * "0"
WEIGHTS = "model.safetensors"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each small answer waits 40 ms for the last one's receipt

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        self.server.asked[path] = self.headers.get("authorization")
        if path.startswith("api/models/"):
            return self._hub(*path.split("/")[2:])
        if self.server.no_files and "/resolve/" in path:
            return self._refuse(*self.server.no_files)
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

    def _hub(self, owner: str, name: str, what: str = "", revision: str = COMMIT) -> None:
        """`what` is nothing or "revision", for a description, or "tree", for the files."""
        if self.server.no_repository:
            return self._refuse(*self.server.no_repository)
        files = sorted(self.server.folder.iterdir())
        if what == "tree":
            listed: Any = [
                {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f.name}
                for f in files
            ]
        else:
            listed = {
                "id": f"{owner}/{name}",
                "modelId": f"{owner}/{name}",
                "sha": revision,
                "siblings": [{"rfilename": f.name, "size": f.stat().st_size} for f in files],
            }
        self._answer(200, json.dumps(listed).encode())

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, b"", more={"X-Error-Code": code})

    def _answer(
        self, status: int, content: bytes, name: str = "", more: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        # The hub names the commit that it was asked for; the tag is each file's own.
        path = self.path.split("/")
        commit = path[path.index("resolve") + 1] if "resolve" in path else COMMIT
        head = {
            "Content-Length": str(len(content)),
            "X-Repo-Commit": commit,
            "ETag": f'"{hashlib.sha1(name.encode()).hexdigest()}"',
        }
        for key, value in {**head, **(more or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            content = content[: self._left(name, len(content))]
            self.wfile.write(content)
            self.server.sent[name] = self.server.sent.get(name, 0) + len(content)

    def _left(self, name: str, size: int) -> int:
        """How much of an answer is sent before the connection breaks."""
        if name != WEIGHTS or self.server.breaks_at is None:
            return size
        left = max(0, self.server.breaks_at - self.server.sent.get(name, 0))
        self.close_connection |= left < size
        return min(left, size)


@contextmanager
def served(folder: Path, ranges: bool = True) -> Iterator[Server]:
    with Server(folder, ranges) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
