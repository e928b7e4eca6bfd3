"""A batch id is seen ahead of reading a file, so that its sender can ask by it at once."""

import pytest

from services.deposits.commands import batch_id_in


@pytest.mark.parametrize(
    ("head", "batch_id"),
    [
        ("<doi_batch><head><doi_batch_id>b-1</doi_batch_id>", "b-1"),
        ("<cr:head><cr:doi_batch_id >\n  b 2 \n</cr:doi_batch_id>", "b 2"),
        ("<doi_batch_id>a &amp; &#38; é</doi_batch_id>", "a & & é"),
        ("<doi_batch_id></doi_batch_id>", None),
        ("<doi_batch_id>  </doi_batch_id>", None),
        ("<doi_batch_id>cut off", None),
        ("<doi_batch_id><b/></doi_batch_id>", None),
        ("not xml at all", None),
        ("", None),
    ],
)
def test_the_batch_id_of_a_file_s_beginning_is_found_or_left_to_the_reader(
    head: str, batch_id: str | None
) -> None:
    assert batch_id_in(head.encode()) == batch_id


def test_what_is_not_utf_8_is_no_fault_here() -> None:
    assert (
        batch_id_in("<doi_batch_id>é</doi_batch_id>".encode("latin-1"))
        == "\N{REPLACEMENT CHARACTER}"
    )
    assert batch_id_in("<doi_batch_id>a</doi_batch_id>".encode("utf-16")) is None
