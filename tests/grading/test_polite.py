"""The kit in an environment where somebody runs other tests: nothing of theirs changes."""

import json
import subprocess
import sys

import pytest

LOOKS = """
import gc, json, sys

def pytest_unconfigure(config):
    with open("seen.json", "w") as file:
        json.dump(
            {
                "modules": sorted(sys.modules),
                "frozen": gc.get_freeze_count(),
                "threshold": gc.get_threshold(),
                "plugins": [str(p) for p in config.pluginmanager.get_plugins()],
            },
            file,
        )
"""


@pytest.fixture
def project(tmp_path):
    """Somebody's project, whose files are even named a little like stages."""
    (tmp_path / "conftest.py").write_text(LOOKS)
    (tmp_path / "test_theirs.py").write_text(
        "def test_one(): assert True\n\ndef test_two(): assert 1 + 1 == 3\n"
    )
    (tmp_path / "s3_upload.py").write_text("raise SystemExit\n")
    (tmp_path / "s03_report.txt").write_text("")
    return tmp_path


def run(folder, *options):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=folder, capture_output=True, text=True
    )
    return done, json.loads((folder / "seen.json").read_text())


@pytest.mark.parametrize("options", [(), (".",), ("test_theirs.py",), ("--benchmark-only",)])
def test_an_unrelated_run_pays_nothing(project, options):
    done, seen = run(project, *options)
    _, without = run(project, *options, "-p", "no:token_journey.pytest_plugin")
    loaded = {name.partition(".")[0] for name in set(seen["modules"]) - set(without["modules"])}
    assert loaded <= {"token_journey", *sys.stdlib_module_names}
    assert "torch" not in seen["modules"]
    assert not any(name.startswith("token_journey.grading.plugin") for name in seen["modules"])
    assert (seen["frozen"], seen["threshold"]) == (without["frozen"], without["threshold"])
    assert len(seen["plugins"]) == len(without["plugins"]) + 1
    if not options:
        assert "1 failed, 1 passed" in done.stdout


def test_a_run_without_tests_is_left_to_pytest(project):
    (project / "test_theirs.py").unlink()
    done, _ = run(project)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "stage" not in done.stdout


def test_importing_the_plugin_loads_neither_torch_nor_numpy():
    code = (
        "import gc, sys; before = gc.get_threshold(); import token_journey.pytest_plugin;"
        "assert not {'torch', 'numpy'} & set(sys.modules);"
        "assert gc.get_threshold() == before and gc.get_freeze_count() == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
