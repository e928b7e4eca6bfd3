"""Marketing is chosen by whoever signs in to an account: accounts and consent as real processes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from shared.runtime.clock import parse_rfc3339
from shared.runtime.ids import new_pseudonym
from tests.asking import asked
from tests.consenting import PROBLEM, Client, a_place, consenting, path_in, subscribed
from tests.mailbox import Mailbox, text_of
from tests.peopling import Office, Somebody, patient, without_correlation
from tests.platform import Platform
from tests.processes import OPERATOR, service, until

MARKETING: Final = "marketing"
NO: Final = {"consent": "refused"}


@dataclass(slots=True)
class Switch:
    """Both services, and what people do with the switch of their accounts."""

    office: Office
    client: Client

    async def __call__(
        self, one: Somebody, method: str = "GET", body: Any = None, *, purpose: str = "", **at: str
    ) -> tuple[int, Any]:
        path = at.get("at", one.at) + "/consents" + (f"/{purpose}" if purpose else "")
        url = self.client.consent.url + path
        headers = one.headers if one.token else {}
        return await asked(self.office.session, method, url, body, headers)

    async def page(self, one: Somebody) -> dict[str, Any]:
        """Return what a person sees, once accounts told of the person."""

        async def shown() -> Any:
            status, said = await self(one)
            assert status in {200, 503}, said
            return said if status == 200 else None

        found: dict[str, Any] = await until(shown, within=60, what="consent to hear of an account")
        return found

    async def state(self, one: Somebody) -> dict[str, Any] | None:
        found = (await self.page(one))["consents"]
        return next((each for each in found if each["purpose"] == MARKETING), None)

    async def choose(self, one: Somebody, **body: Any) -> dict[str, Any]:
        status, said = await self(one, "PUT", body, purpose=MARKETING)
        assert status in {200, 202}, said
        return dict(said)

    async def allowed(self, email: str, category: str = "account-holder") -> bool:
        """Ask the gate whether a mail may go."""
        use = {"act": "mail", "purpose": MARKETING, "category": category, "email": email}
        use |= {"opt-out-link": True}  # type: ignore[dict-item]
        said = await self.client.ok("POST", "/uses", use, operator=True)
        return bool(said["outcome"] == "allowed")


@pytest.fixture(scope="module")
async def switch(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Switch]:
    place = await a_place(platform, tmp_path_factory.mktemp("switch"))
    settings = {
        "SMTP_URL": box.url,
        "MAIL_FIRST_SECONDS": "0.2",
        "POLICIES_DIR": str(patient(place.folder / "patient")),
    }
    async with (
        consenting(place, box) as client,
        service("accounts", place, **settings) as accounts,
    ):
        yield Switch(Office(client.session, accounts, box, place), client)


def whats(state: dict[str, Any] | None) -> list[str]:
    return [fact["what"] for fact in state["facts"]] if state else []


@pytest.mark.clause("DOAJ-10b")
async def test_an_account_has_no_marketing_until_its_holder_says_so_and_every_word_is_kept(
    switch: Switch,
) -> None:
    one = await switch.office.somebody()
    page = await switch.page(one)
    assert MARKETING in page["purposes"]
    assert await switch.state(one) is None
    assert not await switch.allowed(one.email)
    said = await switch.choose(one, consent="given", seen=0)
    assert said["worth"] == "given"
    assert await switch.allowed(one.email)
    said = await switch.choose(one, **NO)
    assert said["worth"] == "withdrawn"
    assert not await switch.allowed(one.email)
    status, problem = await switch(one, "PUT", {"consent": "given", "seen": 1}, purpose=MARKETING)
    assert (status, problem["type"]) == (412, PROBLEM + "version-differs")
    await switch.choose(one, consent="given", seen=said["version"])
    state = await switch.state(one)
    assert state is not None
    assert whats(state) == ["given", "withdrawn", "given"]
    assert {(fact["by"], fact["channel"]) for fact in state["facts"]} == {("person", "account")}
    notice = (await switch.client.ok("GET", "/notices/index-users"))["label"]
    assert [fact["notice"] for fact in state["facts"]] == [notice, None, notice]
    times = [parse_rfc3339(fact["at"]) for fact in state["facts"]]
    assert times == sorted(times)
    assert await switch.allowed(one.email)


@pytest.mark.clause("DOAJ-10b")
async def test_nobody_but_its_holder_sees_or_turns_the_switch_of_an_account(
    switch: Switch,
) -> None:
    one, other = await switch.office.somebody(), await switch.office.somebody("team")
    await switch.page(one)
    await switch.choose(one, consent="given", seen=0)
    nobody = f"/people/{new_pseudonym()}"
    for method, body, purpose in (("GET", None, ""), ("PUT", NO, MARKETING)):
        theirs = await switch(other, method, body, purpose=purpose, at=one.at)
        absent = await switch(other, method, body, purpose=purpose, at=nobody)
        assert theirs[0] == 404
        assert without_correlation(theirs) == without_correlation(absent)
        anybody = Somebody(one.email, one.person)
        assert (await switch(anybody, method, body, purpose=purpose))[0] == 401
        forged = Somebody(one.email, one.person, one.token[:-6] + "AAAAAA")
        assert (await switch(forged, method, body, purpose=purpose))[0] == 401
    made = await switch.office.ok("POST", one.at + "/keys", {"scopes": ["details"]}, one.headers)
    keyed = Somebody(one.email, one.person, made["key"])
    assert (await switch(keyed, "PUT", NO, purpose=MARKETING))[0] == 401
    assert await switch.allowed(one.email)
    assert (await switch(other, "PUT", NO, purpose="account-admin"))[0] == 404


@pytest.mark.clause("DOAJ-10b")
@pytest.mark.clause("DOAJ-10a")
async def test_what_is_said_by_a_mailed_link_shows_on_the_same_page(
    switch: Switch, box: Mailbox
) -> None:
    one = await switch.office.somebody()
    await switch.page(one)
    status, problem = await switch(one, "PUT", {"consent": "given"}, purpose="list:newsletter")
    assert (status, problem["type"]) == (409, PROBLEM + "address-needed")
    await switch.choose(one, consent="given", seen=0)
    before = len(box.to(one.email))
    await switch.client.ok("POST", "/lists/newsletter/subscriptions", {"email": one.email})
    text = text_of(await box.next_to(one.email, after=before))
    page = path_in(switch.client, text, "preferences")
    await switch.client.ok("PUT", f"{page}/{MARKETING}", NO)
    state = await switch.state(one)
    assert state is not None
    assert state["worth"] == "withdrawn"
    assert [fact["channel"] for fact in state["facts"]] == ["account", "link"]


@pytest.mark.clause("DOAJ-10b")
async def test_what_was_said_goes_along_to_another_address_and_nothing_of_it_stays(
    switch: Switch, box: Mailbox
) -> None:
    office = switch.office
    one, new = await office.somebody(), office.address("moved")
    await switch.page(one)
    await switch.choose(one, consent="given", seen=0)
    await switch.choose(one, **NO)
    await switch.choose(one, consent="given", seen=2)
    await office.ok("PUT", one.at, {"name": "Josiah", "email": new}, one.headers)
    await office.use(await box.code_to(new))

    async def moved() -> bool:
        return await switch.allowed(new) and not await switch.allowed(one.email)

    await until(moved, within=60, what="the yes to follow the account")
    assert whats(await switch.state(one)) == ["given", "withdrawn", "given"]
    # Whoever has the former address now said nothing yet, and is asked anew.
    await office.ok("POST", "/people", {"email": one.email})
    signed = await office.use(await box.code_to(one.email, after=2))
    later = Somebody(one.email, signed["person"], signed["token"])
    state = await switch.state(later)
    assert state is not None
    assert (state["worth"], state["facts"][-1]["by"]) == ("expired", "system")
    await switch.choose(one, **NO)
    assert not await switch.allowed(new)


@pytest.mark.clause("DOAJ-10b")
async def test_at_an_address_where_no_was_said_a_yes_of_the_account_counts_no_more(
    switch: Switch, box: Mailbox
) -> None:
    office = switch.office
    one, new = await office.somebody(), office.address("declined")
    page = await subscribed(switch.client, box, new)
    await switch.client.ok("PUT", f"{page}/{MARKETING}", NO)
    await switch.page(one)
    await switch.choose(one, consent="given", seen=0)
    before = len(box.to(new))
    await office.ok("PUT", one.at, {"name": "Josiah", "email": new}, one.headers)
    await office.use(await box.code_to(new, after=before))

    async def followed() -> bool:
        state = await switch.state(one)
        return state is not None and "refused" in whats(state) and "given" in whats(state)

    await until(followed, within=60, what="both histories to be one")
    state = await switch.state(one)
    assert state is not None
    assert state["worth"] == "refused"
    assert not await switch.allowed(new)
    assert not await switch.allowed(one.email)


@pytest.mark.clause("DOAJ-2c2")
async def test_a_volunteer_leaves_marketing_by_signing_in(switch: Switch, box: Mailbox) -> None:
    office = switch.office
    body = {"email": office.address("volunteer"), "category": "volunteer"}
    await office.ok("POST", "/people/invitations", body, OPERATOR)
    signed = await office.use(await box.code_to(body["email"]))
    one = Somebody(body["email"], signed["person"], signed["token"])
    await switch.page(one)
    await switch.choose(one, consent="given", seen=0)
    assert await switch.allowed(one.email, "volunteer")
    said = await switch.choose(one, **NO)
    assert said["worth"] == "withdrawn"
    assert not await switch.allowed(one.email, "volunteer")
