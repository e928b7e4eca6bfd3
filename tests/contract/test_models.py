"""The models of docs/models speak of code that is there, and what Alloy says of them is judged.

Alloy itself runs in `make model`; nothing here needs Java.
"""

import ast
import importlib
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.models import MODELS, Verdict, commands, jobs, judged, models, states, told

ROOT = MODELS.parents[1]
FILES = sorted(MODELS.glob("*.als"))
PAGE = (MODELS / "README.md").read_text(encoding="utf-8")

REFERENCE = re.compile(r"(?:--|//) code: (\S+)")
VARIABLE = re.compile(r"\bvar (?:one |lone )?(?:sig )?(\w+)")
PREDICATE = re.compile(r"^pred (\w+)(.*)$", re.MULTILINE)
MECHANISMS = re.compile(r"^one sig ([\w,\s]+) extends Mechanism", re.MULTILINE)
FLAGS = re.MULTILINE | re.DOTALL
BROKEN = re.compile(r"^check broken_(\w+) \{.*?without\[(\w+)\].*?\.\.(\d+) steps", FLAGS)

# Steps of a model that are no step of the code.
NO_STEPS_OF_CODE = {
    "rest": "nothing happens: a trace of Alloy has no end",
    "back_up": "somebody copies the store",
    "restore": "somebody puts the copy into its place",
    "rotate": "a key service ends an epoch; none does yet",
}


def text(model: Path) -> str:
    return model.read_text(encoding="utf-8")


def name_of(model: Path) -> str:
    return model.stem


def references() -> Iterator[Any]:
    for model in FILES:
        for found in REFERENCE.findall(text(model)):
            yield pytest.param(found, id=f"{model.stem}-{found}")


def in_toml(path: str, keys: str) -> bool:
    at: Any = tomllib.loads((ROOT / path).read_text(encoding="utf-8"))
    for key in keys.split("."):
        if key not in at:
            return False
        at = at[key]
    return True


def set_by_methods(owner: Any) -> set[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def in_code(module: str, name: str) -> bool:
    at: Any = importlib.import_module(module)
    *owners, last = name.split(".")
    for owner in owners:
        at = getattr(at, owner, None)
    if hasattr(at, last):
        return True
    if not inspect.isclass(at):
        return False
    declared = {field for one in at.__mro__ for field in getattr(one, "__annotations__", {})}
    return last in declared | set_by_methods(at)


def differing_names() -> dict[str, str]:
    _, _, after = PAGE.partition("## Names that differ")
    section = after.partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", section, re.MULTILINE))


def plain(name: str) -> str:
    return name.strip("_").lower()


@pytest.mark.parametrize("reference", list(references()))
def test_what_a_model_names_is_in_the_code(reference: str) -> None:
    place, _, name = reference.partition(":")
    assert in_toml(place, name) if place.endswith(".toml") else in_code(place, name)


@pytest.mark.parametrize("name", ["Knowledge.hold", "Knowledge._held.x", "Gate.fresh", "learn"])
def test_what_is_not_in_the_code_is_seen(name: str) -> None:
    assert in_code("shared.kafka.knowledge", "Knowledge._held")
    assert not in_code("shared.kafka.knowledge", name)
    assert not in_toml("deploy/topics.toml", f"profiles.{name}")


@pytest.mark.parametrize("model", FILES, ids=name_of)
def test_everything_that_changes_in_a_model_names_its_code(model: Path) -> None:
    lines = [line for line in text(model).splitlines() if VARIABLE.search(line)]
    assert [line for line in lines if not REFERENCE.search(line)] == []


@pytest.mark.parametrize("model", models(), ids=name_of)
def test_every_step_of_a_model_names_its_code(model: Path) -> None:
    of = dict(PREDICATE.findall(text(model)))
    _, _, after = text(model).partition("\npred trans {")
    taken = set(re.findall(r"\w+", after.partition("\n}")[0])) & set(of)
    assert len(taken) > len(NO_STEPS_OF_CODE)
    for name in taken - set(NO_STEPS_OF_CODE):
        assert REFERENCE.search(of[name]), name


@pytest.mark.parametrize("model", FILES, ids=name_of)
def test_a_step_is_called_as_in_the_code_or_the_page_says_how(model: Path) -> None:
    for name, rest in PREDICATE.findall(text(model)):
        found = REFERENCE.search(rest)
        if found and plain(name) != plain(re.split(r"[:.]", found[1])[-1]):
            assert differing_names().get(name) == found[1]


def test_the_page_names_no_difference_that_is_none() -> None:
    written = {name for model in FILES for name, _ in PREDICATE.findall(text(model))}
    assert set(differing_names()) <= written


@pytest.mark.parametrize("model", models(), ids=name_of)
def test_each_mechanism_is_taken_away_once_at_least_and_stands_on_the_page(model: Path) -> None:
    (listed,) = MECHANISMS.findall(text(model))
    broken = BROKEN.findall(text(model))
    assert {off for _, off, _ in broken} == set(re.split(r",\s*", listed))
    for name, off, steps in broken:
        assert name.partition("_")[0] == off
        row = rf"^\| {model.stem} \| `broken_{name}` \| .+ \| .+ \| {steps} \|$"
        assert re.search(row, PAGE, re.MULTILINE), f"{model.stem}: {name}, {steps} states"
    names = [name for _, name in commands(model) if name.startswith("broken_")]
    assert names == [f"broken_{name}" for name, _, _ in broken]


def test_the_page_names_no_command_that_is_not_there() -> None:
    rows = re.findall(r"^\| (\w+) \| `(broken_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(
        (model.stem, name)
        for model in models()
        for _, name in commands(model)
        if name.startswith("broken_")
    )


# The runner, on small inputs.

MODEL = """\
check begins { init implies invariant } for 3
check broken_Fence { without[Fence] implies L2 }
  for 3
run it_follows { some Row } for 3
"""
FOUND: dict[str, Any] = {"solution": [{"instances": [{}, {}, {}]}]}
ALLOY_SAYS = """\
---INSTANCE---
integers={-1, 0}
------State 0-------
univ={Key$0}
this/Row={this/Row$1, this/Row$0}
this/Row<:held={this/Row$0->age/Key$4}
age/Ord={age/Ord$0}
age/Ord<:First={age/Ord$0->age/Key$4}
age/Ord<:Next={age/Ord$0->age/Key$4->age/Key$2}
------State 1-------
univ={Key$0}
this/Row={this/Row$0, this/Row$1}
this/Row<:held={this/Row$0->age/Key$2}
age/Ord={age/Ord$0}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.als"
    path.write_text(MODEL, encoding="utf-8")
    (tmp_path / "parts.als").write_text("sig Key {}\n", encoding="utf-8")
    return path


def test_commands_are_read_in_order_and_a_model_without_any_is_not_run(model: Path) -> None:
    assert commands(model) == [
        ("check", "begins"),
        ("check", "broken_Fence"),
        ("run", "it_follows"),
    ]
    assert models(model.parent) == [model]


def test_every_command_is_in_one_job(model: Path) -> None:
    honest = [("check", "begins"), ("run", "it_follows")]
    assert jobs(model.parent) == [(model, honest), (model, [("check", "broken_Fence")])]
    assert sorted((path, one) for path, part in jobs() for one in part) == sorted(
        (path, one) for path in models() for one in commands(path)
    )


@pytest.mark.parametrize(
    ("kind", "name", "found", "well"),
    [
        ("check", "begins", 0, True),
        ("check", "begins", 2, False),
        ("check", "broken_Fence", 5, True),
        ("check", "broken_Fence", 0, False),
        ("run", "it_follows", 7, True),
        ("run", "it_follows", 0, False),
        ("check", "begins", None, False),
        ("check", "broken_Fence", None, False),
    ],
)
def test_what_must_be_found_is_found_and_nothing_else(
    kind: str, name: str, found: int | None, *, well: bool
) -> None:
    verdict = Verdict("small", kind, name, found)
    assert verdict.as_it_must == well
    assert ("this must not be" in verdict.told()) != well


def test_a_command_that_was_not_run_is_no_success(model: Path) -> None:
    found = {"begins": {"type": "check"}, "broken_Fence": FOUND}
    verdicts = judged(model, commands(model), found)
    assert [one.found for one in verdicts] == [0, 3, None]
    assert [one.as_it_must for one in verdicts] == [True, True, False]
    assert "counter-example of 3 states" in verdicts[1].told()
    assert "was not run" in verdicts[2].told()


def test_states_hold_what_the_model_names_with_the_newest_atom_numbered_highest() -> None:
    assert states(ALLOY_SAYS) == [
        {"Row": "{Row0, Row1}", "Row.held": "{Row0->Key1}"},
        {"Row": "{Row0, Row1}", "Row.held": "{Row0->Key2}"},
    ]


def test_each_state_after_the_first_is_told_by_what_changed() -> None:
    assert told(ALLOY_SAYS) == [
        "state 0",
        "    Row.held = {Row0->Key1}",
        "state 1",
        "    Row.held = {Row0->Key2}",
    ]
