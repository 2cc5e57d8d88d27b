#!/bin/sh
# What tini runs in a role's container: sealflow with the container's arguments.
#
# A worker that ends without having been told to (killed, crashed, out of memory) is started again here, and not by a restart
# of its container, which would end the engines in it: hours of work. The new worker finds them and waits for them.
[ "$1" = worker ] || exec sealflow "$@"

told=
worker=
trap 'told=1; [ -z "$worker" ] || kill -TERM "$worker"' TERM INT
first=1
while [ -z "$told" ]; do
  sealflow "$@" &
  worker=$!
  # A signal ends `wait`, not the worker.
  wait "$worker"
  code=$?
  while kill -0 "$worker" 2>/dev/null; do
    wait "$worker"
    code=$?
  done
  worker=
  [ -n "$told" ] && break
  # Wrong use: seen at the first start it is somebody's mistake, which shows as a container that does not run.
  [ -n "$first" ] && [ "$code" -eq 2 ] && break
  first=
  echo "sealflow-entry: the worker has ended ($code) and is started again" >&2
  sleep 2
done
exit "$code"
