"""Fences that all processes obey take effect at once; one that is frozen is waited for (law P2).

Real processes of retention, one of which does nothing but answer: it seals for who asks, so it has
keys in hand, and is stopped where it stands.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Final

import pytest

from shared.privacy.personal import Personal, PersonalData
from shared.privacy.presence import SIGNS
from shared.runtime.clock import SYSTEM, parse_rfc3339
from shared.runtime.ids import new_pseudonym
from tests.consenting import a_place
from tests.erasing import Holder, World, hasty, world
from tests.platform import Platform
from tests.processes import OPERATOR, Running, service, until

USABLE: Final = timedelta(seconds=9)
AT_ONCE: Final = timedelta(seconds=7)  # a slow machine's; the bound is 9.1
DONE: Final = (
    "destroyed",
    "ordered",
    "evidenced",
    "compacted",
    "irrecoverable",
    "scanned",
    "certified",
    "closed",
)


class Details(PersonalData, schema="test.obeyed-details.v1"):
    """What a test keeps of a person."""

    name: Annotated[str, Personal("account", ("account-admin",))]


@pytest.fixture(scope="module")
async def here(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[World, Running]]:
    """Run retention twice: the whole of it, and a process that answers only."""
    place = await a_place(platform, tmp_path_factory.mktemp("obeyed"))
    policies = hasty(place.folder / "policies")
    keys = policies / "personal.toml"
    keys.write_text(keys.read_text().replace('usable = "PT1S"', 'usable = "PT9S"'))
    settings = {"POLICIES_DIR": str(policies)}
    async with (
        service("retention", place, **settings) as running,
        service("retention", place, "api", **settings) as other,
        world(place, running) as found,
    ):
        yield found, other


async def planned(here: World, number: int) -> tuple[str, str]:
    """Plan the erasure of somebody of whom something is held; return it, and their keys' name."""
    person = new_pseudonym()
    await here.kept(Details(name="cnry-obeyed-91b2"), person)
    here.answering.fresh = {"accounts": Holder({f"{person}.account": ["u"]})}
    return await here.planned(email=f"obeyed-{number}@example.org"), f"{person}.account"


async def erased(
    here: World, erasure: str, keys_id: str, *, waits: bool = False
) -> tuple[datetime, datetime]:
    """Carry an erasure out; return when keys were fenced and destroyed."""
    await here.approve(erasure)
    if waits:
        await here.waits(erasure, "effect")
    times = (await here.at(erasure, *DONE, within=40.0))["times"]
    keys = await here.keys.shown(keys_id)
    assert keys is not None
    assert not keys.units
    return parse_rfc3339(times["fenced"]), parse_rfc3339(times["destroyed"])


async def seals(here: World, other: Running, number: int) -> None:
    """Have the other process seal something: whom an erasure is to be about, which is planned."""
    body = {"requester": "officer", "email": f"other-{number}@example.org"}
    url = f"{other.url}/erasures"
    async with here.session.post(url, json=body, headers=OPERATOR) as answer:
        assert answer.status < 300, await answer.text()
        await here.at((await answer.json())["erasure"], "planned")


@pytest.mark.law("P2")
@pytest.mark.clause("CRP-11a")
async def test_a_fence_takes_effect_when_all_obey_and_a_frozen_process_is_waited_for(
    here: tuple[World, Running],
) -> None:
    world_, other = here

    async def at_once() -> bool:  # nobody is believed by who has not watched for a while yet
        await seals(world_, other, 0)
        fenced, destroyed = await erased(world_, *await planned(world_, 0))
        return destroyed - fenced < AT_ONCE

    await until(at_once, within=90, what="an erasure that everybody obeys")

    one = await planned(world_, 1)  # before: the time of keys that the other has is short
    asked = SYSTEM.now()
    await seals(world_, other, 1)
    other.freeze()
    await until(other.is_frozen, what="the other frozen")
    _fenced, destroyed = await erased(world_, *one, waits=True)
    # Until then it may have had a key in hand, whose time counts from when it signed.
    assert destroyed - asked >= USABLE - USABLE / SIGNS

    other.thaw()
