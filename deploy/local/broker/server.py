"""Format and start the embedded broker over one state folder."""

import base64
import shutil
import uuid
from pathlib import Path

from deploy.local.broker import archive
from deploy.local.broker.jars import HERE, jars
from deploy.local.broker.secured import Users, open_settings
from deploy.local.children import Child
from deploy.local.home import write_private
from deploy.local.nodes import Embedded
from deploy.local.obstacle import Obstacle
from deploy.local.ports import HOST, free_port

JVM = ("-Xms256m", "-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
START_PATIENCE = 60.0  # seconds; 2 are usual, 5 after a kill -9
END_GRACE = 10.0  # seconds; 0.3 are usual
FORMAT_PATIENCE = 60.0


def broker(
    state: Path,
    port: int,
    *,
    log: Path,
    keep_open: tuple[int, ...] = (),
    users: Users | None = None,
) -> Embedded:
    """Return the embedded broker over `state`, formatted but not started. Raises Obstacle.

    Without `users` it asks nobody who calls. The cluster's id is kept in the state: a broker that
    was killed goes on where it was.
    """
    libs = jars(_train)
    try:
        properties = _configure(state, port, users)
    except OSError as failure:
        raise Obstacle(
            f"The broker's state folder {state} cannot be used: {failure}.",
            f"Move it away (`mv {state} {state}.broken`); the next start makes a new one.",
        ) from failure
    if not (state / "data" / "meta.properties").exists():
        _format(libs, properties, log=log)
    return Embedded(
        child=Child(
            name="kafka",
            command=_java(libs, "kafka.Kafka", properties),
            log=log,
            keep_open=keep_open,
        ),
        port=port,
        state=state,
        patience=START_PATIENCE,
        grace=END_GRACE,
    )


def _configure(state: Path, port: int, users: Users | None = None) -> Path:
    """Write the properties of this start; the controller's port is nobody's business but ours."""
    controller = free_port()
    state.mkdir(parents=True, exist_ok=True)
    properties = state / "server.properties"
    lines = [
        (HERE / "server.properties").read_text(encoding="ascii"),
        *(users.settings if users else open_settings)(port, controller),
        f"controller.quorum.voters=1@{HOST}:{controller}",
        f"log.dirs={state / 'data'}",
    ]
    write_private(properties, "\n".join(lines) + "\n")
    return properties


def _format(libs: Path, properties: Path, *, log: Path) -> None:
    """Give an empty state a cluster id; what an interrupted format left is begun anew."""
    shutil.rmtree(properties.with_name("data"), ignore_errors=True)
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    identity = f"--cluster-id={cluster}"  # one word: the id may begin with a dash
    command = _java(libs, "kafka.tools.StorageTool", "format", identity, "-c", properties)
    tool = Child(name="kafka", command=command, log=log)
    tool.start()
    status = tool.wait(FORMAT_PATIENCE)
    tool.kill()
    if status != 0:
        raise Obstacle(
            f"The broker could not format {properties.parent}:\n{tool.tail()}",
            "See that the disk has room and the folder can be written.",
        )


def _train(libs: Path) -> None:
    """Run a broker once for the archive."""

    def untrained(folder: Path, options: list[str]) -> tuple[Child, int]:
        port, log = free_port(), folder / "kafka.log"
        properties = _configure(folder / "state", port)
        _format(libs, properties, log=log)
        java, *rest = _java(libs, "kafka.Kafka", properties)
        return Child("kafka", [java, *options, *rest], log), port

    archive.write(libs, untrained)


def _java(libs: Path, main: str, *arguments: str | Path) -> list[str | Path]:
    return [
        "java",
        *JVM,
        *archive.use(libs),
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
        "-cp",
        f"{libs}/*",
        main,
        *arguments,
    ]
