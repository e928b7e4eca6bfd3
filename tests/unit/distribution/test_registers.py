"""Registers: what a file may say, what is wrong with it in whose words, and funders as a tree."""

import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.registers.funders import dois, grow, render_funder, render_single
from services.distribution.registers.records import Fault, Funder, Record, check, funder_id, read

NSF = Funder.model_validate(
    {
        "id": "100000001",
        "name": "National Science Foundation",
        "alt-names": [
            *("U.S. National Science Foundation", "USA NSF", "US National Science Foundation"),
            *("United States National Science Foundation", "US NSF", "NSF"),
        ],
        "location": "United States",
    }
)
ENGINEERING = Funder(id="100000084", name="Directorate for Engineering", parent="100000001")
DIVISION = Funder(id="100000147", name="Division of Innovation", parent="100000084")
BOARD = Funder(id="100005716", name="National Science Board", parent="100000001")
BOEING = Funder(id="100000003", name="Boeing", location="United States")
TREE = grow([BOARD, DIVISION, NSF, ENGINEERING, BOEING])


def lines(*said: object) -> list[bytes]:
    return [one if isinstance(one, bytes) else orjson.dumps(one) for one in said]


def found(register: str, *said: object) -> list[str]:
    known: list[tuple[int, Record]] = []
    faults: list[Fault] = []
    for number, one in read(register, lines(*said)):
        if isinstance(one, Fault):
            faults.append(one)
        else:
            known.append((number, one))
    return [str(fault) for fault in faults or check(register, known)]


def test_everything_below_a_funder_is_its_descendant() -> None:
    assert TREE.descendants("100000001") == ("100000084", "100000147", "100005716")
    assert TREE.descendants("100000003") == ()
    assert TREE.above("100000147") == ["100000001", "100000084"]
    assert TREE.levels == {
        "100000001": 0,
        "100000003": 0,
        "100000084": 1,
        "100005716": 1,
        "100000147": 2,
    }


def test_a_funder_shows_its_parts_and_which_of_them_have_more() -> None:
    shown = render_single(NSF, TREE, works=3, with_descendants=5)
    assert shown["hierarchy"] == {"100000001": {"100000084": {"more": True}, "100005716": {}}}
    assert set(shown["hierarchy-names"]) == {"100000001", "100000084", "100005716"}
    assert (shown["work-count"], shown["descendant-work-count"]) == (3, 5)
    below = render_single(DIVISION, TREE, works=0, with_descendants=0)
    assert below["hierarchy"] == {"100000001": {"100000084": {"100000147": {}}}}


def test_a_funder_has_the_keys_types_and_words_of_the_real_service(samples: Path) -> None:
    folder = samples / "crossref" / "exchanges"
    file = folder / "200_funders_10_13039_100000001.json"
    if not file.is_file():
        pytest.skip(f"the sample {file.name} is absent")
    real = json.loads(file.read_text())["response"]["body"]["message"]
    shown = json.loads(orjson.dumps(render_single(NSF, TREE, works=3, with_descendants=5)))
    assert {name: type(value) for name, value in shown.items()} == {
        name: type(value) for name, value in real.items()
    }
    for name in ("id", "name", "alt-names", "location", "uri", "tokens", "replaces"):
        assert shown[name] == real[name]
    listed = json.loads((folder / "200_funders_rows_2.json").read_text())
    assert render_funder(NSF).keys() == listed["response"]["body"]["message"]["items"][0].keys()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100000001", "100000001"),
        ("10.13039/100000001", "100000001"),
        ("10.13039/notarealdoi", None),
        ("10.5555/100000001", None),
        ("", None),
    ],
)
def test_a_funder_is_named_by_its_number_or_its_doi(text: str, number: str | None) -> None:
    assert funder_id(text) == number
    assert dois(["1"]) == {"10.13039/1"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([b"{"], "line 1: not-json: write one JSON object a line; column 2"),
        ([b"", {"id": "1"}], "line 2: name: missing: add it, every line needs it"),
        (
            [{"id": "1", "name": "a", "web": "x"}],
            "line 1: web: extra-forbidden: leave it out, there is no such field",
        ),
        ([{"id": "x1", "name": "a"}], "line 1: id: string-pattern-mismatch"),
        (
            [{"id": "1", "name": "a"}, {"id": "1", "name": "b"}],
            "line 2: twice: 1 has a line already; keep one of them",
        ),
        (
            [{"id": "1", "name": "a", "parent": "2"}],
            "line 1: parent-unknown: add a line for 2, or leave parent out",
        ),
        (
            [{"id": "1", "name": "a", "parent": "2"}, {"id": "2", "name": "b", "parent": "1"}],
            "line 1: parent-circle: mend the parents above 1",
        ),
        ([b"x" * 100_001], "line 1: line-too-long: keep it under 100000 bytes"),
    ],
)
def test_what_is_wrong_names_line_rule_and_remedy(said: list[object], expected: str) -> None:
    assert found("funders", *said)[0].startswith(expected)


def test_what_is_right_has_no_faults() -> None:
    assert not found(
        "funders",
        {"id": "1", "name": "a", "alt-names": ["b"], "replaced-by": ["2"]},
        {"id": "2", "name": "c", "replaces": ["1"], "parent": "1", "location": "Norway"},
    )
    assert not found("agencies", {"prefix": "10.5061", "agency": "DataCite"})
    assert found("agencies", {"prefix": "5061", "agency": "DataCite"})


@given(st.lists(st.binary(max_size=60)))
def test_no_bytes_stop_the_reader(said: list[bytes]) -> None:
    for _, one in read("funders", said):
        assert isinstance(one, Fault | Funder)
