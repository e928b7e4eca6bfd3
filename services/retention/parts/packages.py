"""Access packages: made of the topics, fetched once, over with their keys."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from services.retention.api.packages import routes
from services.retention.commands.packages import Packages
from services.retention.store.erasures import open_erasures
from services.retention.store.packages import open_packages
from services.retention.store.requests import RequestStore, open_requests
from services.retention.wiring import House, Part, Rooms
from shared.mongo import Lease
from shared.policy.erasure import load_erasure
from shared.policy.packages import load_packages
from shared.policy.requests import RequestsPolicy, Scope, load_requests
from shared.privacy.receipts import Signer
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.runtime.loops import step_forever

ROLE: Final = "erasures"
NAME: Final = "packages"
EVERY: Final = 1.0  # seconds between two looks where nothing wakes the loop

log = get_log(__name__)


async def open_part(house: House, rooms: Rooms) -> Part:
    """Compose it."""
    wake = asyncio.Event()
    policies = house.settings.policies_dir
    requests = load_requests(policies, house.schedule)
    packages = Packages(
        house=house,
        store=open_packages(house.database, wake=house.wake, clock=house.clock),
        answers=open_erasures(house.database),
        keeps=rooms.keeps,
        services=load_erasure(policies / "erasure.toml").services,
        policy=load_packages(policies / "packages.toml"),
        register=await asyncio.to_thread(_register, house.settings.register_file),
        signer=rooms.tree.signer if rooms.tree else Signer(house.settings.key_file),
        holds=rooms.holds,
        scope=partial(scope_of, open_requests(house.database), requests),
        touch=lambda _package: wake.set(),
    )
    rooms.packages = packages
    lease = Lease(house.database["leases"], NAME, house.settings.replica_name)
    looping = partial(
        step_forever,
        NAME,
        partial(step, packages, lease),
        health=house.health,
        every=EVERY,
        within=600.0,
        wake=wake,
    )
    return Part(routes=routes(packages), running={ROLE: {NAME: looping}})


async def scope_of(requests: RequestStore, policy: RequestsPolicy, request: str) -> Scope:
    """Return what the package of a request holds; everything, where none asked for less."""
    known = await requests.requests.load(request)
    return (policy.packed(known.kinds) if known is not None else None) or "everything"


async def step(packages: Packages, lease: Lease) -> bool:
    """Carry every package on by a step; say whether any moved. One process does it at a time."""
    if not await lease.hold():
        return False
    moved = False
    for package in await packages.store.unsettled():
        try:
            moved = await packages.carry_on(package) or moved
        except Transient as fault:
            log.warning("package interrupted", package=package, reason=str(fault))
    return moved


def _register(path: Path) -> dict[str, Any]:
    register: dict[str, Any] = orjson.loads(path.read_bytes())
    return register
