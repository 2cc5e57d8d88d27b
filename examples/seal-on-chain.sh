#!/usr/bin/env bash
# From a ticket to sectors on chain: the steps of docs/integration.md as one script.
#
#   examples/seal-on-chain.sh t01000/1-4 FROM --group 1 [more options of sealflow start]
#
# It waits for hours, so run it where it does not end with your terminal. Messages and seeds are files in the current directory;
# NAME.waits says which sectors the next message waits for.
set -euo pipefail
sectors=$1 from=$2
shift 2
chain=$(dirname "$(realpath "$0")")/lotus.mjs
POLL_SECONDS=${POLL_SECONDS:-60}

# Makes a message of all sectors, once all are that far.
message() {
  until sealflow message "$1" "$sectors" --json >"$1.json" 2>"$1.waits"; do sleep "$POLL_SECONDS"; done
}

ticket=$(node "$chain" ticket "${sectors%%/*}")
sealflow start "$sectors" --ticket "$ticket" --clean-after landed "$@"

message precommit
node "$chain" send precommit.json "$from"

node "$chain" seeds precommit.json >seeds
sealflow seed @seeds

message prove-commit
node "$chain" send prove-commit.json "$from"

node "$chain" proven prove-commit.json >proven
sealflow landed @proven
