#!/usr/bin/env bash
# Print a topic product with kcat and jq, one JSON line a work; for a look, as it is held in memory.
#
#   kcat.sh 127.0.0.1:9092 distribution.open.v1              follows, a line for each change
#   kcat.sh 127.0.0.1:9092 distribution.open.v1 --until-end  a line for each current work
#
# It reads from the start and without a group: kcat would commit before its output is written.
# Where the broker asks for a user, put into the file that KCAT_CONFIG names:
#   security.protocol=SASL_SSL, sasl.mechanisms=SCRAM-SHA-256, sasl.username=..., sasl.password=...
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }

read_topic() { # read_topic <broker> <topic> <more flags>: each record as a line of JSON
    kcat -C -q -b "$1" -t "$2" -o beginning -X isolation.level=read_committed -J "${@:3}"
}

# A record that tells of a work: {key, line}, the line null where the key was removed. Nudges and
# types that are not known here are none.
works='
def header($name): [.headers // [] | range(0; length; 2) as $at
  | select(.[$at] == $name) | .[$at + 1]] | last;
def works: select(.key != null and (.key | startswith("__") | not))
  | if .payload == null then {key, line: null}
    elif header("ce_type") | IN("distribution.open-work-published.v1",
                                "distribution.plus-work-published.v1")
    then {key, line: (.payload | fromjson | {doi, work_version,
      references: (.work.reference // [] | length),
      withheld: .work."references-withheld".reason})}
    else empty end;'

if [ "${3:-}" = --until-end ]; then
    # The last record of a key wins: records of a key stand in one partition, in order.
    read_topic "$1" "$2" -e |
        jq -nc "$works"'reduce (inputs | works) as $one ({}; .[$one.key] = $one.line)
            | .[] | select(. != null)'
else
    read_topic "$1" "$2" -u |
        jq -c --unbuffered "$works"'works | .line // {doi: .key, removed: true}'
fi
