"""The life of a process: start its roles, drain on the first signal, leave on the second.

A role is a coroutine that runs until ``draining`` is set and then finishes what it has in hand. A
role that raises ends the process with status 70 (sysexits' EX_SOFTWARE), for whoever supervises it
to start again: state is in the store and the log, so starting again is always safe.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping

import uvloop

from shared.runtime.log import get_log

Role = Callable[[asyncio.Event], Awaitable[None]]
EX_SOFTWARE = 70


async def run_roles(roles: Mapping[str, Role], *, drain_seconds: float) -> None:
    """Run all roles until a signal or until one fails; a failure drains the others."""
    log = get_log("service")
    draining = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if draining.is_set():
            os._exit(1)
        log.info("draining", seconds=drain_seconds)
        draining.set()
        loop.call_later(drain_seconds, os._exit, EX_SOFTWARE)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)

    async def supervised(name: str, role: Role) -> None:
        try:
            await _to_its_end(name, role, draining)
        except asyncio.CancelledError:
            raise
        except BaseException:  # whatever ends a role, the others drain and a supervisor hears of it
            log.exception("role failed", role=name)
            if not draining.is_set():
                draining.set()
                loop.call_later(drain_seconds, os._exit, EX_SOFTWARE)
            raise

    async with asyncio.TaskGroup() as group:
        for name, role in roles.items():
            group.create_task(supervised(name, role), name=name)
    log.info("stopped")


async def _to_its_end(name: str, role: Role, draining: asyncio.Event) -> None:
    """Run a role; an end that nobody asked for is a failure, a cancellation of its own making too.

    A group of tasks takes whatever ends as cancelled for an end in order, and would not say a word.
    """
    try:
        await role(draining)
    except asyncio.CancelledError:
        us = asyncio.current_task()
        if draining.is_set() or us is None or us.cancelling():
            raise
        raise RuntimeError(f"role {name} ended as if it were cancelled") from None
    if not draining.is_set():
        raise RuntimeError(f"role {name} ended though nobody asked it to")


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run ``main`` on the fast event loop and turn a failure into status 70."""
    gc.freeze()  # what imports made stays for good: no collection need look at it again

    async def outer() -> None:
        await main()

    try:
        uvloop.run(outer())
    except KeyboardInterrupt:
        sys.exit(130)
    except BaseExceptionGroup:
        sys.exit(EX_SOFTWARE)


async def wait_any(*events: asyncio.Event, timeout: float | None = None) -> None:  # noqa: ASYNC109
    """Return when one of ``events`` is set or ``timeout`` seconds have passed."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
