#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the generator refuses, and that its header agrees with sluice.h, as TAP.
set -uo pipefail

cd "$(dirname "$0")/../.." || exit
spec=Documentation/netlink/specs/sluice.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0 failed=0

ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { n=$((n + 1)); failed=1; echo "not ok $n - $1"; }

gen() { /usr/bin/python3 tools/gen_netlink.py "$@"; }

# refuses NAME SED_SCRIPT - a spec changed so must be an error, not be ignored.
refuses() {
	sed "$2" "$spec" > "$work/spec.yaml"
	if cmp -s "$spec" "$work/spec.yaml"; then
		not_ok "$1 (the change changes nothing)"
	elif gen "$work/spec.yaml" --uapi "$work/h" 2> "$work/err"; then
		not_ok "$1"
	elif grep -q Traceback "$work/err"; then
		not_ok "$1 (not said in words)"
	else
		ok "$1"
	fi
}

refuses "an unknown key" 's/^ *doc: Sent to the group/      dok: Sent to the group/'
refuses "an unknown type" '0,/type: u32/s//type: u33/'
refuses "an unknown set" 's/attribute-set: info/attribute-set: inof/'
refuses "an unknown attribute" 's/attributes: \[path, fd\]/attributes: [path, df]/'
refuses "an unknown constant" 's/max-len: path-max/max-len: path-xam/'
refuses "an unknown enum" 's/enum: durability/enum: durable/'
refuses "an unknown flag" 's/flags: \[uns-admin-perm\]/flags: [admin]/'

gen "$spec" --uapi "$work/a.h"
if printf '#include <linux/sluice.h>\n#include "a.h"\n' |
	gcc -std=gnu11 -Wall -Wextra -Werror -Iuapi -I"$work" -fsyntax-only -x c -; then
	ok "the header agrees with sluice.h on what both define"
else
	not_ok "the header agrees with sluice.h on what both define"
fi
echo "1..$n"
exit "$failed"
