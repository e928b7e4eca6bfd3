"""Mail: what stands in it, and what a server's answer comes to."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.mail import Message, MessageError, smtp_of
from shared.mail.message import message_id, written
from shared.mongo.delivering import Failed, Sent
from tests.mailbox import mailbox, text_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
SENDER = "Colophon <noreply@colophon.example>"
TO = "reader@press.example"


def a_mail(**changes: Any) -> Message:
    said: dict[str, Any] = {
        "cause": "test:1",
        "purpose": "security",
        "share": "p1",
        "to": TO,
        "subject": "Your code",
        "text": "Hello.",
        "preferences": "https://colophon.example/preferences",
    }
    return Message(**said | changes)


@pytest.mark.clause("CRP-3e")
def test_a_mail_without_a_link_to_opt_out_cannot_be_made() -> None:
    with pytest.raises(MessageError, match="CRP-3e"):
        a_mail(preferences=None)


@pytest.mark.clause("CRP-3e")
def test_service_mail_links_to_preferences_and_list_mail_is_left_by_one_click() -> None:
    html = "<html><body><p>Hello.</p></body></html>"
    mail = written(a_mail(html=html), sender=SENDER, at=AT)
    assert "https://colophon.example/preferences" in text_of(mail)
    assert 'href="https://colophon.example/preferences"' in str(
        mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    )
    assert mail["List-Unsubscribe"] is None
    link = "https://colophon.example/lists/news/unsubscribe?token=a&b=c"
    mail = written(a_mail(preferences=None, unsubscribe=link), sender=SENDER, at=AT)
    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in text_of(mail)


def test_a_mail_of_one_cause_has_one_id_that_tells_nothing() -> None:
    mail = written(a_mail(), sender=SENDER, at=AT)
    assert mail["Message-ID"] == message_id("test:1", SENDER)
    assert "test" not in mail["Message-ID"]
    assert mail["Message-ID"].endswith("@colophon.example>")
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "nobody"},
        {"to": "reader@press.example\nBcc: all@press.example"},
        {"subject": "Two\nlines"},
        {"subject": ""},
        {"cause": "Reader@press.example"},
        {"preferences": "javascript:alert(1)"},
        {"preferences": "https://colophon.example/ >x"},
    ],
)
def test_what_would_break_a_header_is_refused_and_not_repeated(changes: dict[str, str]) -> None:
    with pytest.raises(MessageError) as fault:
        a_mail(**changes)
    assert next(iter(changes.values())) not in str(fault.value) or "" in changes.values()


def test_nothing_of_a_mail_shows_in_its_repr() -> None:
    said = repr(a_mail(text="secret text"))
    assert TO not in said
    assert "secret" not in said
    assert "Your code" not in said


async def test_a_server_takes_a_mail_and_refuses_for_a_while_or_for_good() -> None:
    mail = written(a_mail(), sender=SENDER, at=AT)
    with mailbox() as box:
        server = smtp_of(box.url, seconds=10)
        assert await server.send(mail) == Sent("taken")
        [came] = box.to(TO)
        assert came["From"] == SENDER
        box.refuse[TO] = "450 try later"
        assert await server.send(mail) == Failed("refused-450")
        box.refuse[TO] = f"550 no {TO} here"
        assert await server.send(mail) == Failed("refused-550", final=True)
    assert await server.send(mail) == Failed("unreachable")


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("smtp://mail.example", 587, "starttls"),
        ("smtp://u%40x:p%3Aw@mail.example:25", 25, "starttls"),
        ("smtps://mail.example", 465, "implicit"),
        ("smtp://127.0.0.1:1025?starttls=never", 1025, "never"),
        ("smtps://mail.example?starttls=never", 465, "implicit"),
    ],
)
def test_the_address_of_a_server_says_how_it_is_spoken_to(url: str, port: int, tls: str) -> None:
    server = smtp_of(url, seconds=1)
    assert (server.port, server.tls) == (port, tls)
    if "@" in url:
        assert (server.username, server.password) == ("u@x", "p:w")
        assert "p:w" not in repr(server)


@pytest.mark.parametrize(
    "url", ["http://u:geheim@x", "geheim", "smtp://", "smtp://u:geheim@x?starttls=maybe"]
)
def test_a_wrong_address_is_pointed_at_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL") as fault:
        smtp_of(url, seconds=1)
    assert "geheim" not in str(fault.value)
