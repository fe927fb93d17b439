# For the tests in this directory: . "$(dirname "$0")/lib.sh"
# Runs inside a whole machine (tests/vm/run), with all that the nested tests have, and a power switch.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../nested/lib.sh"

# How often this test has cut the power.
stage=${BERTH_STAGE:?run me by tests/vm/run}

# Cuts the power. The machine boots again with what reached the disk, and runs this test from its beginning with the next
# stage. In the background, `{ sleep 0.7; power_cut; } &`, it comes at whatever the test is at.
power_cut() {
        echo cut >"$BERTH_RESULTS"
        sleep infinity
}

# keep TEXT: is known after the next power cut, however soon that comes. kept: all that was kept before the last boot.
keep() { echo "keep $*" >"$BERTH_RESULTS"; }
kept() { cat /run/berth-job/kept; }
