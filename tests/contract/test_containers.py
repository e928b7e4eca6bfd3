"""The container files agree with the rest of the project; there is no engine here to run them.

The broker is started all the same: its image turns the environment into settings by a class of
Kafka itself, which is among the embedded broker's jars.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from aiokafka.errors import KafkaConnectionError

from deploy.local import containers
from deploy.local.broker.jars import jars
from deploy.local.broker.secured import IDLE_SECONDS, STATIC
from deploy.local.broker.server import _java, _train
from deploy.local.children import Child
from deploy.local.ports import DEFAULTS, HOST, answers, free_ports
from deploy.local.services import SERVICES
from deploy.local.waiting import until
from shared.kafka import rights, topics, users
from shared.kafka.admin import administrator
from shared.kafka.connection import parse

ROOT = Path(__file__).resolve().parents[2]
RAW = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
# As an engine reads it, where each secret is its variable's name in small letters.
TEXT = re.sub(r"\$\{(\w+):\?\}", lambda found: found[1].lower(), RAW)
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
BOXES: dict[str, dict[str, Any]] = COMPOSE["services"]
KAFKA: dict[str, str] = BOXES["kafka"]["environment"]
ONCE = {"topics", "rights"}
DOCKERFILE = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")

TOP = {"name", "services", "secrets", "volumes"}
BOX = {
    *("image", "build", "command", "environment", "ports", "volumes", "depends_on", "healthcheck"),
    *("restart", "init", "cap_drop", "security_opt", "stop_grace_period", "secrets"),
}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


@pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.name)
def test_every_service_of_make_run_is_in_compose_under_its_port(service: Any) -> None:
    box = BOXES[service.name]
    port = DEFAULTS[service.name]
    assert box["command"] == [service.module]
    assert box["environment"]["HTTP_PORT"] == str(port)
    assert box["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"{service.name}:/state" in box["volumes"]
    for setting in (
        "MONGODB_URL",
        "OPERATOR_TOKEN_FILE",
        "STATE_DIR",
        "KEY_FILE",
    ):
        assert box["environment"][setting]


def test_compose_holds_nothing_else() -> None:
    names = {one.name for one in SERVICES}
    assert set(BOXES) == names | ONCE | {"kafka", "mongo", "access"}


def test_broker_and_store_are_those_of_testcontainers_on_the_fixed_ports() -> None:
    assert BOXES["kafka"]["image"] == containers.KAFKA_IMAGE
    assert BOXES["mongo"]["image"] == containers.MONGO_IMAGE
    assert BOXES["kafka"]["ports"] == [f"127.0.0.1:{DEFAULTS['kafka']}:9092"]
    assert BOXES["mongo"]["ports"] == [f"127.0.0.1:{DEFAULTS['store']}:27017"]


def test_the_broker_in_containers_is_the_version_of_the_embedded_one() -> None:
    pom = (ROOT / "deploy/local/broker/pom.xml").read_text(encoding="utf-8")
    versions = re.findall(r"kafka_2\.13</artifactId>\s*<version>(.+?)</version>", pom)
    assert versions == [containers.KAFKA_IMAGE.partition(":")[2]]


@pytest.mark.parametrize("name", BOXES)
def test_every_box_has_known_keys_and_leads_to_things_that_exist(name: str) -> None:
    box = BOXES[name]
    assert set(box) <= BOX
    assert all(port.startswith("127.0.0.1:") for port in box.get("ports", []))
    for volume in box.get("volumes", []):
        assert volume.partition(":")[0] in COMPOSE["volumes"]
    for secret in box.get("secrets", []):
        assert secret in COMPOSE["secrets"]
    for other, how in box.get("depends_on", {}).items():
        assert other in BOXES
        assert how["condition"] in CONDITIONS
        if how["condition"] == "service_healthy":
            assert "test" in BOXES[other]["healthcheck"]


def test_compose_has_known_keys_and_every_volume_is_used() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} == TOP
    used = {volume.partition(":")[0] for box in BOXES.values() for volume in box.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def listeners(kind: str) -> dict[str, str]:
    """Return the broker's listeners by name, each with its address or protocol."""
    pairs = [one.split(":", 1) for one in KAFKA[kind].split(",")]
    return {name: where.removeprefix("//") for name, where in pairs}


def test_each_service_is_its_own_user_of_the_broker_and_calls_where_it_listens() -> None:
    outside = listeners("KAFKA_ADVERTISED_LISTENERS")
    for one in SERVICES:
        given = BOXES[one.name]["environment"]
        assert parse(given["KAFKA_BOOTSTRAP"]).servers == outside["CLIENTS"]
        assert parse(given["KAFKA_BOOTSTRAP"]).user == one.name
        assert parse(given["KAFKA_BOOTSTRAP"]).password == f"kafka_{one.name}_password"
        assert "KAFKA_ADMIN_BOOTSTRAP" not in given
        assert given["MONGODB_URL"] == "mongodb://mongo:27017/?replicaSet=colophon"
        assert set(BOXES[one.name]["depends_on"]) == ONCE | {"mongo"}
    assert "colophon" in BOXES["mongo"]["command"]
    assert '_id: "colophon"' in BOXES["mongo"]["healthcheck"]["test"][-1]


def test_the_administrator_is_known_to_what_makes_topics_and_gives_rights_alone() -> None:
    inside = listeners("KAFKA_ADVERTISED_LISTENERS")["INSIDE"]
    addresses = {name: BOXES[name]["environment"]["KAFKA_BOOTSTRAP"] for name in ONCE}
    access = BOXES["access"]["environment"]
    addresses["access"] = access["KAFKA_ADMIN_BOOTSTRAP"]
    for address in addresses.values():
        found = parse(address)
        assert (found.user, found.servers, found.mechanism) == ("admin", inside, "PLAIN")
    assert access["KAFKA_BOOTSTRAP"] == BOXES["distribution"]["environment"]["KAFKA_BOOTSTRAP"]
    holders = {name for name, box in BOXES.items() if "kafka_admin_password" in str(box)}
    assert holders == {*addresses, "kafka"}
    assert BOXES["topics"]["command"] == ["shared.kafka", "topics", "apply"]
    assert BOXES["rights"]["command"] == ["shared.kafka", "rights", "apply", "--passwords"]
    for service in rights.services():
        assert BOXES["rights"]["environment"][f"KAFKA_{service.upper()}_PASSWORD"]


def test_the_broker_asks_on_every_listener_as_the_embedded_one_with_users_does() -> None:
    assert set(listeners("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP").values()) == {"SASL_PLAINTEXT"}
    assert set(listeners("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP")) == set(
        listeners("KAFKA_LISTENERS")
    )
    assert listeners("KAFKA_LISTENERS")["CONTROLLER"].startswith("127.0.0.1:")
    given = {_property(name): value for name, value in KAFKA.items()}
    for line in STATIC.read_text(encoding="ascii").splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#") and name != "listener.security.protocol.map":
            assert given[name] == value, name
    assert given["connections.max.idle.ms"] == str(IDLE_SECONDS * 1000)


def _property(variable: str) -> str:
    """Return the broker's setting that its image makes of a variable."""
    name = variable.removeprefix("KAFKA_").lower().replace("_", ".")
    return name.replace("...", "-").replace("..", "_")


def test_every_secret_is_asked_for_and_made_by_the_command_at_the_head() -> None:
    wanted = set(re.findall(r"\$\{(\w+):\?\}", RAW))
    assert "${" not in re.sub(r"\$\{\w+:\?\}", "", RAW)
    many = ",".join(["BROKER", "ADMIN", *(one.name.upper() for one in SERVICES)])
    assert f"OPERATOR_TOKEN KAFKA_{{{many}}}_PASSWORD" in RAW
    assert wanted == {f"KAFKA_{one}_PASSWORD" for one in many.split(",")}
    assert COMPOSE["secrets"] == {"operator_token": {"environment": "OPERATOR_TOKEN"}}


async def test_the_broker_starts_as_its_image_would_configure_it(tmp_path: Path) -> None:
    ports = free_ports(listeners("KAFKA_LISTENERS"))
    properties = _configured(tmp_path, ports)
    libs = jars(_train)
    node = Child("kafka", _java(libs, "kafka.Kafka", properties), tmp_path / "kafka.log")
    node.start()
    try:
        here = [ports[name] for name in ("CLIENTS", "HOST", "INSIDE")]
        assert until(lambda: all(map(answers, here)) or not node.alive, 60.0)
        assert node.alive, node.tail()
        address = _moved(BOXES["rights"]["environment"]["KAFKA_BOOTSTRAP"], ports["INSIDE"])
        passwords = {one: f"kafka_{one}_password" for one in rights.services()}
        async with administrator(address) as admin:
            given, _ = await users.apply(admin, "", passwords)
            assert given > 0
            assert await users.apply(admin, "", passwords) == (0, 0)
        for service in SERVICES:
            given_address = BOXES[service.name]["environment"]["KAFKA_BOOTSTRAP"]
            for name in ("CLIENTS", "HOST"):
                async with administrator(_moved(given_address, ports[name])):
                    pass  # it is let in
        for port in here:
            with pytest.raises(KafkaConnectionError):
                await topics.create(f"{HOST}:{port}")
    finally:
        node.kill()


def _configured(folder: Path, ports: dict[str, int]) -> Path:
    """Let the image's own program write the settings, with addresses of this machine."""
    moved = {
        **{
            which: ",".join(f"{name}://{HOST}:{ports[name]}" for name in listeners(which))
            for which in ("KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS")
        },
        "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@{HOST}:{ports['CONTROLLER']}",
        "KAFKA_LOG_DIRS": str(folder / "data"),
    }
    folders = [f"--{kind}-configs-dir={folder / kind}" for kind in ("default", "mounted", "final")]
    for one in folders:
        Path(one.partition("=")[2]).mkdir()
    subprocess.run(
        _java(jars(_train), "kafka.docker.KafkaDockerWrapper", "setup", *folders),
        env={**os.environ, **KAFKA, **moved},
        check=True,
        capture_output=True,
        timeout=120,
    )
    return folder / "final" / "server.properties"


def _moved(address: str, port: int) -> str:
    return re.sub(r"@kafka:\d+", f"@{HOST}:{port}", address)


def test_the_image_runs_as_nobody_in_particular_from_hashed_requirements() -> None:
    instructions = [
        line.split()[0] for line in DOCKERFILE.splitlines() if re.match(r"[A-Z]+ ", line)
    ]
    assert instructions[0] == "FROM"
    assert instructions[-1] == "ENTRYPOINT"
    assert "--require-hashes" in DOCKERFILE
    assert re.search(r"^USER colophon$", DOCKERFILE, re.MULTILINE)
    assert instructions.index("USER") > instructions.index("RUN")


def test_everything_the_image_copies_exists() -> None:
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        assert (ROOT / line.split()[0]).exists(), line


@pytest.mark.parametrize(
    "lock", ["requirements.txt", "requirements-dev.txt", "deploy/local/uv.txt"]
)
def test_a_lock_pins_and_hashes_everything_and_names_no_address_or_folder(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"(^|\s)/\w", text)
    pinned = re.findall(r"^[\w.\[\]-]+==\S+", text, re.MULTILINE)
    entries = re.findall(r"^[^\s#].*$", text, re.MULTILINE)
    assert len(pinned) == len(entries) > 0
    blocks = re.split(r"\n(?=[^\s#])", text)
    assert all("--hash=sha256:" in block for block in blocks if not block.startswith("#"))


def test_every_pin_of_the_project_is_in_the_lock() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lock = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    pins = re.findall(r'^    "([\w-]+)(?:\[\w+\])?(==[\w.]+)"', project, re.MULTILINE)
    assert len(pins) > 20
    for name, version in pins:
        assert f"\n{name.lower()}{version}" in lock, name
