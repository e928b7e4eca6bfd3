"""Callbacks as depositors get them: signed, at least once, to public addresses, for their own."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from shared.kafka import topics
from shared.mongo import connect
from shared.runtime.clock import SYSTEM, parse_rfc3339, rfc3339
from shared.runtime.ids import new_id
from tests.depositing import (
    OTHER,
    PRESS,
    PRESS_ADMIN,
    PRESS_TOO,
    Client,
    Login,
    article,
    client,
    deposit,
    members,
)
from tests.platform import Platform
from tests.processes import OPERATOR, Place, service, until
from tests.receiving import Receiver, receiving

QUICK = {
    "CALLBACK_NETWORKS": "127.0.0.0/8",
    "CALLBACK_SECONDS": "3",  # what a busy machine needs for one answer
    "DELIVERY_FIRST_SECONDS": "0.2",
    "DELIVERY_MOST_SECONDS": "0.4",
    "DELIVERY_GIVE_UP_HOURS": str(8 / 3600),
    "PUBLIC_URL": "https://deposits.example",
}


@pytest.fixture(scope="module")
async def house(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("deliveries")
    return Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)


@pytest.fixture(scope="module")
async def site(house: Place) -> AsyncIterator[Client]:
    async with (
        members(house),
        service("deposits", house, **QUICK) as running,
        client(running) as found,
    ):
        yield found


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


@pytest.fixture
def path() -> str:
    """Return the end of a path that no other test uses."""
    return new_id()


async def ask(
    site: Client, method: str, path: str, headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    async with site.session.request(method, site.url + path, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def secret_of(site: Client, login: Login = PRESS, query: str = "") -> str:
    status, made = await ask(site, "POST", f"/callbacks/secret{query}", login.basic)
    assert status == 201, made
    return str(made["secret"])


async def send(
    site: Client, callback: str, *, login: Login = PRESS, name: str = "", doi: str = ""
) -> tuple[int, dict[str, Any]]:
    prefix = "10.6666" if login is OTHER else "10.5555"
    content = deposit(article(doi or f"{prefix}/{new_id()}"), batch=name or "batch-1")
    async with site.session.post(
        f"{site.url}/submissions",
        params={"callback": callback, "file_name": name or "file.xml"},
        data=content,
        headers={**login.basic, "Content-Type": "application/xml"},
    ) as answer:
        return answer.status, await answer.json()


async def callback_in(
    site: Client, submission: str, state: str, *, login: Login = PRESS
) -> dict[str, Any]:
    """Wait until a submission's callback is in a state and return how it is shown."""

    async def there() -> Any:
        _, view = await site.get(f"/submissions/{submission}", login=login)
        return view["callback"] if view["callback"]["state"] == state else None

    found: dict[str, Any] = await until(there, within=30, what=f"callback {state}")
    return found


async def test_answer_7_an_ended_submission_is_called_back_once_signed_and_without_its_names(
    site: Client, receiver: Receiver, path: str
) -> None:
    secret = await secret_of(site)
    status, said = await send(site, f"{receiver.url}/ok/{path}?k=v", name="canary-name")
    assert (status, said["callback"]) == (202, True)
    shown = await callback_in(site, said["id"], "delivered")
    (call,) = await receiver.called(f"/ok/{path}")
    assert call.signed_with(secret)
    assert abs(int(call.headers["webhook-timestamp"]) - SYSTEM.now().timestamp()) < 60
    assert call.headers["webhook-id"] == f"submission_{said['id']}"
    _, view = await site.get(f"/submissions/{said['id']}")
    here = f"https://deposits.example/submissions/{said['id']}"
    assert json.loads(call.body) == {
        "type": "submission.completed",
        "timestamp": rfc3339(parse_rfc3339(view["completed_at"])),
        "data": {
            "submission": said["id"],
            "status": "completed",
            "counts": {"records": 1, "success": 1, "warning": 0, "failure": 0},
            "links": {"self": here, "records": f"{here}/records"},
        },
    }
    assert "canary" not in repr(call)
    assert "press" not in repr(call)
    assert (shown["tries"], shown["last_status"], shown["last_fault"]) == (1, 204, None)
    assert shown["next_try"] is None


async def test_crossref_s_own_routes_take_a_callback_too_as_a_field(
    site: Client, receiver: Receiver, path: str
) -> None:
    secret = await secret_of(site)
    content = deposit(article(f"10.5555/{path}"))
    await site.later(content, callback=f"{receiver.url}/ok/{path}")
    (call,) = await receiver.called(f"/ok/{path}")
    assert call.signed_with(secret)


async def test_a_callback_is_tried_again_as_the_same_message_until_it_is_taken(
    site: Client, receiver: Receiver, path: str
) -> None:
    secret = await secret_of(site)
    _, said = await send(site, f"{receiver.url}/late/2/{path}")
    shown = await callback_in(site, said["id"], "delivered")
    calls = receiver.to(f"/late/2/{path}")
    # Two were refused and the third was taken; a try that was broken off in between is one more.
    assert 3 <= len(calls) <= shown["tries"]
    assert len({call.body for call in calls}) == 1
    assert {call.headers["webhook-id"] for call in calls} == {f"submission_{said['id']}"}
    assert all(call.signed_with(secret) for call in calls)
    assert shown["last_status"] == 200


async def test_a_new_secret_signs_beside_the_former_one_until_that_is_ended(
    site: Client, receiver: Receiver, path: str
) -> None:
    first = await secret_of(site)
    second = await secret_of(site)
    await send(site, f"{receiver.url}/ok/{path}")
    (call,) = await receiver.called(f"/ok/{path}")
    assert call.signed_with(first)
    assert call.signed_with(second)
    assert not call.signed_with("whsec_" + "A" * 43 + "=")
    _, listed = await ask(site, "GET", "/callbacks/secret", PRESS.basic)
    assert listed["items"][0]["until"] is None
    assert listed["items"][1]["until"] is not None
    assert "whsec" not in repr(listed)
    third = await secret_of(site, query="?overlap_hours=0")
    await send(site, f"{receiver.url}/ok/again/{path}")
    (call,) = await receiver.called(f"/ok/again/{path}")
    assert call.signed_with(third)
    assert not call.signed_with(second)
    assert len((await ask(site, "GET", "/callbacks/secret", PRESS.basic))[1]["items"]) == 1


async def test_what_is_given_up_is_listed_without_its_address_and_tried_again_by_an_operator(
    site: Client, receiver: Receiver, path: str
) -> None:
    await secret_of(site)
    kinds = {"redirect": 307, "silent": None, "status/410": 410, "status/500": 500}
    sent = {}
    for kind in kinds:
        _, said = await send(site, f"{receiver.url}/{kind}/{path}")
        sent[kind] = said["id"]
    shown = {kind: await callback_in(site, sent[kind], "given-up") for kind in kinds}
    assert {kind: one["last_status"] for kind, one in shown.items()} == kinds
    assert shown["silent"]["last_fault"] == "timeout"
    # 410 says that no other try is wanted; the others were tried for their time.
    assert shown["status/410"]["tries"] == 1
    assert shown["status/500"]["tries"] > 3
    assert receiver.to("/ok/redirected") == []
    _, dead = await ask(site, "GET", "/deliveries?state=dead&rows=200", OPERATOR)
    ids = {f"submission_{number}" for number in sent.values()}
    assert ids <= {one["id"] for one in dead["items"]}
    assert receiver.url not in repr(dead)
    receiver.healed = True
    for name in ids:
        assert (await ask(site, "POST", f"/deliveries/{name}/retry", OPERATOR))[0] == 202
    for kind in kinds:
        assert (await callback_in(site, sent[kind], "delivered"))["tries"] == 1
    for name, status in ((next(iter(ids)), 409), ("submission_1", 404)):
        assert (await ask(site, "POST", f"/deliveries/{name}/retry", OPERATOR))[0] == status
    for login in (PRESS, PRESS_ADMIN):
        assert (await ask(site, "GET", "/deliveries", login.basic))[0] == 403


async def test_a_receiver_that_never_answers_delays_nobody_else_s_callback(
    site: Client, receiver: Receiver, path: str
) -> None:
    await secret_of(site)
    await secret_of(site, OTHER)
    for number in range(12):
        await send(site, f"{receiver.url}/silent/{number}/{path}")
    await receiver.called(f"/silent/0/{path}")
    begun = SYSTEM.monotonic()
    await send(site, f"{receiver.url}/ok/{path}", login=OTHER)
    await receiver.called(f"/ok/{path}")
    assert SYSTEM.monotonic() - begun < 5
    assert len({call.path for call in receiver.calls}) > 1
    receiver.healed = True


async def test_what_can_never_be_sent_is_given_up_at_once_and_says_why(
    site: Client, house: Place, receiver: Receiver, path: str
) -> None:
    await secret_of(site, PRESS_TOO)
    sent = []
    for number in range(2):
        _, said = await send(site, f"{receiver.url}/status/500/{number}/{path}", login=PRESS_TOO)
        sent.append(said["id"])
        await receiver.called(f"/status/500/{number}/{path}")
    prefix = house.name.replace(".", "_")
    async with (
        connect(house.mongodb_url, f"{prefix}deposits") as database,
        connect(house.mongodb_url, f"{prefix}keys") as keys,
    ):
        # One's key is gone: so is what lay sealed under it, and nothing else.
        lost = await database["submissions"].find_one({"_id": sent[0]})
        assert lost is not None
        await keys["keys"].delete_one({"_id": lost["kid"].rpartition(".")[0]})
        shown = await callback_in(site, sent[0], "given-up", login=PRESS_TOO)
        assert shown["last_fault"] == "keys-gone"
        _, view = await site.get(f"/submissions/{sent[0]}", login=PRESS_TOO)
        assert (view["status"], view["file_name"], view["batch_id"]) == ("completed", None, None)
        other = await database["submissions"].find_one({"_id": sent[1]})
        assert other is not None
        await database["callback_secrets"].delete_one({"_id": other["credential"]})
    shown = await callback_in(site, sent[1], "given-up", login=PRESS_TOO)
    assert shown["last_fault"] == "no-secret"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/canary",
        "/canary",
        "https:///canary",
        "https://user:canary@example.org/",
        "http://10.0.0.1/canary",
        "http://169.254.169.254/latest/canary",
        "http://[::1]/canary",
        "http://[::ffff:10.0.0.1]/canary",
        "http://[64:ff9b::a00:1]/canary",
        "http://0.0.0.0/canary",
        "https://example.org:99999/canary",
        "https://example.org/" + "canary" * 400,
    ],
)
async def test_a_url_that_must_not_be_called_is_refused_and_nothing_is_accepted(
    site: Client, url: str
) -> None:
    await secret_of(site)
    name = f"{new_id()}.xml"
    status, problem = await send(site, url, name=name)
    assert (status, problem["type"]) == (422, "urn:colophon:problem:callback-refused")
    assert "canary" not in repr(problem)
    assert (await site.log(file_name=name)).status == "unknown_submission"


async def test_a_callback_that_stands_behind_the_file_is_looked_at_as_well(
    site: Client, receiver: Receiver, path: str
) -> None:
    await secret_of(site)
    for url, expected in (("http://10.0.0.1/", 422), (f"{receiver.url}/ok/{path}", 200)):
        name = f"{new_id()}.xml"
        form = aiohttp.FormData()
        form.add_field("mdFile", deposit(article(f"10.5555/{new_id()}")), filename=name)
        form.add_field("callback", url)
        async with site.session.post(
            f"{site.url}/servlet/deposit", data=form, headers=PRESS.basic
        ) as answer:
            assert answer.status == expected
            assert ("SUCCESS" in await answer.text()) == (expected == 200)
        known = (await site.log(file_name=name)).status != "unknown_submission"
        assert known == (expected == 200)
    await receiver.called(f"/ok/{path}")


async def test_without_a_secret_no_callback_is_promised_and_each_login_has_its_own(
    site: Client, receiver: Receiver, path: str
) -> None:
    name = f"{new_id()}.xml"
    status, problem = await send(site, f"{receiver.url}/ok/{path}", login=PRESS_TOO, name=name)
    assert (status, problem["type"]) == (409, "urn:colophon:problem:no-callback-secret")
    assert (await site.log(login=PRESS_TOO, file_name=name)).status == "unknown_submission"
    theirs = await secret_of(site)
    mine = await secret_of(site, PRESS_TOO)
    _, said = await send(site, f"{receiver.url}/ok/{path}", login=PRESS_TOO)
    (call,) = await receiver.called(f"/ok/{path}")
    assert call.signed_with(mine)
    assert not call.signed_with(theirs)
    assert (await site.get(f"/submissions/{said['id']}", login=PRESS))[0] == 404
    for headers, status in ((PRESS_ADMIN.basic, 403), (OPERATOR, 403), ({}, 401)):
        assert (await ask(site, "POST", "/callbacks/secret", headers))[0] == status


async def test_neither_address_nor_secret_is_at_rest_in_clear_logged_or_measured(
    site: Client, house: Place, receiver: Receiver, path: str
) -> None:
    secret = await secret_of(site)
    _, said = await send(site, f"{receiver.url}/status/500/canary-{path}")
    await callback_in(site, said["id"], "given-up")
    _, shown = await site.get(f"/submissions/{said['id']}")
    async with site.session.get(f"{site.url}/metrics") as answer:
        figures = await answer.text()
    assert 'colophon_deliveries_total{kind="callback",outcome="gave-up"}' in figures
    assert "colophon_deliveries_waiting" in figures
    kept = ""
    async with connect(house.mongodb_url, f"{house.name.replace('.', '_')}deposits") as database:
        for name in ("submissions", "deliveries", "callback_secrets"):
            async for document in database[name].find({}):
                kept += repr(document)
    assert f"submission_{said['id']}" in kept  # the control: this look finds what is there
    logged = "".join(one.read_text() for one in house.folder.glob("*.log"))
    assert f"submission_{said['id']}" in logged
    for place in (kept, logged, figures, repr(shown)):
        assert "canary" not in place
        assert secret.removeprefix("whsec_") not in place
        assert receiver.url not in place
