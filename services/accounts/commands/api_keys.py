"""API keys of people: shown once, kept by their hash, good for what they were made for."""

from dataclasses import dataclass

from services.accounts.commands.acting import Actor, permitted
from services.accounts.commands.persons import People
from services.accounts.errors import Refusal
from services.accounts.model import access
from services.accounts.model.access import KeptKey
from services.accounts.store import of_people
from shared.events.decisions import Refused
from shared.privacy.passwords import token_key
from shared.runtime.ids import new_token


@dataclass(frozen=True, slots=True)
class Made:
    """A key after a change; ``secret`` is shown this once, never kept and never logged."""

    key: KeptKey
    pending: bool
    secret: str | None = None

    def __repr__(self) -> str:
        """Show no secret."""
        return f"Made({self.key.credential})"


async def issue(
    people: People, actor: Actor, person: str, scopes: tuple[str, ...], *, correlation: str
) -> Made | Refused[Refusal]:
    """Make a key for its holder."""
    state = await permitted(people, actor, "key-issue", person, correlation=correlation)
    if isinstance(state, Refused):
        return state
    unknown = tuple(
        f"/scopes/{place}"
        for place, scope in enumerate(scopes)
        if scope not in people.signing_in.scopes
    )
    if unknown:
        return Refused(Refusal("scope-unknown", rule="DOAJ-1d2", places=unknown))
    held = await _held(people, person)
    if sum(not one.revoked for one in held) >= people.signing_in.limit("keys-of-a-person").most:
        return Refused(Refusal("too-many-keys", rule="DOAJ-1d2"))
    return await _issue(people, person, scopes, None, correlation)


async def rotate(
    people: People, actor: Actor, person: str, credential: str, *, correlation: str
) -> Made | Refused[Refusal]:
    """Make a key that takes another's place, then void the other."""
    state = await permitted(people, actor, "key-issue", person, correlation=correlation)
    if isinstance(state, Refused):
        return state
    former = await people.store.keys.load(of_people(credential))
    if former is None or former.person != person or former.revoked:
        return access.UNKNOWN_KEY
    made = await _issue(people, person, former.scopes, credential, correlation)
    gone = await _revoke(people, actor, person, credential, correlation)
    return gone if isinstance(gone, Refused) else made


async def revoke(
    people: People, actor: Actor, person: str, credential: str, *, correlation: str
) -> Made | Refused[Refusal]:
    """Void a key for good."""
    state = await permitted(people, actor, "key-revoke", person, correlation=correlation)
    if isinstance(state, Refused):
        return state
    return await _revoke(people, actor, person, credential, correlation)


async def listed(
    people: People, actor: Actor, person: str, *, correlation: str
) -> list[KeptKey] | Refused[Refusal]:
    """List a person's keys, newest first; none of them proves anything."""
    state = await permitted(people, actor, "account-read", person, correlation=correlation)
    if isinstance(state, Refused):
        return state
    return sorted(await _held(people, person), key=lambda one: one.issued_at, reverse=True)


async def _held(people: People, person: str) -> list[KeptKey]:
    return await people.store.keys.where(key_of=person)


async def _issue(
    people: People, person: str, scopes: tuple[str, ...], replaces: str | None, correlation: str
) -> Made:
    secret = new_token()
    credential = token_key(secret)
    key = of_people(credential)
    saved = await people.store.keys.update(
        key,
        lambda known: access.issue_key(
            known,
            credential,
            person,
            tuple(sorted(set(scopes))),
            replaces=replaces,
            now=people.now(),
        ),
        correlation=correlation,
    )
    assert not isinstance(saved, Refused)
    return Made(saved.state, await people.pending(people.store.keys, key), secret)


async def _revoke(
    people: People, actor: Actor, person: str, credential: str, correlation: str
) -> Made | Refused[Refusal]:
    key = of_people(credential)
    saved = await people.store.keys.update(
        key,
        lambda known: access.revoke_key(known, person, actor=actor.named(person), now=people.now()),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    return Made(saved.state, await people.pending(people.store.keys, key))
