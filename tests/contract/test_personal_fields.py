"""No personal field without a declaration, and the register that follows from them."""

from typing import Annotated, Any, Final, Literal

import pytest
from pydantic import BaseModel, Field

from deploy import docs
from deploy.privacy import fields, house, register
from deploy.privacy.fields import Passing, Public, Rows, SealedBy, unlisted, wrong
from deploy.privacy.register import Entry
from shared.events.personal import BlindIndexed, Pseudonym, Sealed
from shared.policy import PolicyError
from shared.privacy.personal import Personal, PersonalData

BARE: Final = Rows(words=frozenset({"email", "name", "orcid"}), passing=(), public=(), sealed=())


class Careless(BaseModel):
    """A model as somebody might write it."""

    reviewer_name: str
    e_mail: str | None = None
    orcid: tuple[str, ...] = ()
    spelled: str = Field(default="", alias="contact-email")
    whoever: Annotated[str, Personal("account", ("account-admin",))] | None = None
    more: dict[str, Any] = Field(default_factory=dict)


class Careful(BaseModel):
    """One that holds the same, hidden or closed."""

    name: Sealed
    email: BlindIndexed | None = None
    emails: tuple[BlindIndexed, ...] = ()
    name_of: Pseudonym
    email_kind: Literal["private", "work"] = "work"
    has_name: bool = False


class Held(PersonalData, schema="unit.held-name.v1"):
    """What is declared."""

    name: Annotated[str, Personal("account", ("account-admin",))]


@pytest.mark.clause("CRP-11a")
def test_a_personal_field_without_a_declaration_is_found_by_its_name_or_type() -> None:
    found = [one.place.rpartition(".")[2] for one in wrong([Careless, Careful, Held], BARE)]
    assert found == ["reviewer_name", "e_mail", "orcid", "spelled", "whoever"]
    (said, *_) = map(str, wrong([Careless], BARE))
    assert "Careless.reviewer_name" in said  # the place
    assert "nothing declares it" in said  # the rule
    assert "Personal(...)" in said  # the remedy


def test_a_row_excuses_what_it_names_and_one_that_is_of_no_use_is_wrong() -> None:
    place = f"{Careless.__module__}.Careless"
    rows = BARE.model_copy(
        update={
            "public": (Public(fields=(f"{place}.orcid", f"{place}.gone"), because="Public."),),
            "passing": (
                Passing(fields=(f"{place}.reviewer_name",), becomes="unit.held-name.v1/name"),
                Passing(fields=(f"{place}.e_mail",), becomes="unit.held-name.v1/email"),
            ),
        }
    )
    said = [str(one) for one in wrong([Careless], rows)]
    assert [one.partition(":")[0].rpartition(".")[2] for one in said[:2]] == ["spelled", "whoever"]
    assert "Careless.gone: no field is called so" in said[2]
    assert "unit.held-name.v1/email: no such field is kept" in said[3]
    assert len(said) == 4


def test_a_module_that_seals_by_itself_says_what() -> None:
    text = "from shared.privacy.envelope import OpenKey, seal_text\n"
    sources = {"services.a": text, "services.b": "import re\n", "shared.privacy.vault": text}
    assert [one.place for one in unlisted(sources, BARE)] == ["services.a"]
    row = SealedBy(module="services.a", schema="a.b.v1", fields=("x",), says="X.")
    other = row.model_copy(update={"module": "services.b"})
    rows = BARE.model_copy(update={"sealed": (row, other)})
    assert [one.rule for one in unlisted(sources, rows)] == ["this module seals nothing"]


@pytest.mark.clause("DOAJ-2-0")
def test_every_field_that_is_held_has_class_purposes_and_a_legal_ground_on_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = register.manifest()["services"]
    assert {"accounts", "consent", "deposits"} <= set(held)
    for schemas in held.values():
        for schema, said in schemas.items():
            for pointer, field in said["fields"].items():
                assert field["classes"], f"{schema}{pointer}"
                assert field["purposes"], f"{schema}{pointer}"
    declared = {(one.schema, one.pointer) for one in house.declared()}
    assert declared <= {
        (schema, pointer)
        for schemas in held.values()
        for schema, said in schemas.items()
        for pointer in said["fields"]
    }
    # One that names no row of the policy stops the making of the page.
    strange = Entry("accounts.x.v1", "name", ("account",), ("curiosity",), "self")
    monkeypatch.setattr(register, "entries", lambda: [strange])
    for made in (register.manifest, lambda: register.page(docs.NOTE)):
        with pytest.raises(PolicyError, match="curiosity"):
            made()


def test_the_models_of_the_services_are_as_their_rows_say() -> None:
    rows = fields.read()
    assert not wrong(house.models(), rows)
    assert not unlisted(fields.sources(), rows)
    assert len(wrong(house.models(), rows.model_copy(update={"public": (), "passing": ()}))) > 40
