"""Copies for tests (DOAJ-4c4): on the real store, people in several services, and nobody left."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from pymongo import MongoClient
from rich.console import Console

from deploy.local.obstacle import Obstacle
from deploy.privacy.needles import Needles
from deploy.testdata import gate, rows
from deploy.testdata.exporting import Done, Held, export, told
from deploy.testdata.rows import Row
from services.accounts.model.organisations import KeptOrganisation
from services.accounts.model.people import KeptPerson
from services.consent.model.people import KeptPerson as KeptReader
from shared.events.base import State
from shared.events.people import PersonFact
from shared.events.personal import Sealed
from tests.platform import Platform

AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
ADA: Final = "bi1." + "a" * 64
BOB: Final = "bi1." + "b" * 64
IN_ACCOUNTS: Final = {ADA: "p" + "1" * 32, BOB: "p" + "2" * 32}
IN_CONSENT: Final = {ADA: "p" + "3" * 32, BOB: "p" + "4" * 32}
ROWS: Final = rows.read()
CLEAR: Final = "Someone.Else@press.example"


def sealed(schema: str, cls: str, person: str, *names: str) -> Sealed:
    values = {f"/{name}": f"pe1.{person}.{cls}.details.{'A' * 60}" for name in names}
    return Sealed(
        schema_id=schema, person=person, cls=cls, unit="details", record="details", values=values
    )


def person(subject: str) -> KeptPerson:
    who = IN_ACCOUNTS[subject]
    return KeptPerson(
        person=who,
        category="account-holder",
        registered_at=AT,
        facts=(PersonFact(at=AT, what="registered", actor=f"staff:{IN_ACCOUNTS[ADA]}"),),
        details=sealed("accounts.person-details.v1", "account", who, "name", "email"),
        subjects=(subject,),
        password_hash="$argon2id$v=19$secret",
        version=1,
    )


def reader(subject: str) -> KeptReader:
    who = IN_CONSENT[subject]
    return KeptReader(
        subject=subject,
        person=who,
        sealed=sealed("consent.subscriber.v1", "subscriber", who, "email"),
        evidence=(sealed("consent.evidence.v1", "consent-evidence", who, "said"),),
        version=1,
    )


def document(key: object, state: State, **more: Any) -> dict[str, Any]:
    return {"_id": key, "version": 1, "state": state.model_dump_json(), "outbox": [], **more}


class Store:
    """Databases of services, filled by a test."""

    def __init__(self, platform: Platform, name: str) -> None:
        self.held = Held(
            dict.fromkeys(("accounts", "consent"), platform.mongodb_url), name.replace(".", "_")
        )

    def add(self, service: str, collection: str, *documents: dict[str, Any]) -> None:
        with MongoClient[dict[str, Any]](self.held.urls[service]) as client:
            client[self.held.prefix + service][collection].insert_many(list(documents))

    def export(self, to: Path, by: Mapping[str, Row] = ROWS) -> tuple[Done, dict[str, list[Any]]]:
        done = export(self.held, by, to, Console(file=StringIO()))
        return done, {
            path.stem: [orjson.loads(line) for line in path.read_bytes().splitlines()]
            for path in to.iterdir()
        }


@pytest.fixture
def store(platform: Platform, name: str) -> Store:
    made = Store(platform, name)
    organisation = KeptOrganisation(
        organisation=78,
        name=f"Press of {CLEAR}",
        names=(CLEAR.upper(),),
        registered_at=AT,
        version=1,
    )
    made.add("accounts", "people", *(document(IN_ACCOUNTS[one], person(one)) for one in (ADA, BOB)))
    made.add("accounts", "organisations", document(78, organisation))
    made.add("accounts", "credentials", {"_id": "x", "state": "{}"})
    made.add("consent", "people", *(document(one, reader(one)) for one in (ADA, BOB)))
    return made


@pytest.mark.clause("DOAJ-4c4")
def test_a_copy_has_nobody_in_it_and_the_same_stand_in_for_a_person_in_every_service(
    store: Store, tmp_path: Path
) -> None:
    done, copied = store.export(tmp_path / "copy")
    assert set(copied) == {"accounts.people", "accounts.organisations", "consent.people"}
    accounts = {one["state"]["subjects"][0]: one["state"] for one in copied["accounts.people"]}
    readers = {one["state"]["subject"]: one["state"] for one in copied["consent.people"]}
    assert set(accounts) == set(readers)
    assert len(accounts) == 2
    for index, one in accounts.items():
        email = one["details"]["values"]["/email"]
        assert email.endswith("@people.invalid")
        assert email == readers[index]["sealed"]["values"]["/email"]
        assert one["details"]["values"]["/name"]
        assert one["person"] != readers[index]["person"]  # they were not the same before either
    assert len({one["details"]["values"]["/email"] for one in accounts.values()}) == 2
    # What leads from one document to another still does.
    keys = {one["_id"] for one in copied["accounts.people"]}
    assert keys == {one["person"] for one in accounts.values()}
    actors = {one["facts"][0]["actor"].removeprefix("staff:") for one in accounts.values()}
    assert actors < keys
    (organisation,) = copied["accounts.organisations"]
    (other,) = organisation["state"]["names"]
    assert organisation["state"]["name"] == f"Press of {other}"

    text = "".join(path.read_text() for path in (tmp_path / "copy").iterdir())
    for gone in (ADA, BOB, *IN_ACCOUNTS.values(), *IN_CONSENT.values(), "pe1.", "$argon2"):
        assert gone not in text
    assert not Needles({"clear": CLEAR}).found(text.encode())
    summary = "\n".join(told(done, tmp_path))
    assert "5 documents of 3 collections" in summary
    assert re.search(r"accounts\.credentials +left out: Hashes", summary)


@pytest.mark.clause("DOAJ-4c4")
def test_another_run_has_other_stand_ins(store: Store, tmp_path: Path) -> None:
    _, first = store.export(tmp_path / "1")
    _, second = store.export(tmp_path / "2")
    values = [
        {one["state"]["details"]["values"]["/email"] for one in run["accounts.people"]}
        for run in (first, second)
    ]
    assert not values[0] & values[1]
    with pytest.raises(Obstacle, match="there already"):
        store.export(tmp_path / "1")


@pytest.mark.clause("DOAJ-4c4")
def test_what_nobody_allowed_stops_the_run_and_is_named_without_its_value(
    store: Store, tmp_path: Path
) -> None:
    def stopped(match: str, by: Mapping[str, Row] = ROWS) -> None:
        with pytest.raises(Obstacle, match=match) as raised:
            store.export(tmp_path / "copy", by)
        assert "Carberry" not in str(raised.value)
        assert not any(tmp_path.iterdir())

    # A collection that no row names.
    stopped(r"consent\.people", {name: row for name, row in ROWS.items() if "consent" not in name})
    # A field that no row and no model names.
    store.add("consent", "issues", {"_id": 1, "state": '{"nickname": "Josiah Carberry"}'})
    stopped(r"consent\.issues has fields.*nickname")
    by = ROWS | {"consent.issues": Row(fields=("state",))}
    store.add("consent", "issues", {"_id": 2, "state": "", "author": "Josiah Carberry"})
    stopped(r"consent\.issues has fields.*author", by)
    # A sealed record of a schema, or with a field, that nobody declares.
    by = ROWS | {"consent.issues": Row(because="x"), "consent.lists": Row(fields=("of",))}
    for one, said in (
        (sealed("consent.unheard.v1", "subscriber", IN_CONSENT[ADA], "email"), "unheard"),
        (sealed("consent.subscriber.v1", "subscriber", IN_CONSENT[ADA], "phone"), "v1/phone"),
    ):
        with MongoClient[dict[str, Any]](store.held.urls["consent"]) as client:
            lists = client[store.held.prefix + "consent"]["lists"]
            lists.replace_one({"_id": 1}, {"of": one.model_dump(mode="json")}, upsert=True)
        stopped(said, by)


@pytest.mark.clause("DOAJ-4c4")
def test_the_gate_finds_what_slipped_through_and_nothing_is_left_behind(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not gate.blind()
    store.add("consent", "lists", {"_id": 1, "of": "pe1.p0.account.details." + "A" * 60})
    by = ROWS | {"consent.lists": Row(fields=("of",))}
    with pytest.raises(Obstacle, match=r"found an envelope in the copy of consent\.lists"):
        store.export(tmp_path / "copy", by)
    assert not any(tmp_path.iterdir())
    # A gate that no longer sees is not believed.
    monkeypatch.setattr(gate, "RULES", {**gate.RULES, "an envelope": lambda *_: False})
    with pytest.raises(Obstacle, match="does not see an envelope"):
        store.export(tmp_path / "copy")
