"""What a stage changes for the whole process is as it was before, and that is found cheaply."""

import builtins
import os
import random
import sys
import threading
import time
import warnings

import pytest
import torch

from token_journey.guards.process_state import quarantine

_kept = []  # a mode ends when nobody holds it


def enter(mode):
    _kept.append(mode)
    mode.__enter__()


class Every(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        return 7


class Finder:
    find_spec = None


CHANGES = {
    "inference mode": (
        lambda: enter(torch.inference_mode()),
        lambda: (torch.is_inference_mode_enabled(), torch.is_grad_enabled()),
    ),
    "no gradients": (lambda: torch.set_grad_enabled(False), torch.is_grad_enabled),
    "autocast": (
        lambda: enter(torch.autocast("cpu")),
        lambda: torch.is_autocast_enabled("cpu"),
    ),
    "function mode": (lambda: enter(Every()), lambda: type(torch.ones(2) + 1)),
    "threads": (lambda: torch.set_num_threads(3), torch.get_num_threads),
    "deterministic": (
        lambda: torch.use_deterministic_algorithms(True, warn_only=True),
        torch.get_deterministic_debug_mode,
    ),
    "matmul precision": (
        lambda: torch.set_float32_matmul_precision("medium"),
        torch.get_float32_matmul_precision,
    ),
    "default dtype": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "default device": (lambda: torch.set_default_device("meta"), torch.get_default_device),
    "torch's numbers": (lambda: torch.manual_seed(5), lambda: torch.get_rng_state().tolist()),
    "Python's numbers": (lambda: random.seed(5), random.getstate),
    "torch.softmax": (lambda: setattr(torch, "softmax", max), lambda: torch.softmax),
    "F.silu taken away": (
        lambda: delattr(torch.nn.functional, "silu"),
        lambda: hasattr(torch.nn.functional, "silu"),
    ),
    "Tensor.sum": (lambda: setattr(torch.Tensor, "sum", max), lambda: torch.Tensor.sum),
    "Tensor.__eq__": (
        lambda: setattr(torch.Tensor, "__eq__", lambda *_: True),
        lambda: torch.Tensor.__eq__,
    ),
    "setattr and all": (
        lambda: (setattr(builtins, "all", lambda _: True), setattr(builtins, "setattr", print)),
        lambda: (all, setattr),
    ),
    "a builtin of their own": (
        lambda: setattr(builtins, "torch", torch),
        lambda: hasattr(builtins, "torch"),
    ),
    "__import__": (lambda: setattr(builtins, "__import__", max), lambda: builtins.__import__),
    "import hook": (lambda: sys.meta_path.insert(0, Finder()), lambda: list(sys.meta_path)),
    "another list of hooks": (lambda: setattr(sys, "meta_path", []), lambda: list(sys.meta_path)),
    "sys.path": (lambda: sys.path.clear(), lambda: list(sys.path)),
    "path hook": (lambda: sys.path_hooks.append(max), lambda: list(sys.path_hooks)),
    "environment": (lambda: os.environ.update(HOME="x", NEW="y"), lambda: dict(os.environ)),
    "warnings": (lambda: warnings.simplefilter("error"), lambda: list(warnings.filters)),
    "standard output": (lambda: setattr(sys, "stdout", None), lambda: sys.stdout),
    "closed output": (lambda: sys.stdout.close(), lambda: sys.stdout.closed),
    "detached output": (lambda: sys.stdout.detach(), lambda: sys.stdout.closed),
    "closed input": (lambda: sys.stdin.close(), lambda: sys.stdin.closed),
    "closed buffer": (lambda: sys.stderr.buffer.close(), lambda: sys.stderr.closed),
    "the way out": (lambda: setattr(os, "_exit", print), lambda: os._exit),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_put_back(case):
    change, look = CHANGES[case]
    before = look()
    with quarantine():
        change()
    assert look() == before
    print("still said")


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_also_when_it_raises(error):
    with pytest.raises(error), quarantine():
        torch.set_default_dtype(torch.float64)
        builtins.len = max
        raise error
    assert torch.get_default_dtype() == torch.float32 and len("ab") == 2


def test_the_streams_can_be_closed_by_whoever_owns_them(capsys):
    with quarantine():
        pass
    assert "close" not in vars(sys.stdout)


def test_gradients_flow_after_inference_mode():
    with quarantine():
        enter(torch.inference_mode())
    x = torch.ones(2, requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_what_is_as_it_was_stays():
    names = {id(owner): dict(vars(owner)) for owner in (builtins, torch, torch.Tensor)}
    with quarantine(left := set()):
        torch.softmax(torch.ones(3), 0)
    assert names == {id(owner): dict(vars(owner)) for owner in (builtins, torch, torch.Tensor)}
    assert not left


def test_what_can_not_be_put_back_is_named():
    end = threading.Event()
    with quarantine(left := set()):
        threading.Thread(target=end.wait).start()
    end.set()
    assert left == {"threads"}


def test_it_costs_little():
    """At most two milliseconds of computing a check."""
    spent = []
    for _ in range(20):
        began = time.process_time()
        with quarantine():
            pass
        spent.append(time.process_time() - began)
    assert min(spent) < 2e-3
