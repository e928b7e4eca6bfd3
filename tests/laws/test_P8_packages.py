"""P8: a subject-access package holds everything held on the person and nothing of another."""

import csv
import io
import zipfile
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.retention.packages.contents import Contents, manifest
from services.retention.packages.kinds import cell
from services.retention.packages.portable import TakenAlong
from services.retention.packages.reading import OTHER, Said, Whose, heard
from services.retention.packages.zipping import Archive
from shared.events import AccountsRecordKept, Event, Meta, to_record
from shared.events.consent import ConsentGiven
from shared.events.owners import OwnerChanged
from shared.events.personal import Sealed, record_key
from shared.mongo import Aggregates
from shared.policy.packages import PortableRow
from shared.privacy import vault
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.personal import Personal, PersonalData
from shared.runtime.clock import ManualClock
from tests.laws import events
from tests.laws.memory_store import Database
from tests.laws.turns import run

PEOPLE = [f"p{number:032x}" for number in range(4)]
INDEXES = [f"bi1.{number:064x}" for number in range(4)]
CLASSES = ("account", "contact-role")
SAID = Said("accounts.personal.v1", 0, 0, "2026-01-01T00:00:00Z", "kept", "k", {})
Value = Annotated[str, Personal("account", ("account-admin",))]


class Note(PersonalData, schema="test.note.v1"):
    """What a test keeps of a person."""

    text: Value


class OneEpoch:
    def current(self) -> int:
        return 1

    def kek(self, _epoch: int) -> bytes:
        return bytes(32)


@dataclass(frozen=True)
class Kept:
    """One record of somebody: whose, which, what it says, and whose address stands in it too."""

    person: int
    record: str
    mentions: int


KEPT = st.builds(
    Kept, st.integers(0, 3), st.sampled_from(["details", "one", "two"]), st.integers(0, 3)
)


@dataclass(frozen=True)
class Lying:
    """A record as a topic holds it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any


def lying(offset: int, event: Event) -> Lying:
    record = to_record(event, Meta(f"id-{offset}", "/services/test", "2026-01-01T00:00:00Z"))
    return Lying(0, offset, record.key, record.value, record.headers)


def text_of(one: Kept, number: int) -> str:
    return f"cnry-{one.person}-{one.record}-{number}"


async def sealed(ring: KeyRing, one: Kept, number: int) -> AccountsRecordKept:
    kept = await vault.seal(
        ring,
        Note(text=text_of(one, number)),
        person=PEOPLE[one.person],
        unit=one.record,
        record=one.record,
    )
    return AccountsRecordKept(
        record_key=record_key(kept),
        sealed=kept,
        subjects=(INDEXES[one.person], INDEXES[one.mentions]),
        version=number + 1,
    )


def ring_of() -> KeyRing:
    clock = ManualClock()
    keys: Aggregates[KeptKeys] = Aggregates(
        Database()["keys"],  # type: ignore[arg-type]
        KeptKeys.model_validate_json,
        "/services/retention",
        clock=clock,
    )
    return KeyRing(keys, OneEpoch(), timedelta(seconds=30), lambda: True, clock)


def archived(said: list[Said]) -> dict[str, bytes]:
    contents, archive = Contents({"services": {}}), Archive()
    with archive.entry("events.ndjson") as lines:
        for one in said:
            lines.write(contents.take(one))
    for name, data in contents.files({"recipients": [], "kept": [], "held": []}):
        archive.add(name, data)
    archive.add("manifest.json", orjson.dumps(manifest("x", "now", archive.files, {}, {})))
    whole = archive.taken() + archive.close()
    with zipfile.ZipFile(io.BytesIO(whole)) as read:
        assert read.testzip() is None
        return {name: read.read(name) for name in read.namelist()}


@pytest.mark.law("P8")
@pytest.mark.clause("DOAJ-9a2")
@given(st.lists(KEPT, max_size=12))
def test_a_package_holds_every_record_of_its_person_and_no_value_or_name_of_another(
    kept: list[Kept],
) -> None:
    async def story() -> None:
        ring = ring_of()
        records = [lying(at, await sealed(ring, one, at)) for at, one in enumerate(kept)]
        whose = Whose(frozenset({PEOPLE[0]}), frozenset({INDEXES[0]}))
        files = archived(await heard(ring, whose, "accounts.personal.v1", records))
        everything = b"\n".join(files.values()).decode()
        for at, one in enumerate(kept):
            assert (text_of(one, at) in everything) == (one.person == 0)
        for other in (*PEOPLE[1:], *INDEXES[1:]):
            assert other not in everything
        newest = {one.record: text_of(one, at) for at, one in enumerate(kept) if one.person == 0}
        said = orjson.loads(files.get("data/accounts/account.json", b"[]"))
        assert {one["record"]: one["values"]["text"] for one in said} == newest
        rows = csv.DictReader(io.StringIO(files.get("data/accounts/account.csv", b"").decode()))
        assert {row["record"]: row["text"] for row in rows} == newest

    run(story())


def declared(**fields: tuple[str, bool, str]) -> dict[str, Any]:
    """Return a register of one schema: of each field its source, whether portable, its ground."""
    rows = {
        f"/{name}": {"source": source, "portable": portable, "purposes": {"a": ground, "b": "law"}}
        for name, (source, portable, ground) in fields.items()
    }
    return {"services": {"accounts": {"test.both.v1": {"fields": rows}}}}


ROW = PortableRow(
    id="portable",
    clause="DOAJ-9a6",
    since=date(2026, 1, 1),
    says="x",
    sources=frozenset({"self"}),
    grounds=frozenset({"consent", "contract"}),
)


@pytest.mark.law("P8")
@pytest.mark.clause("DOAJ-9a6")
@given(
    st.dictionaries(
        st.sampled_from(["one", "two", "three"]),
        st.tuples(
            st.sampled_from(["self", "staff"]),
            st.booleans(),
            st.sampled_from(["consent", "contract", "legal-obligation", "legitimate-interest"]),
        ),
        min_size=1,
    )
)
def test_what_can_be_taken_along_is_what_they_gave_by_consent_or_contract_and_nothing_else(
    fields: dict[str, tuple[str, bool, str]],
) -> None:
    values = {name: f"cnry-{name}" for name in fields}
    kept = Sealed(
        schema_id="test.both.v1", person=PEOPLE[0], cls="account", unit="u", record="r", values={}
    )
    data = {"record": "r", "schema": "test.both.v1", "values": values}
    contents = TakenAlong(declared(**fields), means=ROW.means)
    told = replace(SAID, type="told", data={"mail": "cnry-told"})
    lines = contents.take(replace(SAID, data=data, sealed=kept)) + contents.take(told)
    said = b"".join(part for _, parts in contents.files({}) for part in parts) + lines
    meant = {
        name
        for name, (source, portable, ground) in fields.items()
        if portable and source == "self" and ground in ("consent", "contract")
    }
    for name, value in values.items():
        assert (value.encode() in said) == (name in meant)
    assert b"cnry-told" not in said
    named = {name for name, _ in contents.files({})}
    assert ("data/accounts/account.csv" in named) == bool(meant)
    assert {one["field"] for one in contents.fields()} == {f"/{name}" for name in meant}


@pytest.mark.law("P8")
@settings(max_examples=25)
@given(st.lists(st.one_of(events.of(ConsentGiven), events.of(OwnerChanged)), max_size=3))
def test_what_is_said_of_others_is_left_out_and_their_names_are_taken_out_of_what_is_said_of_one(
    told: list[Event],
) -> None:
    async def story() -> None:
        records = [lying(at, one) for at, one in enumerate(told)]
        subjects = frozenset(one.subject for one in told[:1] if isinstance(one, ConsentGiven))
        people = frozenset(one.person for one in told[:1] if isinstance(one, OwnerChanged))
        whose = Whose(people, subjects)
        said = await heard(ring_of(), whose, "consent.decisions.v1", records)
        assert [one.offset for one in said[:1]] == ([0] if told else [])
        text = b"".join(archived(said).values()).decode()
        for one in told:
            for name in {getattr(one, "person", ""), getattr(one, "subject", "")} - {""}:
                assert (name in text) == (name in whose.names or name in OTHER)

    run(story())


def test_nothing_held_is_a_package_too_and_says_so() -> None:
    files = archived([])
    assert b"We hold nothing of you." in files["index.html"]
    assert files["events.ndjson"] == b""


def test_a_value_that_a_spreadsheet_would_carry_out_is_a_text() -> None:
    assert cell("=1+1") == "'=1+1"
    assert cell("plain") == "plain"
