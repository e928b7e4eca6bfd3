"""The leak scan: what it sees, what it says, and when it calls itself blind."""

import base64
import gzip
import json
import urllib.parse
import zlib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from deploy.privacy import scan as scanning
from deploy.privacy.canaries import canaries
from deploy.privacy.needles import Hit, Needles
from deploy.privacy.register import Entry
from deploy.privacy.scan import KINDS, Kind, Scan
from shared.kafka.segments import records

NAME: Final = "Zoë Canary-1f2e3d4c5b"
ADDRESS: Final = "canary.9a8b7c6d5e@press.example"
BOTH: Final = Needles({"name": NAME, "address": ADDRESS})
BASE64: Final = (base64.b64encode, base64.urlsafe_b64encode)
CODECS: Final = {None: 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
WRITTEN: Final[dict[str, Callable[[str], bytes]]] = {
    "plain": str.encode,
    "capitals": lambda text: text.upper().encode(),
    "small": lambda text: text.lower().encode(),
    "utf-16": lambda text: text.encode("utf-16-le"),
    "latin-1": lambda text: text.encode("latin-1"),
    "json": lambda text: json.dumps({"a": text}).encode(),
    "url": lambda text: urllib.parse.quote_plus(text).encode(),
    "url in capitals": lambda text: urllib.parse.quote(text.upper(), safe="").encode(),
    "xml": lambda text: text.encode("ascii", "xmlcharrefreplace"),
    "hex": lambda text: text.encode().hex().encode(),
    "hex in capitals": lambda text: text.encode().hex().upper().encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "deflate": lambda text: zlib.compress(text.encode()),
    "gzip in deflate": lambda text: zlib.compress(b"x" + gzip.compress(text.encode())),
    "base64 in gzip": lambda text: gzip.compress(base64.b64encode(text.encode())),
}


@pytest.mark.law("P1")
@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(("name", "text"), [("name", NAME), ("address", ADDRESS)])
def test_a_value_is_found_however_it_is_written(written: str, name: str, text: str) -> None:
    data = b"before " + WRITTEN[written](text) + b" behind"
    assert {hit.value for hit in BOTH.found(data)} == {name}


@pytest.mark.law("P1")
@given(before=st.binary(max_size=50), behind=st.binary(max_size=50), encode=st.sampled_from(BASE64))
def test_a_value_is_found_in_base64_wherever_it_begins(
    before: bytes, behind: bytes, encode: Callable[[bytes], bytes]
) -> None:
    assert Hit("name", "base64") in BOTH.found(encode(before + NAME.encode() + behind))


@given(st.binary(max_size=2_000))
def test_what_does_not_hold_a_value_is_not_said_to(data: bytes) -> None:
    assert not BOTH.found(data)


def test_a_value_that_could_stand_anywhere_is_refused() -> None:
    with pytest.raises(ValueError, match="a has fewer"):
        Needles({"a": "Bob"})


def test_canaries_differ_for_each_field_and_each_run_and_addresses_look_like_one() -> None:
    fields = [
        Entry("a.b.v1", "name", (), (), "self"),
        Entry("a.c.v1", "name", (), (), "self"),
        Entry("a.b.v1", "email", (), (), "self", address=True),
    ]
    first, second = canaries(fields, "1"), canaries(fields, "2")
    assert set(first) == {"a.b.v1/name", "a.c.v1/name", "a.b.v1/email"}
    texts = [one.text for one in (*first.values(), *second.values())]
    assert len(set(texts)) == len(texts) == 6
    assert "@" in first["a.b.v1/email"].text


def segment(codec: str | None, *, key: bytes = b"", value: bytes = b"", header: str = "") -> bytes:
    """Return a segment of two batches as a broker writes them."""
    made = b""
    for offset in (0, 1):
        batch = DefaultRecordBatchBuilder(
            magic=2,
            compression_type=CODECS[codec],
            is_transactional=False,
            producer_id=-1,
            producer_epoch=-1,
            base_sequence=-1,
            batch_size=1 << 20,
        )
        filling = value + b" filling" * 100
        batch.append(0, 0, key, filling, [("said", header.encode())])
        whole = bytearray(batch.build())
        whole[0:8] = offset.to_bytes(8, "big")
        made += bytes(whole)
    return made


@pytest.mark.law("P1")
@pytest.mark.parametrize("codec", CODECS)
def test_keys_values_and_headers_of_a_segment_are_read_in_each_codec(codec: str | None) -> None:
    said = list(records(segment(codec, key=b"the key", value=b"the value", header="the header")))
    assert [one.offset for one in said] == [0, 1]
    for one in said:
        assert b"the key" in one.data
        assert b"the value" in one.data
        assert b"said" in one.data
        assert b"the header" in one.data


def test_room_kept_free_behind_a_segment_is_nothing_and_half_a_batch_is_a_fault() -> None:
    whole = segment("gzip", value=b"value")
    assert len(list(records(whole + b"\0" * 500))) == 2
    with pytest.raises(ValueError, match="no whole batch"):
        list(records(whole[:-5]))
    with pytest.raises(ValueError, match="checksum"):
        list(records(whole[:-5] + b"xxxxx"))


def looked_everywhere(**more: str) -> Scan:
    """Return a scan that found its control in each kind of place."""
    controls: dict[str, Kind] = {f"control-{kind}": kind for kind in KINDS}
    texts = {name: f"{name} f00d" for name in controls}
    made = Scan(texts | more, controls)
    for name, kind in controls.items():
        made.look(kind, "here", texts[name].encode())
    return made


@pytest.mark.law("P1")
def test_a_scan_is_clean_only_if_it_saw_every_control_and_nothing_else() -> None:
    made = looked_everywhere(name=NAME)
    assert made.clean
    made.look("log", "service.log", b"hello " + NAME.encode())
    assert not made.clean
    assert [str(one) for one in made.leaks] == ["log service.log: name, plain"]


@pytest.mark.law("P1")
def test_a_scan_that_did_not_look_somewhere_or_could_not_see_is_not_clean() -> None:
    made = Scan({"name": NAME, "control": "control f00d"}, {"control": "log"})
    assert not made.clean
    assert "the control control was not found in a log" in made.blind
    assert "no control was put into a document" in made.blind
    assert "no metrics was looked into" in made.blind
    made.look("file", "x", b"control f00d")  # elsewhere is not where it was put
    assert "the control control was not found in a log" in made.blind
    unread = looked_everywhere()
    unread.unread.append("a segment")
    assert not unread.clean


def test_a_report_never_holds_what_it_found(tmp_path: Path) -> None:
    made = looked_everywhere(name=NAME, address=ADDRESS)
    (tmp_path / "a.txt").write_text(f"{NAME} {ADDRESS}")
    made.files(tmp_path)
    assert len(made.leaks) == 2
    told = "\n".join(made.told())
    assert "LEAK file a.txt: name, plain" in told
    assert NAME not in told
    assert ADDRESS not in told
    assert NAME not in repr(made)


def test_a_value_on_the_border_of_two_pieces_of_a_file_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "PIECE", 100)
    monkeypatch.setattr(scanning, "OVERLAP", 50)
    (tmp_path / "a.bin").write_bytes(b"x" * 90 + NAME.encode() + b"x" * 300)
    made = Scan({"name": NAME})
    made.files(tmp_path)
    assert made.leaks


def test_a_mail_is_read_as_it_travels_and_as_it_is_shown_and_may_name_its_own_reader() -> None:
    mail = EmailMessage()
    mail["To"], mail["Message-ID"] = ADDRESS, "<1>"
    mail.set_content(f"Dear {NAME}", cte="quoted-printable")
    mail.add_alternative(f"<p>Dear {NAME}</p>", subtype="html", cte="base64")
    made = Scan({"name": NAME, "address": ADDRESS})
    made.mail(mail, allowed=["address", "name"])
    assert not made.leaks
    made.mail(mail, allowed=["address"])
    assert {one.value for one in made.leaks} == {"name"}


def test_a_broken_segment_is_told_and_not_taken_for_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "topic-0"
    folder.mkdir()
    (folder / "00.log").write_bytes(segment("zstd", value=NAME.encode()))
    (folder / "01.log").write_bytes(segment(None, value=b"x" * 40)[:-3])
    (folder / "00.index").write_bytes(NAME.encode())  # holds numbers, whatever it says here
    made = Scan({"name": NAME})
    made.broker(tmp_path)
    decoded = [one.place for one in made.leaks if one.kind == "record"]
    assert decoded == ["topic-0@0", "topic-0@1"]
    assert not [one for one in made.leaks if one.place.endswith(".index")]
    (unread,) = made.unread
    assert unread.startswith("topic-0/01.log: the last ")
