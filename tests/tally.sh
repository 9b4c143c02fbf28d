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

# counted COMMAND...: what a test program prints, in lines "ok NAME", "skip NAME: WHY" or what failed; one more
# where it does not come to its end
counted() {
    timeout -k 10 1800 "$@" 2>&1 || echo "not ok: it ended with status $?"
}

# judge STAGE FILE: counts those lines
judge() {
    while read -r word rest; do
        case $word in
        ok) pass ;;
        skip) skip "$1 ${rest%%:*}" "${rest#*: }" ;;
        *) echo "$word $rest" >"$2.one" && fail "$1" "$2.one" ;;
        esac
    done <"$2"
}

tally() {
    echo "$passed $failed $skipped" >"$TALLY/$1"
    [ "$failed" -eq 0 ]
}
