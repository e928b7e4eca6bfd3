"""A launcher whose services do nothing but answer: what `make run` promises, without the real ones.

Roles, chosen by the first argument: `launcher`; `topics` and `demo`, which each say whether they
were here before; and, without one, a service.
"""

import asyncio
import http.server
import os
import signal
import subprocess
import sys
from typing import Any

import pymongo
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo.errors import OperationFailure

from deploy.local import run
from deploy.local.services import Service

MODULE = "tests.integration.standin"
SERVICES = tuple(Service(name, MODULE, name, "/", (name,)) for name in ("accounts", "deposits"))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def launcher() -> int:
    """Run `make run` with stand-ins."""
    # A shell starts what runs in the background deaf to Ctrl-C, and whatever that starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = (sys.executable, "-m", MODULE)
    plan = run.Plan(SERVICES, topics=(*command, "topics"), demo=(*command, "demo"))
    return run.main(plan)


async def topics() -> None:
    """Make one topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"])
    await admin.start()
    try:
        there = "spine" in await admin.list_topics()
        await admin.create_topics([NewTopic("spine", 1, 1)])
        _say("topic was there" if there else "topic made")
    finally:
        await admin.close()


def _store() -> pymongo.MongoClient[dict[str, Any]]:
    return pymongo.MongoClient(os.environ["MONGODB_URL"])


class Site(http.server.BaseHTTPRequestHandler):
    """`/readyz`; `/starts` counts the starts in the store; `/foreign` reads another's database."""

    def do_GET(self) -> None:
        mine = f"colophon_{os.environ['SERVICE']}"
        with _store() as client:
            match self.path:
                case "/starts":
                    answer = str(len(list(client[mine].starts.find())))
                case "/foreign":
                    answer = "allowed"
                    try:
                        client["colophon_accounts"].starts.find_one()
                    except OperationFailure:
                        answer = "refused"
                case "/crash":
                    _say("I fall over")
                    os._exit(3)
                case _:
                    answer = "ready"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def service() -> None:
    """Count this start, start a grandchild, answer."""
    port = int(os.environ["HTTP_PORT"])
    os.environ["SERVICE"] = os.environ["STATE_DIR"].rsplit("/", 1)[1]
    with _store() as client:
        client[f"colophon_{os.environ['SERVICE']}"].starts.insert_one({})
    with subprocess.Popen(["sleep", "1000"]):
        _say("I serve")
        http.server.HTTPServer(("127.0.0.1", port), Site).serve_forever()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["launcher"]:
            sys.exit(launcher())
        case ["topics"]:
            asyncio.run(topics())
        case ["demo"]:
            _say("the demo was loaded")
        case _:
            service()
