# Counts of a test stage; sourced by each stage's `run`, which ends with `tally STAGE`.
passed=0 failed=0 skipped=0

pass() {
    passed=$((passed + 1))
}

# fail NAME FILE: FILE says how
fail() {
    failed=$((failed + 1))
    echo "FAIL $1"
    head -n 80 "$2" | sed 's/^/    /'
}

skip() {
    skipped=$((skipped + 1))
    echo "SKIP $1: $2"
}

tally() {
    echo "$passed $failed $skipped" >"$TALLY/$1"
    [ "$failed" -eq 0 ]
}
