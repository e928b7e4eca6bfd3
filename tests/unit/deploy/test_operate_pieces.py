"""The command line's pieces: what is shown of an erasure, how watching ends, packages offline."""

import io
import zipfile
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from click.testing import CliRunner

from deploy.operate import package, shown
from deploy.operate.app import colophon
from deploy.operate.client import Missing, client
from deploy.operate.ends import End, Fault, Said, Silent, Waiting
from deploy.operate.plain import VERBS, asked, cursor_of
from deploy.operate.values import Parts, placed
from deploy.operate.watching import Watch, reached
from services.retention.packages.contents import manifest
from shared.privacy.receipts import Signer
from tests.processes import ROOT

AT: Final = "2031-05-01T10:00:00.000Z"
LATER: Final = "2031-05-01T10:00:05.000Z"
WAITS: Final = {"what": "evidence", "who": ["deposits"], "since": AT, "until": None}


def view(state: str, *waits: dict[str, Any], **times: str) -> dict[str, Any]:
    return {"erasure": "e", "state": state, "times": times, "waits": list(waits), "levels": {}}


def test_of_an_erasure_each_step_is_told_once_with_its_time_and_then_what_it_waits_for() -> None:
    first = view("planned", looking=AT, planned=LATER)
    assert [one.line() for one in shown.news(first, None)] == [
        f"{AT}  looking",
        f"{LATER}  planned",
    ]
    second = view("ordered", WAITS, looking=AT, planned=LATER, ordered=LATER)
    told = shown.news(second, first)
    assert [(one.what, one.name) for one in told] == [
        ("step", "ordered"),
        ("waits", f"evidence of deposits, since {AT}"),
    ]
    assert shown.news(second, second) == []


def test_of_a_plan_holds_expected_times_and_who_is_to_be_told_are_shown() -> None:
    said = view("planned", planned=AT) | {
        "levels": {"fenced": AT, "gone": None},
        "expected": {"begins": AT, "fenced": None, "gone": LATER},
        "holds": ["case-7"],
        "processors": [{"processor": "act-on", "listed-at": AT, "told-at": None, "overdue": True}],
    }
    assert list(shown.erasure(said))[1:] == [
        f"  processors: processor act-on, listed-at {AT}, OVERDUE to be told",
        "  holds: case-7",
        f"  begins at the earliest: {AT}",
        f"  fenced: {AT}",
        f"  gone: expected {LATER}, if nothing but time is waited for",
    ]


def test_what_the_service_says_cannot_steer_a_terminal() -> None:
    lines = [*shown.document({"why": "\x1b[2J\r"}), *shown.table([{"a": "\x07"}], ["a"])]
    assert lines == ["why: ?[2J?", "a", "?"]


def test_an_empty_list_a_nested_document_and_a_text_of_lines_are_shown() -> None:
    said = {"none": [], "scope": {"kind": "account"}, "text": "a\nb", "on": [{"outcome": "held"}]}
    assert list(shown.document(said)) == [
        "scope:",
        "  kind: account",
        "text:",
        "  a",
        "  b",
        "on:",
        "  - outcome held",
    ]


def test_a_problem_is_said_with_its_title_its_detail_and_its_places() -> None:
    document = {
        "title": "The request does not hold what it must",
        "detail": "Nothing was done.",
        "errors": [{"at": "/email", "rule": "address-invalid"}],
        "correlation": "c-1",
    }
    assert str(Said(422, document)).splitlines() == [
        "The request does not hold what it must (422)",
        "  Nothing was done.",
        "  at /email: address-invalid",
        "  correlation c-1",
    ]


def test_watching_ends_at_the_step_or_past_it_and_fails_where_it_was_refused() -> None:
    closed = frozenset({"closed"})
    assert not reached(view("ordered", ordered=AT), closed)
    assert reached(view("closed", closed=AT), closed)
    assert reached(view("ordered", planned=AT, ordered=AT), frozenset({"planned"}))
    with pytest.raises(Fault, match="refused for not-verified") as ended:
        reached(view("refused") | {"refused-for": "not-verified"}, closed)
    assert ended.value.end is End.REFUSED


class Answers:
    """Gives what a service gave, in its order."""

    def __init__(self, *given: Any) -> None:
        self.given = list(given)

    def json(self, _method: str, _path: str, **_more: Any) -> Any:
        one = self.given.pop(0) if len(self.given) > 1 else self.given[0]
        if isinstance(one, Exception):
            raise one
        return one


def test_watching_goes_on_where_the_service_does_not_answer_for_a_while() -> None:
    told: list[shown.News] = []
    remarks: list[str] = []
    away = Silent("away")
    answers = Answers(view("planned", planned=AT), away, away, view("closed", closed=LATER))
    watch = Watch(answers, told.append, remarks.append, every=0.001)
    assert watch.until("e", {"closed"})["state"] == "closed"
    assert [one.name for one in told] == ["planned", "closed"]
    assert len(remarks) == 1


@pytest.mark.parametrize(
    ("given", "end"),
    [(view("ordered", WAITS, ordered=AT), End.WAITING), (Silent("away"), End.SILENT)],
)
def test_when_the_time_is_up_the_end_says_whether_it_waits_or_nobody_answers(
    given: Any, end: End
) -> None:
    watch = Watch(Answers(given), lambda _: None, lambda _: None, every=0.001, timeout=0.003)
    with pytest.raises((Waiting, Silent)) as ended:
        watch.until("e", {"closed"})
    assert ended.value.end is end


def test_an_address_without_its_token_is_a_wrong_use() -> None:
    with pytest.raises(Missing, match="OPERATOR_TOKEN_FILE") as ended:
        client({"RETENTION_URL": "http://127.0.0.1:1"})
    assert ended.value.end is End.USAGE


def test_every_command_asks_for_a_route_that_the_service_has_with_members_that_it_takes() -> None:
    text = (ROOT / "docs" / "interfaces" / "openapi-retention.json").read_bytes()
    site = orjson.loads(text)
    for verb in VERBS:
        route = site["paths"][verb.path][verb.method.lower()]
        queries = {f"?{one['name']}" for one in route.get("parameters", []) if one["in"] == "query"}
        said = {one.place for one in verb.options if one.place.startswith("?")}
        assert said <= queries, verb
        bodied = any(one.place.startswith("/") for one in verb.options)
        assert bodied == ("requestBody" in route), verb
        for one in verb.options:
            if one.place.startswith("/"):
                reference = route["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                body = site["components"]["schemas"][reference.rpartition("/")[2]]
                assert one.place.split("/")[1] in body["properties"], (verb.name, one.place)


def test_every_command_says_what_it_does() -> None:
    for words in [[], *([verb.group, verb.name] for verb in VERBS)]:
        done = CliRunner().invoke(colophon, [*words, "--help"])
        assert (done.exit_code, "Usage:" in done.output) == (0, True)


def test_what_is_said_stands_at_its_place_in_the_body() -> None:
    assert placed([("/requester/email", "a@b.c"), ("/requester/name", "A"), ("/kinds", ["x"])]) == {
        "requester": {"email": "a@b.c", "name": "A"},
        "kinds": ["x"],
    }
    kept = Parts("class", "reason", "review-at", moment="review-at")
    assert kept.convert("account:legal-claims:2031-05-01", None, None) == {
        "class": "account",
        "reason": "legal-claims",
        "review-at": "2031-05-01T00:00:00.000Z",
    }


def test_names_in_a_path_are_quoted_and_the_next_page_is_found() -> None:
    (clock,) = [one for one in VERBS if (one.group, one.name) == ("clocks", "show")]
    assert asked(clock, {"_kind": "work", "_record": "a b/c"}).path == "/clocks/work/a%20b%2Fc"
    (requests,) = [one for one in VERBS if (one.group, one.name) == ("requests", "list")]
    assert cursor_of({"next": "/requests?rows=2&cursor=12-ab"}, requests) == "12-ab"
    assert cursor_of({"next": None}, requests) is None


# -- Packages


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "retention.key")


def made(folder: Path, signer: Signer, **changed: bytes) -> Path:
    """Make a package; ``changed`` are files that are not as the manifest says."""
    files = {"index.html": b"<p>all</p>", "processing.json": b"{}"}
    said = {
        name: {"sha256": package.hashlib.sha256(data).hexdigest(), "octets": len(data)}
        for name, data in files.items()
    }
    signed = signer.signed(manifest("p", AT, said, {}, {"accounts": "answered"}), created=AT)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in {**files, **changed}.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", orjson.dumps(signed))
    path = folder / "package.zip"
    path.write_bytes(whole.getvalue())
    return path


def verified(path: Path, *keys: str) -> tuple[int, str]:
    done = CliRunner().invoke(colophon, ["verify-package", str(path), *keys])
    if isinstance(done.exception, Fault):
        return done.exception.end, done.output
    return done.exit_code, done.output


@pytest.mark.clause("DOAJ-9a2")
def test_a_package_as_it_was_made_holds_under_the_key_that_signed_it(
    tmp_path: Path, signer: Signer
) -> None:
    path = made(tmp_path, signer)
    end, said = verified(path, signer.public)
    assert (end, said.splitlines()[-1]) == (0, "The package holds.")
    end, said = verified(path)
    assert (end, said.splitlines()[-1]) == (0, "Its files agree; who signed it is NOT known.")


@pytest.mark.parametrize("change", [{"index.html": b"<p>ALL</p>"}, {"more.json": b"{}"}])
def test_a_package_with_a_file_changed_or_added_does_not_hold(
    tmp_path: Path, signer: Signer, change: dict[str, bytes]
) -> None:
    end, said = verified(made(tmp_path, signer, **change), signer.public)
    assert end == 1
    assert f"FAILS   {next(iter(change))}" in said


def test_a_package_signed_by_another_does_not_hold(tmp_path: Path, signer: Signer) -> None:
    other = Signer(tmp_path / "other.key")
    end, said = verified(made(tmp_path, signer), other.public)
    assert (end, "FAILS   signature" in said) == (1, True)


def test_what_is_no_package_or_no_key_is_a_wrong_use(tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / "letter.zip"
    path.write_bytes(b"no archive")
    assert verified(path)[0] == 2
    assert verified(made(tmp_path, signer), "no-key")[0] == 2
