# shellcheck shell=bash disable=SC2034,SC2154 # one script in several files
# report.sh - what others read: the env file, the links, the status

# env_write - $run/env, whole or not at all; 0600, since it holds tokens and
# passwords
env_write()
{
	local gateway_port names='' name value
	gateway_port=$(port_of gateway)
	local -A env=(
		[CHEMCHAT_URL]=http://127.0.0.1:$gateway_port
		[CHEMCHAT_WS_URL]=ws://127.0.0.1:$gateway_port/v1/ws
		[CHEMCHAT_PG]=$pg_uri
		[CHEMCHAT_KAFKA]=$kafka_address
		[CHEMCHAT_REDIS]=${CHEMCHAT_USE_REDIS:-$redis_url}
		[CHEMCHAT_TOKEN_ALICE]=$token_alice
		[CHEMCHAT_TOKEN_BOB]=$token_bob
		[CHEMCHAT_PASSWORD_ALICE]=$password_alice
		[CHEMCHAT_PASSWORD_BOB]=$password_bob
		[CHEMCHAT_ALICE]=$alice
		[CHEMCHAT_BOB]=$bob
		[CHEMCHAT_CONVERSATION]=$conversation
		[CHEMCHAT_GATEWAY_OPS_URL]=http://127.0.0.1:$(port_of gateway_ops)
		[CHEMCHAT_RELAY_OPS_URL]=http://127.0.0.1:$(port_of relay_ops)
		[CHEMCHAT_JWT_SECRET_FILE]=$jwt_secret
		[CHEMCHAT_RUN_DIR]=$run
	)
	for name in "${services[@]}"; do
		# empty: stopped, or not ours
		env[CHEMCHAT_PID_${name^^}]=$(pid_read "$run/pid/$name" || true)
	done
	(
		umask 077
		{
			echo "# an instance of ChemChat; written by scripts/run"
			while IFS= read -r name; do
				value=${env[$name]}
				if [[ ! $value =~ ^[A-Za-z0-9_@%+=:,./-]*$ ]]; then
					value="'${value//\'/\'\\\'\'}'"
				fi
				echo "$name=$value"
				names+=" $name"
			done < <(printf '%s\n' "${!env[@]}" | sort)
			echo "export$names"
		} | write_file "$run/env"
	)
}

# nothing runs: whoever sources env must not signal a pid that is free again
env_forget_pids()
{
	[ -f "$run/env" ] || return 0
	(umask 077 && sed 's/^\(CHEMCHAT_PID_[A-Z]*\)=.*/\1=/' "$run/env" |
		write_file "$run/env")
}

# REPLY is the processes as they are now; when this changes, env is written again.
env_signature()
{
	local name signature=''
	for name in "${services[@]}"; do
		pid_find "$run/pid/$name" || REPLY=-
		signature+=" $REPLY"
	done
	REPLY=$signature
}

links_print()
{
	local url
	url=http://127.0.0.1:$(port_of gateway)
	cat <<-END

		  ChemChat is running. Open both, write in one, read in the other:

		    Alice  $url/#token=$token_alice

		    Bob    $url/#token=$token_bob

		  Or sign in at $url/
		    Alice  handle alice, password ${password_alice:-(her own by now)}
		    Bob    handle bob, password ${password_bob:-(his own by now)}

		  The same events in Kafka:
		    kcat -b $kafka_address -C -q -t chat.messages.v1 -f '%k %s\n'

		  From SQL, in your own transaction:
		    $pg_psql
		    SELECT * FROM chemchat.send_message('$alice',
		      '$conversation', gen_random_uuid(), 'hello from SQL');

		  Addresses and tokens for scripts: . $(relative "$run/env")
	END
	[ "$place" = "$run" ] ||
		printf '  The database lives in %s.\n' "$place"
}

# relative PATH - as one would type it from the repository
relative()
{
	case $1 in
		"$root"/*) echo "${1#"$root"/}" ;;
		*) echo "$1" ;;
	esac
}

# One line per process.  True when all that should run does.
status_print()
{
	local name pid state detail all=0
	for name in "${services[@]}"; do
		detail=''
		if service_is_given "$name"; then
			state=given
		elif pid=$(pid_read "$run/pid/$name"); then
			state=running
			detail="process $pid, $(rss_mib "$pid") MiB"
			case $name in
				gateway | relay) detail+=", $(daemon_readiness "$name")" ;;
				kafka | redis) detail+=", port $(service_port "$name")" ;;
				postgres) detail+=", socket $sockets" ;;
			esac
		elif [ -e "$run/stopped/$name" ]; then
			state=stopped
			detail='by hand'
		else
			state=down
			all=1
		fi
		printf '  %-9s %-8s %s\n' "$name" "$state" "$detail"
	done
	return "$all"
}

service_port()
{
	case $1 in
		kafka) sed 's/.*://' "$run/kafka/address" ;;
		*) port_of "$1" ;;
	esac
}

# as the instance was started, not as this command's environment is
service_is_given()
{
	grep -qx "$1" "$run/state/given" 2>/dev/null
}

rss_mib()
{
	local kib
	kib=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	echo $((${kib:-0} / 1024))
}
