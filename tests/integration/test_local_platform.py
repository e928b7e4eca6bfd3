"""`make run`: starting, ending and being ended, and what it says when it cannot start."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local import children
from deploy.local.children import Child
from deploy.local.home import Home, clean, locked, prepare
from deploy.local.obstacle import Obstacle
from deploy.local.ports import DEFAULTS, free_ports, ports_of, variable_of
from deploy.local.waiting import until

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # seconds; a tenth is usual
GONE_WITHIN = 20.0


@dataclass(slots=True)
class Launcher:
    """A launcher in a process of its own, and what it wrote so far."""

    process: "subprocess.Popen[bytes]"
    home: Path
    ports: dict[str, int]
    output: Path

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def runs(self) -> "Launcher":
        """Wait until it says that everything runs."""
        until(lambda: "Colophon runs" in self.said() or self.process.poll() is not None, PATIENCE)
        assert "Colophon runs" in self.said(), self.said()
        return self

    def ends(self) -> int:
        return self.process.wait(PATIENCE)

    def get(self, service: str, path: str) -> str:
        url = f"http://127.0.0.1:{self.ports[service]}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())

    def processes(self) -> list[str]:
        """The command lines of all that was started for this state folder and is alive."""
        mark = f"COLOPHON_HOME={self.home}".encode()
        return [line for line, environment in _processes() if mark in environment]

    def nothing_is_left(self) -> bool:
        return until(lambda: not self.processes(), GONE_WITHIN)


def _processes() -> Iterator[tuple[str, list[bytes]]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:  # a zombie has an empty environment
            environment = (folder / "environ").read_bytes().split(b"\0")
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        yield line, environment


Launch = Callable[..., Launcher]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start launchers over one state folder and one set of ports, and end them afterwards."""
    ports = free_ports(DEFAULTS)
    launched: list[Launcher] = []

    def start(**environment: str) -> Launcher:
        home, output = tmp_path / "home", tmp_path / f"output-{len(launched)}"
        inherited = {
            k: v for k, v in os.environ.items() if k not in ("KAFKA_BOOTSTRAP", "MONGODB_URL")
        }
        settings = {variable_of(name): str(port) for name, port in ports.items()}
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.standin", "launcher"],
                env=inherited
                | settings
                | {"COLOPHON_HOME": str(home), "COLOPHON_PLATFORM": "embedded"}
                | environment,
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        launched.append(Launcher(process, home, ports, output))
        return launched[-1]

    yield start
    for one in launched:
        one.process.kill()
        one.process.wait()
        assert one.nothing_is_left(), one.processes()


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.mark.clause("DOAJ-4c1")
@linux_only
def test_ctrl_c_ends_everything_in_seconds_and_a_second_launcher_is_told_that_one_runs(
    launch: Launch,
) -> None:
    first = launch().runs()
    second = launch()
    assert second.ends() == 1
    assert (
        f"already runs over the state folder {first.home} (process {first.process.pid})"
        in second.said()
    )
    assert "COLOPHON_HOME=<another folder> PORT_SHIFT=20000" in second.said()

    assert first.get("accounts", "/foreign") == "allowed"  # its own
    assert first.get("deposits", "/foreign") == "refused"
    token = first.home / "operator.token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert "accounts | I serve" in first.said()
    assert (first.home / "log" / "accounts.log").read_text(encoding="utf-8") == "I serve\n"

    first.process.send_signal(signal.SIGINT)
    assert first.ends() == 0
    assert first.nothing_is_left(), first.processes()  # the sentinel outlives it by a moment
    assert "stopping" in first.said()
    assert "Traceback" not in first.said()


@linux_only
def test_a_killed_launcher_leaves_no_process_and_its_state_survives(launch: Launch) -> None:
    first = launch().runs()
    lines = " ".join(first.processes())
    for what in (
        "kafka.Kafka",
        "secantus",
        "tests.integration.standin",
        "sleep 1000",
        "sentinel.py",
    ):
        assert what in lines
    token = (first.home / "operator.token").read_text(encoding="ascii")
    first.process.kill()
    assert first.nothing_is_left(), first.processes()

    second = launch().runs()
    assert second.get("accounts", "/starts") == "2"
    assert "topic was there" in (second.home / "log" / "topics.log").read_text(encoding="utf-8")
    assert (second.home / "operator.token").read_text(encoding="ascii") == token
    second.process.terminate()
    assert second.ends() == 0
    assert second.nothing_is_left(), second.processes()


@pytest.mark.soak
@linux_only
def test_a_service_that_ends_by_itself_is_named_with_its_log_and_ends_the_rest(
    launch: Launch,
) -> None:
    running = launch().runs()
    with pytest.raises(ConnectionError):
        running.get("deposits", "/crash")
    assert running.ends() == 1
    assert "deposits ended by itself with status 3" in running.said()
    assert "I fall over" in running.said().split("ended by itself")[1]
    assert running.nothing_is_left(), running.processes()


@pytest.mark.parametrize("name", ["deposits", "kafka", "store"])
def test_a_taken_port_is_named_with_the_ways_out(launch: Launch, name: str) -> None:
    with socket.create_server(("127.0.0.1", free_ports(["it"])["it"])) as other:
        port = other.getsockname()[1]
        launched = launch(**{variable_of(name): str(port)})
        assert launched.ends() == 1
    said = launched.said()
    assert f"Port {port} on 127.0.0.1, which {name} needs, is taken" in said
    assert f"{variable_of(name)}=..." in said
    assert "PORT_SHIFT=20000" in said
    assert "Traceback" not in said


def test_a_missing_maven_is_named_with_how_to_get_it(launch: Launch, tmp_path: Path) -> None:
    launched = launch(PATH=_path_with(tmp_path, "java"), COLOPHON_JARS=str(tmp_path / "none"))
    assert launched.ends() == 1
    assert "Maven is needed to get the broker's program" in launched.said()
    assert "sudo apt install maven" in launched.said()
    assert "Traceback" not in launched.said()


def test_a_missing_java_is_named_with_how_to_get_it(launch: Launch, tmp_path: Path) -> None:
    launched = launch(PATH=_path_with(tmp_path))
    assert launched.ends() == 1
    assert "Java 17 is needed for the broker" in launched.said()
    assert "openjdk-17" in launched.said()


def test_a_java_that_is_too_old_is_named_with_its_version(launch: Launch, tmp_path: Path) -> None:
    path = _path_with(tmp_path)
    java = Path(path) / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n", encoding="ascii")
    java.chmod(0o755)
    launched = launch(PATH=path)
    assert launched.ends() == 1
    assert f"{java} is version 11" in launched.said()


def test_a_missing_python_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [shutil.which("bash") or "bash", ROOT / "deploy" / "local" / "environment.sh"],
        env={"PATH": _path_with(tmp_path, "dirname")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Python 3.11 is needed" in done.stderr


def test_a_state_folder_that_is_none_is_named_with_the_way_out(
    launch: Launch, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("not a folder", encoding="ascii")
    launched = launch()
    assert launched.ends() == 1
    assert f"The state folder {launched.home} cannot be used" in launched.said()
    assert f"mv {launched.home} {launched.home}.broken" in launched.said()
    assert "Traceback" not in launched.said()


@pytest.mark.parametrize(
    ("file", "who"),
    [
        ("broker/state/data/meta.properties", "kafka"),
        ("store/users.json", "store"),
        pytest.param("store/data/WiredTiger.turtle", "store", marks=pytest.mark.soak),
    ],
)
def test_state_that_is_broken_is_named_with_the_way_out(
    launch: Launch, tmp_path: Path, file: str, who: str
) -> None:
    broken = tmp_path / "home" / file
    broken.parent.mkdir(parents=True)
    broken.write_text("this is no state", encoding="ascii")
    launched = launch()
    assert launched.ends() == 1
    said = launched.said()
    state = launched.home.joinpath(*Path(file).parts[: 2 if who == "kafka" else 1])
    assert f"mv {state} {state}.broken" in said
    assert 'Traceback (most recent call last):\n  File "<frozen runpy>' not in said


def test_ports_are_fixed_and_move_together_or_one_by_one() -> None:
    assert ports_of({}) == DEFAULTS
    moved = ports_of({"PORT_SHIFT": "20000", "DEPOSITS_PORT": "9001"})
    assert moved == {**{name: port + 20000 for name, port in DEFAULTS.items()}, "deposits": 9001}


@pytest.mark.parametrize("environment", [{"PORT_SHIFT": "60000"}, {"STORE_PORT": "many"}])
def test_a_port_that_cannot_be_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(Obstacle):
        ports_of(environment)


def test_cleaning_keeps_the_program_files_and_refuses_while_something_runs(tmp_path: Path) -> None:
    home = prepare(Home(tmp_path / "home"))
    for file in ("broker/libs/kafka.jar", "broker/state/data/log", "store/data/wt", "demo.json"):
        (home.path / file).parent.mkdir(parents=True, exist_ok=True)
        (home.path / file).touch()
    with locked(home), pytest.raises(Obstacle, match="already runs"):
        clean(home)
    assert (home.path / "store").exists()
    clean(home)
    left = {str(path.relative_to(home.path)) for path in home.path.rglob("*") if path.is_file()}
    assert left == {"broker/libs/kafka.jar"}


def test_a_program_beside_a_copy_that_does_not_run_is_told_to_start_it(tmp_path: Path) -> None:
    ports = {variable_of(name): str(port) for name, port in free_ports(DEFAULTS).items()}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local.within", "-c", "print('reached')"],
        env=os.environ | ports | {"COLOPHON_HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Start it with `make run`" in done.stderr
    assert "reached" not in done.stdout


def test_make_alone_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert targets is not None
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^  make ([a-z-]+) +\S", done.stdout, re.MULTILINE) == targets[1].split()


def test_a_child_ends_with_its_grandchildren(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    child = Child("child", ["sh", "-c", "sleep 1000 & echo $!; wait"], log)
    child.start()
    assert until(lambda: log.read_text(encoding="ascii").strip() != "", 5)
    grandchild = int(log.read_text(encoding="ascii"))
    child.kill()
    assert until(lambda: not _alive(grandchild), 5)
    assert child not in children._all


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() != b""
    except OSError:
        return False


def _path_with(folder: Path, *programs: str) -> str:
    """A PATH that has these programs and no other."""
    path = folder / "path"
    path.mkdir()
    for program in programs:
        found = shutil.which(program)
        assert found is not None
        (path / program).symlink_to(found)
    return str(path)
