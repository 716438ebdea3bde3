# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of sluicectl for bash.

_sluicectl_topics() { sluicectl topic list -q 2> /dev/null; }

# _sluicectl_words - the command and its subcommand, without the options.
_sluicectl_words() {
	local i word skip=
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ -n "$skip" ]; then
			skip=
			continue
		fi
		case $word in
		-b|--bootstrap|--data-dir|-p|-k|-H|-o|-n|-t|-f|-c|-r|--partition|--partitions|--key|\
		--header|--offset|--count|--timeout|--format|--config|--filter|--filter-bpf|--replication-factor|--module|--topic|\
		--delete)
			skip=1 ;;
		-*) ;;
		*) echo "$word" ;;
		esac
	done
}

_sluicectl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local common='-j --json -b --bootstrap --data-dir -h --help' options='' words=()

	COMPREPLY=()
	mapfile -t words < <(_sluicectl_words)
	case $previous in
	--data-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
	--topic) mapfile -t COMPREPLY < <(compgen -W "$(_sluicectl_topics)" -- "$current"); return ;;
	--module|--filter-bpf) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
	-o|--offset)
		mapfile -t COMPREPLY < <(compgen -W 'earliest latest' -- "$current")
		return ;;
	esac
	case ${words[0]-}:${words[1]-} in
	:*) options='up down topic produce consume partition log config compact socket status monitor' ;;
	topic:) options='create list describe config delete' ;;
	partition:) options='list describe delete-records truncate' ;;
	log:) options='check dump' ;;
	socket:) options='list' ;;
	socket:list) options=$(_sluicectl_topics) ;;
	log:check|log:dump)
		if [[ $current != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			return
		fi
		[ "${words[1]}" = check ] && options='-t --topic --online' || options='-r --records' ;;
	topic:create) options='-p --partitions -c --config -r --replication-factor --if-not-exists' ;;
	topic:list) options='-q --quiet' ;;
	topic:describe|partition:list) options=$(_sluicectl_topics) ;;
	config:*) options='-c --config -d --delete --all-brokers' ;;
	topic:config)
		options='-c --config -d --delete'
		[ "${#words[@]}" -gt 2 ] || options+=" $(_sluicectl_topics)" ;;
	topic:delete) options="--if-exists $(_sluicectl_topics)" ;;
	partition:describe|partition:delete-records|partition:truncate) [ "${#words[@]}" -gt 2 ] || options=$(_sluicectl_topics) ;;
	produce:*)
		options='-p --partition -k --key -H --header -d --durable -Z --null --linger --batch-bytes'
		if [ "${#words[@]}" = 1 ]; then
			options+=" $(_sluicectl_topics)"
		elif [[ $current != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			return
		fi ;;
	consume:*)
		options='-p --partition -o --offset --from-beginning --from-time -n --count -e --exit
			-t --timeout -f --format --filter --filter-bpf'
		[ "${#words[@]}" != 1 ] || options+=" $(_sluicectl_topics)" ;;
	up:*|down:*)
		if [[ $current != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -d -- "$current")
			return
		fi
		[ "${words[0]}" = up ] && options=--module || options='-u --unload' ;;
	monitor:*) options='-n --count -t --timeout' ;;
	esac
	[[ $current != -* ]] || options+=" $common"
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
}

complete -F _sluicectl sluicectl
