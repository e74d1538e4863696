# shellcheck shell=bash disable=SC2034,SC2154 # one script in several files
# servers.sh - Kafka and Redis, ours or the given ones; sourced by scripts/run
#
# A given one that cannot be used is said before anything starts: typed wrong,
# it would otherwise look like one that is away for a while.

given_check()
{
	local name
	for name in CHEMCHAT_USE_PG CHEMCHAT_USE_KAFKA CHEMCHAT_USE_REDIS; do
		[ -z "${!name+set}" ] || [ -n "${!name}" ] ||
			say "$name is empty: starting one of our own"
	done
	! kafka_is_given || kafka_check_given
	! redis_is_given || redis_check_given
}

kafka_is_given()
{
	[ -n "${CHEMCHAT_USE_KAFKA:-}" ]
}

kafka_check_given()
{
	local one brokers=()
	IFS=, read -ra brokers <<<"$CHEMCHAT_USE_KAFKA"
	for one in "${brokers[@]}"; do
		[[ $one =~ ^([A-Za-z_]+://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]+$ ]] ||
			die "CHEMCHAT_USE_KAFKA: \"$one\" is not host:port"
	done
	for one in "${brokers[@]}"; do
		! server_answers "${one##*://}" || return 0
	done
	die "CHEMCHAT_USE_KAFKA: nobody answers at $CHEMCHAT_USE_KAFKA"
}

# server_answers HOST:PORT - within three seconds
server_answers()
{
	perl -MIO::Socket::IP -e '
		my ($host, $port) = shift =~ /^\[?(.*?)\]?:(\d+)$/;
		IO::Socket::IP->new(PeerHost => $host, PeerPort => $port,
			Timeout => 3) or exit 1;' "$1" 2>/dev/null
}

# In the background: it takes as long as all the rest.
kafka_begin()
{
	! kafka_is_given || return 0
	mkdir -p "$run/kafka"
	ln -sfn ../kafka/pid "$run/pid/kafka"
	ln -sfn ../kafka/log "$run/log/kafka.log"
	"$scripts/kafka" start "$run/kafka" >/dev/null 6>&- 7>&- &
	kafka_starter=$!
}

# Sets kafka_address.
kafka_await()
{
	if kafka_is_given; then
		kafka_address=$CHEMCHAT_USE_KAFKA
	else
		wait "$kafka_starter" || die "could not start Kafka"
		kafka_starter=''
		kafka_address=$(<"$run/kafka/address")
	fi
}

redis_is_given()
{
	[ -n "${CHEMCHAT_USE_REDIS:-}" ]
}

redis_check_given()
{
	local found
	found=$(printf '%s' "$CHEMCHAT_USE_REDIS" |
		perl "$scripts/run.d/redis_ping.pl" 2>&1) ||
		die "CHEMCHAT_USE_REDIS: $found"
}

# Sets redis_url, without a password, and redis_password_file ('' = none).
redis_connection()
{
	redis_password_file=''
	if redis_is_given; then
		local scheme=${CHEMCHAT_USE_REDIS%%://*} login=''
		local rest=${CHEMCHAT_USE_REDIS#*://}
		local authority=${rest%%/*}
		redis_url=$CHEMCHAT_USE_REDIS
		[[ $authority != *@* ]] || login=${authority%@*}
		if [[ $login == *:* ]]; then
			redis_password_file=$run/secret/redis_password
			(umask 077 && url_decode "${login#*:}" |
				write_file "$redis_password_file")
			login=${login%%:*}
			redis_url=$scheme://${login:+$login@}${authority##*@}
			[[ $rest != */* ]] || redis_url+=/${rest#*/}
		fi
	else
		redis_url=redis://127.0.0.1:$(port_of redis)/0
	fi
}

redis_start()
{
	local port
	redis_connection
	! redis_is_given || return 0
	if ! pid_find "$run/pid/redis"; then
		port=$(port_of redis)
		(umask 077 && write_file "$run/redis.conf") <<-END
			# written by scripts/run at each start
			bind 127.0.0.1
			port $port
			$(setting dir "$run/redis" | sed 's/ = / /')
			daemonize no
			save 300 1
			appendonly no
			loglevel notice
		END
		spawn redis redis-server "$run/redis.conf" || true
	fi
	wait_for 20 redis_answers ||
		{ show_tail "$run/log/redis.log"; die "Redis did not start"; }
}

redis_answers()
{
	local port answer
	port=$(port_of redis)
	answer=$( (exec 3<>"/dev/tcp/127.0.0.1/$port" &&
		printf 'PING\r\n' >&3 && read -r -t 2 line <&3 && echo "$line") 2>/dev/null)
	[[ $answer == +PONG* ]]
}
