"""What the verbs about contacts and memberships need, composed for ``app``."""

from services.accounts.commands.contacts.context import Contacting
from services.accounts.commands.contacts.gate import ContactsGate
from services.accounts.commands.context import Accounts
from services.accounts.commands.persons import People
from services.accounts.settings import Settings
from services.accounts.store import open_contacts
from shared.mongo import Database
from shared.policy.contacts import load_contacts
from shared.privacy.keyfile import load_or_create
from shared.runtime.bell import Ring


def contacted(
    settings: Settings,
    database: Database,
    accounts: Accounts,
    people: People,
    *,
    relay: Ring,
) -> Contacting:
    """Compose it over the same database; ``relay`` hurries that role, where it runs here."""
    gate = people.posting.gate
    store = open_contacts(database, wake=relay)
    return Contacting(
        store,
        accounts,
        people,
        load_contacts(settings.policies_dir / "contacts.toml", gate.policy),
        ContactsGate(gate.policy, gate.decisions, gate.worth, store),
        load_or_create(settings.key_file),
        settings.public_url,
    )
