"""The tree of records: the roots and proofs of RFC 6962, and nothing else verifies."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.privacy.transparency import (
    EMPTY_ROOT,
    Frontier,
    MissingNodes,
    Node,
    consistency,
    continues,
    cover,
    includes,
    inclusion,
    leaf_hash,
    node_hash,
    prove,
    root_of,
)

# The leaves, roots and proofs of the tests of google/certificate-transparency and
# transparency-dev/merkle, which every implementation is compared with.
RECORDS = [
    bytes.fromhex(one)
    for one in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCY: dict[tuple[int, int], list[str]] = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}

SIZE = 64
LEAVES = [leaf_hash(bytes([number])) for number in range(SIZE)]
SIZES = st.integers(1, SIZE)


def grown(leaves: Sequence[bytes]) -> tuple[list[bytes], dict[Node, bytes]]:
    """Return the root at each size, and all that is to be kept."""
    frontier, kept = Frontier(), dict[Node, bytes]()
    roots = [frontier.root()]
    for leaf in leaves:
        frontier, new = frontier.appended(leaf)
        kept.update(new)
        roots.append(frontier.root())
    return roots, kept


ALL_ROOTS, KEPT = grown(LEAVES)


def whole_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root as RFC 6962 section 2.1 writes it down."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(whole_root(leaves[:half]), whole_root(leaves[half:]))


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


class Kept:
    """A store of hashes in memory."""

    def __init__(self, hashes: Mapping[Node, bytes]) -> None:
        self.all = hashes
        self.reads = 0

    async def hashes(self, nodes: Sequence[Node]) -> Mapping[Node, bytes]:
        self.reads += 1
        return {node: self.all[node] for node in nodes if node in self.all}


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_tests(size: int) -> None:
    assert root_of(map(leaf_hash, RECORDS[:size])).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_those_of_the_reference_tests(index: int, size: int) -> None:
    _, kept = grown([leaf_hash(one) for one in RECORDS])
    assert [one.hex() for one in inclusion(index, size).proof(kept)] == INCLUSION[index, size]


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_consistency_proofs_are_those_of_the_reference_tests(first: int, second: int) -> None:
    _, kept = grown([leaf_hash(one) for one in RECORDS])
    proof = [one.hex() for one in consistency(first, second).proof(kept)]
    assert proof == CONSISTENCY[first, second]


def test_the_root_that_is_kept_up_is_the_root_of_all_leaves_at_every_size() -> None:
    for size in range(SIZE + 1):
        assert ALL_ROOTS[size] == whole_root(LEAVES[:size])


def test_a_frontier_is_taken_up_again_from_what_is_kept() -> None:
    for size in range(SIZE + 1):
        again = Frontier.kept(size, KEPT)
        assert again.root() == ALL_ROOTS[size]
        assert [node.level for node in cover(0, size)] == sorted(
            (bit for bit in range(7) if size >> bit & 1), reverse=True
        )


def test_every_leaf_of_every_tree_up_to_64_is_shown_by_its_proof() -> None:
    for size in range(1, SIZE + 1):
        for index in range(size):
            proof = inclusion(index, size).proof(KEPT)
            assert len(proof) <= (size - 1).bit_length()
            assert includes(LEAVES[index], index, size=size, proof=proof, root=ALL_ROOTS[size])


def test_every_pair_of_sizes_up_to_64_is_consistent_and_no_other_root_is() -> None:
    for second in range(SIZE + 1):
        for first in range(second + 1):
            proof = consistency(first, second).proof(KEPT)
            roots = {"first_root": ALL_ROOTS[first], "second_root": ALL_ROOTS[second]}
            assert continues(first, second, proof=proof, **roots)
            other = flipped(ALL_ROOTS[first], 0)
            assert not continues(first, second, proof=proof, **roots | {"first_root": other})
            other = flipped(ALL_ROOTS[second], 7)
            if first:  # anything continues nothing
                assert not continues(first, second, proof=proof, **roots | {"second_root": other})


@given(size=SIZES, data=st.data())
def test_any_flipped_bit_of_leaf_proof_or_root_fails(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    parts = [LEAVES[index], ALL_ROOTS[size], *inclusion(index, size).proof(KEPT)]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    leaf, root, *proof = parts
    assert not includes(leaf, index, size=size, proof=proof, root=root)


@given(size=SIZES, data=st.data())
def test_a_proof_shows_its_leaf_at_its_place_and_nowhere_else(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size).filter(lambda one: one != index))
    proof = inclusion(index, size).proof(KEPT)
    leaf, root = LEAVES[index], ALL_ROOTS[size]
    assert not includes(leaf, other, size=size, proof=proof, root=root)
    assert not includes(leaf, index, size=size, proof=[*proof, LEAVES[0]], root=root)
    if proof:
        assert not includes(leaf, index, size=size, proof=proof[:-1], root=root)
        cut = [*proof[:-1], proof[-1][:-1]]
        assert not includes(leaf, index, size=size, proof=cut, root=root)


@given(second=SIZES, data=st.data())
def test_any_flipped_bit_of_a_consistency_proof_fails(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    roots = {"first_root": ALL_ROOTS[first], "second_root": ALL_ROOTS[second]}
    proof = consistency(first, second).proof(KEPT)
    assert not continues(first, second, proof=[*proof, LEAVES[0]], **roots)
    if proof:
        which = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof]
        changed[which] = flipped(proof[which], data.draw(st.integers(0, 255)))
        assert not continues(first, second, proof=changed, **roots)
        assert not continues(first, second, proof=proof[:-1], **roots)


@given(
    records=st.lists(st.binary(max_size=40), min_size=1, max_size=40),
    changed=st.binary(max_size=40),
    data=st.data(),
)
def test_a_record_that_was_changed_later_breaks_consistency(
    records: list[bytes], changed: bytes, data: st.DataObject
) -> None:
    first = data.draw(st.integers(1, len(records)))
    at = data.draw(st.integers(0, first - 1))
    roots, _ = grown([leaf_hash(one) for one in records])
    forged = [*records]
    forged[at] = changed
    forged_roots, kept = grown([leaf_hash(one) for one in forged])
    proof = consistency(first, len(records)).proof(kept)
    assert continues(
        first,
        len(records),
        first_root=roots[first],
        second_root=forged_roots[-1],
        proof=proof,
    ) == (records[at] == changed)


def test_a_root_is_not_that_of_a_tree_of_another_height() -> None:
    assert includes(LEAVES[0], 0, size=1, proof=[], root=LEAVES[0])
    assert not includes(LEAVES[0], 0, size=2, proof=[], root=LEAVES[0])
    assert not includes(LEAVES[0], 0, size=1, proof=[LEAVES[1]], root=ALL_ROOTS[2])
    roots = {"first_root": ALL_ROOTS[2], "second_root": ALL_ROOTS[4]}
    proof = consistency(2, 4).proof(KEPT)
    assert continues(2, 4, proof=proof, **roots)
    assert not continues(2, 9, proof=proof, **roots)


def test_a_leaf_cannot_pass_for_a_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert root_of([left, right]) != root_of([leaf_hash(left + right)])


def test_nothing_is_proven_of_what_is_not_in_the_tree() -> None:
    for index, size in ((0, 0), (-1, 4), (4, 4)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion(index, size)
        assert not includes(LEAVES[0], index, size=size, proof=[], root=EMPTY_ROOT)
    for first, second in ((5, 4), (-1, 4)):
        with pytest.raises(ValueError, match="continues"):
            consistency(first, second)
        assert not continues(first, second, first_root=LEAVES[0], second_root=LEAVES[0], proof=[])


def test_only_an_empty_proof_goes_with_an_empty_tree_or_the_same_size() -> None:
    for first in (0, 4):
        assert not continues(
            first,
            4,
            first_root=ALL_ROOTS[first],
            second_root=ALL_ROOTS[4],
            proof=[LEAVES[0]],
        )


async def test_a_proof_is_one_read_of_the_store_and_names_what_is_missing() -> None:
    kept = Kept(KEPT)
    assert await prove(kept, inclusion(5, 50)) == inclusion(5, 50).proof(KEPT)
    assert kept.reads == 1
    assert await prove(kept, inclusion(0, 1)) == []
    assert kept.reads == 1
    without = {node: value for node, value in KEPT.items() if node != Node(4, 1)}
    with pytest.raises(MissingNodes, match="level 4, place 1"):
        await prove(Kept(without), inclusion(5, 50))


@pytest.mark.parametrize(
    ("size", "peaks"), [(1, ()), (3, (EMPTY_ROOT,)), (-1, ()), (1, (b"short",))]
)
def test_what_is_no_frontier_is_refused(size: int, peaks: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match=r"subtrees|bytes"):
        Frontier(size, peaks)


def test_a_tree_of_a_million_leaves_needs_twenty_hashes_and_no_deep_stack() -> None:
    size = 1_000_000
    for plan in (inclusion(0, size), inclusion(size - 1, size), consistency(size - 1, size)):
        assert len(plan.parts) <= 20
        assert len(plan.nodes) <= 40
    frontier = Frontier(size - 1, tuple(LEAVES[: (size - 1).bit_count()]))
    grown_by_one, kept = frontier.appended(LEAVES[0])
    assert (grown_by_one.size, len(grown_by_one.peaks)) == (size, size.bit_count())
    assert [node for node, _ in kept] == [
        Node(level, (size - 1) >> level) for level in range(len(kept))
    ]


def test_each_append_keeps_each_node_once() -> None:
    frontier, seen = Frontier(), list[Node]()
    for leaf in LEAVES:
        frontier, kept = frontier.appended(leaf)
        seen += [node for node, _ in kept]
    assert len(seen) == len(set(seen)) == 2 * SIZE - 1
