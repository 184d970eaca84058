"""What the process that inspects may use of the machine; once lowered, no limit can be raised again."""

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass

from office_node.library.sealing import layout

_OPEN_FILES = 32
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """For one file."""

    seconds: int
    memory_bytes: int
    max_unpacked_bytes: int


def apply(limits: Limits) -> None:
    """Lower this process to `limits`, for good, and let it die with the one that forked it."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _lower(resource.RLIMIT_FSIZE, layout.sealed_size(limits.max_unpacked_bytes))
    _lower(resource.RLIMIT_CPU, limits.seconds)
    _lower(resource.RLIMIT_AS, limits.memory_bytes)


def be_mortal(seconds: int) -> None:
    """Die by any signal, with the process that forked this one, and a while after the time is up in any case."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the node, which then ends this process
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the worker blocks what stops it, and a child inherits that
    signal.alarm(seconds + 5)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def keep_only(descriptor: int) -> None:
    """Close every file but this one; what is printed goes nowhere.

    The pipe by which the fork server sees that the node is gone is among them: held open here, it would live on.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))
