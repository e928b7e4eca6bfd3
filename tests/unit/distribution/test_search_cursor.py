"""A cursor is good for ever for its own question, and for nothing else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.search import After, FromStart, fingerprint, read_cursor, write_cursor

KEY = b"k" * 32
POSITIONS = st.builds(After, st.integers(0, 2**64 - 1), st.text(st.characters(codec="utf-8"))) | (
    st.builds(FromStart)
)


@given(POSITIONS, st.binary(max_size=40))
def test_a_cursor_read_for_its_own_question_is_the_position_it_was_made_of(
    position: After | FromStart, question: bytes
) -> None:
    token = write_cursor(position, question=question, key=KEY)
    assert read_cursor(token, question=question, key=KEY) == position
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(POSITIONS, st.data())
def test_an_altered_cursor_is_refused(position: After | FromStart, data: st.DataObject) -> None:
    token = write_cursor(position, question=b"q", key=KEY)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    altered = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert read_cursor(altered, question=b"q", key=KEY) is None


@given(POSITIONS)
def test_a_cursor_of_another_question_or_registry_is_refused(position: After | FromStart) -> None:
    token = write_cursor(position, question=fingerprint({"a": 1}), key=KEY)
    assert read_cursor(token, question=fingerprint({"a": 2}), key=KEY) is None
    assert read_cursor(token, question=fingerprint({"a": 1}), key=b"other") is None


@given(st.text())
def test_no_text_that_is_no_cursor_is_taken_for_one(text: str) -> None:
    assert read_cursor(text, question=b"q", key=KEY) is None


@pytest.mark.parametrize("token", ["", "*", "thing", "DnF1ZXJ5VGhlbkZldGNo", "====", "a" * 5000])
def test_foreign_cursors_are_refused(token: str) -> None:
    assert read_cursor(token, question=b"q", key=KEY) is None


def test_a_question_has_one_fingerprint_however_its_keys_are_ordered() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
