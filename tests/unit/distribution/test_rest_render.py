"""The work object: what the deposit said, what is known now, and nothing that is withheld."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.rest.render import (
    EMPTY_IN_SINGLES,
    Ownership,
    RegisteredWork,
    render_item,
    render_single,
    stamp,
)
from services.distribution.rest.routes import SELECTS
from shared.policy import VISIBLE, Visible, Withheld, load

POLICY = load(Path(__file__).resolve().parents[3] / "deploy" / "policies" / "references.toml")
OWNER = Ownership("10.1016", 78, "Elm")
LIMITED = Withheld("limited", "limited")
MOMENT = dt.datetime(2024, 2, 3, 4, 5, 6, 789_000, tzinfo=dt.UTC)
CITES = {"id-type": "doi", "id": "10.1/cited", "asserted-by": "subject"}

WORKS = st.fixed_dictionaries(
    {"type": st.just("journal-article"), "title": st.just(["T"])},
    optional={
        "reference": st.lists(
            st.fixed_dictionaries({"key": st.just("r1"), "unstructured": st.just("SECRET")}),
            min_size=1,
            max_size=3,
        ),
        "relation": st.sampled_from(
            [{"cites": [CITES]}, {"cites": [CITES], "is-part-of": [CITES]}]
        ),
        "subtitle": st.just(["S"]),
        "issued": st.just({"date-parts": [[2020]]}),
    },
)
WITHHELD = st.sampled_from(
    [
        LIMITED,
        Withheld("closed", "closed"),
        Withheld("unknown-owner", None),
        Withheld("knowledge-stale", "open"),
    ]
)
SELECT = st.lists(st.sampled_from(SELECTS), max_size=5).map(tuple)


def record(work: dict[str, Any]) -> RegisteredWork:
    return RegisteredWork("10.1016/a", work, MOMENT, MOMENT, MOMENT)


def single(work: dict[str, Any], visibility: Visible | Withheld = VISIBLE) -> dict[str, Any]:
    return render_single(record(work), OWNER, cited_by=4, visibility=visibility, policy=POLICY)


def item(
    work: dict[str, Any],
    visibility: Visible | Withheld = VISIBLE,
    select: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    return render_item(
        record(work),
        OWNER,
        cited_by=4,
        visibility=visibility,
        policy=POLICY,
        select=select,
        **more,
    )


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-5")
@given(WORKS, WITHHELD, SELECT)
def test_no_form_of_a_withheld_work_holds_a_reference(
    work: dict[str, Any], withheld: Withheld, select: tuple[str, ...]
) -> None:
    before = orjson.dumps(work)
    for shown in (single(work, withheld), item(work, withheld), item(work, withheld, select)):
        assert b"SECRET" not in orjson.dumps(shown)
        assert "reference" not in shown
        assert "cites" not in shown.get("relation", {})
    assert orjson.dumps(work) == before


@pytest.mark.law("L4")
@given(WORKS, WITHHELD)
def test_only_references_and_the_word_on_them_differ(
    work: dict[str, Any], withheld: Withheld
) -> None:
    for render in (single, item):
        seen, hidden = render(work), render(work, withheld)
        differ = {name for name in {*seen, *hidden} if seen.get(name) != hidden.get(name)}
        assert differ <= {"reference", "relation", "references-withheld"}
        assert hidden["reference-count"] == hidden["references-count"] == seen["reference-count"]


@given(WORKS, WITHHELD, SELECT)
def test_the_word_on_withheld_references_stands_exactly_where_they_would(
    work: dict[str, Any], withheld: Withheld, select: tuple[str, ...]
) -> None:
    for render in (single, item):
        assert ("references-withheld" in render(work, withheld)) is ("reference" in render(work))
        assert "references-withheld" not in render(work)
    would = "reference" in item(work, VISIBLE, select)
    assert ("references-withheld" in item(work, withheld, select)) is (
        would if select else "reference" in work
    )


def test_a_withheld_list_says_why_and_by_which_setting() -> None:
    shown = item({"reference": [{"key": "1"}]}, LIMITED)
    assert shown["references-withheld"] == {"reason": "limited", "reference-visibility": "limited"}


@given(WORKS, SELECT.filter(bool))
def test_selected_items_hold_only_what_was_selected_and_is_there(
    work: dict[str, Any], select: tuple[str, ...]
) -> None:
    shown, full = item(work, VISIBLE, select), item(work)
    assert shown == {name: full[name] for name in full if name in select}


def test_singles_show_their_empties_and_lists_drop_them() -> None:
    work: dict[str, Any] = {"type": "journal-article", "relation": {"cites": [CITES]}}
    shown = single(work, LIMITED)
    assert {name: shown[name] for name in EMPTY_IN_SINGLES} == EMPTY_IN_SINGLES
    assert EMPTY_IN_SINGLES.keys() & item(work, LIMITED).keys() == set()


def test_what_is_known_only_now_is_added() -> None:
    shown = single({"type": "journal-article", "issued": {"date-parts": [[2020]]}})
    assert shown["indexed"] == {
        "date-parts": [[2024, 2, 3]],
        "date-time": "2024-02-03T04:05:06Z",
        "timestamp": 1_706_933_106_789,
    }
    now = {
        "DOI": "10.1016/a",
        "URL": "https://doi.org/10.1016/a",
        "prefix": "10.1016",
        "member": "78",
        "publisher": "Elm",
        "source": "Crossref",
        "score": 1,
        "is-referenced-by-count": 4,
        "reference-count": 0,
        "references-count": 0,
    }
    assert {name: shown[name] for name in now} == now


def test_a_list_shows_the_score_it_was_found_with() -> None:
    assert item({}, score=12.5)["score"] == 12.5
    assert item({})["score"] == 1.0


def test_an_unknown_owner_is_not_invented() -> None:
    shown = render_single(
        record({"reference": [{"key": "1"}]}),
        Ownership("10.1016", None, None),
        cited_by=0,
        visibility=Withheld("unknown-owner", None),
        policy=POLICY,
    )
    assert not {"member", "publisher", "reference"} & shown.keys()
    assert shown["references-withheld"] == {"reason": "unknown-owner"}


def test_an_unknown_date_of_issue_is_said_to_be_unknown() -> None:
    assert single({})["issued"] == {"date-parts": [[None]]}


@given(st.datetimes(dt.datetime(2, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 (a bound)
def test_a_stamp_is_one_moment_said_three_times(moment: dt.datetime) -> None:
    said = stamp(moment)
    read = dt.datetime.fromisoformat(said["date-time"])
    assert [[read.year, read.month, read.day]] == said["date-parts"]
    assert abs(moment - read) < dt.timedelta(seconds=1)
    assert said["timestamp"] // 1000 == int(read.timestamp())
    assert stamp(moment.isoformat()) == said


@pytest.mark.parametrize(
    "name", ["200_works_10_1371_journal_pone_0033693", "200_works_10_1109_icdcsw_2003_1203662"]
)
def test_a_single_work_has_the_keys_and_types_of_the_real_service(samples: Path, name: str) -> None:
    file = samples / "crossref" / "exchanges" / f"{name}.json"
    if not file.is_file():
        pytest.skip(f"the sample {file.name} is absent")
    real = json.loads(file.read_text())["response"]["body"]["message"]
    computed = {"indexed", "created", "deposited", "member", "prefix", "publisher", "source"}
    computed |= {"score", "is-referenced-by-count", "URL", "DOI"}
    said = {k: v for k, v in real.items() if k not in computed and v not in ([], {})}
    shown = render_single(
        RegisteredWork(
            real["DOI"],
            said,
            *(real[at]["date-time"] for at in ("created", "deposited", "indexed")),
        ),
        Ownership(real["prefix"], int(real["member"]), real["publisher"]),
        cited_by=real["is-referenced-by-count"],
        visibility=VISIBLE,
        policy=POLICY,
    )
    exact = {k: v for k, v in real.items() if k != "indexed"}
    assert {k: v for k, v in shown.items() if k != "indexed"} == exact
    # The indexed stamp of the wire is finer than its date-time, and names the indexer's release.
    assert shown["indexed"]["date-time"] == real["indexed"]["date-time"]
