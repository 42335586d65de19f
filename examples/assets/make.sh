#!/bin/sh
# Speaks the sentences that the examples play and listen for: see README.md. Debian: flite, sox.
set -eu
cd "$(dirname "$0")"
spoken=$(mktemp -d)
trap 'rm -r "$spoken"' EXIT

say() { # say FILE VOICE SENTENCE
    flite -voice "$2" -t "$3" -o "$spoken/$1"
    sox -D "$spoken/$1" -b 16 "$1" rate 8000 channels 1 \
        silence 1 0.02 0.3% reverse silence 1 0.02 0.3% reverse gain -n -6
}

say greeting.wav slt "Hello, this is trunkline. How can I help you today?"
say caller.wav rms "Could you tell me when you open?"
say other.wav awb "The train to the coast leaves at noon from platform seven, and a ticket is eleven pounds."
