"""Files for a processor: only the holder of the private key opens them, and only whole."""

import pyrage
import pytest

from shared.privacy.exports import RecipientError, encrypted
from tests.aged import processor

HOLDER = processor()
MANY = b"canary@press.example" * 5000


@pytest.mark.clause("DOAJ-5a2")
@pytest.mark.parametrize("plain", [b"", b"row,email\r\n1,canary@press.example\r\n", MANY])
def test_its_holder_opens_a_file_of_any_size(plain: bytes) -> None:
    file = encrypted(plain, HOLDER.recipient)
    assert HOLDER.opened(file) == plain
    assert file != encrypted(plain, HOLDER.recipient)


@pytest.mark.clause("DOAJ-5a2")
def test_nobody_else_opens_it_and_no_byte_of_it_can_be_changed_or_left_out() -> None:
    file = encrypted(MANY, HOLDER.recipient)
    assert b"canary" not in file
    with pytest.raises(pyrage.DecryptError):
        processor().opened(file)
    for broken in (file[:-1], file[: len(file) // 2], file[:-1] + bytes([file[-1] ^ 1])):
        with pytest.raises(pyrage.DecryptError):
            HOLDER.opened(broken)


@pytest.mark.parametrize(
    "text",
    ["", "age1", "nobody", HOLDER.recipient[:-4], "age1é"],
    ids=["nothing", "a beginning", "a word", "cut", "another letter"],
)
def test_what_is_no_recipient_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(RecipientError) as refused:
        encrypted(b"", text)
    assert len(text) < 5 or text not in str(refused.value)


def test_every_single_wrong_letter_of_a_recipient_is_found() -> None:
    for place in range(4, len(HOLDER.recipient)):
        letter = "q" if HOLDER.recipient[place] != "q" else "p"
        wrong = HOLDER.recipient[:place] + letter + HOLDER.recipient[place + 1 :]
        with pytest.raises(RecipientError):
            encrypted(b"", wrong)
