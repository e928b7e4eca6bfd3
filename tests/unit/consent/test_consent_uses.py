"""The gate: what may be done with personal data, for what, by whom."""

import tomllib
from pathlib import Path
from typing import get_args

import pytest

from shared.policy.consent import Standing
from shared.policy.files import PolicyError
from shared.policy.registers import (
    cookies_unregistered,
    load_analytics,
    load_cookies,
    load_lists,
    load_processors,
)
from shared.policy.uses import Allowed, Recipient, Refused, Use, load_uses, use_allowed
from tests.unit.consent.given import POLICIES

POLICY = load_uses(POLICIES)
COOKIES = load_cookies(POLICIES / "cookies.toml")
CATEGORIES = [row.id for row in POLICY.file.categories]
PURPOSES = [*(row.id for row in POLICY.personal.file.purposes), "support", "forum-reply"]
ROLES = {"invoices": "billing", "metadata-reports": "technical", "membership": "business"}


def mail(
    purpose: str,
    category: str = "account-holder",
    *,
    name: str = "",
    roles: frozenset[str] = frozenset(),
    opt_out_link: bool = True,
) -> Use:
    return Use("mail", purpose, category, name=name, roles=roles, opt_out_link=opt_out_link)


def to(
    kind: str, whose: str = "", purpose: str = "list", category: str = "subscriber", **more: object
) -> Use:
    recipient = Recipient(kind, whose)  # type: ignore[arg-type]
    return Use("hand-over", purpose, category, recipient, **more)  # type: ignore[arg-type]


def no(use: Use, consent: Standing = "given") -> tuple[str, str]:
    answer = use_allowed(POLICY, use, consent)
    assert isinstance(answer, Refused), answer
    return answer.clause, answer.why


def yes(use: Use, consent: Standing = "given") -> str:
    answer = use_allowed(POLICY, use, consent)
    assert isinstance(answer, Allowed), answer
    assert answer.policy == POLICY.version
    return answer.clause


@pytest.mark.clause("CRP-9a")
@pytest.mark.parametrize("act", ["sell", "rent"])
@pytest.mark.parametrize("category", [*CATEGORIES, "nobody"])
def test_addresses_are_never_sold_or_rented_whoever_asks(act: str, category: str) -> None:
    for purpose in PURPOSES:
        use = Use(act, purpose, category, opt_out_link=True)  # type: ignore[arg-type]
        answer = use_allowed(POLICY, use, "given")
        assert isinstance(answer, Refused)
        assert (answer.clause, answer.hard) == ("CRP-9a", True)


@pytest.mark.clause("DOAJ-7a")
@pytest.mark.clause("DOAJ-7b")
@pytest.mark.parametrize(("kind", "clause"), [("industry", "DOAJ-7b"), ("outside", "DOAJ-7a")])
def test_nothing_goes_outside_and_requests_of_industry_are_refused(kind: str, clause: str) -> None:
    for category in CATEGORIES:
        answer = use_allowed(POLICY, to(kind, "somebody", category=category), "given")
        assert isinstance(answer, Refused)
        assert (answer.clause, answer.hard) == (clause, True)


@pytest.mark.clause("CRP-9b")
def test_a_named_supplier_gets_an_address_only_where_a_service_cannot_be_used_otherwise() -> None:
    whole = {"signed_up": True, "reason": "technical-support"}
    assert yes(to("supplier", "host", category="contact", **whole)) == "CRP-9b"
    assert no(to("supplier", "", category="contact", **whole))[0] == "CRP-9b"
    for lacking in ("signed_up", "reason"):
        partly = {name: value for name, value in whole.items() if name != lacking}
        assert no(to("supplier", "host", category="contact", **partly))[0] == "CRP-9b"
    assert no(to("supplier", "host", category="contact", **(whole | {"reason": "news"})))
    # For subjects of the other notice its own, narrower rule holds.
    answer = use_allowed(POLICY, to("supplier", "host", category="account-holder", **whole))
    assert isinstance(answer, Refused)
    assert (answer.clause, answer.hard) == ("DOAJ-7a", True)


@pytest.mark.clause("DOAJ-10b")
@pytest.mark.clause("DOAJ-5a3")
@pytest.mark.parametrize("consent", get_args(Standing))
def test_marketing_goes_to_whoever_opted_in_and_to_nobody_else(consent: Standing) -> None:
    if consent == "given":
        assert yes(mail("marketing"), consent) == "DOAJ-10b"
    else:
        assert no(mail("marketing"), consent) == ("DOAJ-10b", f"consent-{consent}")


@pytest.mark.clause("DOAJ-1a4")
@pytest.mark.parametrize("consent", get_args(Standing))
def test_service_mail_does_not_ask_for_consent_to_marketing(consent: Standing) -> None:
    assert yes(mail("status-change"), consent) == "DOAJ-1a4"
    assert yes(mail("dashboard-change"), consent) == "DOAJ-1a3"


@pytest.mark.clause("DOAJ-1a3")
def test_an_unknown_purpose_is_refused_and_account_holders_have_exactly_the_listed_ones() -> None:
    assert no(mail("surveys")) == ("DOAJ-1a3", "purpose-not-allowed")
    for purpose in ("invoices", "volunteer-application", "support", "deposit-handling"):
        assert no(mail(purpose))[1] == "purpose-not-allowed"
    assert no(mail("marketing", "strangers")) == ("DOAJ-1a3", "unknown-category")


@pytest.mark.clause("CRP-3c")
def test_a_list_goes_to_whoever_asked_for_it() -> None:
    assert yes(mail("list", "subscriber", name="blog")) == "CRP-3c"
    assert no(mail("list", "subscriber", name="blog"), "absent") == ("CRP-3c", "consent-absent")
    assert no(mail("list", "subscriber", name="gossip")) == ("CRP-3c", "unknown-list")
    assert no(mail("invoices", "subscriber"))[1] == "purpose-not-allowed"


@pytest.mark.clause("CRP-3e")
def test_mail_without_its_opt_out_link_is_not_sent() -> None:
    for use in (
        mail("list", "subscriber", name="blog", opt_out_link=False),
        mail("status-change", opt_out_link=False),
    ):
        assert no(use) == ("CRP-3e", "no-opt-out-link")


@pytest.mark.clause("CRP-4d")
@pytest.mark.clause("CRP-4e")
@pytest.mark.clause("CRP-4f")
@pytest.mark.parametrize("purpose", ROLES)
def test_mail_of_a_role_goes_to_contacts_of_that_role_alone(purpose: str) -> None:
    row = POLICY.use(purpose)
    assert row is not None
    for role in (*ROLES.values(), "metadata-quality"):
        use = mail(purpose, "contact", roles=frozenset({role}))
        if role == ROLES[purpose]:
            assert yes(use) == row.clause
        else:
            assert no(use) == (row.clause, "not-this-role")
    # One person may have several roles.
    assert yes(mail(purpose, "contact", roles=frozenset(ROLES.values()))) == row.clause
    assert no(mail(purpose, "contact")) == (row.clause, "not-this-role")


@pytest.mark.clause("CRP-4g")
def test_a_further_role_gets_mail_only_after_it_was_agreed_to() -> None:
    use = mail(
        "role-mail", "contact", name="metadata-quality", roles=frozenset({"metadata-quality"})
    )
    assert use.consent_purpose == "role-mail:metadata-quality"
    assert yes(use) == "CRP-4g"
    assert no(use, "absent") == ("CRP-4g", "consent-absent")
    assert no(use, "withdrawn") == ("CRP-4g", "consent-withdrawn")
    assert no(mail("role-mail", "contact", name="production"))[1] == "not-this-role"


@pytest.mark.clause("CRP-6b")
@pytest.mark.clause("CRP-7c")
@pytest.mark.parametrize(
    ("category", "clause", "own"),
    [("support", "CRP-6b", "support"), ("forum", "CRP-7c", "forum-reply")],
)
def test_addresses_known_from_support_or_the_forum_never_become_a_list(
    category: str, clause: str, own: str
) -> None:
    assert yes(mail(own, category))
    for purpose in PURPOSES:
        if purpose != own:
            assert no(mail(purpose, category, name="blog"))[0] == clause


@pytest.mark.clause("DOAJ-1b2")
def test_applicants_and_referees_are_written_to_about_the_application_alone() -> None:
    assert yes(mail("volunteer-application", "volunteer-applicant")) == "DOAJ-1b2"
    for purpose in ("marketing", "list", "volunteering"):
        assert no(mail(purpose, "volunteer-applicant", name="blog"))[0] == "DOAJ-1b2"


@pytest.mark.clause("CRP-3b")
@pytest.mark.clause("DOAJ-1e")
@pytest.mark.clause("DOAJ-1f")
def test_a_processor_gets_its_own_fields_for_its_own_purposes() -> None:
    email = frozenset({"consent.subscriber.v1/email"})
    assert yes(to("processor", "act-on", name="blog", fields=email)) == "CRP-3c"
    assert no(to("processor", "act-on", name="blog"))[1] == "field-not-registered"
    more = email | {"accounts.person-details.v1/name"}
    assert no(to("processor", "act-on", name="blog", fields=more))[1] == "field-not-registered"
    assert no(to("processor", "zendesk", name="blog", fields=email))[1] == "purpose-not-registered"
    assert no(to("processor", "stranger", fields=email)) == ("CRP-1a", "unknown-processor")
    assert no(to("processor", "hotjar", fields=email)) == ("CRP-1a", "processor-not-active")
    for name, clause in (("less-annoying", "DOAJ-1e"), ("billy", "DOAJ-1f")):
        row = POLICY.processors[name]
        assert row.clause == clause
        assert len(row.fields) <= 3
        assert row.policy_link


@pytest.mark.clause("DOAJ-5a3")
def test_a_withdrawal_stops_what_a_processor_would_be_given() -> None:
    fields = frozenset({"accounts.person-details.v1/email"})
    use = to("processor", "mailchimp", "marketing", "account-holder", fields=fields)
    assert yes(use) == "DOAJ-10b"
    assert no(use, "withdrawn") == ("DOAJ-10b", "consent-withdrawn")


@pytest.mark.clause("CRP-1a")
def test_a_processor_that_nobody_says_is_trusted_cannot_be_active(tmp_path: Path) -> None:
    text = (POLICIES / "processors.toml").read_text()
    place = tmp_path / "processors.toml"
    place.write_text(
        text.replace("open-source = false\nactive = false", "open-source = false\nactive = true")
    )
    with pytest.raises(PolicyError, match=r"why it is trusted \(CRP-1a\)"):
        load_processors(place)
    for row in tomllib.loads(text)["processor"]:
        assert isinstance(row["open-source"], bool)
        assert not row["active"] or row["trust"]


@pytest.mark.clause("DOAJ-1a6")
@pytest.mark.clause("DOAJ-2-2")
def test_every_tool_that_the_notices_name_is_in_the_register() -> None:
    named = {
        *("piwik", "act-on", "sugar", "zendesk", "discourse"),
        *("google-workspace", "wordpress", "less-annoying", "billy", "mailchimp", "hotjar"),
        *("x-twitter", "jquery", "cottage-labs"),
    }
    assert named <= set(POLICY.processors)


@pytest.mark.clause("CRP-8a")
@pytest.mark.clause("DOAJ-3a")
def test_a_cookie_that_is_not_registered_or_lives_too_long_is_found() -> None:
    assert cookies_unregistered(COOKIES, []) == []
    fine = ["colophon_session=abc; Path=/; HttpOnly", "colophon_notice=1; Max-Age=3600"]
    assert cookies_unregistered(COOKIES, fine) == []
    for header in (
        "_ga=GA1.2; Path=/",
        "colophon_session=abc; Max-Age=60",
        "colophon_notice=1; Max-Age=99999999",
        "colophon_notice=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
        "schema=somebody@example.org",
        "",
    ):
        (wrong,) = cookies_unregistered(COOKIES, [header])
        assert "example.org" not in wrong


@pytest.mark.clause("DOAJ-3b")
@pytest.mark.parametrize("value", ["doaj", "crossref"])
def test_the_schema_cookie_holds_a_schema_and_nothing_else(value: str) -> None:
    assert cookies_unregistered(COOKIES, [f"schema={value}; Max-Age=3600"]) == []


@pytest.mark.clause("CRP-2a")
def test_analytics_have_exactly_four_dimensions_and_none_is_a_person() -> None:
    rows = load_analytics(POLICIES / "analytics.toml").dimensions
    assert [row.id for row in rows] == ["page-view", "referrer", "geography", "exit-page"]


def test_every_list_says_its_rhythm_and_one_offers_a_feed() -> None:
    rows = load_lists(POLICIES / "lists.toml").lists
    assert all(row.rhythm for row in rows)
    assert any(row.feed for row in rows)


def test_files_that_do_not_name_each_others_rows_are_refused(tmp_path: Path) -> None:
    for path in POLICIES.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text())
    text = (POLICIES / "uses.toml").read_text()
    (tmp_path / "uses.toml").write_text(text.replace('"volunteer-application"]', '"surveys"]'))
    with pytest.raises(PolicyError, match="surveys"):
        load_uses(tmp_path)
    (tmp_path / "uses.toml").write_text(text.replace('notice = "index-users"\n', ""))
    with pytest.raises(PolicyError, match="names no notice for marketing"):
        load_uses(tmp_path)
