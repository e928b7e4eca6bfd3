"""The documents say what is there: links, commands, names, ports, and the generated pages."""

import json
import re
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from deploy import clauses, docs
from deploy.local.ports import DEFAULTS
from deploy.local.services import SERVICES
from services.distribution.rest.routes import FACETS, FIELD_QUERIES, SORTS
from services.distribution.rest.work_filters import WORK_FILTERS
from shared.kafka.topics import declared
from shared.policy import load

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", ".local", "node_modules", "__pycache__", ".hypothesis"}
CACHES = re.compile(r"\..*_cache")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
TEXTUAL = {
    *(".md", ".py", ".toml", ".txt", ".yml", ".yaml", ".sh", ".xml", ".json", ".properties", ""),
}

# Written so that this file does not hold what it looks for.
MACHINE = re.compile(r"(?<![\w.}>*])/" + r"(?:work|tmp|root|home/\w+)/(?!\{)")
HOSTS = re.compile(
    "|".join(
        name.replace("_", r"\.")
        for name in ("pypi_org", "pythonhosted_org", "repo1?_maven", "registry_npmjs")
    )
)
WORKPLACE = re.compile(r"\b(?:session|prompt|subagent|chatbot|language model)s?\b", re.IGNORECASE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def every_text() -> Iterator[Path]:
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        ours = not any(part in NOT_OURS or CACHES.fullmatch(part) for part in parts)
        if ours and path.is_file() and path.suffix in TEXTUAL and path != Path(__file__):
            yield path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_something_here(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not re.match(r"https?://", target):
            assert (page.parent / target.partition("#")[0]).exists(), f"{name_of(page)}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_and_module_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    commands = re.findall(r"`([^`\n]+)`", text)
    commands += [
        line
        for block in re.findall(r"```\n(.+?)```", text, re.DOTALL)
        for line in block.split("\n")
    ]
    for command in commands:
        found = re.match(r"(?:[A-Z_]+=\S+ )*make ([a-z-]+)", command)
        assert not found or found[1] in TARGETS, f"{name_of(page)}: {command}"
        found = re.search(r"python -m ([a-z_.]+[a-z_])", command)
        assert not found or find_spec(found[1]), f"{name_of(page)}: {command}"


def test_every_file_that_is_named_in_backticks_exists() -> None:
    for page in PAGES:
        for named in re.findall(
            r"`((?:deploy|docs|services|shared|tests)/[\w./-]+)`", page.read_text(encoding="utf-8")
        ):
            assert (ROOT / named).exists(), f"{name_of(page)}: {named}"


def test_no_document_speaks_of_how_it_was_made() -> None:
    for page in PAGES:
        assert not (found := WORKPLACE.search(page.read_text())), f"{name_of(page)}: {found}"


def test_no_file_names_a_machine_s_folder_or_a_registry_s_host() -> None:
    for path in every_text():
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.split("\n"), 1):
            assert not MACHINE.search(line), f"{name_of(path)}:{number}: {line.strip()[:80]}"
            assert not HOSTS.search(line), f"{name_of(path)}:{number}: {line.strip()[:80]}"


def test_generated_pages_say_what_the_code_says() -> None:
    assert not docs.drifted(), docs.REMEDY


def test_topics_and_ports_in_the_pages_are_those_that_are_used() -> None:
    picture = (ROOT / "README.md").read_text()
    assert set(re.findall(r"\b(?:[a-z]+\.)+v1\b", picture)) <= set(declared())
    table = (ROOT / "docs" / "operations.md").read_text()
    for name in (*(one.name for one in SERVICES), "kafka", "store"):
        assert f"| {DEFAULTS[name]} |" in table
        assert f"`{name.upper()}_PORT`" in table


def test_the_pages_on_rest_name_everything_that_can_be_asked() -> None:
    pages = (ROOT / "docs" / "interfaces" / name for name in ("rest.md", "works-lists.md"))
    page = "".join(page.read_text() for page in pages)
    for name in (*FACETS, *SORTS, *(f"query.{field}" for field in FIELD_QUERIES)):
        assert f"`{name}`" in page, name
    for name in WORK_FILTERS:
        kind, _, rest = name.partition("-")
        said = rest if kind in {"has", "from", "until"} else f"`{name}`"
        assert said in page or said.removesuffix("s") in page, name


@pytest.mark.parametrize("service", ["accounts", "consent", "deposits"])
def test_the_page_of_an_interface_names_its_routes(service: str) -> None:
    folder = ROOT / "docs" / "interfaces"
    page = (folder / f"{service}.md").read_text()
    for path in json.loads((folder / f"openapi-{service}.json").read_bytes())["paths"]:
        last = [part for part in path.split("/") if part and not part.startswith("{")][-1]
        if last not in {"healthz", "readyz", "metrics", "openapi.json"}:
            assert f"/{last}" in page, path


@pytest.mark.clause("CRP-12a")
def test_every_route_of_the_read_interface_can_be_asked_without_a_credential() -> None:
    page = ROOT / "docs" / "interfaces" / "openapi-distribution.json"
    paths = json.loads(page.read_bytes())["paths"]
    read = [
        (path, operation)
        for path, methods in paths.items()
        for operation in methods.values()
        # Operators' and members' own; and files of all that anybody may read record by record.
        if not {"products", "snapshots", "alerts"} & set(operation.get("tags", ()))
    ]
    assert "/works" in {path for path, _ in read}
    for path, operation in read:
        assert operation["security"] == [] or {} in operation["security"], path


def test_every_decision_is_listed_and_has_its_four_parts() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text()
    for page in folder.glob("0*.md"):
        assert f"({page.name})" in index
        heads = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert heads == ["Context", "Decision", "Evidence", "What would change our mind"], page.name
    numbers = {int(page.name[:4]) for page in folder.glob("0*.md")}
    for path in every_text():
        for number in re.findall(r"\bADR ([0-9]+)", path.read_text(errors="replace")):
            assert int(number) in numbers, f"{name_of(path)}: ADR {number}"


def test_every_clause_and_law_that_is_named_is_known() -> None:
    known_clauses, known_laws = clauses.read()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for kind, said in re.findall(r'mark\.(clause|law)\("([^"]+)"\)', path.read_text()):
            known = known_clauses if kind == "clause" else known_laws
            assert said in known, f"{name_of(path)}: {said}"
    rules = load(ROOT / "deploy" / "policies" / "references.toml")
    assert {row.clause for row in rules.file.rows()} <= set(known_clauses)


def test_a_clause_without_a_passing_test_or_a_reason_is_wrong_and_so_is_one_that_fails() -> None:
    bare = clauses.Clause("X-1", "A rule.")
    later = clauses.Clause("X-2", "A rule.", later="some part")
    assert "no test" in clauses.judge(bare, {})
    assert "not run" in clauses.judge(bare, {"t": "skipped"})
    assert not clauses.judge(bare, {"t": "passed", "u": "skipped"})
    assert not clauses.judge(later, {})
    assert "fails" in clauses.judge(later, {"t": "failed", "u": "passed"})


def test_a_report_is_read_by_test_function_and_its_worst_result(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.a.test_b" name="test_c[1]"/>'
        '<testcase classname="tests.a.test_b" name="test_c[2]"><failure/></testcase>'
        '<testcase classname="tests.a.test_b" name="test_d"><skipped/></testcase>'
        "</testsuite></testsuites>"
    )
    found = clauses.results(report)
    assert found[clauses.junit_name("tests/a/test_b.py::test_c")] == "failed"
    assert found[clauses.junit_name("tests/a/test_b.py::test_d")] == "skipped"
    with pytest.raises(clauses.Unknown, match="make test"):
        clauses.results(tmp_path / "none.xml")


def test_the_project_names_its_readme_and_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (project["readme"], project["license"]["text"]) == ("README.md", "Apache-2.0")
    assert (ROOT / "LICENSE").read_text().lstrip().startswith("Apache License")
