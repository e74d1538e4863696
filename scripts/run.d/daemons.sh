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

relay_configure()
{
	write_file "$run/relay.conf" <<-END
		# written by scripts/run at each start
		pg = $pg_relay
		kafka = $kafka_address
		redis_url = $redis_url
		${redis_password_file:+redis_password_file = $redis_password_file}
		ops_host = 127.0.0.1
		ops_port = $(port_of relay_ops)
	END
}

gateway_configure()
{
	write_file "$run/gateway.conf" <<-END
		# written by scripts/run at each start
		pg = $pg_gateway
		redis_url = $redis_url
		${redis_password_file:+redis_password_file = $redis_password_file}
		jwt_secret_file = $jwt_secret
		listen_host = 127.0.0.1
		listen_port = $(port_of gateway)
		web_root = $root/web
		ops_host = 127.0.0.1
		ops_port = $(port_of gateway_ops)
	END
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
