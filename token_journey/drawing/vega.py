"""The drawing library that goes into a page: Vega, Vega-Lite and vega-embed in one script.

vl-convert carries them. Putting them together takes seconds, so the result is kept in the
user's cache, and `start` lets it be made while something else is loading.
"""

from __future__ import annotations

import base64
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

from token_journey.files import cache_folder, write_whole

_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vega")
_lock = Lock()
_made: Future[str] | None = None


def start() -> None:
    """Begin in a thread, unless it has begun; `bundle` waits for it.

    Raises ModuleNotFoundError before anything else is done where vl-convert is not there.
    """
    global _made
    if find_spec("vl_convert") is None:
        raise ModuleNotFoundError("No module named 'vl_convert'", name="vl_convert")
    with _lock:
        if _made is None:
            _made = _pool.submit(_kept)


def bundle() -> str:
    """The script, which sets `vega`, `vegaLite` and `vegaEmbed` on `window`: deflated, in base64.

    A browser inflates it; it is less than half as long, and nothing in it can end the block
    that it is put into.
    """
    start()
    assert _made is not None
    return _made.result()


def deflated(text: str) -> str:
    """Base64 of a text's bytes in zlib's format, as a browser's DecompressionStream takes it."""
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode("ascii")


def _kept() -> str:
    file = cache_folder() / f"vega-{version('vl-convert-python')}.js.zlib.txt"
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        import vl_convert

        script = deflated(vl_convert.javascript_bundle())  # type: ignore[call-arg]
        _keep(file, script)
        return script


def _keep(file: Path, script: str) -> None:
    """A cache that can't be written costs seconds, no more."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, script.encode())
    except OSError:
        pass
