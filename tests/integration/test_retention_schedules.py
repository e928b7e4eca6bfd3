"""Versions of the schedule, lists and reviews on the real service."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.retention.commands.reports import ROUNDS, KeptRounds
from services.retention.model.erasure_states import Exempt
from services.retention.model.reviews import Counts, KeptReview
from services.retention.store import keeping as keeping_of
from services.retention.store.erasures import open_erasures
from services.retention.store.holding import open_reviews
from shared.events.decisions import Refused
from shared.kafka import topics
from shared.mongo import Accepted
from shared.runtime.ids import new_id
from tests.keeping import SCHEDULE, TEXT, Kept, keeping
from tests.platform import Platform
from tests.processes import Place, until
from tests.unit.retention.test_erasures import an_erasure

NEXT_MONTH = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
OLD = "2010-01-01"


@pytest.fixture(scope="module")
async def kept(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("schedules")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with keeping(place) as made:
        yield made


def version(label: str, *changes: tuple[str, str, str]) -> str:
    """Return the shipped file with another label, and changes inside rows: id, old, new."""
    text = TEXT.replace(f'version = "{SCHEDULE.version}"', f'version = "{label}"')
    for row, old, new in changes:
        before, found = text.split(f'id = "{row}"', 1)
        assert old in found
        text = f'{before}id = "{row}"{found.replace(old, new, 1)}'
    return text


def years_ago(years: float) -> str:
    return (datetime.now(UTC) - timedelta(days=365.25 * years)).date().isoformat()


async def publish(kept: Kept, text: str, **more: Any) -> Any:
    return await kept.ok("POST", "/schedules", {"text": text, "by": "operator-1", **more})


@pytest.mark.law("P6")
@pytest.mark.clause("DOAJ-6a2")
async def test_a_change_is_previewed_and_approved_by_two_before_anything_is_due_by_it(
    kept: Kept,
) -> None:
    keys = await kept.some_keys()
    for number in range(20):
        facts = ("rejected", years_ago(6.5 if number < 5 else 1))
        held = [keys] if number == 0 else []
        await kept.record("application", f"p{number}", facts, keys=held)
    hold = {"matter": "case-1", "reason": "legal-claims", "placed-by": "operator-1"}
    named = {"records": [{"kind": "application", "record": "p0"}], "review-on": NEXT_MONTH}
    placed = await kept.ok("POST", "/holds", hold | named)
    text = version("shorter", ("rejected-application", "P7Y", "P6Y"))
    said = await publish(kept, text)
    assert (said["stage"], said["in-force"]) == ("proposed", False)
    status, problem = await kept("POST", "/schedules/shorter/approve", {"by": "operator-2"})
    assert (status, problem["type"][-22:]) == (409, "schedule-not-previewed")

    preview = await kept.ok("POST", "/schedules/shorter/preview")
    assert (preview["against"], preview["at_once"], preview["held"]) == (SCHEDULE.version, 5, 1)
    assert preview["needs"] == 2
    changes = {(one["rule"], one["change"]): one for one in preview["changes"]}
    assert set(changes) == {("rejected-application", name) for name in ("at-once", "sooner")}
    at_once = changes["rejected-application", "at-once"]
    assert (at_once["records"], sum(at_once["months"].values())) == (5, 5)
    samples = {one["record"]: one for one in at_once["samples"]}
    assert samples["p0"]["holds"] == [placed["hold"]]
    assert samples["p1"]["after"] < preview["starts"] < samples["p1"]["before"]

    approve = "/schedules/shorter/approve"
    assert (await kept("POST", approve, {"by": "operator-1"}))[0] == 403  # who published it
    once = await kept.ok("POST", approve, {"by": "operator-2"})
    again = await kept.ok("POST", approve, {"by": "operator-2"})
    assert once["stage"] == again["stage"] == "previewed"
    versions = (await kept.ok("GET", "/schedules"))["schedules"]
    assert [one["schedule"] for one in versions if one["in-force"]] == [SCHEDULE.version]
    before = datetime.now(UTC)
    done = await kept.ok("POST", approve, {"by": "operator-3"})
    assert (done["stage"], done["in-force"]) == ("approved", True)
    assert datetime.fromisoformat(done["in-force-from"]) >= before

    # As of before, the old version is what counted; what is true now is another thing.
    then = await kept.ok(
        "GET", f"/as-of?date={before:%Y-%m-%dT%H:%M:%S}Z&kind=application&record=p1"
    )
    assert (then["schedule"], then["clocks"][0]["verdict"]) == (SCHEDULE.version, "early")
    now = datetime.now(UTC)
    since = await kept.ok(
        "GET", f"/as-of?date={now:%Y-%m-%dT%H:%M:%S.%f}Z&kind=application&record=p1"
    )
    assert (since["schedule"], since["clocks"][0]["verdict"]) == ("shorter", "due")
    held_then = await kept.ok(
        "GET", f"/as-of?date={now:%Y-%m-%dT%H:%M:%S.%f}Z&kind=application&record=p0"
    )
    assert (held_then["holds"], held_then["clocks"][0]["verdict"]) == ([placed["hold"]], "held")

    async def fired() -> Any:
        found = await kept.records.load_many([f"application:p{n}" for n in range(20)])
        done = {one.record: one.settled[0] for one in found.values() if one.settled}
        return done if len(done) >= 4 else None

    # The rows are folded anew by the version that counts: what it makes due is due, and no more.
    done = await until(fired, within=40, what="what the change made due")
    assert {one.schedule for one in done.values()} == {"shorter"}
    assert set(done) == {"p1", "p2", "p3", "p4"}
    assert all(one.at >= before for one in done.values())


@pytest.mark.law("P6")
async def test_a_version_that_cannot_be_obeyed_is_refused_and_says_where(kept: Kept) -> None:
    for text, says in (
        ("version = ", "TOML"),
        (version("odd", ("rejected-application", "P7Y", "7 years")), "rule"),
        (
            version("odd", ("archived-volunteer-application", '"volunteer-application"]', '"x"]')),
            "x",
        ),
        (version(SCHEDULE.version) + "# a remark\n", "version"),
    ):
        status, problem = await kept("POST", "/schedules", {"text": text, "by": "operator-1"})
        assert status in (409, 422)
        assert says in problem["detail"]
    past = {"text": version("late"), "by": "operator-1", "starts": "2020-01-01T00:00:00Z"}
    assert (await kept("POST", "/schedules", past))[0] == 422
    ahead = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    await publish(kept, version("ahead"), starts=ahead)
    preview = await kept.ok("POST", "/schedules/ahead/preview")
    assert preview["needs"] == 1
    done = await kept.ok("POST", "/schedules/ahead/approve", {"by": "operator-2"})
    assert (done["stage"], done["in-force"]) == ("approved", False)
    why = {"by": "operator-2", "why": "mistake"}
    assert (await kept.ok("POST", "/schedules/ahead/withdraw", why))["stage"] == "withdrawn"


@pytest.mark.clause("DOAJ-6b2")
@pytest.mark.clause("DOAJ-6b3")
async def test_old_accounts_without_records_are_listed_and_those_of_unknown_age_apart(
    kept: Kept,
) -> None:
    await kept.record("account", "old", ("registered", "2018-02-28"))
    await kept.record("account", "young", ("registered", "2018-03-01"))
    used = ("record-linked", OLD, "journal:1")
    await kept.record("account", "used", ("registered", OLD), used)
    await kept.record("account", "unknown", ("registered", None))
    await kept.record("account", "unknown-used", ("registered", None), used)
    found: dict[str, list[str]] = {"listed": [], "undated": []}
    cursor = ""
    while True:
        query = f"as-of=2025-03-01T00:00:00Z&rows=1&cursor={cursor}"
        page = await kept.ok("GET", f"/reports/stale-accounts?{query}")
        for name in found:
            found[name] += [one["record"] for one in page[name]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert found == {"listed": ["old"], "undated": ["unknown"]}
    day_before = await kept.ok("GET", "/reports/stale-accounts?as-of=2025-02-28T23:59:59Z")
    assert day_before["listed"] == []
    ahead = (datetime.now(UTC) + timedelta(days=9)).strftime("%Y-%m-%dT00:00:00Z")
    assert (await kept("GET", f"/reports/stale-accounts?as-of={ahead}"))[0] == 422


@pytest.mark.clause("DOAJ-6b2")
async def test_that_an_account_of_a_list_goes_is_a_decision_of_two_and_none_where_it_is_held(
    kept: Kept,
) -> None:
    keys = await kept.some_keys()
    await kept.record("account", "idle", ("registered", OLD), keys=[keys])
    await kept.record("account", "fresh", ("registered", years_ago(1)))
    review = new_id()
    store = open_reviews(kept.database)
    new = KeptReview(
        review=review,
        rule="stale-account",
        clause="DOAJ-6b2",
        schedule=SCHEDULE.version,
        action="report",
        office="team",
        needs=SCHEDULE.rule("stale-account").approvers,
        kind="account",
        due=datetime.now(UTC),
        asked_at=datetime.now(UTC),
        counts=Counts(records=2, listed=1, undated=0, held=0),
        version=1,
    )
    saved: Any = await store.update(review, lambda _known: Accepted(new, ()))
    assert not isinstance(saved, Refused)
    path = f"/reviews/{review}/decide"
    said = {"choice": "delete", "why": "unused"}
    status, problem = await kept("POST", path, said | {"by": "operator-1", "record": "fresh"})
    assert (status, problem["type"][-20:]) == (409, "review-not-of-record")
    hold = {"matter": "case-2", "reason": "legal-claims", "placed-by": "operator-1"}
    named = {"records": [{"kind": "account", "record": "idle"}], "review-on": NEXT_MONTH}
    placed = await kept.ok("POST", "/holds", hold | named)
    status, problem = await kept("POST", path, said | {"by": "operator-1", "record": "idle"})
    assert (status, placed["hold"] in problem["detail"]) == (409, True)
    release = {"by": "operator-1", "why": "settled"}
    await kept.ok("POST", f"/holds/{placed['hold']}/release", release)
    first = await kept.ok("POST", path, said | {"by": "operator-1", "record": "idle"})
    assert [one["by"] for one in first["decisions"]] == [["operator-1"]]
    both = await kept.ok("POST", path, said | {"by": "operator-2", "record": "idle"})
    assert [one["by"] for one in both["decisions"]] == [["operator-1", "operator-2"]]
    assert both["open"]
    open_ = await kept.ok("GET", "/reviews?open=true&rule=stale-account")
    assert [one["review"] for one in open_["reviews"]] == [review]
    done = {"choice": "done", "why": "looked-through", "by": "operator-1"}
    assert not (await kept.ok("POST", path, done))["open"]


@pytest.mark.clause("DOAJ-6b2")
@pytest.mark.clause("DOAJ-6b3")
async def test_each_year_a_list_is_made_by_itself_once_with_its_counts(kept: Kept) -> None:
    await kept.record("account", "y-old", ("registered", OLD))
    await kept.record("account", "y-unknown", ("registered", None))
    rounds = keeping_of(kept.database, ROUNDS, KeptRounds)

    def back(known: Any) -> Accepted[KeptRounds]:
        year_ago = datetime.now(UTC) - timedelta(days=366)
        return Accepted(KeptRounds(until=year_ago, version=known.version + 1), ())

    async def begun() -> Any:
        return await rounds.load(ROUNDS)

    await until(begun, what="the first look at rounds")
    await rounds.update(ROUNDS, back)

    async def made() -> Any:
        found = await kept.ok("GET", "/reviews?rule=stale-account&open=true")
        return [one for one in found["reviews"] if one["counts"] and one["counts"]["records"] > 2]

    found = await until(made, within=20, what="the list of the year")
    only = max(found, key=lambda one: one["due"])
    assert (only["action"], only["needs"], only["office"]) == ("report", 2, "team")
    assert only["due"][5:10] == "11-01"  # a year after the rule began, and each year from then on
    assert only["counts"]["listed"] >= 1
    assert only["counts"]["undated"] >= 1
    shown = await kept.ok("GET", f"/reports/stale-accounts?as-of={only['due']}&rows=1000")
    assert len(shown["listed"]) == only["counts"]["listed"]
    assert len(shown["undated"]) == only["counts"]["undated"]


@pytest.mark.clause("DOAJ-6a4")
async def test_what_an_erasure_kept_is_looked_at_again_on_the_day_that_was_named(
    kept: Kept,
) -> None:
    now = datetime.now(UTC)
    soon, later = now + timedelta(seconds=3), now + timedelta(days=400)
    erasures = open_erasures(kept.database).erasures
    certified = {"looking": now, "certified": now}

    def exempt(cls: str, at: datetime) -> Exempt:
        return Exempt.model_validate(
            {"cls": cls, "reason": "legal-obligation", "review_at": at.isoformat()}
        )

    async def erased(step: str, times: dict[str, datetime], *kept_by: Exempt) -> str:
        one = an_erasure(erasure=new_id(), step=step, times=times, exempt=kept_by)
        saved: Any = await erasures.update(one.erasure, lambda _known: Accepted(one, ()))
        assert not isinstance(saved, Refused)
        return one.erasure

    # Requests have a rule of their own; what was refused kept nothing.
    done = await erased(
        "closed",
        certified,
        exempt("account", soon),
        exempt("notes", later),
        exempt("support", soon),
    )
    await erased("refused", {"looking": now}, exempt("account", soon))

    async def opened() -> Any:
        found = await kept.ok("GET", "/reviews?rule=exempted")
        return found["reviews"] or None

    (review,) = await until(opened, within=20, what="the review of what was kept")
    assert (review["kind"], review["record"]) == ("exemption", f"{done}.account")
    assert (review["open"], review["office"]) == (True, "privacy-officer")
    assert datetime.fromisoformat(review["due"]) >= soon - timedelta(milliseconds=1)
    at = f"/reviews/{review['review']}/decide"
    said = {"choice": "keep", "by": "operator-1", "why": "books-still-open"}
    decided = await kept.ok("POST", at, said | {"until": NEXT_MONTH})
    assert decided["open"] is False
    # It is asked once; what was decided is not asked again before its day.
    found = (await kept.ok("GET", "/reviews?rule=exempted"))["reviews"]
    assert [one["open"] for one in found] == [False]


@pytest.mark.clause("DOAJ-9a1")
async def test_an_answered_request_is_looked_at_after_three_years(kept: Kept) -> None:
    await kept.record("request", "r-old", ("received", OLD), ("answered", OLD))
    found = await kept.ok("GET", "/clocks/request/r-old")
    (clock,) = [one for one in found["clocks"] if one["rule"] == "answered-request"]
    assert (clock["action"], clock["clause"]) == ("review", "DOAJ-9a1")

    async def asked() -> Any:
        found = await kept.ok("GET", "/reviews?rule=answered-request&open=true")
        return found["reviews"] or None

    (review,) = await until(asked, within=30, what="the review of the request")
    assert (review["record"], review["office"]) == ("r-old", "privacy-officer")
