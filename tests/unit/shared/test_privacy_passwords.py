"""Passwords are kept as slow hashes, logins and tokens as names that do not tell them."""

import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.privacy.passwords import (
    hash_password,
    login_key,
    remembering_key,
    same_secret,
    token_key,
    verify_password,
)
from shared.privacy.signatures import sign, verify


def test_a_password_is_known_by_its_argon2id_hash_alone() -> None:
    first, second = hash_password("s3cret pässword"), hash_password("s3cret pässword")
    assert first.startswith("$argon2id$v=19$m=19456,t=4,p=1$")
    assert first != second  # salted
    assert verify_password(first, "s3cret pässword")
    assert not verify_password(first, "s3cret passwörd")


@pytest.mark.parametrize("broken", ["", "plain", "$argon2id$v=19$m=1", "$2b$12$abc"])
def test_a_broken_hash_admits_nobody(broken: str) -> None:
    assert not verify_password(broken, "x")


def test_a_password_beyond_all_measure_costs_nothing() -> None:
    with pytest.raises(ValueError, match="bytes"):
        hash_password("x" * 1025)
    with pytest.raises(ValueError, match="bytes"):
        hash_password("")
    assert not verify_password("not even looked at", "x" * 1025)


def test_credential_keys_are_what_the_events_carry() -> None:
    key, login = b"k" * 32, "editor@example.org/role"
    expected = hmac.new(key, login.encode(), hashlib.sha256).hexdigest()
    assert login_key(key, login) == f"login:{expected}"
    assert token_key("abc") == f"token:{hashlib.sha256(b'abc').hexdigest()}"
    for known in (login_key(key, login), token_key("abc")):
        assert re.fullmatch(r"(login|token):[0-9a-f]{64}", known)


@given(
    one=st.tuples(st.text(max_size=5), st.text(max_size=5), st.integers(0, 99)),
    two=st.tuples(st.text(max_size=5), st.text(max_size=5), st.integers(0, 99)),
)
def test_what_is_remembered_is_remembered_for_one_login_password_and_version(
    one: tuple[str, str, int], two: tuple[str, str, int]
) -> None:
    assert (remembering_key(b"k", *one) == remembering_key(b"k", *two)) == (one == two)


def test_secrets_are_compared_whole() -> None:
    assert same_secret("abc", "abc")
    assert not same_secret("abc", "abcd")
    assert not same_secret("", "abc")


@given(payload=st.binary(max_size=60), at=st.integers(0, 500), to=st.sampled_from("Az09-_=!é"))
def test_a_signed_text_comes_back_unchanged_or_not_at_all(payload: bytes, at: int, to: str) -> None:
    signed = sign(b"key", payload, purpose="cursor")
    assert verify(b"key", signed, purpose="cursor") == payload
    assert verify(b"key", signed, purpose="other") is None
    assert verify(b"yek", signed, purpose="cursor") is None
    at %= len(signed)
    tampered = signed[:at] + to + signed[at + 1 :]
    # The last letter of base64 may hold bits that mean nothing: the payload is the same then.
    assert verify(b"key", tampered, purpose="cursor") in (None, payload)


@pytest.mark.parametrize("text", ["", "A", "é", "....", "AAAA"])
def test_what_we_did_not_sign_is_refused(text: str) -> None:
    assert verify(b"key", text, purpose="cursor") is None
