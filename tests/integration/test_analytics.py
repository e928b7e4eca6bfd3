"""Analytics through the wire: four dimensions, nobody in them, totals alone."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.mongo import connect
from shared.policy.registers import load_analytics
from tests.consenting import POLICIES, PROBLEM, Client, a_place, consenting
from tests.mailbox import Mailbox
from tests.platform import Platform
from tests.processes import Place, until

POLICY = load_analytics(POLICIES / "analytics.toml")
SMALLEST = POLICY.counting.smallest
VIEW = {"page": "/works/10.5555", "referrer": "search.example", "country": "DK"}


@pytest.fixture(scope="module")
async def living(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return await a_place(platform, tmp_path_factory.mktemp("analytics"))


@pytest.fixture(scope="module")
async def client(living: Place, box: Mailbox) -> AsyncIterator[Client]:
    async with consenting(living, box) as made:
        yield made


async def see(client: Client, times: int, **more: Any) -> None:
    for _ in range(times):
        assert (await client("POST", "/page-views", VIEW | more))[0] == 204


async def told(client: Client, query: str = "") -> dict[str, dict[str, int]]:
    """Return the totals by dimension and value."""
    said = await client.ok("GET", f"/analytics{query}", operator=True)
    return {
        name: {one["value"]: one["times"] for one in values}
        for name, values in said["totals"].items()
    }


@pytest.mark.clause("CRP-2a")
@pytest.mark.clause("CRP-2c")
async def test_page_views_come_back_as_totals_of_four_dimensions(client: Client) -> None:
    await see(client, SMALLEST)
    await see(client, SMALLEST + 1, exit=True)
    await see(client, SMALLEST - 1, page="/members/78", country="IS")

    expected = {
        "page-view": {"/works/10.5555": 2 * SMALLEST + 1},
        "referrer": {"search.example": 3 * SMALLEST},
        "geography": {"DK": 2 * SMALLEST + 1},
        "exit-page": {"/works/10.5555": SMALLEST + 1},
    }

    async def counted() -> bool:
        return await told(client) == expected

    await until(counted, within=30, what="page views to be counted")
    chosen = await told(client, "?dimension=geography&from=2026-01-01&until=2026-01-02")
    assert chosen == {"geography": {}}
    for query in ("?dimension=person", "?from=2026-02-02&until=2026-01-01", "?person=p1"):
        assert (await client("GET", f"/analytics{query}", operator=True))[0] == 400
    assert (await client("GET", "/analytics"))[0] == 401


@pytest.mark.clause("CRP-2a")
@pytest.mark.clause("CRP-2b")
@pytest.mark.parametrize("field", ["ip", "user-agent", "account", "cookie", "time", "title"])
async def test_a_page_view_with_any_other_field_is_refused(client: Client, field: str) -> None:
    status, problem = await client("POST", "/page-views", VIEW | {field: "Quetzal"})
    assert (status, problem["errors"][0]["at"]) == (422, f"/{field}")
    assert "Quetzal" not in str(problem)


@pytest.mark.clause("CRP-2b")
@pytest.mark.parametrize(
    "wrong",
    [
        {"page": "/works?session=1"},
        {"page": "/people/a@b.example"},
        {"page": "https://press.example/"},
        {"referrer": "https://press.example/who?me=1"},
        {"country": "Denmark"},
    ],
)
async def test_what_could_lead_to_a_person_is_no_value_of_a_dimension(
    client: Client, wrong: dict[str, str]
) -> None:
    assert (await client("POST", "/page-views", VIEW | wrong))[0] == 422


@pytest.mark.clause("CRP-2b")
async def test_nothing_of_whoever_asked_stands_in_the_store_or_the_log(
    client: Client, living: Place
) -> None:
    headers = {
        "User-Agent": "Canary/7.7 (Quetzal)",
        "X-Forwarded-For": "203.0.113.77",
        "Cookie": "visitor=canary-cookie-7",
        "Authorization": "Bearer canary-token-7",
        "Referer": "https://canary.example/me",
    }
    token = "canary-path-token-77"
    body = {"page": f"/preferences/{token}", "referrer": "seen.example"}
    url = client.consent.url + "/page-views"
    async with client.session.post(url, json=body, headers=headers) as answer:
        assert answer.status == 204
        assert "Set-Cookie" not in answer.headers
    name = living.name.replace(".", "_") + "consent"
    async with connect(living.mongodb_url, name) as database:

        async def kept() -> str:
            found = str(await database["page_views"].find({}).to_list(None))
            return found if "seen.example" in found else ""

        stored = await until(kept, within=30, what="the view to be counted")
        names = await database.list_collection_names()
        everything = stored + "".join(
            [str(await database[one].find({}).to_list(None)) for one in names]
        )
    everything += client.consent.log.read_text()
    for canary in ("canary", "Canary", "Quetzal", "203.0.113.77"):
        assert canary not in everything
    assert '"other"' in stored  # how a page that nobody registered is counted
    status, problem = await client("POST", "/page-views", {"referrer": "seen.example"})
    assert (status, problem["type"].removeprefix(PROBLEM)) == (422, "invalid-request")
