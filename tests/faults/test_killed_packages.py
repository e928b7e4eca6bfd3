"""An access package is made and forgotten wherever retention dies."""

import signal
from pathlib import Path
from typing import Final

import pytest

from shared.runtime.ids import new_id
from tests.consenting import a_place
from tests.erasing import World, hasty, world
from tests.platform import Platform
from tests.processes import Running, service, until

POINTS: Final = ("packages.written", "packages.destroyed")


@pytest.mark.soak
@pytest.mark.law("P8")
@pytest.mark.timeout(240)
async def test_a_package_is_ready_and_then_gone_wherever_retention_died(
    platform: Platform, tmp_path: Path
) -> None:
    place = await a_place(platform, tmp_path)
    policies = hasty(tmp_path / "policies")
    # It is over as soon as it is ready, so that both ends of its life are passed.
    file = policies / "packages.toml"
    file.write_text(file.read_text().replace('"P7D"', '"PT0.1S"'))
    settings = {"POLICIES_DIR": str(policies), "REPLICA": "retention-1"}
    async with world(place) as here:
        package = ""
        for point in POINTS:
            # The second dies as soon as it takes up what the first left.
            async with service(
                "retention", place, ready=not package, COLOPHON_CRASH=point, **settings
            ) as dying:
                here.retention = dying
                package = package or await asked(here)
                assert await dying.ended() == -signal.SIGKILL
        async with service("retention", place, **settings) as last:
            here.retention = last
            await until(lambda: gone(here, last, package), within=60, what="the package gone")
        assert await here.database["package_chunks"].find_one({"package": package}) is None


async def asked(here: World) -> str:
    body = {"request": new_id(), "emails": ["somebody@example.org"]}
    return str((await here.ok("POST", "/packages", body))["package"])


async def gone(here: World, _running: Running, package: str) -> bool:
    said = await here.ok("GET", f"/packages/{package}")
    return bool(said["step"] == "gone" and said["why"] == "expired")
