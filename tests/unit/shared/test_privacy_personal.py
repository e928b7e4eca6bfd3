"""Declarations of personal data, blind indexes, and the policy they name."""

from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.policy import PolicyError
from shared.policy.personal import load_personal
from shared.privacy.blind import AddressError, BlindIndex, normalised
from shared.privacy.keyfile import load_or_create
from shared.privacy.personal import KINDS, Personal, PersonalData, declared
from tests.processes import ROOT

Name = Annotated[str, Personal("account", ("account-admin",), portable=True)]
SECRET = "Mary Shelley"


class Holder(PersonalData, schema="unit.holder.v1"):
    """What this test keeps of a person."""

    name: Name
    other: Name | None = None


def test_what_is_declared_is_listed_and_values_stand_in_no_repr() -> None:
    holder = Holder(name=SECRET)
    assert [(one.pointer, one.personal.cls) for one in declared("unit.holder")] == [
        ("/name", "account"),
        ("/other", "account"),
    ]
    assert holder.texts() == {"name": SECRET}
    assert SECRET not in f"{holder} {holder!r}"
    assert Holder.retention_class() == "account"


@pytest.mark.clause("DOAJ-1a2")
def test_a_failed_validation_repeats_no_value() -> None:
    with pytest.raises(ValidationError) as failed:
        Holder.model_validate({"name": SECRET, "phone": SECRET})
    assert "phone" in str(failed.value)
    assert SECRET not in str(failed.value)


def test_a_field_without_a_declaration_is_refused_where_the_class_is_made() -> None:
    with pytest.raises(TypeError, match="bare must be declared Personal"):

        class _Bare(PersonalData, schema="unit.bare.v1"):
            bare: str

    with pytest.raises(TypeError, match="several retention classes"):

        class _Two(PersonalData, schema="unit.two.v1"):
            one: Name
            two: Annotated[str, Personal("subscriber", ("list",))]

    with pytest.raises(TypeError, match="needs schema"):

        class _Nameless(PersonalData):
            one: Name


@pytest.mark.clause("DOAJ-2-0")
def test_every_declared_field_has_a_class_and_purposes_of_the_policy() -> None:
    policy = load_personal(ROOT / "deploy" / "policies" / "personal.toml")
    assert KINDS
    for field in declared():
        assert policy.class_of(field.personal.cls).clause
        assert field.personal.purposes
        for purpose in field.personal.purposes:
            assert policy.purpose(purpose).basis
    with pytest.raises(PolicyError, match=r"\[\[class\]\] row 'nonsense'"):
        policy.class_of("nonsense")


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        (" Mary@Example.ORG ", "mary@example.org"),
        ("mary+list@example.org", "mary+list@example.org"),
        ("mary@bücher.example", "mary@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_compared_without_case_and_in_ascii(written: str, compared: str) -> None:
    assert normalised(written) == compared


@pytest.mark.parametrize(
    "wrong", ["", "mary", "@nowhere.test", "a b@nowhere.test", "a@b", "a@b..c"]
)
def test_what_is_no_address_is_refused_without_being_repeated(wrong: str) -> None:
    with pytest.raises(AddressError) as refused:
        normalised(wrong)
    assert not wrong or wrong not in str(refused.value)


def test_a_new_version_is_written_and_all_are_looked_for(tmp_path: Path) -> None:
    first = BlindIndex(tmp_path).of("mary@example.org")
    assert first.startswith("bi1.")
    load_or_create(tmp_path / "index-2.key")
    index = BlindIndex(tmp_path)
    assert index.of("Mary@example.org").startswith("bi2.")
    assert index.all("mary@example.org") == (first, index.of("mary@example.org"))
    assert index.all("mary@example.com")[0] != first


@given(st.emails())
def test_every_address_has_one_index_whatever_its_case(address: str) -> None:
    assert normalised(address) == normalised(normalised(address)) == normalised(address.upper())
