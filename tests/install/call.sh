#!/usr/bin/env bash
# One SIPp call to the consumer's program, which ends after it: call.sh PROGRAM SIPP
set -eu
program=$1 sipp=$2
port=$((20000 + $$ % 10000 * 2))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
timeout 20 "$program" "udp:127.0.0.1:$port" >"$work/said" &
switch=$!
cd "$work"
if ! timeout 15 "$sipp" -sn uac "127.0.0.1:$port" -s +14155550100 -i 127.0.0.1 -m 1 -d 200 \
    -nostdin -timeout 10 -trace_err >"$work/sipp.out" 2>&1; then
  kill "$switch" 2>/dev/null || true
  tail -n 20 "$work/sipp.out" "$work"/*errors.log 2>/dev/null || true
  exit 1
fi
wait "$switch"
cat "$work/said"
grep -q "ended: BYE" "$work/said"
