"""The queue as its users meet it: states, limits, and roles that run apart."""

import aiohttp
import pytest

from tests.depositing import OTHER, PRESS, PRESS_TOO, Client, Log, article, client, deposit, members
from tests.processes import Place, service

SENTENCE = "Your batch submission was successfully received."


async def asked(site: Client, path: str) -> tuple[int, str]:
    async with site.session.get(site.url + path) as answer:
        return answer.status, await answer.text()


@pytest.mark.clause("CRR-1")
async def test_what_waits_is_queued_bounded_by_login_and_done_when_a_worker_comes(
    place: Place,
) -> None:
    async with (
        members(place),
        service(
            "deposits", place, "api", "relay", PENDING_PER_USER="3", SYNC_SECONDS="0.3"
        ) as front,
        client(front) as site,
    ):
        # Nobody works: whoever waits for the log is told where to look, and it is promised all
        # the same.
        form = aiohttp.FormData({"usr": PRESS.name, "pwd": "correct horse"})
        form.add_field("mdFile", deposit(article("10.5555/q0")), filename="q0.xml")
        async with site.session.post(f"{site.url}/v2/deposits", data=form) as answer:
            log = Log.of(await answer.text())
            assert (answer.status, log.status, log.records) == (202, "queued", [])
            assert answer.headers["Link"] == f'</submissions/{log.submission}>; rel="monitor"'
        numbers = [log.submission]
        for number in (1, 2):
            content = deposit(article(f"10.5555/q{number}"), batch=f"b{number}")
            numbers.append(await site.later(content, file_name=f"q{number}.xml"))
        assert (await site.log(doi_batch_id="b1")).status == "queued"
        assert (await site.log(file_name="q2.xml")).submission == numbers[2]
        _, view = await site.get(f"/submissions/{numbers[1]}")
        assert view["progress"] == {"judged": 0, "records": None}
        _, listed = await site.get("/submissions?status=queued")
        assert [one["id"] for one in listed["items"]] == numbers[::-1]
        # One more of this login is too many, on every route; another login is not concerned.
        content = deposit(article("10.5555/over"))
        for path in ("/servlet/deposit", "/v2/deposits", "/submissions"):
            form = aiohttp.FormData({"login_id": PRESS.name, "login_passwd": "correct horse"})
            form.add_field("fname", content, filename="over.xml")
            async with site.session.post(site.url + path, data=form, headers=PRESS.basic) as answer:
                said = await answer.text()
                assert (answer.status, "SUCCESS" in said) == (503, False)
                assert int(answer.headers["Retry-After"]) > 0
        assert (await site.log(file_name="over.xml")).status == "unknown_submission"
        for login in (PRESS_TOO, OTHER):
            status, text = await site.post("/servlet/deposit", content, login=login)
            assert status == 200
            assert SENTENCE in text
        # A process without interfaces says all the same how it is.
        async with service("deposits", place, "worker", "deliver") as worker:
            other = Client(site.session, worker.url)
            for number in numbers:
                assert (await site.ended(number))["success_count"] == 1
            for path in ("/healthz", "/readyz", "/metrics"):
                assert (await asked(other, path))[0] == 200
            assert "deliveries" in (await asked(other, "/healthz"))[1]
            assert (await asked(other, "/submissions"))[0] == 404
