"""Contributors and institutions, in the spelling of 5.3.1 or, with role elements, of 5.5.0."""

from xml.sax.saxutils import quoteattr

from deploy.demo.deposit_xml.elements import Work, element, many, text

RICH_SCHEMA = "5.5.0"


PEOPLE = ("author", "editor", "chair", "translator", "contributor")


def contributors(work: Work, version: str) -> str:
    """Return all people and organisations of a work."""
    people = [person for key in PEOPLE for person in work.get(key, ())]
    return element("contributors", *(_contributor(p, version) for p in people))


def _contributor(person: Work, version: str) -> str:
    rich = version == RICH_SCHEMA
    roles = person["role"]
    elements = "".join(
        f"<role type={quoteattr(r['role'])} vocab={quoteattr(r['vocabulary'])}/>\n" for r in roles
    )
    said = {
        "sequence": person["sequence"],
        "contributor_role": None if rich else roles[0]["role"],
    }
    where = element("affiliations", *(institution(a) for a in person["affiliation"]))
    if person.get("name") == "Anonymous":
        inner = (elements if rich else "") + where
        shown = "".join(f" {k}={quoteattr(v)}" for k, v in said.items() if v)
        return f"<anonymous{shown}>{inner}</anonymous>\n"
    if "name" in person:
        said["contributor_role"] = roles[0]["role"]  # organisations keep the attribute
        return text("organization", person["name"], **said)
    orcid = text(
        "ORCID",
        person.get("ORCID"),
        authenticated=str(person.get("authenticated-orcid", False)).lower(),
    )
    names = many(person.get("alternate-name", ()), lambda n: text("string-name", n))
    return element(
        "person_name",
        text("given_name", person.get("given")),
        text("surname", person.get("family")),
        text("suffix", person.get("suffix")),
        elements if rich else "",
        where,
        orcid,
        element("alt-name", names),
        **said,
    )


def institution(said: Work) -> str:
    """Return an institution element."""
    return element(
        "institution",
        text("institution_name", said.get("name")),
        *(text("institution_id", i["id"], type=i["id-type"].lower()) for i in said.get("id", ())),
        *(text("institution_acronym", a) for a in said.get("acronym", ())),
        *(text("institution_place", p) for p in said.get("place", ())),
        *(text("institution_department", d) for d in said.get("department", ())),
    )
