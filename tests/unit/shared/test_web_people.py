"""People who call: whose token or key it is, and when it counts no more."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.events.people import EndedSignIn, PersonAccessState, PersonKeyState
from shared.privacy.passwords import token_key
from shared.privacy.tokens import Claims, SigningKeys
from shared.web.people import People

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
PERSON = "p" + "1" * 32
SESSION = "01890000-0000-7000-8000-000000000001"
CLAIMS = Claims(
    sub=PERSON,
    sid=SESSION,
    jti="one",
    roles=("team",),
    scopes=(),
    auth_time=AT - timedelta(minutes=5),
    iat=AT,
    exp=AT + timedelta(minutes=15),
)


@dataclass
class Copy:
    """What a process knows, as it would be read from the topic."""

    published: dict[str, str]
    accesses: dict[str, PersonAccessState] = field(default_factory=dict)
    keys: dict[str, PersonKeyState] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)

    def access(self, person: str) -> PersonAccessState | None:
        return self.accesses.get(person)

    def denied(self, person: str) -> bool:
        return person in self.unreadable

    def key(self, credential: str) -> PersonKeyState | None:
        return self.keys.get(credential)

    def public(self, kid: str) -> str | None:
        return self.published.get(kid)


@pytest.fixture
def signing(tmp_path: Path) -> SigningKeys:
    return SigningKeys(tmp_path)


@pytest.fixture
def copy(signing: SigningKeys) -> Copy:
    return Copy(signing.public())


def of(copy: Copy, token: str) -> str | None:
    found = People(copy, lambda: AT).of(token)
    return found.person if found else None


def ended(**changes: object) -> PersonAccessState:
    said = {"credential": f"person:{PERSON}", "version": 1}
    return PersonAccessState.model_validate(said | changes)


def test_a_signed_token_is_its_bearers_with_the_roles_in_it(
    signing: SigningKeys, copy: Copy
) -> None:
    found = People(copy, lambda: AT).of(signing.sign(CLAIMS))
    assert found is not None
    assert (found.person, found.roles, found.claims) == (PERSON, {"team"}, CLAIMS)
    copy.published.clear()
    assert of(copy, signing.sign(CLAIMS)) is None


def test_a_token_of_an_ended_sign_in_counts_no_more(signing: SigningKeys, copy: Copy) -> None:
    token, other = signing.sign(CLAIMS), signing.sign(replace(CLAIMS, sid=SESSION[:-1] + "2"))
    copy.accesses[PERSON] = ended(ended=[EndedSignIn(sid=SESSION, until=CLAIMS.exp)])
    assert of(copy, token) is None
    assert of(copy, other) == PERSON


def test_a_token_of_a_sign_in_before_all_were_ended_counts_no_more_even_renewed(
    signing: SigningKeys, copy: Copy
) -> None:
    since = AT - timedelta(minutes=1)
    copy.accesses[PERSON] = ended(tokens_since=since)
    assert of(copy, signing.sign(CLAIMS)) is None  # issued after, signed in before
    assert of(copy, signing.sign(replace(CLAIMS, auth_time=since))) == PERSON


def test_where_it_cannot_be_read_what_ended_nothing_counts(
    signing: SigningKeys, copy: Copy
) -> None:
    copy.unreadable.add(PERSON)
    assert of(copy, signing.sign(CLAIMS)) is None


@pytest.mark.clause("DOAJ-1d2")
def test_a_key_is_its_holders_for_its_scopes_alone_until_it_is_voided(copy: Copy) -> None:
    known = PersonKeyState(
        credential=token_key("secret"),
        person=PERSON,
        scopes=("details",),
        issued_at=AT,
        version=1,
    )
    copy.keys[known.credential] = known
    found = People(copy, lambda: AT).of("secret")
    assert found is not None
    assert (found.person, found.roles, found.scopes) == (PERSON, set(), {"details"})
    assert found.claims is None
    copy.keys[known.credential] = known.model_copy(update={"revoked": True})
    assert of(copy, "secret") is None
    assert of(copy, "another") is None
