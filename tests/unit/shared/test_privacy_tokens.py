"""Signed tokens: what we signed counts for its time; nothing else does."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from shared.privacy.keyfile import KeyFileError
from shared.privacy.tokens import Claims, SigningKeys, code_key, key_id, new_code, verified

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
CLAIMS = Claims(
    sub="p" + "0" * 32,
    sid="one-sign-in",
    jti="one-token",
    roles=("team",),
    scopes=(),
    auth_time=AT,
    iat=AT,
    exp=AT + timedelta(minutes=15),
)


@pytest.fixture
def keys(tmp_path: Path) -> SigningKeys:
    return SigningKeys(tmp_path)


def _b64(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def test_a_token_says_what_was_signed_until_its_time_is_up(keys: SigningKeys) -> None:
    token = keys.sign(CLAIMS)
    assert verified(token, keys.public().get, now=AT) == CLAIMS
    assert verified(token, keys.public().get, now=CLAIMS.exp - timedelta(seconds=1)) == CLAIMS
    assert verified(token, keys.public().get, now=CLAIMS.exp) is None
    assert verified(token, keys.public().get, now=AT - timedelta(minutes=1)) is None


def test_a_token_of_other_keys_or_with_another_text_is_nobodys(
    keys: SigningKeys, tmp_path: Path
) -> None:
    other = SigningKeys(tmp_path / "other")
    assert verified(other.sign(CLAIMS), keys.public().get, now=AT) is None
    head, _, signature = keys.sign(CLAIMS).split(".")
    body = _b64({"iss": "colophon-accounts", "sub": "p" + "1" * 32})
    assert verified(f"{head}.{body}.{signature}", keys.public().get, now=AT) is None


@pytest.mark.parametrize("alg", ["none", "HS256", "ES256", "eddsa", None])
def test_a_token_cannot_choose_how_it_is_verified(keys: SigningKeys, alg: str | None) -> None:
    _, body, signature = keys.sign(CLAIMS).split(".")
    head = _b64({"alg": alg, "kid": keys.kid})
    assert verified(f"{head}.{body}.{signature}", keys.public().get, now=AT) is None
    assert verified(f"{head}.{body}.", keys.public().get, now=AT) is None


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "....", "é.é.é", "e30.e30.e30", "x" * 5000]
)
def test_what_is_no_token_is_nobodys(keys: SigningKeys, text: str) -> None:
    assert verified(text, keys.public().get, now=AT) is None


def test_every_change_of_one_letter_voids_a_token(keys: SigningKeys) -> None:
    token = keys.sign(CLAIMS)
    for place in range(0, len(token), 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        found = verified(changed, keys.public().get, now=AT)
        # The last letters of base64 may say the same bits in two ways.
        assert found in (None, CLAIMS)
        assert found is None or place > len(token) - 3


def test_a_new_key_signs_and_the_former_still_verifies(tmp_path: Path) -> None:
    first = SigningKeys(tmp_path)
    token = first.sign(CLAIMS)
    (tmp_path / "signing-2.key").write_text("ab" * 32 + "\n")
    (tmp_path / "signing-2.key").chmod(0o600)
    both = SigningKeys(tmp_path)
    assert both.kid != first.kid
    assert verified(token, both.public().get, now=AT) == CLAIMS
    assert verified(both.sign(CLAIMS), both.public().get, now=AT) == CLAIMS
    assert [one["kid"] for one in both.jwks()["keys"]] == list(both.public())


def test_a_key_with_another_name_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "signing-old.key").write_text("")
    with pytest.raises(KeyFileError, match="signing-<number>"):
        SigningKeys(tmp_path)


def test_a_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    # RFC 8037, appendix A.3
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key_id(x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_token_holds_nothing_but_pseudonym_roles_and_times(keys: SigningKeys) -> None:
    _, body, _ = keys.sign(replace(CLAIMS, roles=())).split(".")
    said = orjson.loads(base64.urlsafe_b64decode(body + "=="))
    assert set(said) == {
        *("iss", "sub", "sid", "jti", "roles", "scopes", "auth_time", "iat", "exp"),
    }


def test_codes_may_be_copied_by_hand() -> None:
    code = new_code()
    assert code_key(code) == code_key(code.lower().replace("-", " "))
    assert code_key(code) != code_key(new_code())
    assert code_key(code[:-1]) is None
    assert code_key("") is None
