#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Put files in place, or take them away.
#
# usage: install.sh install|uninstall SOURCE:FOLDER[:keep|:MODE]...
#
# DESTDIR is put before every folder. A file marked keep is installed only where
# there is none: it is the operator's to change.
set -euo pipefail

dest=${DESTDIR:-}
action=$1
shift
for file in "$@"; do
	IFS=: read -r source folder how <<< "$file"
	target=$dest$folder/$(basename "$source")
	if [ "$action" = uninstall ]; then
		rm -vf "$target"
		continue
	fi
	mode=644
	if [[ $folder = */bin ]]; then mode=755; fi
	if [ "$how" = keep ]; then
		[ ! -e "$target" ] || continue
	elif [ -n "$how" ]; then
		mode=$how
	fi
	mkdir -p "$dest$folder"
	if [ -L "$source" ]; then
		cp -vP "$source" "$target"
	else
		install -vm "$mode" "$source" "$target"
	fi
done
# Into a staging folder nothing is registered.
[ -z "$dest" ] || exit 0
if [ -d "/lib/modules/$(uname -r)" ]; then
	depmod
fi
ldconfig
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
