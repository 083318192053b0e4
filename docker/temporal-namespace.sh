#!/bin/sh
# Waits for the server and makes the namespace, if it is not there. Crux adds its search attributes itself.
# Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, as the Temporal CLI does, and RETENTION.
set -eu

attempts=60
until temporal operator cluster health >/dev/null 2>&1; do
  attempts=$((attempts - 1))
  # The last time it says what is wrong.
  [ "$attempts" -gt 0 ] || { temporal operator cluster health; exit 1; }
  sleep 1
done
temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
