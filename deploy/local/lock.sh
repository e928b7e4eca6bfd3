#!/usr/bin/env bash
# Write the locks: what pyproject.toml, uv.in and the poms resolve to, with every file's hash.
# `--upgrade` moves what is not pinned there.
set -euo pipefail
cd "$(dirname "$0")/../.."

compile() { # compile <lock> <source and extras...>
    local lock=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --output-file "$lock" "$@"
    { echo "# Made by \`make lock\`. Installed with --require-hashes."; grep -v '^#' "$lock"; } >"$lock.new"
    mv "$lock.new" "$lock"
}

compile requirements.txt pyproject.toml "$@" # what the services need: the image installs it
compile requirements-dev.txt --extra local --extra motor --extra dev pyproject.toml "$@"
compile deploy/local/uv.txt deploy/local/uv.in "$@"
.venv/bin/python -m deploy.local.broker.jars
.venv/bin/python -m deploy.models lock
