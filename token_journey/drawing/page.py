"""A page: one HTML file that opens from disk and needs no network.

frame.html.j2 is what its template extends, and tables.html.j2 what it draws tables with.
The scripts draw charts, in the colours of theme.css.
"""

from __future__ import annotations

from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

# In this order, in one scope, before a page's own.
_SCRIPTS = ("base.js", "theme.js", "charts.js")


def environment(package: str) -> Environment:
    """For the templates that lie in a package, and those that lie here."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package, ""), PackageLoader(__package__, "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["theme"] = Markup(part(__package__, "theme.css"))
    return made


def charts() -> str:
    """The script that draws charts, for a page with Vega in a block `vega`."""
    return "\n".join(part(__package__, name) for name in _SCRIPTS)


def part(package: str, name: str) -> str:
    """The text of a file that lies in a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")
