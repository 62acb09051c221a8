#!/bin/sh
# Exports with open dimensions become the same layers as with these dimensions fixed.
# usage: test_fixed.sh BUILD_DIR
set -u
"$1/tests/facts_check_fixed" "$(dirname "$0")"/../fixtures/*/
