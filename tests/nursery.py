"""Processes of services that begin where their imports end: forked from one that holds them ready.

Each is a process of its own, run as ``python -m`` would run it, with a process id
to kill and an exit status; only the seconds that importing takes are spent once a run. That
``python -m`` itself works is what the tests of `make run` show.
"""

import asyncio
import ctypes
import importlib
import os
import random
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

PARENT_DEATH: Final = 1  # PR_SET_PDEATHSIG: the server ends with the test run, its children with it

CONTEXT: Final = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "services.accounts.app",
        "services.deposits.app",
        "services.distribution.app",
        "services.retention.app",
        "pytest",
    ]
)


class Forked:
    """A running service, in the manner of asyncio's subprocesses."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid: Final = process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status, minus the signal's number where one killed it; None while it runs."""
        return self._process.exitcode

    async def wait(self) -> int:
        """Wait for its end and return its status."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        watched = os.dup(self._process.sentinel)  # several may wait at once, each on its own copy
        loop.add_reader(watched, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(watched)
            os.close(watched)
        status = self._process.exitcode
        assert status is not None
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        self.send_signal(signal.SIGKILL)


def start(
    module: str,
    arguments: Sequence[str] = (),
    *,
    environment: Mapping[str, str],
    log: Path,
    patches: Sequence[str] = (),
) -> Forked:
    """Start ``python -m module`` with just this environment, its output added to ``log``.

    ``patches`` are functions of tests, as ``module:function``, that are called in the process
    before the module runs: faults that no production code has a switch for.
    """
    process = CONTEXT.Process(
        target=_run,
        args=(module, tuple(arguments), dict(environment), str(log), tuple(patches)),
        name=module,
    )
    process.start()
    return Forked(process)


def _run(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log: str,
    patches: Sequence[str],
) -> None:
    ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGKILL)
    # The server lives as long as anybody holds its pipe: with a copy here, both would for ever.
    os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = os.fdopen(1, "w", buffering=1)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    importlib.reload(importlib.import_module("shared.runtime.crashpoints"))  # armed as told above
    for patch in patches:
        where, _, name = patch.partition(":")
        getattr(importlib.import_module(where), name)()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
