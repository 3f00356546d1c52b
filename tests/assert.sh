# For the shell tests, by `. tests/assert.sh`: counts in $passed and $failed,
# and says only what is not as it should be.
passed=0
failed=0

is() { # what, expected, got
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        echo "  $1: expected '$2', got '$3'"
        failed=$((failed + 1))
    fi
}

has() { # what, pattern, file
    if grep -q -- "$2" "$3"; then
        passed=$((passed + 1))
    else
        echo "  $1: no '$2' in:"
        cut -c 1-150 "$3" | sed 's/^/    /' | head -n 12
        failed=$((failed + 1))
    fi
}
