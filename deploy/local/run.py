"""`make run`: the whole of Colophon on this machine, until Ctrl-C.

Broker and store, topics, services, readiness, demo, in this order; stopped in reverse. When a
process ends by itself the launcher shows the end of its log, stops the others and fails.
"""

import contextlib
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import FrameType

from deploy.local.children import Child, kill_all
from deploy.local.home import ROOT, Home, home_of, locked, prepare
from deploy.local.nodes import Embedded
from deploy.local.obstacle import Obstacle
from deploy.local.platform import Platform, Wishes, platform
from deploy.local.ports import ports_of, require_free
from deploy.local.services import (
    DRAIN_SECONDS,
    SERVICES,
    Service,
    client_environment,
    command_of,
    environment_of,
    rights_of,
    url_of,
)
from deploy.local.terminal import Terminal
from deploy.local.waiting import until

READY_PATIENCE = 120.0  # seconds until every service must be ready
TASK_PATIENCE = 900.0  # seconds for topics or the demo
END_GRACE = DRAIN_SECONDS + 2.0  # what a service has to end in order before it is killed
WATCH_PAUSE = 0.2  # seconds between two looks at who is alive


@dataclass(frozen=True, slots=True)
class Plan:
    """What a launcher starts over broker and store."""

    services: tuple[Service, ...] = SERVICES
    topics: Sequence[str] = (sys.executable, "-m", "shared.kafka", "topics", "apply")
    demo: Sequence[str] = (sys.executable, "-m", "deploy.demo", "load")


@dataclass(slots=True)
class _Launch:
    """One launch: its place, its terminal, and the children that must stay alive."""

    plan: Plan
    home: Home
    ports: Mapping[str, int]
    terminal: Terminal
    lock: int
    began: float = field(default_factory=time.monotonic)
    watched: list[Child] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Say a step with the seconds since the start."""
        self.terminal.say(f"{text} ({time.monotonic() - self.began:.1f} s)")


def main(plan: Plan | None = None) -> int:
    """Run until interrupted; returns the exit status."""
    plan = plan or Plan()
    terminal = Terminal(tuple(one.name for one in plan.services))
    try:
        with _signals_interrupt():
            _run(plan, terminal)
    except Obstacle as obstacle:
        terminal.complain(str(obstacle))
        return 1
    except KeyboardInterrupt:
        kill_all()
        terminal.say("stopped")
    return 0


def _run(plan: Plan, terminal: Terminal) -> None:
    ports = ports_of(os.environ)
    home = prepare(home_of(os.environ))
    with locked(home) as lock:
        require_free((one.name for one in plan.services), ports)
        launch = _Launch(plan, home, ports, terminal, lock)
        wishes = Wishes(rights=rights_of(plan.services), keep_open=(lock,))
        with platform(home, ports, wishes) as running:
            _watch_platform(launch, running)
            _make_topics(launch, running)
            with _services(launch, running):
                _await_ready(launch)
                _load_demo(launch)
                _say_where(launch)
                until(lambda: _dead(launch) is not None, float("inf"), pause=WATCH_PAUSE)
                _blame(launch)


def _watch_platform(launch: _Launch, running: Platform) -> None:
    for part in (running.broker, running.store):
        if isinstance(part.node, Embedded):
            launch.watched.append(part.node.child)
    launch.note(f"broker ({running.broker.source}) and store ({running.store.source}) answer")


def _make_topics(launch: _Launch, running: Platform) -> None:
    log = launch.home.log("topics")
    environment = _clients_environment(launch) | {"KAFKA_BOOTSTRAP": running.kafka_bootstrap}
    topics = Child("topics", launch.plan.topics, log, environment, ROOT)
    if _finish(launch, topics) != 0:
        raise Obstacle(
            f"The topics could not be made. The end of {log}:\n{topics.tail()}",
            "See whether the broker answers; its log lies beside this one.",
        )
    launch.note("topics are there")


@contextlib.contextmanager
def _services(launch: _Launch, running: Platform) -> Iterator[None]:
    """Run every service; ask them to end in reverse, and end those that do not."""
    started: list[Child] = []
    try:
        for service in launch.plan.services:
            child = Child(
                service.name,
                command_of(service),
                launch.home.log(service.name),
                environment_of(service, launch.home, launch.ports, running),
                folder=ROOT,
                echo=launch.terminal.echo(service.name),
                keep_open=(launch.lock,),
            )
            child.start()
            started.append(child)
            launch.watched.append(child)
        yield
    finally:
        launch.terminal.say("stopping")
        _end(started)


def _end(children: list[Child]) -> None:
    latest = time.monotonic() + END_GRACE
    for child in reversed(children):
        child.ask()
    for child in reversed(children):
        child.end(max(0.0, latest - time.monotonic()))


def _await_ready(launch: _Launch) -> None:
    """Wait until each service says at /readyz that it can do its work."""
    waiting = {one.name: f"{url_of(one, launch.ports)}/readyz" for one in launch.plan.services}

    def all_ready() -> bool:
        for name, url in tuple(waiting.items()):
            if _says_ready(url):
                del waiting[name]
        return not waiting or _dead(launch) is not None

    until(all_ready, READY_PATIENCE, pause=0.05)
    _blame(launch)
    if waiting:
        name = next(iter(waiting))
        log = launch.home.log(name)
        raise Obstacle(
            f"{name} was not ready within {READY_PATIENCE:.0f} seconds; {waiting[name]} says what"
            " it waits for while it runs.",
            f"Its log is {log}.",
        )
    launch.note("services are ready")


def _says_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - http, our own
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def _load_demo(launch: _Launch) -> None:
    """Load the demo unless it is there; Colophon runs without it too."""
    demo = Child("demo", launch.plan.demo, None, _clients_environment(launch), ROOT)
    launch.terminal.quiet = True  # a progress bar needs the terminal for itself
    try:
        status = _finish(launch, demo)
    finally:
        launch.terminal.quiet = False
    if status == 0:
        launch.note("demo is there")
    else:
        launch.terminal.complain(f"the demo could not be loaded (status {status})")


def _finish(launch: _Launch, child: Child) -> int | None:
    """Run a child to its end while the others live; returns its status."""
    child.start()
    try:
        until(lambda: not child.alive or _dead(launch) is not None, TASK_PATIENCE)
        _blame(launch)
        return child.wait(0)
    finally:
        child.kill()


def _clients_environment(launch: _Launch) -> dict[str, str]:
    return client_environment(launch.plan.services, launch.home, launch.ports)


def _dead(launch: _Launch) -> Child | None:
    return next((child for child in launch.watched if not child.alive), None)


def _blame(launch: _Launch) -> None:
    """Raise Obstacle for a process that ended by itself."""
    child = _dead(launch)
    if child is not None:
        raise Obstacle(
            f"{child.name} ended by itself with status {child.wait(0)}, so everything is stopped."
            f" The end of {child.log}:\n{child.tail()}",
            "Nothing acknowledged is lost; `make run` starts again over the same state.",
        )


def _say_where(launch: _Launch) -> None:
    rows = [(one.offers, url_of(one, launch.ports) + one.look) for one in launch.plan.services]
    rows += [
        ("operator's token", str(launch.home.operator_token)),
        ("logs", str(launch.home.logs)),
        ("the story, told live", "make demo (in another terminal)"),
        ("stop", "Ctrl-C; the state stays"),
    ]
    width = max(len(label) for label, _ in rows)
    launch.note("Colophon runs")
    for label, place in rows:
        launch.terminal.say(f"  {label:{width}}  {place}")


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end us as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    yield


if __name__ == "__main__":
    sys.exit(main())
