"""A learner's install: grading needs nothing more, and what does says in a sentence what."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest
from checkpoints import make

from token_journey.course.course import find_course
from token_journey.course.kata import start
from token_journey.errors import _EXTRAS

COURSE = find_course()

# An import of a module that is None in sys.modules fails as if it were not installed.
WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(sys.argv.pop(1).split(",")))
"""
COMMAND = f"{WITHOUT}\nfrom token_journey.commands.main import main\nsys.exit(main(sys.argv[1:]))"
PYTEST = f"{WITHOUT}\nimport pytest\nsys.exit(pytest.main(sys.argv[1:]))"


def run(code: str, *arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "missing, command, extra",
    [
        ("rich", "show", "show"),
        ("vl_convert", "show --html {new}", "show"),
        ("matplotlib", "cost", "cost"),
        ("pytest_benchmark", "cost", "cost"),
        ("rich", "verify {pack}", "show"),
        ("distributed", "class {right} --out {new}", "class"),
        ("rich", "class {right} --out {new} --workers 1", "show"),
        ("rich", "watch", "show"),
        ("watchfiles", "watch", "show"),
        ("transformers", "fetch", "models"),
        ("transformers", "show --model {checkpoint} Hola", "models"),
        ("transformers", "capture {checkpoint} --prompt Hola --out {new}", "models"),
        ("transformers", "rebuild witness-mha --out {new}", "models"),
    ],
)
def test_a_command_says_which_extra_it_needs(missing, command, extra, tmp_path):
    checkpoint = make(tmp_path / "checkpoint")
    places = {
        "new": tmp_path / "new",
        "right": COURSE.reference,
        "pack": COURSE.packs / "witness-mha",
        "checkpoint": checkpoint,
    }
    settings = {"TOKEN_JOURNEY_CACHE": str(tmp_path / "cache")}
    said = run(COMMAND, missing, *command.format(**places).split(), **settings)
    assert said.returncode == 1
    assert f'pip install "token-journey[{extra}]"' in said.stderr and missing in said.stderr
    assert said.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "plugin, missing, option, extra",
    [
        ("benchmark", "none", "--benchmark-only", "cost"),
        ("none", "psutil", "--benchmark-only", "cost"),
        ("xdist", "none", "-n 2", "class"),
    ],
)
@pytest.mark.parametrize("path", ["exercises", "exercises/s08_lm_head.py", ""])
def test_an_option_of_pytest_says_which_extra_it_needs(
    plugin, missing, option, extra, path, tmp_path, monkeypatch
):
    start(tmp_path / "kata", COURSE)
    monkeypatch.chdir(tmp_path / "kata")
    said = run(PYTEST, missing, *path.split(), *option.split(), "-p", f"no:{plugin}")
    assert said.returncode == pytest.ExitCode.USAGE_ERROR
    assert f'pip install "token-journey[{extra}]"' in said.stderr


def test_grading_needs_no_extra():
    settings = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    options = ["-p", "token_journey.pytest_plugin", "-p", "no:cacheprovider"]
    file = COURSE.reference / "s08_lm_head.py"
    said = run(PYTEST, ",".join(_EXTRAS), file, *options, **settings)
    assert said.returncode == 0, said.stdout + said.stderr


def test_every_extra_that_is_named_is_one():
    project = tomllib.loads((COURSE.home / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(_EXTRAS.values()) <= set(project["optional-dependencies"])
