"""Rights at the broker as deploy/topics.toml implies them."""

import re

import pytest

from shared.kafka import rights
from shared.kafka.dead import groups
from shared.kafka.topics import declared

TOPICS = declared().values()


@pytest.mark.parametrize("prefix", ["", "p."])
def test_every_topic_is_written_by_its_writer_and_by_nobody_else(prefix: str) -> None:
    given = {one for service in rights.services() for one in rights.of_service(service, prefix)}
    writers = {
        (one.user, one.name)
        for one in given
        if one.resource == "topic" and one.operation == "write"
    }
    assert writers == {(topic.writer, prefix + topic.name) for topic in TOPICS}


def test_a_service_reads_its_own_topics_and_every_other_that_holds_no_personal_values() -> None:
    for service in rights.services() - {"retention"}:
        read = {
            one.name
            for one in rights.of_service(service)
            if one.resource == "topic" and one.operation == "read"
        }
        assert read == {
            topic.name
            for topic in TOPICS
            if ".personal." not in topic.name or topic.writer == service
        }


def test_retention_reads_every_topic_for_it_shows_that_nothing_is_left() -> None:
    given = rights.of_service("retention")
    read = {one.name for one in given if (one.resource, one.operation) == ("topic", "read")}
    assert read == {topic.name for topic in TOPICS}


@pytest.mark.parametrize("prefix", ["", "p."])
def test_groups_and_transactional_ids_are_the_services_own(prefix: str) -> None:
    for group in groups():
        service = group.partition(".")[0]
        own = {
            (one.operation, one.resource)
            for one in rights.of_service(service, prefix)
            if one.pattern == "prefixed" and (prefix + group).startswith(one.name)
        }
        assert own == {("read", "group"), ("write", "transactional-id")}
        for other in rights.services() - {service}:
            assert not any(
                one.pattern == "prefixed" and (prefix + group).startswith(one.name)
                for one in rights.of_service(other, prefix)
            )


@pytest.mark.clause("CRR-6")
def test_an_indexer_reads_products_of_its_audiences_and_writes_nothing() -> None:
    known = rights.of_indexer(78)
    agreed = rights.of_indexer(78, audiences={"public", "plus"})
    assert {one.operation for one in agreed} == {"read"}
    assert {one.name for one in known} == {"indexer-78.", "distribution.open.v1"}
    assert {one.name for one in agreed - known} == {"distribution.plus.v1"}
    assert {one.user for one in agreed} == {"indexer-78"}


def test_no_indexer_reaches_anothers_groups() -> None:
    short, long = rights.of_indexer(7), rights.of_indexer(78)
    [group] = [one.name for one in short if one.resource == "group"]
    assert not any(one.name.startswith(group) for one in long)


def test_every_right_lies_under_the_prefix() -> None:
    for one in rights.of_service("distribution", "p.") | rights.of_indexer(7, "p."):
        assert one.name.startswith("p.")


@pytest.mark.parametrize(
    ("user", "organisation"),
    [
        ("indexer-78", 78),
        ("indexer-078", None),
        ("indexer-0", None),
        ("indexer-", None),
        ("indexer-78x", None),
        ("indexer-78\n", None),
        ("indexer-" + "9" * 17, None),
        ("distribution", None),
    ],
)
def test_a_user_is_an_organisations_indexer_by_its_whole_name(
    user: str, organisation: int | None
) -> None:
    assert rights.organisation_of(user) == organisation
    assert organisation is None or rights.indexer(organisation) == user


def test_no_service_is_called_like_an_indexer_or_the_brokers_own_users() -> None:
    for service in rights.services():
        assert not service.startswith("indexer-")
        assert service not in {"admin", "broker"}
        assert re.fullmatch(r"[a-z]+", service)
