"""Callbacks are signed as Standard Webhooks 1.0.0 says."""

import base64

import pytest

from shared.privacy.signatures import new_webhook_secret, webhook_headers

# The vector that the specification's own libraries test themselves with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_has_the_signature_that_other_implementations_compute() -> None:
    assert webhook_headers([SECRET], BODY, message=MESSAGE, timestamp=1614265330) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_each_secret_in_force_signs_in_its_order() -> None:
    other = new_webhook_secret()
    said = webhook_headers([other, SECRET], BODY, message=MESSAGE, timestamp=1614265330)
    first, second = said["webhook-signature"].split(" ")
    assert second == SIGNATURE
    assert first != second


def test_a_message_s_id_holds_no_full_stop_for_signed_parts_are_split_at_them() -> None:
    with pytest.raises(ValueError, match="full stop"):
        webhook_headers([SECRET], BODY, message="a.1", timestamp=1)


def test_a_secret_is_new_each_time_and_of_a_permitted_length() -> None:
    made = {new_webhook_secret() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        assert 24 <= len(base64.b64decode(one.removeprefix("whsec_"))) <= 64
