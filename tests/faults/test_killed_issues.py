"""Consent killed between the mails of a page and its count: everybody gets the issue, once."""

import aiohttp
import pytest

from shared.mongo import connect
from tests.consenting import a_place, consenting, sent, subscribed
from tests.mailbox import mailbox
from tests.platform import Platform
from tests.processes import OPERATOR, service

POINT = "consent.page-posted"


@pytest.mark.soak
@pytest.mark.clause("CRP-3c")
async def test_a_page_that_was_posted_and_not_counted_is_sent_once_and_counted_once(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = await a_place(platform, tmp_path_factory.mktemp("issues"))
    people = [f"reader-{number}@press.example" for number in range(2)]
    issue = {"issue": "2026-1", "subject": "News", "text": "Hello,\n\nthere is news."}
    with mailbox() as box:
        async with consenting(place, box, REPLICA="consent-1") as client:
            for one in people:
                await subscribed(client, box, one)
        # It may die with a mail in hand, which another one takes up when its time is over.
        settings = {"SMTP_URL": box.url, "REPLICA": "consent-1", "MAIL_SECONDS": "1"}
        settings |= {"COLOPHON_CRASH": POINT}
        async with service("consent", place, **settings) as dying:
            async with aiohttp.ClientSession(headers=OPERATOR) as session:
                url = dying.url + "/lists/newsletter/issues"
                try:
                    async with session.post(url, json=issue) as answer:
                        assert answer.status == 202
                except aiohttp.ClientError:
                    pass  # it may die before it answers
            await dying.ended()
        name = place.name.replace(".", "_") + "consent"
        async with connect(place.mongodb_url, name) as database:
            (kept,) = await database["issues"].find({}).to_list(None)
            posted = await database["deliveries"].count_documents({"_id": {"$gte": "mail:list:"}})
        assert '"posted":0' in kept["state"]
        assert posted >= len(people)
        async with consenting(place, box, REPLICA="consent-1") as client:
            said = await sent(client, "newsletter", issue)
            assert (said["posted"], said["refused"]) == (len(people), 0)
            for one in people:
                await box.next_to(one, after=1)
            for one in people:
                news = [mail for mail in box.to(one) if mail["Subject"] == "News"]
                assert len({mail["Message-ID"] for mail in news}) == 1
