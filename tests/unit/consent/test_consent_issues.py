"""Issues of lists: page after page, once each, whoever sends them how often."""

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from services.consent.model.issues import Counted, KeptIssue, ask, turn
from tests.unit.consent.given import accepted, at, refused, settled

NEW = KeptIssue(
    issue="2026-1", listed="news", subject="News", text="Hello", asked_at=at(0), consents=3
)


def test_of_one_name_there_is_one_issue() -> None:
    assert accepted(ask(None, NEW)) == NEW
    assert settled(ask(NEW, NEW.model_copy(update={"asked_at": at(9), "consents": 9}))) == NEW
    assert refused(ask(NEW, NEW.model_copy(update={"text": "Good-bye"}))) == "issue-differs"
    no_page = Counted()
    assert refused(turn(None, before="", after="a", counted=no_page, now=at(1))) == "issue-unknown"


@pytest.mark.clause("CRP-3c")
@over(
    st.lists(st.integers(1, 5), max_size=6),
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
def test_a_page_is_counted_once_however_many_send_it(pages: list[int], again: list[int]) -> None:
    state, before = NEW, ""
    for number, people in enumerate(pages):
        after = f"k{number}"
        for _ in range(1 + again[number]):
            counted = Counted(posted=people, refused=1)
            state = settled(turn(state, before=before, after=after, counted=counted, now=at(1)))
        before = after
    for _ in range(2):
        state = settled(turn(state, before=before, after=None, counted=Counted(), now=at(2)))
    assert state.ended_at == at(2)
    assert state.counted == Counted(posted=sum(pages), refused=len(pages))
    assert (
        settled(turn(state, before=before, after="z", counted=Counted(posted=1), now=at(3)))
        == state
    )
