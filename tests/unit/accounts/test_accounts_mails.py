"""The mails of accounts: one table of texts, each with its links and with nobody's name."""

from datetime import UTC, datetime

import pytest

from services.accounts.mails.people import TEXTS, Code, Kind, Pages, written
from shared.mail.message import written as on_paper

PAGES = Pages("https://colophon.example/sign-in", "https://colophon.example/preferences")
CODE = Code("ABCD-EFGH-2345-6789", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.clause("CRP-3e")
@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("code", [None, CODE], ids=["plain", "code"])
def test_every_mail_says_why_it_comes_and_leads_to_preferences(
    kind: Kind, code: Code | None
) -> None:
    mail = written(kind, "one", "reader@press.example", share="p1", pages=PAGES, code=code)
    said = str(on_paper(mail, sender="Colophon <a@colophon.example>", at=CODE.until).get_content())
    assert TEXTS[kind].why in said
    assert TEXTS[kind].otherwise in said
    assert PAGES.preferences in said
    assert PAGES.sign_in in said
    assert (CODE.text in said) is (code is not None)
    assert CODE.text not in mail.subject
    assert mail.until == (code.until if code else None)
    assert "reader@press.example" not in said


def test_a_code_shows_in_nothing_that_is_printed() -> None:
    assert CODE.text not in repr(CODE)
