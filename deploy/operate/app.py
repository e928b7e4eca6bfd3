"""The command line: the commands of the table, and the few that do more than ask once."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import quote

import click
import orjson

from deploy.operate import package as packages
from deploy.operate import shown
from deploy.operate.client import Client, client
from deploy.operate.ends import End, Fault
from deploy.operate.people import PLAN
from deploy.operate.plain import ROOMS, Asked, login, sent, show
from deploy.operate.values import TEXT
from deploy.operate.watching import Watch
from deploy.verify import verify_certificate
from shared.runtime.ids import new_id

AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
CLOSED: Final = frozenset({"closed"})


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--answer-seconds", default=30.0, help="How long one answer may take.")
@click.pass_context
def colophon(context: click.Context, answer_seconds: float) -> None:
    """Work on what Colophon keeps of people, as an operator.

    Ends with 0 when done, 1 when refused or failed, 2 when used wrongly, 3 when the service did
    not answer, 4 when it still waits. Give - in the place of an address, a code or a text, and it
    is read from standard input, where no list of processes shows it.
    """
    context.obj = partial(client, os.environ, answer_seconds)


def main() -> NoReturn:
    """Run a command, and end with its status."""
    try:
        # Not standalone, click returns the status of whatever ends a command early.
        end = End(colophon.main(prog_name="colophon", standalone_mode=False) or End.DONE)
    except click.ClickException as fault:
        fault.show()
        end = End.USAGE if isinstance(fault, click.UsageError) else End.REFUSED
    except click.Abort:
        click.echo("colophon: stopped.", err=True)
        end = End.REFUSED
    except Fault as fault:
        for line in str(fault).splitlines():
            click.echo(f"colophon: {shown.printable(line)}", err=True)
        end = fault.end
    sys.exit(end)


for _room in ROOMS.values():
    colophon.add_command(_room)


def watching(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Give a command the options of watching."""

    def decorate(done: Any) -> Any:
        for one in reversed(options):
            done = one(done)
        return done

    return decorate


WATCHING: Final = watching(
    click.option("--timeout", type=float, help="Give up after so many seconds, with status 4."),
    click.option("--every", default=1.0, help="Seconds between two looks.", show_default=True),
    click.option(
        "--patience", default=600.0, help="Seconds the service may be away.", show_default=True
    ),
    AS_JSON,
)


def watcher(service: Client, *, as_json: bool, **how: Any) -> Watch:
    """Return what follows an erasure and tells each change: a line, or a line of JSON."""

    def tell(one: shown.News) -> None:
        said = {"what": one.what, "name": one.name, "at": one.at}
        click.echo(orjson.dumps(said).decode() if as_json else one.line())

    def remark(text: str) -> None:
        click.echo(f"colophon: {shown.printable(text)}", err=True)

    return Watch(service, tell, remark, **how)


def followed(watch: Watch, erasure: str, steps: frozenset[str] = CLOSED) -> dict[str, Any]:
    """Follow an erasure; Ctrl-C stops the looking and nothing else."""
    try:
        return watch.until(erasure, steps)
    except KeyboardInterrupt:
        line = f"colophon: it goes on; `colophon erasures watch {erasure}` looks again."
        click.echo(line, err=True)
        raise click.exceptions.Exit(End.WAITING) from None


@ROOMS["erasures"].command("watch")
@click.argument("erasure")
@click.option("--until", "step", default="closed", help="Until this step; by default the last.")
@WATCHING
@click.pass_obj
def watch_(service: Callable[[], Client], /, erasure: str, step: str, **how: Any) -> None:
    """Follow an erasure step by step, until it is closed."""
    followed(watcher(service(), **how), quote(erasure, safe=""), frozenset({step}))


@colophon.command("erase")
@click.argument("email", type=TEXT)
@click.option("--yes", is_flag=True, help="Approve the plan without asking.")
@click.option("--at-once", is_flag=True, help="Waive the cooling-off.")
@click.option("--as", "name", default=login, help="Who you are; by default your login.")
@click.option("--key", help="Of an ask before that nobody answered.")
@WATCHING
@click.pass_obj
def erase(
    service: Callable[[], Client],
    /,
    email: str,
    name: str,
    key: str | None,
    *,
    yes: bool,
    at_once: bool,
    **how: Any,
) -> None:
    """Erase a person: plan, show the plan, ask, approve, and watch until it is closed."""
    here = service()
    said = {"email": email, "requester": name}
    what = Asked(PLAN.path, {}, said, {"Idempotency-Key": key or new_id()})
    made = sent(here, PLAN, what)["erasure"]
    watch = watcher(here, **how)
    plan = followed(watch, made, frozenset({"planned"}))
    if not how["as_json"]:
        show(plan, as_json=False, lines=shown.erasure(plan))
    if plan["state"] == "planned":
        if not yes and not click.confirm("Approve this plan?", err=True):
            raise Fault(f"Nothing was approved. `colophon erasures approve|refuse {made}` decides.")
        agreed = {"approver": name, "plan": plan["plan"], "at-once": at_once}
        here.json("POST", f"/erasures/{made}/approve", body=agreed)
    followed(watch, made)


@ROOMS["erasures"].command("certificate")
@click.argument("erasure")
@click.option("--html", is_flag=True, help="As a page.")
@click.option("--to", type=click.Path(path_type=Path), help="Into a file.")
@click.pass_obj
def certificate(
    service: Callable[[], Client], /, erasure: str, to: Path | None, *, html: bool
) -> None:
    """Fetch the certificate of an erasure, as it was signed."""
    path = f"/erasures/{quote(erasure, safe='')}/certificate{'.html' if html else ''}"
    said = service().ask("GET", path)
    if to is None:
        click.get_binary_stream("stdout").write(said)
        return
    try:
        to.write_bytes(said)
    except OSError as fault:
        raise Fault(f"{to} cannot be written: {fault.strerror}") from None


@ROOMS["packages"].command("fetch")
@click.argument("package")
@click.option("--code", prompt=True, hide_input=True, type=TEXT, help="What opens it; - reads it.")
@click.option("--to", type=click.Path(path_type=Path), help="By default PACKAGE.zip.")
@click.pass_obj
def fetch(service: Callable[[], Client], /, package: str, code: str, to: Path | None) -> None:
    """Fetch a package into a new file; once, then it is gone."""
    path = f"/packages/{quote(package, safe='')}/file"
    target = to or Path(f"{quote(package, safe='')}.zip")
    octets = service().fetch(path, code, target)
    click.echo(f"{target}: {octets} bytes")


@colophon.command("verify-certificate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("keys", type=click.Path(exists=True, dir_okay=False))
@click.option("--witnesses", default=0, help="How many must have cosigned.")
def certificate_verified(file: str, keys: str, witnesses: int) -> None:
    """Verify a certificate offline, by public keys that you trust, one a line."""
    end = verify_certificate.main([file, keys, "--witnesses", str(witnesses)])
    raise click.exceptions.Exit(end)


@colophon.command("verify-package")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("key", required=False)
def package_verified(file: Path, key: str | None) -> None:
    """Verify a package offline: every file, and the signature where KEY is given.

    KEY is a public key, or a file of them: as /proof/keys lists them, or base64url.
    """
    named = Path(key) if key else None
    try:
        text = named.read_text(encoding="utf-8") if named and named.is_file() else key or ""
        findings = []
        for one in packages.verify(file, packages.keys_of(text)):
            click.echo(shown.printable(one.line()))
            findings.append(one)
    except (packages.Unreadable, OSError, UnicodeDecodeError) as fault:
        raise click.UsageError(str(fault)) from None
    if any(one.how == "FAILS" for one in findings):
        raise Fault("The package does NOT hold.")
    signed = findings[-1].how == "holds"
    click.echo("The package holds." if signed else "Its files agree; who signed it is NOT known.")
