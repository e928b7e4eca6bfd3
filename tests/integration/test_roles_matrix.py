"""Roles, data and actions (doaj.md 4.2), as deploy/policies/roles.toml says them, through HTTP.

Whoever may, does, or hears that the particular thing is not there. Whoever may not hears what they
would hear of something that does not exist.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import pytest

from deploy.local.platform import Platform
from shared.kafka import topics
from shared.policy.roles import EVERYBODY, Permitted, action_permitted, load_roles
from shared.runtime.ids import new_id, new_pseudonym
from tests.asking import Answer, asked
from tests.mailbox import Mailbox
from tests.peopling import Office, Somebody, patient, without_correlation
from tests.processes import OPERATOR, ROOT, Place, Running, service

POLICY: Final = load_roles(ROOT / "deploy" / "policies" / "roles.toml")
PASSWORD: Final = "another right horse"
TICKET: Final = "#4711"
MISSING: Final = (
    "key-unknown",
    "contact-unknown",
    "deletion-unknown",
    "volunteer-unknown",
    "account-unheard",
)
ORGANISATION: Final = "/organisations/78"
NOBODYS: Final = "/organisations/79"


@dataclass(frozen=True, slots=True)
class Call:
    """How an action is asked for; ``{at}`` is whose record, ``last`` ends the caller's sign-in."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    of_organisation: bool = False
    last: bool = False
    varying: str | None = field(default=None)  # a field of the body that differs each time


# One row for each action of the policy, or one in NO_ROUTE: a new action without either fails.
CALLS: Final[Mapping[str, Call]] = {
    "account-read": Call("GET", "{at}"),
    "account-update": Call("PUT", "{at}", {"name": "Victoria"}),
    "key-issue": Call("POST", "{at}/keys", {"scopes": ["details"]}),
    "key-revoke": Call("DELETE", f"{{at}}/keys/token:{'0' * 64}"),
    "accesses-read": Call("GET", "{at}/accesses"),
    "account-delete": Call("GET", "{at}/deletion"),
    "consents-read": Call("GET", "{at}/consents"),
    "consents-choose": Call("PUT", "{at}/consents/marketing", {"consent": "refused"}),
    "account-invite": Call("POST", "/people/invitations", {"category": "partner"}, varying="email"),
    "roles-set": Call("PUT", "{at}/roles", {"roles": []}, last=True),
    "password-reset": Call("POST", "{at}/password-resets", last=True),
    "password-set": Call("PUT", "{at}/password", {"password": PASSWORD}, last=True),
    "volunteer-read": Call("GET", "/volunteer-applications"),
    "volunteer-archive-read": Call("GET", "/volunteer-applications?archived=true"),
    "volunteer-assess": Call("POST", f"/volunteer-applications/{new_id()}/rejection"),
    "contacts-read": Call("GET", "{at}/contacts", of_organisation=True),
    "contacts-write": Call("DELETE", "{at}/contacts/billing", of_organisation=True),
}
NO_ROUTE: Final = frozenset(
    {
        "application-read",
        "application-write",
        "owner-read",
        "note-add",
        "note-change",
        "article-write",
        "journal-write",
        "notifications-read",
        "provenance-read",
        "bulk-delete",
        "reports-with-notes",
    }
)


@dataclass(slots=True)
class Offices(Office):
    """Accounts, and consent beside it, which answers of itself."""

    consent: Running | None = None

    async def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        if self.consent is None or "/consents" not in path:
            return await Office.__call__(self, method, path, body, headers)
        url = self.consent.url + path
        return await asked(self.session, method, url, body, headers)


@pytest.fixture(scope="module")
async def office(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Office]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("roles")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    settings = {
        "SMTP_URL": box.url,
        "MAIL_FIRST_SECONDS": "0.1",
        "POLICIES_DIR": str(patient(folder / "policies")),
    }
    async with (
        service("accounts", place, **settings) as accounts,
        service("consent", place, "api", "holders", **settings) as consent,
        aiohttp.ClientSession() as session,
    ):
        made = Offices(session, accounts, box, place, consent)
        body = {"id": 78, "name": "Press 78"}
        await made.ok("POST", "/organisations", body, OPERATOR)
        yield made


@pytest.fixture(scope="module")
async def one(office: Office) -> Somebody:
    """Somebody whose account others try to reach."""
    return await office.somebody(name="Victoria")


async def ask(office: Office, call: Call, at: str, headers: Mapping[str, str]) -> Answer:
    body = None if call.body is None else dict(call.body)
    if call.varying:
        body = {**(body or {}), call.varying: office.address("invited")}
    path = call.path.replace("{at}", at)
    return await office(call.method, path, body, dict(headers))


def permitted(answer: Answer) -> bool:
    """Whether an action was done, or would have been if the thing in question were there."""
    status, said = answer
    return status < 300 or str(said.get("type")).rpartition(":")[2] in MISSING


def test_every_action_of_the_policy_has_a_row_here() -> None:
    actions = {row.id for row in POLICY.file.actions}
    assert actions == set(CALLS) | NO_ROUTE
    assert not set(CALLS) & NO_ROUTE


@pytest.mark.clause("DOAJ-4a2")
@pytest.mark.clause("DOAJ-4e")
@pytest.mark.parametrize("role", [*sorted(POLICY.roles - {"operator"}), EVERYBODY])
async def test_a_role_does_with_anothers_record_and_with_its_own_what_its_rows_say(
    office: Office, one: Somebody, role: str
) -> None:
    actor = await office.somebody(*({role} - {EVERYBODY}))
    missing = f"/people/{new_pseudonym()}"
    in_order = sorted(CALLS.items(), key=lambda row: row[1].last)
    for action, call in in_order:
        row = POLICY.action(action)
        why = {"Colophon-Access-Ticket": TICKET, "Colophon-Access-Reason": (*row.reasons, "x")[0]}
        judged = action_permitted(
            POLICY, action, [role], "any", reason=(*row.reasons, "x")[0], ticket=TICKET
        )
        there, nowhere = (ORGANISATION, NOBODYS) if call.of_organisation else (one.at, missing)
        # What a role may do for a reason it may not do without, and then it is told nothing.
        for headers, expected in (
            (actor.headers | why, isinstance(judged, Permitted)),
            (actor.headers, isinstance(judged, Permitted) and not row.reasons),
        ):
            answer = await ask(office, call, there, headers)
            assert permitted(answer) == expected, (role, action, answer)
            if not expected:
                absent = await ask(office, call, nowhere, headers)
                assert without_correlation(answer) == without_correlation(absent), action
    for action, call in in_order:
        if "{at}" not in call.path or call.of_organisation or action == "roles-set":
            continue
        judged = action_permitted(POLICY, action, [role], "own")
        answer = await ask(office, call, actor.at, actor.headers)
        assert permitted(answer) == isinstance(judged, Permitted), (role, action, answer)
        if call.last and permitted(answer):
            break  # all sign-ins of the caller have ended


@pytest.mark.clause("DOAJ-4a2")
async def test_the_operator_makes_accounts_and_gives_roles_and_sees_no_details(
    office: Office, one: Somebody
) -> None:
    for action, call in CALLS.items():
        row = POLICY.action(action)
        why = {"Colophon-Access-Ticket": TICKET, "Colophon-Access-Reason": (*row.reasons, "x")[0]}
        at = ORGANISATION if call.of_organisation else one.at
        answer = await ask(office, call, at, OPERATOR | why)
        judged = action_permitted(POLICY, action, ["operator"], "any")
        listed_bare = action == "contacts-read" and answer[0] == 200
        assert permitted(answer) == isinstance(judged, Permitted) or listed_bare, (action, answer)
        assert one.email not in str(answer)


@pytest.mark.clause("DOAJ-4a2")
async def test_nobody_does_anything_without_a_credential(office: Office, one: Somebody) -> None:
    for action, call in CALLS.items():
        at = ORGANISATION if call.of_organisation else one.at
        assert (await ask(office, call, at, {}))[0] == 401, action
