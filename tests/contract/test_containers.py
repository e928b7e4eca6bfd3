"""The container files agree with the rest of the project; there is no engine here to run them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from deploy.local import containers
from deploy.local.ports import DEFAULTS
from deploy.local.services import SERVICES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
BOXES: dict[str, dict[str, Any]] = COMPOSE["services"]
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
        "KAFKA_BOOTSTRAP",
        "MONGODB_URL",
        "OPERATOR_TOKEN_FILE",
        "STATE_DIR",
        "KEY_FILE",
    ):
        assert box["environment"][setting]


def test_compose_holds_nothing_else() -> None:
    names = {one.name for one in SERVICES}
    assert set(BOXES) == names | {"kafka", "mongo", "topics"}


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


def test_every_address_a_box_is_given_is_one_that_another_listens_on() -> None:
    kafka = BOXES["kafka"]["environment"]
    for one in SERVICES:
        given = BOXES[one.name]["environment"]
        assert f"INSIDE://{given['KAFKA_BOOTSTRAP']}" in kafka["KAFKA_ADVERTISED_LISTENERS"]
        assert given["MONGODB_URL"] == "mongodb://mongo:27017/?replicaSet=colophon"
    assert "colophon" in BOXES["mongo"]["command"]
    assert '_id: "colophon"' in BOXES["mongo"]["healthcheck"]["test"][-1]


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
