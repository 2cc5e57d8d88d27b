#!/bin/sh
# Runs under tini in a role's container: sealflow with the container's arguments.
#
# A worker that ends without a signal to stop (killed, crashed, out of memory) is restarted here. Restarting its
# container instead would end the engines in it, which hold hours of work. The new worker adopts them.
[ "$1" = worker ] || exec sealflow "$@"

stopping=
worker=
trap 'stopping=1; interrupted=1; [ -z "$worker" ] || kill -TERM "$worker"' TERM INT
first=1
while [ -z "$stopping" ]; do
  sealflow "$@" &
  worker=$!
  # A signal ends `wait`, not the worker, whose own code is known until it has been asked for.
  interrupted=1
  while [ -n "$interrupted" ]; do
    interrupted=
    wait "$worker"
    code=$?
  done
  worker=
  [ -n "$stopping" ] && break
  # Wrong use at the first start is a configuration error: let the container fail visibly.
  [ -n "$first" ] && [ "$code" -eq 2 ] && break
  first=
  echo "sealflow-entry: the worker has ended ($code) and is started again" >&2
  sleep 2
done
exit "$code"
