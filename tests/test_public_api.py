"""What the kit promises to who imports it, and that the promise costs nothing."""

import subprocess
import sys

import token_journey


def loaded_after(code: str) -> set[str]:
    """Which of the heavy libraries a fresh process has loaded."""
    look = f"{code}\nimport sys; print(*{{'torch', 'numpy', 'transformers'}} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_kit_loads_nothing_heavy():
    assert loaded_after("import token_journey; token_journey.UserError") == set()
    assert loaded_after("from token_journey import find_course, misconception") == set()


def test_all_that_is_promised_is_there():
    namespace = {}
    exec("from token_journey import *", namespace)
    assert set(token_journey.__all__) <= set(namespace)
    for name in token_journey.__all__:
        assert callable(namespace[name]), name
        assert getattr(token_journey, name) is namespace[name]


def test_nothing_else_is():
    assert not hasattr(token_journey, "nothing_of_the_kind")
