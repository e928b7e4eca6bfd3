"""The broker's address: what it may look like, and that nothing tells its password."""

import asyncio
import ssl
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.connection import MECHANISMS, BadAddress, client, parse
from shared.kafka.produce import stop

SECRET = "hunter2-hunter2"


@given(
    st.text(min_size=1),
    st.text(min_size=1),
    st.sampled_from(MECHANISMS),
    st.lists(st.sampled_from(["a:1", "kafka-2.example:9093", "[::1]:9092"]), min_size=1),
)
def test_user_password_mechanism_and_servers_come_out_as_they_went_in(
    user: str, password: str, mechanism: str, servers: list[str]
) -> None:
    caller = f"{quote(user, safe='')}:{quote(password, safe='')}"
    found = client(f"sasl://{caller}@{','.join(servers)}?mechanism={mechanism}")
    assert found == {
        "bootstrap_servers": ",".join(servers),
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": user,
        "sasl_plain_password": password,
    }


@pytest.mark.parametrize("address", ["127.0.0.1:9092", "a:9092,b:9092", "a:9092, b:9092"])
def test_an_address_list_is_handed_on_as_it_is(address: str) -> None:
    assert client(address) == {"bootstrap_servers": address}


def test_scram_is_what_no_mechanism_means() -> None:
    assert parse("sasl://u:p@a:1").mechanism == "SCRAM-SHA-256"
    assert parse("sasl://u:p@a:1/").servers == "a:1"


def test_over_tls_the_server_must_prove_its_name_to_the_authorities_given(tmp_path: Path) -> None:
    found = client("sasls://u:p@a:1?mechanism=PLAIN")
    assert found["security_protocol"] == "SASL_SSL"
    assert found["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert found["ssl_context"].check_hostname
    with pytest.raises(OSError, match="No such file"):
        client(f"sasls://u:p@a:1?ca={tmp_path / 'none.pem'}")


@pytest.mark.parametrize(
    ("address", "mistake"),
    [
        (f"http://u:{SECRET}@a:1", "begins otherwise"),
        (f"sasl://{SECRET}@a:1", "user or password is missing"),
        (f"sasl://:{SECRET}@a:1", "user or password is missing"),
        (f"sasl://u:{SECRET}", "user or password is missing"),
        (f"sasl://u:{SECRET}@a", "not host:port"),
        (f"sasl://u:{SECRET}@a:x", "not host:port"),
        (f"sasl://u:{SECRET}@", "not host:port"),
        (f"sasl://u:{SECRET}/{SECRET}@a:1,", "not host:port"),
        (f"sasl://u:{SECRET}?{SECRET}@a:1", "user or password is missing"),
        (f"sasl://u:p@a:1?mechanism={SECRET}", "mechanism is none of"),
        (f"sasl://u:p@a:1?password={SECRET}", "nothing else"),
        (f"sasl://u:{SECRET}@a:1?ca=x.pem", "nothing else"),
    ],
)
def test_a_mistake_is_named_and_nothing_of_the_address_told(address: str, mistake: str) -> None:
    with pytest.raises(BadAddress, match=mistake) as caught:
        parse(address)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_no_representation_shows_the_password() -> None:
    assert SECRET not in repr(parse(f"sasl://u:{SECRET}@a:1"))


class HandsItsOwnCancellationOn:
    """As the consumer does now and then, when a fetch of its own was cancelled by its stop."""

    async def stop(self) -> None:
        fetch = asyncio.ensure_future(asyncio.sleep(60))
        fetch.cancel()
        await fetch


async def test_to_stop_a_client_never_cancels_who_stops_it() -> None:
    await stop(HandsItsOwnCancellationOn())


async def test_who_is_cancelled_while_it_stops_a_client_is_cancelled() -> None:
    class Hangs:
        async def stop(self) -> None:
            await asyncio.sleep(60)

    stopping = asyncio.ensure_future(stop(Hangs()))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
