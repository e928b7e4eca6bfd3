"""Kafka's requests about rights and users, in the client's manner.

The client has the layouts for rights, one right a request, and none for users (KIP-554); what is
here adds the plural and the missing layouts. Names and order are those of Kafka's protocol.
"""

from collections.abc import Sequence
from typing import Any, Final

from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

# Kafka's words, each at the place of its code.
OPERATIONS: Final = (
    *("unknown", "any", "all", "read", "write", "create", "delete", "alter", "describe"),
    *("cluster-action", "describe-configs", "alter-configs", "idempotent-write"),
    *("create-tokens", "describe-tokens", "two-phase-commit"),
)
RESOURCES: Final = (
    *("unknown", "any", "topic", "group", "cluster", "transactional-id", "delegation-token"),
    "user",
)
PATTERNS: Final = ("unknown", "any", "match", "literal", "prefixed")
ANY: Final = 1
ALLOW: Final = 3
SCRAM_SHA_256: Final = 1

_TEXT: Final = CompactString("utf-8")
_TAGS: Final = ("tags", TaggedFields)
_OUTCOME: Final = (("error_code", Int16), ("error_message", _TEXT))


class CreateAcls(Request[CreateAclsRequest_v1]):  # type: ignore[misc]
    """Give rights: resource, name, pattern, principal, host, operation, permission of each."""

    API_KEY = CreateAclsRequest_v1.API_KEY

    def __init__(self, rights: Sequence[tuple[Any, ...]]) -> None:
        self._rights = list(rights)

    def build(self, layout: type[RequestStruct]) -> RequestStruct:
        """Fill the layout that the broker takes."""
        return layout(self._rights)


class DeleteAcls(Request[DeleteAclsRequest_v1]):  # type: ignore[misc]
    """Take away what matches one of the filters, of the same fields."""

    API_KEY = DeleteAclsRequest_v1.API_KEY

    def __init__(self, filters: Sequence[tuple[Any, ...]]) -> None:
        self._filters = list(filters)

    def build(self, layout: type[RequestStruct]) -> RequestStruct:
        """Fill the layout that the broker takes."""
        return layout(self._filters)


class DescribeUsersResponse_v0(Response):  # type: ignore[misc]  # noqa: N801  (as the client's)
    """What the broker knows of users with passwords."""

    API_KEY, API_VERSION = 50, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        *_OUTCOME,
        (
            "results",
            CompactArray(
                ("user", _TEXT),
                *_OUTCOME,
                ("infos", CompactArray(("mechanism", Int8), ("iterations", Int32), _TAGS)),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class DescribeUsersRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801
    """Ask which users there are; null: all."""

    FLEXIBLE_VERSION = True
    API_KEY, API_VERSION = 50, 0
    RESPONSE_TYPE = DescribeUsersResponse_v0
    SCHEMA = Schema(("users", CompactArray(("name", _TEXT), _TAGS)), _TAGS)


class DescribeUsers(Request[DescribeUsersRequest_v0]):  # type: ignore[misc]
    """Ask for all users with passwords."""

    API_KEY = DescribeUsersRequest_v0.API_KEY

    def build(self, layout: type[RequestStruct]) -> RequestStruct:
        """Fill the layout that the broker takes."""
        return layout(None, {})


class AlterUsersResponse_v0(Response):  # type: ignore[misc]  # noqa: N801
    """What became of each change."""

    API_KEY, API_VERSION = 51, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("results", CompactArray(("user", _TEXT), *_OUTCOME, _TAGS)),
        _TAGS,
    )


class AlterUsersRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801
    """Take users' passwords away, or set them."""

    FLEXIBLE_VERSION = True
    API_KEY, API_VERSION = 51, 0
    RESPONSE_TYPE = AlterUsersResponse_v0
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", _TEXT), ("mechanism", Int8), _TAGS)),
        (
            "upsertions",
            CompactArray(
                ("name", _TEXT),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class AlterUsers(Request[AlterUsersRequest_v0]):  # type: ignore[misc]
    """Take passwords away (name, mechanism) and set them (and iterations, salt, salted word)."""

    API_KEY = AlterUsersRequest_v0.API_KEY

    def __init__(
        self, deletions: Sequence[tuple[Any, ...]] = (), upsertions: Sequence[tuple[Any, ...]] = ()
    ) -> None:
        self._deletions = [(*one, {}) for one in deletions]
        self._upsertions = [(*one, {}) for one in upsertions]

    def build(self, layout: type[RequestStruct]) -> RequestStruct:
        """Fill the layout that the broker takes."""
        return layout(self._deletions, self._upsertions, {})
