"""A depositor's address is seen ahead of reading a file, so that an erasure finds it at once."""

from pathlib import Path

import pytest

from services.deposits.depositors import address_in, indexed
from shared.privacy.blind import BlindIndex


@pytest.mark.clause("CRP-11a")
@pytest.mark.parametrize(
    ("head", "address"),
    [
        ("<depositor><email_address>a@b.example</email_address>", "a@b.example"),
        ("<cr:email_address >\n  a&amp;b@c.example \n</cr:email_address>", "a&b@c.example"),
        ("<email_address></email_address>", None),
        ("<email_address>cut off", None),
        ("not xml at all", None),
    ],
)
def test_the_address_of_a_file_s_beginning_is_found_or_left_to_the_reader(
    head: str, address: str | None
) -> None:
    assert address_in(head.encode()) == address


def test_what_is_no_address_has_no_index(tmp_path: Path) -> None:
    blind = BlindIndex(tmp_path)
    assert indexed(blind, " Nora@Press.Example ") == (blind.of("nora@press.example"),)
    assert indexed(blind, "nobody") == ()
    assert indexed(blind, None) == ()
