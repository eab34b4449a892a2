"""What a player can't do: read, write, connect, signal, start programs, or grow without end.

Linux alone has all of it, and none of it needs root: resource limits; Landlock, which closes
files; a filter of system calls (seccomp), which closes programs, processes, sockets and
signals to others; and namespaces of its own, where a system allows them. `Jail.shut` is called
in a player before it hears of a hand-in, and nothing opens it again.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

# What a stage may import, and what that imports itself.
PACKAGES = (
    *("torch", "torchgen", "functorch", "einops", "jaxtyping", "wadler_lindig", "numpy"),
    *("typing_extensions", "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "fsspec"),
    *("filelock", "triton", "nvidia"),
)
MEMORY = 2 << 30
SECONDS = 120  # of computing, in one player's life
FILE_BYTES = 16 << 20
_FILES, _THREADS = 64, 64
# Where a player finds a folder of its own, in memory. It covers this one, which is always there,
# in the player's eyes alone: so nothing is left behind on disk, however a run ends.
FOLDER = Path(__file__).resolve().parent
_SIZE = b"size=16m,nr_inodes=512,mode=0700"

_libc = ctypes.CDLL(None, use_errno=True)


class NotShut(Exception):
    """A part of the jail that does not hold here."""


def _call(what: str, result: int) -> int:
    if result < 0:
        raise NotShut(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


# -- resources ----------------------------------------------------------------


def limit_resources() -> None:
    """Bound what a player may use; what it shares with its parent does not count."""
    pages = Path("/proc/self/statm").read_text().split()
    here, data = (int(pages[place]) * resource.getpagesize() for place in (0, 5))
    limits = {
        resource.RLIMIT_CPU: SECONDS,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: _FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    # Torch maps more than it uses, so what is shared and only reserved gets more room.
    limits |= {resource.RLIMIT_DATA: data + MEMORY, resource.RLIMIT_AS: here + 2 * MEMORY}
    for kind, most in limits.items():
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


# -- namespaces ---------------------------------------------------------------

_NEW_USER, _NEW_NET, _NEW_IPC, _NEW_MOUNTS = 0x10000000, 0x40000000, 0x08000000, 0x00020000
_NOSUID_NODEV_NOEXEC = 2 | 4 | 8


def enter_namespaces() -> None:
    """No network, no shared memory of others; FOLDER is one of its own, small and in memory."""
    user, group = os.geteuid(), os.getegid()
    _call("namespaces", _libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC | _NEW_MOUNTS))
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            Path(f"/proc/self/{file}").write_text(text)
        except OSError as error:
            raise NotShut(f"namespaces: {error.strerror}") from error
    mounted = _libc.mount(b"tmpfs", bytes(FOLDER), b"tmpfs", _NOSUID_NODEV_NOEXEC, _SIZE)
    _call("a folder in memory", mounted)
    resource.setrlimit(resource.RLIMIT_NPROC, (_THREADS, _THREADS))


# -- files: Landlock ------------------------------------------------------------

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_READ_FILE, _WRITE_FILE, _READ_DIR = 1 << 2, 1 << 1, 1 << 3
# How many rights each version knows; the first is version 1.
_RIGHTS = (13, 14, 15, 15, 16)
_CONNECT_BIND, _SCOPES = 3, 3


def landlock_version() -> int:
    """0 where there is none."""
    return max(int(_libc.syscall(_CREATE, None, 0, 1)), 0)


def close_files(readable: Iterable[Path], listed: Iterable[Path], writable: Path | None) -> None:
    """Let nothing else be opened from here on, and where Landlock knows it, nobody be reached.

    listed: folders whose names may be read, and no file in them
    """
    version = landlock_version()
    if not version:
        raise NotShut("files: this system has no Landlock")
    every = (1 << _RIGHTS[min(version, len(_RIGHTS)) - 1]) - 1
    handled = struct.pack("QQQ", every, _CONNECT_BIND, _SCOPES)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = _call("files", _libc.syscall(_CREATE, handled, size, 0))
    for path in readable:
        _allow(rules, path, _READ_FILE | _READ_DIR)
    for path in listed:
        _allow(rules, path, _READ_DIR)
    _allow(rules, Path(os.devnull), _READ_FILE | _WRITE_FILE)
    if writable is not None:
        _allow(rules, writable, every & ~1)  # all but to execute
    _no_new_privileges()
    _call("files", _libc.syscall(_RESTRICT, rules, 0))
    os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no right
    try:
        if not path.is_dir():
            rights &= _READ_FILE | _WRITE_FILE
        rule = struct.pack("=Qi", rights, opened)
        _call(f"files ({path})", _libc.syscall(_ADD, rules, 1, rule, 0))
    finally:
        os.close(opened)


def importable() -> tuple[list[Path], list[Path]]:
    """What Python must read to import what a stage may import, and the folders it looks in."""
    library = Path(sysconfig.get_path("stdlib"))
    readable = [p for p in library.iterdir() if p.name not in ("site-packages", "dist-packages")]
    listed = {library}
    for name in PACKAGES:
        spec = find_spec(name)
        if spec is None:
            continue
        places = list(spec.submodule_search_locations or filter(None, [spec.origin]))
        for place in map(Path, places):
            readable += [place, place.parent / f"{name}.libs"]
            listed.add(place.parent)
    return readable, sorted(listed)


# -- system calls: seccomp -------------------------------------------------------

_X86_64, _AARCH64 = 0xC000003E, 0xC00000B7
# Of each call its number on x86-64 and on 64-bit Arm; 0 where there is none.
_REFUSED = {
    # programs and processes; a thread is made by clone
    **{"fork": (57, 0), "vfork": (58, 0), "execve": (59, 221), "execveat": (322, 281)},
    # the network
    **{"socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201)},
    # other processes
    **{"ptrace": (101, 117), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138)},
    **{"rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434)},
    **{"pidfd_getfd": (438, 438), "process_vm_readv": (310, 270), "process_madvise": (440, 440)},
    **{"process_vm_writev": (311, 271), "kcmp": (312, 272), "process_mrelease": (448, 448)},
    **{"setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setscheduler": (144, 119)},
    **{"sched_setparam": (142, 118), "sched_setaffinity": (203, 122), "sched_setattr": (314, 274)},
    **{"migrate_pages": (256, 238), "move_pages": (279, 239)},
    # what Landlock does not know: modes, owners, times and attributes of files
    **{"chmod": (90, 0), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452)},
    **{"chown": (92, 0), "fchown": (93, 55), "lchown": (94, 0), "fchownat": (260, 54)},
    **{"utime": (132, 0), "utimes": (235, 0), "futimesat": (261, 0), "utimensat": (280, 88)},
    **{
        "setxattr": (188, 5),
        "lsetxattr": (189, 6),
        "fsetxattr": (190, 7),
        "setxattrat": (463, 463),
    },
    **{"removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16)},
    **{"removexattrat": (466, 466), "truncate": (76, 45), "flock": (73, 32)},
    # memory that belongs to no process
    **{"shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190)},
    **{"msgget": (68, 186), "mq_open": (240, 180), "memfd_create": (319, 279)},
    **{"memfd_secret": (447, 447)},
    # the system itself
    **{"mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51)},
    **{"unshare": (272, 97), "setns": (308, 268), "open_by_handle_at": (304, 265)},
    **{"open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430)},
    **{"fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433)},
    **{"mount_setattr": (442, 442), "bpf": (321, 280), "perf_event_open": (298, 241)},
    **{"userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218)},
    **{"keyctl": (250, 219), "io_uring_setup": (425, 425)},
}
_CLONE, _CLONE3, _KILL, _TGKILL = (56, 220), (435, 435), (62, 129), (234, 131)
_PRLIMIT, _FCNTL, _IOCTL = (302, 261), (72, 25), (16, 29)
_A_THREAD = 0x00010000
# A file that sends signals to a process that it is told, as fcntl and as ioctl.
_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX, _OWNERS = 8, 10, 15, (0x8901, 0x8902)

_ALLOW, _KILL_IT, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24


def refuse_calls() -> None:
    """Refuse the system calls that reach beyond the process."""
    machine = {"x86_64": (0, _X86_64), "aarch64": (1, _AARCH64)}.get(platform.machine())
    if machine is None or sys.byteorder != "little":
        raise NotShut(f"system calls: not known on {platform.machine()}")
    program = b"".join(_filter(*machine))
    lines = ctypes.create_string_buffer(program)
    given = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(lines))
    _no_new_privileges()
    _call("system calls", _libc.prctl(22, 2, given, 0, 0))  # PR_SET_SECCOMP, a filter


def _filter(place: int, arch: int) -> Iterator[bytes]:
    """The program that the kernel runs before each call: instructions of 8 bytes."""
    yield from (_line(_LOAD, _ARCH), _line(_EQUAL, arch, 1, 0), _line(_RETURN, _KILL_IT))
    yield _line(_LOAD, _NUMBER)
    if not place:  # 32-bit numbers of the same machine
        yield from (_line(_AT_LEAST, 0x40000000, 0, 1), _line(_RETURN, _EPERM))
    for numbers in _REFUSED.values():
        if numbers[place]:
            yield from (_line(_EQUAL, numbers[place], 0, 1), _line(_RETURN, _EPERM))
    # The C library asks clone3 first and takes clone where there is none.
    yield from (_line(_EQUAL, _CLONE3[place], 0, 1), _line(_RETURN, _ENOSYS))
    yield from _only(_CLONE[place], _FIRST, [(_ANY_BIT, _A_THREAD)])
    me = os.getpid()
    for call in (_KILL, _TGKILL):
        yield from _only(call[place], _FIRST, [(_EQUAL, me)])
    yield from _only(_PRLIMIT[place], _FIRST, [(_EQUAL, 0), (_EQUAL, me)])
    yield from _never(_FCNTL[place], _SECOND, (_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX))
    yield from _never(_IOCTL[place], _SECOND, _OWNERS)
    yield _line(_RETURN, _ALLOW)


def _only(number: int, argument: int, tests: list[tuple[int, int]]) -> Iterator[bytes]:
    """Allow a call where its argument passes one of the tests."""
    yield from (_line(_EQUAL, number, 0, 2 + 2 * len(tests)), _line(_LOAD, argument))
    for test, value in tests:
        yield from (_line(test, value, 0, 1), _line(_RETURN, _ALLOW))
    yield _line(_RETURN, _EPERM)


def _never(number: int, argument: int, values: tuple[int, ...]) -> Iterator[bytes]:
    """Refuse a call where its argument is one of these."""
    yield from (_line(_EQUAL, number, 0, 2 + 2 * len(values)), _line(_LOAD, argument))
    for value in values:
        yield from (_line(_EQUAL, value, 0, 1), _line(_RETURN, _EPERM))
    yield _line(_RETURN, _ALLOW)


def _line(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)


# -- all of it ------------------------------------------------------------------


def _no_new_privileges() -> None:
    _call("privileges", _libc.prctl(38, 1, 0, 0, 0))


def die_with_parent() -> None:
    _libc.prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL


def drop_privileges() -> None:
    """Nobody may look into it, and it keeps no capability, also where root grades."""
    _libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
    header, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
    _call("privileges", _libc.capset(header, none))


def shut(handed_in: Path, paths: tuple[list[Path], list[Path]]) -> list[str]:
    """Shut all of it that can be shut; returns what can't, a sentence for each part.

    paths: what `importable` found
    """
    missing, writable = [], None
    limit_resources()
    # A second lock on the network and on shared memory, and what bounds a folder: where a
    # system allows none, the first lock holds, and there is no folder to write to.
    with suppress(NotShut):
        enter_namespaces()
        writable = FOLDER
    os.chdir(FOLDER)
    parts: list[Callable[[], None]] = [
        lambda: close_files([*paths[0], handed_in], paths[1], writable),
        drop_privileges,
        refuse_calls,
    ]
    for close in parts:
        try:
            close()
        except NotShut as error:
            missing.append(str(error))
    return missing
