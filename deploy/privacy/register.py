"""The register of what is held of people (DOAJ-2-0): a page, and the same for machines.

Made of the declarations on the fields, of what is sealed otherwise (fields.toml), and of the
classes and purposes of deploy/policies/personal.toml; one that has no row there stops the making.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import orjson

from deploy.privacy import fields, house
from shared.policy.personal import PersonalPolicy, load_personal
from shared.privacy.personal import KINDS

POLICY: Final = fields.ROOT / "deploy" / "policies" / "personal.toml"
ANY: Final = "every service"
ARTICLES: Final = {
    "consent": "6(1)(a)",
    "contract": "6(1)(b)",
    "legal-obligation": "6(1)(c)",
    "legitimate-interest": "6(1)(f)",
}
SAYS: Final = """
What the services keep of people, field by field. A value exists in clear in memory alone; in
store, log and backup it is ciphertext under a key for one person, class and record
([ADR 14](adr/0014-personal-values-only-as-ciphertext.md)). Beside it stand pseudonyms, blind
indexes of addresses (keyed hashes) and argon2id hashes of passwords. Fields are declared in the
code, once; classes and purposes are rows of `deploy/policies/personal.toml`. A field that is called
as if it were personal and is not declared fails `make check`; `deploy/privacy/fields.toml` says why
some are not. For machines: [interfaces/personal-data.json](interfaces/personal-data.json).

Names of authors in works are the public scholarly record: neither sealed nor in this register.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One field that is held; ``declared`` where it is a record's of its person's own key."""

    schema: str
    field: str
    classes: tuple[str, ...]
    purposes: tuple[str, ...]
    source: str
    portable: bool = False
    free_text: bool = False
    address: bool = False
    declared: bool = True
    says: str = ""

    @property
    def service(self) -> str:
        """Who holds it."""
        name = house.service_of(self.schema)
        return ANY if name == "mail" else name


def entries() -> list[Entry]:
    """Return every field that is held, by service and schema."""
    declared = [
        Entry(
            one.schema,
            one.pointer.removeprefix("/"),
            (one.personal.cls,),
            one.personal.purposes,
            one.personal.source,
            one.personal.portable,
            one.personal.free_text,
            one.personal.address,
            says=" ".join((KINDS[one.schema].__doc__ or "").split()),
        )
        for one in house.declared()
    ]
    otherwise = [
        Entry(
            row.schema_id,
            name,
            row.classes,
            row.purposes,
            row.source,
            declared=False,
            says=row.says,
        )
        for row in fields.read().sealed
        for name in row.fields
    ]
    return sorted([*declared, *otherwise], key=lambda one: (one.service, one.schema))


def page(note: str) -> str:
    """Render the register; raises ``PolicyError`` where a class or purpose has no row."""
    policy, held = load_personal(POLICY), entries()
    lines = ["# Personal data", "", note, SAYS]
    for service, of_service in groupby(held, key=lambda one: one.service):
        lines += [f"## {service[0].upper()}{service[1:]}", ""]
        for schema, of_schema in groupby(of_service, key=lambda one: one.schema):
            rows = list(of_schema)
            lines += [f"### {schema}", "", " ".join(dict.fromkeys(one.says for one in rows)), ""]
            lines += [*_table(rows, policy), ""]
    used = {name for one in held for name in one.purposes}
    lines += ["## Purposes", "", "| purpose | legal basis | clause | says |", "|---|---|---|---|"]
    lines += [
        f"| {row.id} | {row.basis} (GDPR {ARTICLES[row.basis]}) | {row.clause} | {row.says} |"
        for row in policy.file.purposes
        if row.id in used
    ]
    classes = {name for one in held for name in one.classes}
    lines += ["", "## Classes", "", "| class | clause | says |", "|---|---|---|"]
    lines += [
        f"| {row.id} | {row.clause} | {row.says} |"
        for row in policy.file.classes
        if row.id in classes
    ]
    return "\n".join(lines) + "\n"


def _table(held: Iterable[Entry], policy: PersonalPolicy) -> Iterator[str]:
    yield "| field | class | for | on the ground of | from | portable | |"
    yield "|---|---|---|---|---|---|---|"
    for one in held:
        for name in one.classes:
            policy.class_of(name)
        grounds = dict.fromkeys(policy.purpose(name).basis for name in one.purposes)
        marks = [
            "free text" if one.free_text else "",
            "found by blind index" if one.address else "",
        ]
        cells = (
            f"`{one.field}`",
            ", ".join(one.classes),
            ", ".join(one.purposes),
            ", ".join(grounds),
            one.source,
            "yes" if one.portable else "",
            "; ".join(filter(None, marks)),
        )
        yield f"| {' | '.join(cells)} |"


def manifest() -> dict[str, Any]:
    """Return what each service holds, for machines: service, schema, field.

    Raises ``PolicyError`` where a class or purpose has no row.
    """
    policy = load_personal(POLICY)
    services: dict[str, dict[str, dict[str, Any]]] = {}
    for one in entries():
        schemas = services.setdefault(one.service, {})
        schema = schemas.setdefault(one.schema, {"declared": one.declared, "fields": {}})
        for name in one.classes:
            policy.class_of(name)
        schema["fields"][f"/{one.field}"] = {
            "classes": list(one.classes),
            "purposes": {name: policy.purpose(name).basis for name in one.purposes},
            "source": one.source,
            "portable": one.portable,
            "free-text": one.free_text,
            "found-by-blind-index": one.address,
        }
    return {"policy": policy.version, "services": services}


def manifest_text() -> str:
    """Return the manifest as the file says it."""
    return orjson.dumps(manifest(), option=orjson.OPT_INDENT_2).decode() + "\n"
