"""Physically gone: key epochs that end, receipts of compaction, scans of the log."""

from functools import partial
from typing import Final

from services.retention.api.epochs import routes
from services.retention.erasure.physical import Disks
from services.retention.erasure.rotation import Rotation
from services.retention.erasure.scanning import Scanning
from services.retention.model.epochs import KeptEpochs
from services.retention.store import keeping, open_keys
from services.retention.wiring import House, Part, Rooms
from shared.mongo import Lease
from shared.privacy.epochs import FileEpochs
from shared.runtime.loops import step_forever

STALLED_SECONDS: Final = 3_600.0  # a rotation of millions of keys takes minutes


async def open_part(house: House, rooms: Rooms) -> Part:
    """Compose it."""
    settings = house.settings
    rotation = Rotation(
        keeping(house.database, "epochs", KeptEpochs, clock=house.clock),
        open_keys(house.key_documents, house.wake),
        FileEpochs(settings.shared_keys),
        house.personal.file.epochs,
        Lease(house.database["leases"], "epochs", settings.replica_name, house.clock),
        house.clock,
    )
    files = settings.broker_log_dirs
    rooms.physical = Disks(
        settings.kafka_bootstrap,
        settings.topic_prefix,
        files,
        rotation,
        Scanning(
            settings.kafka_bootstrap,
            settings.topic_prefix,
            files,
            house.database["scans"],
            house.clock,
        ),
        house.clock,
    )
    stepping = partial(
        step_forever,
        "epochs",
        rotation.step,
        health=house.health,
        every=settings.rotation_seconds,
        within=STALLED_SECONDS,
        wake=rotation.wake,
    )
    return Part(routes=routes(rotation), running={"erasures": {"epochs": stepping}})
