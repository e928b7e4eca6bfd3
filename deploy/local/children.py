"""Child processes that cannot outlive the process that started them.

Each child leads a process group of its own and is bound to us twice: the kernel kills it when we
die (Linux, PR_SET_PDEATHSIG), and a sentinel process kills its whole group, grandchildren included,
when our end of a pipe closes. Both hold after `kill -9`, when no code of ours runs any more.
"""

import collections
import contextlib
import ctypes
import functools
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
ORPHANED = 113  # exit status of a child whose parent died before it was bound
TAIL_LINES = 15

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_all: "set[Child]" = set()


@dataclass(slots=True, eq=False)
class Child:
    """One process and the group it leads; startable again after it ended.

    Its output goes to `log`, and line by line to `echo` where one is given; without a log it has
    our standard output. `keep_open` are file descriptors it inherits.
    """

    name: str
    command: Sequence[str | Path]
    log: Path | None
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    echo: Callable[[str], None] | None = None
    keep_open: tuple[int, ...] = ()
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    pump: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it; the log of an earlier start is kept beside as `.log.1`."""
        with _opened(self.log) as log:
            self.process = _spawn(self, log)
            _all.add(self)
            if self.echo is not None and log is not None:
                copy = os.fdopen(os.dup(log.fileno()), "wb")
                self.pump = threading.Thread(target=self._copy, args=(copy,), daemon=True)
                self.pump.start()

    @property
    def pid(self) -> int:
        """Its process id, which is its group's id too."""
        assert self.process is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs (frozen counts as running)."""
        return self.process is not None and self.process.poll() is None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end; None when it still runs after `timeout` seconds."""
        assert self.process is not None
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def ask(self) -> None:
        """Ask it to end (SIGTERM), without waiting."""
        if self.alive:
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)

    def end(self, grace: float) -> bool:
        """End it and its group; True when it ended by itself within `grace` seconds."""
        self.ask()
        willing = self.wait(grace) is not None
        self.kill()
        return willing

    def kill(self) -> None:
        """Kill its whole group and wait until it is gone."""
        if self not in _all:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        _all.discard(self)
        _tell_sentinel(f"-{self.pid}\n")
        if self.pump is not None:
            self.pump.join(timeout=1)

    def signal(self, number: signal.Signals) -> None:
        """Send one signal to it alone; nothing happens when it is gone."""
        assert self.process is not None
        self.process.send_signal(number)

    def tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines of its log."""
        if self.log is None or not self.log.exists():
            return ""
        with self.log.open(encoding="utf-8", errors="replace") as log:
            return "".join(collections.deque(log, maxlen=lines)).rstrip()

    def _copy(self, log: IO[bytes]) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        assert self.echo is not None
        with log, self.process.stdout as output:
            for line in output:
                log.write(line)
                log.flush()
                self.echo(line.decode(errors="replace").rstrip("\n"))


def kill_all() -> None:
    """Kill every child that still runs."""
    for child in tuple(_all):
        child.kill()


@contextlib.contextmanager
def _opened(log: Path | None) -> Iterator[IO[bytes] | None]:
    if log is None:
        yield None
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    with log.open("wb") as file:
        yield file


def _spawn(child: Child, log: IO[bytes] | None) -> "subprocess.Popen[bytes]":
    """Fork in a thread that lives as long as we do: PDEATHSIG is sent when a *thread* dies."""
    starting: Future[subprocess.Popen[bytes]] = Future()
    _starter(os.getpid()).put((starting, functools.partial(_fork, child, log)))
    return starting.result()


def _fork(child: Child, log: IO[bytes] | None) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [os.fspath(part) for part in child.command],
        stdin=subprocess.DEVNULL,
        stdout=log if child.echo is None else subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=None if child.environment is None else dict(child.environment),
        cwd=child.folder,
        start_new_session=True,
        pass_fds=child.keep_open,
        preexec_fn=functools.partial(_bind, os.getpid()),  # noqa: PLW1509
    )
    _tell_sentinel(f"+{process.pid}\n")
    return process


def _bind(parent: int) -> None:
    """In the child, before exec: die with the parent."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call above
        os._exit(ORPHANED)


_Order = tuple["Future[subprocess.Popen[bytes]]", Callable[[], "subprocess.Popen[bytes]"]]


# functools.cache computes twice when two threads ask at once, and the loser's process or thread
# would be left to nobody.
_once = threading.RLock()


def _starter(owner: int) -> "queue.SimpleQueue[_Order]":
    with _once:
        return _new_starter(owner)


@functools.cache
def _new_starter(_owner: int) -> "queue.SimpleQueue[_Order]":
    orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()

    def serve() -> None:
        while True:
            starting, fork = orders.get()
            try:
                starting.set_result(fork())
            except BaseException as failure:  # noqa: BLE001 - it is the caller's
                starting.set_exception(failure)

    threading.Thread(target=serve, name="starter", daemon=True).start()
    return orders


def _tell_sentinel(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # someone killed it; PDEATHSIG is left
        with _once:
            pipe = _sentinel(os.getpid())[0]
        os.write(pipe, line.encode())


@functools.cache
def _sentinel(_owner: int) -> "tuple[int, subprocess.Popen[bytes]]":
    """Start the sentinel once; returns our end of its pipe, which only we hold, and itself."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as standard_input:
        process = subprocess.Popen(
            [sys.executable, "-ISE", Path(__file__).with_name("sentinel.py")],
            stdin=standard_input,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return writing, process
