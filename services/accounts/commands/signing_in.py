"""Signing in, by a code that was mailed or by password; renewing a token; signing out."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.accounts.commands.asking import PENDING
from services.accounts.commands.persons import People
from services.accounts.errors import Refusal
from services.accounts.mails import people as mails
from services.accounts.model import access, addresses, challenges
from services.accounts.model import people as model
from services.accounts.model.challenges import KeptChallenge
from services.accounts.model.people import RECORD, SELF, KeptPerson, New, PersonDetails
from services.accounts.store import of_people
from shared.events.decisions import Refused
from shared.events.personal import Sealed
from shared.mail import Addressee
from shared.mail.queue import open_fields
from shared.mongo import Saved
from shared.privacy.envelope import UnsealError
from shared.privacy.passwords import hash_password
from shared.privacy.tokens import Claims, code_key
from shared.privacy.vault import seal
from shared.runtime.crashpoints import crashpoint
from shared.runtime.ids import new_id

REFUSED: Refused[Refusal] = Refused(Refusal("sign-in-refused"))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A signed token, and whose it is; ``ends`` is when signing in again is needed."""

    token: str
    person: str
    expires: datetime
    ends: datetime

    def __repr__(self) -> str:
        """Show no token."""
        return f"SignedIn({self.person})"


@dataclass(frozen=True, slots=True)
class _Secret:
    """What a password is checked against."""

    password_hash: str | None
    version: int
    revoked: bool = False


async def by_code(
    people: People, code: str, *, password: str | None, correlation: str
) -> SignedIn | Refused[Refusal]:
    """Use a code: whoever shows it reads the mail of its address, and is signed in.

    ``password`` is the one to sign in by from now on; it ends all other sign-ins.

    What it was mailed for is done first, each step so that it may be done twice; the code is spent
    last, so that whoever dies in between, or is doubled, finds it still good.
    """
    key = code_key(code)
    challenge = await people.store.challenges.load(key) if key else None
    wrong = challenges.counts(challenge, now=people.now())
    if wrong is not None or challenge is None:
        return wrong or challenges.WRONG
    if challenge.proves != "sign-in":
        refused = await _address_becomes_theirs(people, challenge, correlation)
        if refused is not None:
            return refused
    spent = await people.store.challenges.update(
        challenge.code, lambda known: challenges.spend(known, now=people.now())
    )
    if isinstance(spent, Refused):
        return spent
    state = await people.store.people.load(challenge.person)
    if state is None or not set(state.subjects) & set(challenge.subjects):
        return challenges.WRONG  # the address is not theirs any more
    if password is not None:
        chosen = await choose_password(people, challenge.person, password, correlation=correlation)
        if isinstance(chosen, Refused):
            return chosen
    return _signed_in(people, state, since=people.now())


async def choose_password(
    people: People, person: str, password: str, *, correlation: str
) -> Saved[KeptPerson] | Refused[Refusal]:
    """Keep the hash of a new password, then end all sign-ins.

    Whoever dies in between leaves the earlier ones their time, which is short.
    """
    hashed = await asyncio.to_thread(hash_password, password)
    saved = await people.store.people.update(
        person,
        lambda known: model.set_password(known, hashed, actor=SELF, now=people.now()),
        correlation=correlation,
    )
    if not isinstance(saved, Refused):
        await sign_out_everywhere(people, person, correlation=correlation)
    return saved


async def by_password(
    people: People, email: str, password: str, *, client: str
) -> SignedIn | Refused[Refusal]:
    """Sign in by address and password; an address without an account takes as long.

    Raises ``Problem`` 429 where too many tries failed.
    """
    indexes = people.indexes(email)
    if isinstance(indexes, Refused):
        return REFUSED
    holder = await people.holder(indexes)
    state = await people.store.people.load(holder or "")
    secret = _Secret(state.password_hash, state.version) if state else None
    right = await people.logins.right(
        secret, key=indexes[-1], login=indexes[-1], password=password, address=client
    )
    return _signed_in(people, state, since=people.now()) if right and state else REFUSED


async def renew(people: People, claims: Claims) -> SignedIn | Refused[Refusal]:
    """Give a new token for one that still counts, with the roles of now, within its sign-in."""
    state = await people.store.people.load(claims.sub)
    if state is None:
        return REFUSED
    return _signed_in(people, state, since=claims.auth_time, session=claims.sid)


async def sign_out(people: People, claims: Claims, *, correlation: str) -> bool:
    """End one sign-in; say whether services have not been told yet."""
    until = claims.auth_time + people.signing_in.file.sign_in.lives
    key = of_people(access.credential_of(claims.sub))
    await people.store.accesses.update(
        key,
        lambda known: access.sign_out(known, claims.sub, claims.sid, until=until, now=people.now()),
        correlation=correlation,
    )
    return await people.pending(people.store.accesses, key)


async def sign_out_everywhere(people: People, person: str, *, correlation: str) -> bool:
    """End all sign-ins of a person; say whether services have not been told yet."""
    key = of_people(access.credential_of(person))
    await people.store.accesses.update(
        key,
        lambda known: access.sign_out_everywhere(known, person, now=people.now()),
        correlation=correlation,
    )
    return await people.pending(people.store.accesses, key)


async def publish_keys(people: People) -> None:
    """Tell every service which keys people's tokens are verified with; once for each."""
    for kid, public in people.signing.public().items():
        credential = f"signing:{kid}"
        await people.store.signing.update(
            of_people(credential),
            partial(access.publish_signing_key, credential=credential, public=public),
        )


def _signed_in(
    people: People, state: KeptPerson, *, since: datetime, session: str | None = None
) -> SignedIn | Refused[Refusal]:
    now = people.now()
    ends = since + people.signing_in.file.sign_in.lives
    if state.status == "closed" or now >= ends:
        return REFUSED
    expires = min(now + people.signing_in.file.token.lives, ends)
    claims = Claims(
        sub=state.person,
        sid=session or new_id(),
        jti=new_id(),
        roles=state.roles,
        scopes=(),
        auth_time=since,
        iat=now,
        exp=expires,
    )
    return SignedIn(people.signing.sign(claims), state.person, expires, ends)


async def _address_becomes_theirs(
    people: People, challenge: KeptChallenge, correlation: str
) -> Refused[Refusal] | None:
    """Claim the address, write the person, confirm the claim; again after a crash."""
    until = people.now() + people.signing_in.file.reservation.lives
    for index in challenge.subjects:
        refused = await _reserve(people, challenge, index, until)
        if refused is not None:
            return refused
    crashpoint("accounts.address-reserved")
    if people.now() >= until:
        # Whoever was frozen for so long may have lost the reservation: the code is still good.
        return addresses.TAKEN
    details = await _details(people, challenge)
    if isinstance(details, Refused):
        return details
    before = await people.store.people.load(challenge.person)
    saved = await people.store.people.update(
        challenge.person,
        lambda known: _with_address(known, challenge, details, people.now()),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    crashpoint("accounts.person-written")
    for index in challenge.subjects:
        confirmed = await people.store.claims.update(
            index, lambda known: addresses.confirm(known, challenge.person)
        )
        if isinstance(confirmed, Refused):
            return confirmed
    if before is not None and saved.event_ids:
        await _tell_former(people, before, saved.state)
    return None


async def _details(people: People, challenge: KeptChallenge) -> Sealed | Refused[Refusal]:
    """Seal what was pending under the person's own key. Raises ``FencedError``, ``Transient``."""
    if challenge.pending is None:
        return challenges.WRONG
    pending = challenge.pending.model_dump()
    try:
        texts = open_fields(people.mails.keys, pending, schema=PENDING, record=challenge.code)
    except UnsealError:
        return challenges.WRONG
    said = PersonDetails.model_validate(texts)
    return await seal(people.ring, said, person=challenge.person, unit=RECORD, record=RECORD)


def _with_address(
    known: KeptPerson | None, challenge: KeptChallenge, details: Sealed, now: datetime
) -> model.Decided:
    current = challenge.subjects[-1:]
    if challenge.proves == "address":
        return model.change_address(
            known, details, current, actor=challenge.invited_by or SELF, now=now
        )
    new = New(
        person=challenge.person,
        category=challenge.category or "",
        details=details,
        subjects=current,
        roles=challenge.roles,
        invited_by=challenge.invited_by,
    )
    return model.register(known, new, now=now)


async def _reserve(
    people: People, challenge: KeptChallenge, index: str, until: datetime
) -> Refused[Refusal] | None:
    claims = people.store.claims
    seen = await claims.load(index)
    holder = await people.store.people.load(seen.person) if seen and seen.person else None
    has_it = holder is not None and bool(set(holder.subjects) & set(challenge.subjects))

    def decide(known: addresses.KeptClaim | None) -> addresses.Decided:
        moved = (known.version if known else 0) != (seen.version if seen else 0)
        return addresses.reserve(
            known,
            index,
            challenge.person,
            # Of a claim that is not the one looked at nothing is known: it holds.
            holder_has_it=has_it or moved,
            now=people.now(),
            until=until,
        )

    saved = await claims.update(index, decide)
    return saved if isinstance(saved, Refused) else None


async def _tell_former(people: People, before: KeptPerson, after: KeptPerson) -> None:
    former = await people.details(before.details)
    if isinstance(former, Refused):
        return
    told = mails.written(
        "address-changed",
        f"address-changed.{after.person}.{after.version}",
        former.email,
        share=after.person,
        pages=people.pages,
    )
    to = Addressee(after.category, before.subjects)
    await people.posting.post(told, to, actor="person")
