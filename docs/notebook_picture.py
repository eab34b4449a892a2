"""The picture of a stage cell, docs/notebook.png: what a real kernel shows, framed as in Jupyter.

python docs/notebook_picture.py
"""

import io
import sys
import tempfile
from html import escape
from pathlib import Path

from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME / "tests"))

CELL = """\
%%stage rms_norm
def rms_norm(x, weight, eps):
    x32 = x.float()
    rms = x32.pow(2).mean(-1, keepdim=True).sqrt() + eps
    return (weight * (x32 / rms)).to(x.dtype)
"""
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 16px; width: 860px; color: #1f2328 }
.in { background: #f6f8fa; border: 1px solid #d0d7de; padding: 2px 12px; border-radius: 4px }
.in pre, .out pre { font: 13px/1.45 "DejaVu Sans Mono", monospace }
.out { padding: 2px 12px }
.magic { color: #8250df }
"""


def page(cell):
    """The cell and what stands below it."""
    from notebooks import html

    magic, _, source = cell.source.partition("\n")
    code = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    above = f'<div class="in"><pre><span class="magic">{escape(magic)}</span>\n{code}</pre></div>'
    style = f"<style>{STYLE}{HtmlFormatter().get_style_defs('.in')}</style>"
    return f"<!doctype html><meta charset=utf-8>{style}{above}<div class=out>{html(cell)}</div>"


def main():
    from browser import chromium
    from notebooks import notebook, run

    made = notebook(CELL)
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        run(made, place)
        tab = browser.new_page(viewport={"width": 892, "height": 300}, device_scale_factor=2)
        tab.set_content(page(made.cells[-1]))
        taken = Image.open(io.BytesIO(tab.screenshot(full_page=True)))
    few = taken.convert("RGB").quantize(48)  # colours: a quarter of the size
    few.save(HOME / "docs" / "notebook.png", optimize=True)


if __name__ == "__main__":
    main()
