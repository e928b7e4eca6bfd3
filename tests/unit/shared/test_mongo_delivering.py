"""How long deliveries are tried, and whose turn it is."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.mongo.deliveries import Delivery, Settled
from shared.mongo.delivering import EACH, Failed, Patience, Sent, choose

NOW = datetime(2026, 2, 3, tzinfo=UTC)
PATIENCE = Patience(first=5, most=3600, span=86_400)


def delivery(name: str = "a", *, tries: int = 1, share: str = "s", age: float = 0) -> Delivery:
    since = NOW - timedelta(seconds=age)
    return Delivery(name, "callback", {}, share, "waiting", tries, since, NOW, None, None)


def test_what_succeeded_is_done_and_what_never_can_is_given_up_at_once() -> None:
    tried = delivery()
    assert PATIENCE.settled(tried, Sent("204"), now=NOW, spread=0) == Settled("done", "204")
    final = Failed("410", final=True)
    assert PATIENCE.settled(tried, final, now=NOW, spread=0) == Settled("dead", "410")


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_double_up_to_the_longest_and_are_shortened_by_half_at_most(
    tries: int, spread: float
) -> None:
    settled = PATIENCE.settled(delivery(tries=tries), Failed("500"), now=NOW, spread=spread)
    assert settled.due is not None
    whole = min(PATIENCE.most, PATIENCE.first * 2 ** min(tries - 1, 60))
    pause = (settled.due - NOW).total_seconds()
    assert whole / 2 - 0.001 <= pause <= whole


@given(st.floats(0, 1, exclude_max=True))
def test_a_delivery_is_tried_for_its_time_and_then_given_up(spread: float) -> None:
    tries, now = 1, NOW
    while True:
        one = delivery(tries=tries)
        settled = PATIENCE.settled(one, Failed("500"), now=now, spread=spread)
        if settled.state == "dead":
            break
        assert settled.due is not None
        assert now < settled.due <= one.since + timedelta(seconds=PATIENCE.span)
        tries, now = tries + 1, settled.due
    assert now > NOW + timedelta(seconds=PATIENCE.span - PATIENCE.most)


@given(
    st.lists(st.sampled_from("abc"), max_size=40),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, EACH + 2)),
    st.integers(0, 40),
)
def test_places_are_given_in_turns_and_none_beyond_its_share(
    shares: list[str], held: dict[str, int], free: int
) -> None:
    candidates = [delivery(str(place), share=share) for place, share in enumerate(shares)]
    chosen = choose(candidates, held, free)
    assert len(chosen) <= free
    taken = Counter(one.share for one in chosen)
    for share, count in taken.items():
        assert count + held.get(share, 0) <= EACH
        of_share = [one.id for one in candidates if one.share == share]
        assert [one.id for one in chosen if one.share == share] == of_share[:count]
    # Nobody waits while there is room, and nobody has two more than another who waits.
    if len(chosen) < free:
        for share, count in Counter(shares).items():
            assert taken[share] == min(count, max(0, EACH - held.get(share, 0)))
    for waits in set(shares):
        if taken[waits] < min(shares.count(waits), EACH - held.get(waits, 0)):
            mine = taken[waits] + held.get(waits, 0)
            assert all(
                taken[one] == 0 or taken[one] + held.get(one, 0) <= mine + 1 for one in taken
            )
