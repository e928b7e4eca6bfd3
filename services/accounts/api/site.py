"""The site of accounts: its routes, who may ask, and its OpenAPI document."""

from aiohttp import web

from services.accounts.api import (
    agreements,
    api_keys,
    contacts,
    credentials,
    deletions,
    organisations,
    people,
    preferences,
    requests,
    sign_ins,
    transfers,
    volunteers,
)
from services.accounts.api.contacts import memberships, role_mails
from services.accounts.api.problems import FAULTS
from services.accounts.commands.contacts.context import Contacting
from services.accounts.commands.context import Accounts
from services.accounts.commands.persons import People
from shared.runtime.health import Health
from shared.web import Callers, Info, bound, build_site

INFO = Info(
    title="Colophon accounts",
    version="1",
    description="Organisations, their prefixes, reference preferences, credentials, agreements; "
    "people, who sign in and hold API keys; memberships and contacts by role.",
)
ROOMS = (organisations, transfers, credentials, agreements, preferences, requests)
PERSONAL = (people, sign_ins, api_keys, deletions, volunteers)
CONTACTS = (contacts, memberships, role_mails)


def site(
    accounts: Accounts,
    persons: People,
    contacting: Contacting,
    *,
    health: Health,
    callers: Callers,
) -> web.Application:
    """Make the site."""
    return build_site(
        "accounts",
        [*bound(accounts, ROOMS), *bound(persons, PERSONAL), *bound(contacting, CONTACTS)],
        health=health,
        callers=callers,
        info=INFO,
        headers={"Cache-Control": "private, no-cache"},
        faults=FAULTS,
    )
