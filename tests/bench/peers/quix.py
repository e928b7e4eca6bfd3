"""Quix Streams' MongoDBSink, as a process in an environment of its own."""

import json
import sys
from urllib.parse import urlsplit

from quixstreams import Application
from quixstreams.sinks.community.mongodb import MongoDBSink


def main(task: dict[str, str]) -> None:
    app = Application(
        task["bootstrap"],
        consumer_group=task["prefix"] + "quix",
        auto_offset_reset="earliest",
        commit_interval=1.0,
        commit_every=int(task["batch"]),
        auto_create_topics=False,
        consumer_extra_config={"isolation.level": "read_committed"},
        state_dir=task["folder"],
    )
    store = urlsplit(task["url"])
    sink = MongoDBSink(
        host=store.hostname or "",
        port=store.port or 27017,
        username=store.username,
        password=store.password,
        db=task["database"],
        collection="works",
        update_method="ReplaceOne",
    )
    topic = app.topic(task["topic"], key_deserializer="str", value_deserializer="json")
    app.dataframe(topic).sink(sink)
    app.run()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
