# shellcheck shell=bash disable=SC2034,SC2154 # one script in several files
# postgres.sh - our own PostgreSQL, or the given one; sourced by scripts/run
#
# Ours is a private copy of the installed server's binaries with the extension
# in it, a cluster of its own, and a socket in a folder that only its user may
# enter: no TCP, and nothing of the system is changed.
#
# Of a given one (CHEMCHAT_USE_PG) no setting is changed.  We make the
# extension in that database when we may, and our two people.

postgres_is_given()
{
	[ -n "${CHEMCHAT_USE_PG:-}" ]
}

# The folder of PostgreSQL's programs, ours or (given) the installed ones.
# Sets pg_bin.
postgres_stage()
{
	local config
	if postgres_is_given; then
		config=$(command -v pg_config)
	elif [ "$place" = "$run" ] && as_pg_user test -x "$root/build/pg"; then
		config=$(<"$root/build/pg/pg_config.path")
	else
		(umask 022 && mkdir -p "$place/stage" &&
			config=$("$scripts/pgstage" "$place/stage" "$(command -v pg_config)") &&
			make_quietly -C "$root/pg_extension" "PG_CONFIG=$config" install &&
			echo "$config" | write_file "$place/stage/pg_config.path") ||
			die "could not install the extension into $place/stage"
		config=$(<"$place/stage/pg_config.path")
	fi
	pg_bin=$("$config" --bindir)
	psql=$pg_bin/psql
	[ -x "$psql" ] || psql=psql
}

make_quietly()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s "$@" >/dev/null
}

# Sets pg_service (conninfo for our programs, never with a password in it),
# pg_uri (for scripts), pg_psql (for people), pg_gateway and pg_relay (conninfo of the daemons).
postgres_connection()
{
	local name
	if postgres_is_given; then
		(umask 077 && printf '%s' "$CHEMCHAT_USE_PG" |
			perl "$scripts/run.d/conninfo.pl" |
			write_file "$run/secret/pg_service.conf") ||
			die "CHEMCHAT_USE_PG: not a conninfo"
		export PGSERVICEFILE=$run/secret/pg_service.conf
		pg_service='service=chemchat'
		pg_uri=$CHEMCHAT_USE_PG
		[[ $pg_uri == postgres*://* ]] || pg_uri=$(printf '%s' "$pg_uri" |
			perl "$scripts/run.d/conninfo.pl" --uri)
		# the URI may hold a password, which no argument should
		pg_psql="PGSERVICEFILE=$PGSERVICEFILE psql service=chemchat"
		pg_gateway=$pg_service
		pg_relay=$pg_service
	else
		# the caller's PGHOST, PGOPTIONS and so on are for other servers
		while IFS= read -r name; do
			unset "$name"
		done < <(compgen -e | grep '^PG')
		local host="host=$sockets port=5432 dbname=chemchat"
		pg_service="$host user=postgres"
		pg_uri="postgresql://postgres@$(url_encode "$sockets"):5432/chemchat"
		pg_psql="psql '$pg_uri'"
		pg_gateway="$host user=chemchat_dev_gateway"
		pg_relay="$host user=chemchat_relay"
	fi
}

# sql [DATABASE-CONNINFO] - runs standard input, prints bare values
sql()
{
	PGAPPNAME='chemchat run' PGCONNECT_TIMEOUT=10 PGOPTIONS='' \
		"$psql" -X -w -q -A -t -v ON_ERROR_STOP=1 -d "${1:-$pg_service}" -f -
}

postgres_init()
{
	local data=$place/postgres major
	if [ -f "$data/PG_VERSION" ]; then
		major=$("$pg_bin/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
		[ "$(<"$data/PG_VERSION")" = "$major" ] ||
			die "the data in $data was written by PostgreSQL" \
				"$(<"$data/PG_VERSION"), this is $major: pg_upgrade keeps it," \
				"\`make clean-data\` starts afresh"
		return
	fi
	say "making the database's cluster in $data"
	rm -rf "$data.new"
	mkdir "$data.new"
	chmod 700 "$data.new"
	chown "$pg_user" "$data.new"
	as_pg_user "$pg_bin/initdb" -D "$data.new" -U postgres -E UTF8 \
		--locale=C.UTF-8 --auth=trust --no-instructions \
		>"$run/log/initdb.log" 2>&1 ||
		{ show_tail "$run/log/initdb.log"; die "could not make the cluster"; }
	# whoever may enter the socket's folder is the administrator
	echo 'local all all trust' | as_pg_user tee "$data.new/pg_hba.conf" >/dev/null
	mv "$data.new" "$data"
}

# What differs from the defaults; rewritten at each start, since a minor
# update may have brought output_plugin_libraries.
postgres_configure()
{
	local data=$place/postgres
	{
		echo "# written by scripts/run at each start; own settings go into"
		echo "# postgresql.auto.conf (ALTER SYSTEM)"
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$sockets'"
		echo "unix_socket_permissions = 0700"
		echo "port = 5432"
		echo "wal_level = logical"
		echo "max_wal_senders = 10"
		echo "max_replication_slots = 10"
		echo "# Kafka away: this much is kept for it"
		echo "max_slot_wal_keep_size = 8GB"
		echo "# a frozen relay loses its slot to the next one after this long"
		echo "wal_sender_timeout = 5s"
		echo "log_line_prefix = '%m [%p] %q%u '"
		echo "log_checkpoints = off"
		# no -q: leaving early would kill postgres by SIGPIPE
		if as_pg_user "$pg_bin/postgres" --describe-config |
			grep '^output_plugin_libraries' >/dev/null; then
			echo "output_plugin_libraries = 'pgoutput, test_decoding, chemchat'"
		fi
	} | as_pg_user tee "$data/chemchat.conf" >/dev/null
	grep -q "^include 'chemchat.conf'" "$data/postgresql.conf" ||
		echo "include 'chemchat.conf'" |
		as_pg_user tee -a "$data/postgresql.conf" >/dev/null
}

postgres_spawn()
{
	spawn postgres "${as_pg[@]}" "$pg_bin/postgres" -D "$place/postgres"
}

postgres_accepts()
{
	"$pg_bin/pg_isready" -q -t 1 -h "$sockets" -p 5432
}

postgres_start()
{
	local tries=5
	if ! pid_find "$run/pid/postgres"; then
		postgres_init
		postgres_configure
		postgres_spawn || true
	fi
	# crash recovery may take its time; a dead one ends the wait
	until wait_for 120 postgres_accepts_or_died && postgres_accepts; do
		# What a killed one left, a zombie that init has not buried or a
		# backend that has not noticed, is in the way for a moment.
		if pid_find "$run/pid/postgres" || [ "$tries" -eq 0 ]; then
			show_tail "$run/log/postgres.log"
			die "PostgreSQL did not start"
		fi
		tries=$((tries - 1))
		sleep 1
		postgres_spawn || true
	done
}

postgres_accepts_or_died()
{
	postgres_accepts || ! pid_find "$run/pid/postgres"
}

# The database, the extension in it, and the roles the daemons log in with.
postgres_prepare()
{
	local made now
	sql "${pg_service/dbname=chemchat/dbname=postgres}" <<-'END' ||
		SELECT 'CREATE DATABASE chemchat' WHERE NOT EXISTS
			(SELECT FROM pg_database WHERE datname = 'chemchat') \gexec
	END
		die "could not create the database"
	sql <<-'SQL' || die "could not create the extension"
		SET client_min_messages = warning;
		CREATE EXTENSION IF NOT EXISTS chemchat;
		DO $$
		BEGIN
			IF to_regrole('chemchat_dev_gateway') IS NULL THEN
				CREATE ROLE chemchat_dev_gateway LOGIN IN ROLE chemchat_gateway;
			END IF;
		END
		$$;
		ALTER ROLE chemchat_relay LOGIN REPLICATION;
	SQL
	# a released version's SQL never changes, a development tree's does
	now=$(cksum <"$(extension_sql)")
	made=$(cat "$run/state/extension" 2>/dev/null || true)
	if [ -z "$made" ]; then
		echo "$now" | write_file "$run/state/extension"
	elif [ "$made" != "$now" ]; then
		say "The extension's SQL is newer than this data: \`make clean-data\`" \
			"starts afresh."
	fi
}

extension_sql()
{
	echo "$root/pg_extension/chemchat--$(<"$root/VERSION").sql"
}

# What of ours stays at work in a given server after a stop.
slots_note()
{
	say "the relay's slots stay in the database of CHEMCHAT_USE_PG and keep its" \
		"WAL for the next start; to end that, there: SELECT" \
		"pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE" \
		"slot_name IN (chemchat.slot_name(), chemchat.live_slot_name())"
}

# A given server: everything that would stop us, said at once and in words.
postgres_check_given()
{
	local found
	found=$(sql <<<"SELECT 1" 2>&1) ||
		die "could not use CHEMCHAT_USE_PG: $found"
	found=$(sql <<-'END'
		SELECT CASE
			WHEN EXISTS (SELECT FROM pg_extension WHERE extname = 'chemchat')
				THEN 'there'
			WHEN EXISTS (SELECT FROM pg_available_extensions
				WHERE name = 'chemchat') THEN 'available'
			ELSE 'missing' END;
	END
	)
	case $found in
		missing)
			die "the extension is not installed on the server of" \
				"CHEMCHAT_USE_PG; there, as root: make install" \
				"PG_CONFIG=.../pg_config"
			;;
		available)
			sql <<<"SET client_min_messages = warning; CREATE EXTENSION chemchat" ||
				die "could not create the extension; as a superuser, in that" \
					"database: CREATE EXTENSION chemchat"
			;;
	esac
	found=$(sql <<-'END'
		-- The relay logs in as we do: that chemchat_relay itself may use our
		-- plugin, which doctor() lets pass with a warning, does not help it.
		-- What is wrong with a slot the relay mends, once it runs.
		SELECT format('  %s: %s. %s', subject, finding, remedy)
		FROM chemchat.doctor()
		WHERE (severity = 'error' AND subject !~ '^slot ')
			OR (severity = 'warning' AND subject = 'output_plugin_libraries');
	END
	) || die "could not ask chemchat.doctor(): the role of CHEMCHAT_USE_PG is" \
		"a superuser or, with REPLICATION, a member of chemchat_gateway," \
		"chemchat_relay and chemchat_reader"
	[ -z "$found" ] ||
		die "CHEMCHAT_USE_PG is not ready for ChemChat; no setting of it was" \
			"changed. chemchat.doctor() says:"$'\n'"$found"
}
