"""Retention as operators see it, with records and keys put into its store as its parts would."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import aiohttp

from services.retention.commands import Keys
from services.retention.model.facts import Fact
from services.retention.model.records import KeptRecord, kept_facts
from services.retention.store import open_keys
from services.retention.store.records import open_records
from shared.events.decisions import Refused
from shared.events.orders import KeptUnits
from shared.mongo import Accepted, Aggregates, Database, connect
from shared.policy.retention import Schedule, load_retention
from shared.privacy import lifecycle
from shared.privacy.lifecycle import KeptKeys, Wrapped
from shared.runtime.ids import new_pseudonym
from tests.processes import OPERATOR, ROOT, Place, Running, service

FILE: Final = ROOT / "deploy" / "policies" / "retention.toml"
TEXT: Final = FILE.read_text()
SCHEDULE: Final[Schedule] = load_retention(FILE)


@dataclass(frozen=True, slots=True)
class Kept:
    """Retention that runs, and its store."""

    running: Running
    session: aiohttp.ClientSession
    database: Database
    records: Aggregates[KeptRecord]
    keys: Keys

    async def __call__(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        async with self.session.request(
            method, self.running.url + path, json=body, headers=OPERATOR | headers
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, said = await self(method, path, body, **headers)
        assert status < 300, said
        return said

    async def record(
        self,
        kind: str,
        record: str,
        *facts: tuple[str, str | None] | tuple[str, str | None, str],
        keys: Sequence[KeptUnits] = (),
    ) -> KeptRecord:
        """Put a record into the fact table, as if its facts had been heard."""
        told = [
            Fact(one[0], at(one[1]) if one[1] else None, *(one[2:] if len(one) > 2 else ()))
            for one in facts
        ]
        new = KeptRecord(
            kind=kind,
            record=record,
            service="accounts",
            facts=kept_facts(told),
            keys=tuple(keys),
            version=1,
        )
        saved: Any = await self.records.update(new.name, lambda _known: Accepted(new, ()))
        assert not isinstance(saved, Refused)
        return new

    async def some_keys(self, cls: str = "account", unit: str = "u1") -> KeptUnits:
        """Make keys of somebody new, of one unit."""
        keys = f"{new_pseudonym()}.{cls}"
        fresh = {unit: Wrapped(epoch=1, key="", made_at=datetime(2026, 1, 1, tzinfo=UTC))}
        done = await self.keys.documents.update(
            keys, partial(lifecycle.provision, keys=keys, fresh=fresh)
        )
        assert not isinstance(done, Refused)
        return KeptUnits(keys_id=keys, units=(unit,))

    async def document(self, keys: KeptUnits) -> KeptKeys:
        """Return the key document."""
        found = await self.keys.shown(keys.keys_id)
        assert found is not None
        return found


def at(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@contextlib.asynccontextmanager
async def keeping(place: Place, *roles: str, **environment: str) -> AsyncIterator[Kept]:
    """Run retention, by default what answers and what keeps holds up."""
    settings = {"UPKEEP_SECONDS": "0.1", "SWEEP_SECONDS": "0.5", **environment}
    prefix = place.environment("retention")["DATABASE_PREFIX"]
    async with (
        service("retention", place, *(roles or ("api", "clocks")), **settings) as running,
        aiohttp.ClientSession() as session,
        connect(place.mongodb_url, prefix + "retention") as database,
        connect(place.mongodb_url, prefix + "keys") as keys,
    ):
        yield Kept(
            running,
            session,
            database,
            open_records(database, lambda: SCHEDULE),
            Keys(open_keys(keys), timedelta()),
        )


def a_hold(**more: Any) -> dict[str, Any]:
    """Return the body of a hold for a claim; say what it holds."""
    return {
        "matter": "case-7",
        "reason": "legal-claims",
        "placed-by": "operator-1",
        "review-on": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
        **more,
    }


@contextlib.asynccontextmanager
async def held(place: Place, keys: str) -> AsyncIterator[None]:
    """Restrict a key document while the block runs, as a hold on it does."""
    name = place.environment("retention")["DATABASE_PREFIX"] + "keys"
    async with connect(place.mongodb_url, name) as database:
        kept = open_keys(database)
        done = await kept.update(keys, lambda known: lifecycle.restrict(known, "case-7"))
        assert not isinstance(done, Refused), keys
        yield
        await kept.update(keys, lambda known: lifecycle.release(known, "case-7"))
