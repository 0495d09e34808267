# What the checks of the longer examples share: they start programs, talk to them, and end them.
set -euo pipefail
checks=$(cd "$(dirname "$0")" && pwd)
cd "$1" # where the programs are
scratch=$(mktemp -d)
programs=()

finish() {
    local status=$?
    if ((${#programs[@]} > 0)); then
        kill -KILL "${programs[@]}" || true
        wait "${programs[@]}" || true
    fi 2>/dev/null
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT

fail() {
    echo "$1" >&2
    exit 1
}

expect() { # WHAT ACTUAL EXPECTED
    [[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"
}

# Runs a test again and again until it succeeds; not for ever.
until_true() { # WHAT COMMAND...
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        "${@:2}" && return
        sleep 0.05
    done
    fail "$1: not within 30 seconds"
}

# Starts a program with its output in a file, and notes it: $started is its process.
start() { # FILE COMMAND...
    "${@:2}" >"$1" 2>&1 &
    started=$!
    programs+=("$started")
}

# What the first line of a file is, as soon as there is one.
first_line() { # FILE
    until_true "$1" test -s "$1"
    head -n 1 "$1"
}
