# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced: run test programs, count what they report, sum it up.
#
# A program reports by TAP (cmocka and kselftest both can), or by its exit
# status alone: 0 passed, 77 skipped, anything else failed.
#
# Set before: RESULTS, a file that collects "passed failed skipped name", and
# LOGS, a folder that keeps what each program printed.

# run_test NAME SECONDS COMMAND... - run it, say in a line how it went.
run_test() {
	local name=$1 limit=$2 log rc=0 passed failed skipped begin=$SECONDS
	shift 2
	log=$LOGS/${name//\//-}.log
	mkdir -p "$LOGS"
	timeout -k 10 "$limit" "$@" > "$log" 2>&1 < /dev/null || rc=$?
	passed=$(grep -E '^ok ' "$log" | grep -vciE '# *skip')
	skipped=$(grep -ciE '^ok .*# *skip' "$log")
	failed=$(grep -cE '^not ok ' "$log")
	if [ "$((passed + failed + skipped))" = 0 ]; then
		case $rc in
		0) passed=1 ;;
		77) skipped=1 ;;
		esac
	fi
	# A crash, a leak report or a time-out after the last line of TAP.
	[ "$rc" = 0 ] || [ "$rc" = 77 ] || [ "$failed" != 0 ] || failed=1
	echo "$passed $failed $skipped $name" >> "$RESULTS"
	if [ "$failed" = 0 ]; then
		echo "ok $name: $passed passed$([ "$skipped" = 0 ] || echo ", $skipped skipped") ($((SECONDS - begin)) s)"
		return 0
	fi
	echo "FAILED $name: $passed passed, $failed failed$([ "$rc" != 124 ] || echo ", stopped after $limit s") ($log)"
	grep -nE '^not ok|ERROR: |runtime error|: error|Assertion|FAIL' "$log" | head -n 20
	echo "--- its last lines"
	tail -n 25 "$log"
	echo "---"
	return 1
}

# print_summary - 'N passed, N failed, N skipped'; fails if anything failed.
print_summary() {
	awk '{ p += $1; f += $2; s += $3; if ($2) bad = bad " " $4 }
	END {
		if (f)
			print "failed:" bad
		printf "%d passed, %d failed, %d skipped\n", p, f, s
		exit f > 0 || p == 0
	}' "$RESULTS"
}
