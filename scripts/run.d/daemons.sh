# shellcheck shell=bash disable=SC2034,SC2154 # one script in several files
# daemons.sh - chemchat-relay and chemchat-gateway; sourced by scripts/run
#
# Their settings stand in $run/NAME.conf.  The environment would win over
# that file, and somebody who sourced another instance's env has CHEMCHAT_PG
# and more in it, so the daemons get none of CHEMCHAT_* but what is named here.
#
# CHEMCHAT_GATEWAY_ARGS and CHEMCHAT_RELAY_ARGS are appended as flags.

secret_make()
{
	jwt_secret=$run/secret/jwt
	[ -s "$jwt_secret" ] || "$bin/chemchatctl" secret --out "$jwt_secret" >/dev/null ||
		die "could not make the token key $jwt_secret"
}

# setting NAME VALUE - one line of a daemon's file; a value that may hold
# blanks or '#' stands in double quotes
setting()
{
	local value=${2//\\/\\\\}
	printf '%s = "%s"\n' "$1" "${value//\"/\\\"}"
}

servers_settings()
{
	setting redis_url "$redis_url"
	[ -z "$redis_password_file" ] ||
		setting redis_password_file "$redis_password_file"
}

relay_configure()
{
	{
		echo "# written by scripts/run at each start"
		setting pg "$pg_relay"
		setting kafka "$kafka_address"
		servers_settings
		echo "ops_host = 127.0.0.1"
		echo "ops_port = $(port_of relay_ops)"
	} | write_file "$run/relay.conf"
}

gateway_configure()
{
	{
		echo "# written by scripts/run at each start"
		setting pg "$pg_gateway"
		servers_settings
		setting jwt_secret_file "$jwt_secret"
		echo "local_accounts = on"
		setting web_root "$root/web"
		echo "listen_host = 127.0.0.1"
		echo "listen_port = $(port_of gateway)"
		echo "ops_host = 127.0.0.1"
		echo "ops_port = $(port_of gateway_ops)"
	} | write_file "$run/gateway.conf"
}

# daemon_spawn relay|gateway
daemon_spawn()
{
	local name=$1 args=() keep=() one
	local -n more=CHEMCHAT_${name^^}_ARGS
	# shellcheck disable=SC2206 # words, as the caller wrote them
	args=(${more:-})
	while IFS= read -r one; do
		keep+=(-u "$one")
	done < <(compgen -e | grep '^CHEMCHAT_' |
		grep -vxE 'CHEMCHAT_(LOG_LEVEL|LOG_FORMAT|KILL_AT)')
	spawn "$name" env "${keep[@]}" "$bin/chemchat-$name" \
		--config-file "$run/$name.conf" "${args[@]}"
}

# ready | not ready: REASON | no answer
daemon_readiness()
{
	local answer
	answer=$(http_get "$(port_of "$1_ops")" /readyz) || answer=''
	case $answer in
		200*) echo ready ;;
		'') echo 'no answer' ;;
		*) echo "not ready: ${answer#* }" ;;
	esac
}

daemon_is_ready()
{
	[ "$(daemon_readiness "$1")" = ready ]
}
