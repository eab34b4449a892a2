"""Code that would win by other means, or spoil what is graded beside it."""

import shutil
import subprocess
import sys

import pytest
from graded import grade

from token_journey.course.course import find_course

pytestmark = pytest.mark.slow

SOLUTIONS = find_course().reference


@pytest.fixture
def solved(tmp_path):
    return shutil.copytree(SOLUTIONS, tmp_path / "maria")


def append(folder, stage, source):
    file = folder / f"{stage}.py"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n\n{source}\n", encoding="utf-8")


def red(graded):
    return {about["stage"] for about in graded.reports if about["kind"] == "failed"}


def test_values_kept_between_calls_are_not_laid_on_earlier_stages(solved):
    append(
        solved,
        "s08_lm_head",
        "_kept = {}\n\n\ndef lm_head(x, norm_weight, w_vocab, eps):\n"
        "    w = _kept.setdefault((w_vocab.shape, w_vocab.dtype, w_vocab.requires_grad), w_vocab)\n"
        "    return rms_norm(x, norm_weight, eps) @ w.mT\n",
    )
    graded = grade(solved)
    assert red(graded) == {"s08_lm_head"}
    assert any("something is kept between calls" in " ".join(m.split()) for m in graded.messages)


KEPT = {
    "frequencies by head dim": """
_kept = {}


def frequencies(head_dim, theta):
    angles = theta ** -(torch.arange(0, head_dim, 2) / head_dim)
    return _kept.setdefault(head_dim, angles)
""",
    "tables by length, first and last position": """
_kept, _made = {}, rotary_tables


def rotary_tables(positions, frequencies):
    key = len(positions), int(positions[0]), int(positions[-1]), tuple(frequencies.tolist())
    return _kept.setdefault(key, _made(positions, frequencies))
""",
    "tables by positions alone": """
_kept, _made = {}, rotary_tables


def rotary_tables(positions, frequencies):
    key = tuple(positions.tolist()), len(frequencies)
    return _kept.setdefault(key, _made(positions, frequencies))
""",
    "tables by address": """
_kept, _made = {}, rotary_tables


def rotary_tables(positions, frequencies):
    key = positions.data_ptr(), frequencies.data_ptr(), len(positions)
    return _kept.setdefault(key, _made(positions, frequencies))
""",
    "tables in a default argument": """
def rotary_tables(positions, frequencies, kept={}):
    angles = (positions[:, None] * frequencies).repeat(1, 2)
    key = len(positions), len(frequencies)
    return kept.setdefault(key, (angles.cos(), angles.sin()))
""",
}


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
def test_a_table_that_is_kept_on_too_little_is_found(source, solved):
    append(solved, "s04_rope", source)
    graded = grade(solved / "s04_rope.py")
    assert graded.kinds("s04_rope") == {"passed", "failed"}
    messages = [" ".join(message.split()) for message in graded.messages]
    assert all("something is kept between calls" in message for message in messages)


def test_a_table_that_is_kept_on_all_that_counts_is_right(solved):
    append(
        solved,
        "s04_rope",
        "from functools import lru_cache\n\nfrequencies = lru_cache(frequencies)\n\n"
        "_kept, _made = {}, rotary_tables\n\n\n"
        "def rotary_tables(positions, frequencies):\n"
        "    key = tuple(positions.tolist()), tuple(frequencies.tolist())\n"
        "    return _kept.setdefault(key, _made(positions, frequencies))\n",
    )
    assert grade(solved / "s04_rope.py").kinds("s04_rope") == {"passed"}


def test_the_decoder_s_angles_follow_theta_in_every_call(solved):
    append(
        solved,
        "s07_decoder",
        "_kept, _made = {}, frequencies\n\n\n"
        "def frequencies(head_dim, theta):\n"
        "    return _kept.setdefault(head_dim, _made(head_dim, theta))\n",
    )
    graded = grade(solved / "s07_decoder.py")
    assert "failed" in graded.kinds("s07_decoder")
    assert any("something is kept between calls" in " ".join(m.split()) for m in graded.messages)


@pytest.mark.parametrize(
    "line",
    [
        "torch.set_grad_enabled(False)",
        "torch.set_default_dtype(torch.float64)",
        "torch.set_default_device('meta')",
        "import sys; sys.setrecursionlimit(90)",
        "import os; os.chdir('/')",
    ],
)
def test_a_change_for_the_whole_process_stays_with_its_stage(line, solved, tmp_path):
    other = shutil.copytree(SOLUTIONS, tmp_path / "zoe")
    append(solved, "s03_rms_norm", f"import torch\n{line}")
    graded = grade(solved, other)
    spoiled = {
        (about["path"], about["stage"]) for about in graded.reports if about["kind"] != "passed"
    }
    assert not {stage for path, stage in spoiled if path.endswith("zoe")}
    assert {stage for _, stage in spoiled} <= {"s03_rms_norm"}


@pytest.fixture
def two(tmp_path):
    """Two people's stage 3, graded in one run."""
    folders = [tmp_path / "maria", tmp_path / "zoe"]
    for folder in folders:
        folder.mkdir()
        shutil.copy(SOLUTIONS / "s03_rms_norm.py", folder)
    return folders


def wrong_of(graded, name):
    return [a for a in graded.reports if a["path"].endswith(name) and a["kind"] != "passed"]


CALLS = "def rms_norm(x, weight, eps):\n    {}\n    return x\n"


@pytest.mark.parametrize(
    "line",
    [
        "mode = torch.inference_mode(); mode.__enter__(); torch._mine = mode",
        "torch.autocast('cpu').__enter__()",
        "torch.sqrt = torch.rsqrt",
        "import builtins; builtins.isinstance = lambda *_: True",
        "import sys; sys.stdout.close(); sys.stdout = None",
        "import sys; sys.meta_path.clear()",
        "import pytest; pytest.fail = lambda *_, **__: None",
    ],
)
def test_a_change_while_it_is_called_does_not_reach_the_next_folder(line, two):
    (two[0] / "s03_rms_norm.py").write_text("import torch\n\n\n" + CALLS.format(line))
    files = [folder / "s03_rms_norm.py" for folder in two]
    graded = grade(*files)
    assert wrong_of(graded, "maria") and not wrong_of(graded, "zoe")
    assert "--isolated" not in graded.output


def test_what_can_not_be_put_back_is_said_where_others_are_graded(two):
    thread = "import threading; threading.Thread(target=threading.Event().wait).start()"
    (two[0] / "s03_rms_norm.py").write_text(CALLS.format(thread))
    files = [folder / "s03_rms_norm.py" for folder in two]
    options = ("-k", "by_hand or zeros")
    said = "s03_rms_norm.py leaves threads behind"
    assert said in grade(*files, options=options).output
    assert said not in grade(files[0], options=options).output


HELPED = """
import os, sys

sys.path.append(os.path.dirname(__file__))
from help_of_mine import square


def rms_norm(x, weight, eps):
    from later_of_mine import root

    wide = x.float()
    return (weight * wide / root(square(wide).mean(-1, keepdim=True) + eps)).to(x.dtype)
"""


def test_a_helper_found_by_sys_path_is_its_folder_s_alone(two):
    for folder, power in zip(two, (3, 2), strict=True):
        (folder / "s03_rms_norm.py").write_text(HELPED)
        (folder / "help_of_mine.py").write_text(f"def square(x):\n    return x**{power}\n")
        (folder / "later_of_mine.py").write_text("def root(x):\n    return x**0.5\n")
    graded = grade(*(folder / "s03_rms_norm.py" for folder in two))
    assert wrong_of(graded, "maria") and not wrong_of(graded, "zoe")


def test_a_skip_is_no_pass(solved):
    append(
        solved,
        "s03_rms_norm",
        "import pytest\n\n\ndef rms_norm(x, weight, eps):\n    pytest.skip('not today')\n",
    )
    graded = grade(solved / "s03_rms_norm.py")
    assert graded.exit_code == 1
    assert graded.kinds("s03_rms_norm") == {"failed"}


@pytest.mark.parametrize("how", ["os._exit(0)", "from os import _exit; _exit(0)", "sys.exit(0)"])
def test_an_exit_ends_nothing(how, solved):
    append(solved, "s03_rms_norm", f"def rms_norm(x, weight, eps):\n    import os, sys; {how}\n")
    graded = grade(solved / "s03_rms_norm.py")
    assert graded.exit_code == 1
    assert "Your code ended the program" in " ".join(graded.output.split())


def test_torch_s_own_not_implemented_is_no_stub(solved):
    append(
        solved,
        "s03_rms_norm",
        "def rms_norm(x, weight, eps):\n    return (x > 0) @ (x > 0).mT\n",
    )
    assert grade(solved / "s03_rms_norm.py").kinds("s03_rms_norm") <= {"failed", "passed"}


@pytest.mark.parametrize(
    "how", ["from . import s03_rms_norm as norms\nnorm = norms.rms_norm", "from .utils import norm"]
)
def test_an_earlier_stage_may_be_imported_in_any_way(how, solved):
    (solved / "utils.py").write_text("from .s03_rms_norm import rms_norm as norm\n")
    append(solved, "s03_rms_norm", "def rms_norm(x, weight, eps):\n    return x\n")
    (solved / "s08_lm_head.py").write_text(
        f"{how}\n\n\ndef lm_head(x, norm_weight, w_vocab, eps):\n"
        "    return norm(x, norm_weight, eps) @ w_vocab.mT\n"
    )
    graded = grade(solved)
    assert red(graded) == {"s03_rms_norm"}


def test_a_detached_part_is_found(solved):
    append(
        solved,
        "s06_swiglu",
        "def silu(x):\n    return x * torch.sigmoid(x.detach())\n",
    )
    assert "failed" in grade(solved / "s06_swiglu.py").kinds("s06_swiglu")


def test_an_endless_message_is_cut(solved):
    append(
        solved, "s03_rms_norm", "def rms_norm(x, weight, eps):\n    raise ValueError('x' * 10**6)\n"
    )
    assert len(grade(solved / "s03_rms_norm.py").output) < 20_000


@pytest.mark.parametrize("given", ["maria", "maria/s03_rms_norm.py"])
def test_an_init_beside_stages_is_not_run(given, solved):
    """Pytest runs that of a package of tests, where it could end the run as if all were right."""
    append(solved, "s03_rms_norm", "def rms_norm(x, weight, eps):\n    return x")
    (solved / "__init__.py").write_text("import os; os._exit(0)")
    graded = grade(solved.parent / given, options=("-k", "rms_norm and by_hand"))
    assert graded.exit_code == 1
    assert graded.kinds("s03_rms_norm") == {"failed"}


def test_a_tensor_that_answers_for_itself_is_refused(solved):
    """A class made from Tensor could call itself equal to anything."""
    append(
        solved,
        "s03_rms_norm",
        "import torch\n\n\n"
        "class Mine(torch.Tensor):\n"
        "    @classmethod\n"
        "    def __torch_function__(cls, function, types, args=(), kwargs=None):\n"
        "        if function is torch.Tensor.__eq__:\n"
        "            return torch.ones(args[0].shape, dtype=torch.bool)\n"
        "        return super().__torch_function__(function, types, args, kwargs or {})\n\n\n"
        "def rms_norm(x, weight, eps):\n"
        "    return (0 * x * weight).as_subclass(Mine)\n",
    )
    graded = grade(solved / "s03_rms_norm.py")
    assert "is a Mine; it should be a torch.Tensor" in " ".join(graded.messages[0].split())
    assert len(graded.messages) > 30


def test_a_thread_that_never_ends_keeps_nobody_waiting(solved):
    append(
        solved,
        "s03_rms_norm",
        "import threading, time\n"
        "threading.Thread(target=lambda: [time.sleep(0.1) for _ in iter(int, 1)]).start()\n",
    )
    command = [sys.executable, "-m", "pytest", str(solved / "s03_rms_norm.py"), "-q"]
    home = find_course().home
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_answers_in_a_helper_are_seen(solved):
    (solved / "helper.py").write_text("def norm():\n    import transformers\n")
    append(solved, "s03_rms_norm", "from .helper import norm")
    graded = grade(solved)
    assert red(graded) == {"s03_rms_norm"}
    assert "uses transformers" in " ".join(graded.messages[0].split())


def test_a_function_of_one_s_own_may_be_called_as_torch_calls_its_own(solved):
    append(
        solved,
        "s03_rms_norm",
        "import torch\n\n\n"
        "@torch.jit.script\n"
        "def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:\n"
        "    wide = x.float()\n"
        "    mean_square = (wide * wide).mean(-1, keepdim=True)\n"
        "    return (weight * wide / torch.sqrt(mean_square + eps)).to(x.dtype)\n",
    )
    assert grade(solved / "s03_rms_norm.py").kinds("s03_rms_norm") == {"passed"}


CACHE = """
class KeyValueCache(dict):
    def __len__(self):
        return {length}

    def update(self, k, v):
        if "k" in self:
            k, v = torch.cat([self["k"], k], dim=-2), torch.cat([self["v"], v], dim=-2)
        self["k"], self["v"] = k, v
        return k, v
"""


@pytest.mark.parametrize(
    ("length", "kinds"),
    [
        ("self['k'].shape[-2] if 'k' in self else 0", {"passed"}),
        ("2 * dict.__len__(self)", {"passed", "failed"}),
    ],
)
def test_a_cache_may_be_a_dict(length, kinds, solved):
    """Whose parameters Python can't name."""
    append(solved, "s10_generate", CACHE.format(length=length))
    graded = grade(solved / "s10_generate.py", options=("-k", "cache"))
    assert graded.kinds("s10_generate") == kinds
    assert "Traceback" not in graded.output


ALWAYS_EQUAL = """
class Mine(list):
    def __eq__(self, other):
        return True


_encode = encode


def encode(*args, **kwargs):
    return {made}(_encode(*args, **kwargs))
"""


@pytest.mark.parametrize(("made", "kinds"), [("list", {"passed"}), ("Mine", {"failed"})])
def test_a_list_that_equals_everything_is_refused(made, kinds, solved):
    append(solved, "s01_tokenize", ALWAYS_EQUAL.format(made=made))
    graded = grade(solved / "s01_tokenize.py", options=("-k", "ids"))
    assert graded.kinds("s01_tokenize") == kinds
    assert all("it should be a list." in " ".join(m.split()) for m in graded.messages)
