# shellcheck shell=bash disable=SC2034,SC2154 # one script in several files
# demo.sh - Alice, Bob and a conversation; sourced by scripts/run
#
# Fixed ids and the API's own idempotence: doing it again changes nothing.
# Their passwords are made once and kept in $run/secret, with the hash that the
# database keeps of them: another one there is a password of their own.

alice=01930000-0000-7000-8000-00000000a11c
bob=01930000-0000-7000-8000-000000000b0b
conversation=01930000-0000-7000-8000-00000000c0de

demo_make()
{
	sql <<-END || die "could not make Alice, Bob and their conversation"
		\\o /dev/null
		SELECT chemchat.create_user('alice', 'Alice', '$alice');
		SELECT chemchat.create_user('bob', 'Bob', '$bob');
		SELECT chemchat.create_conversation('$alice', 'group', 'General',
			ARRAY['$bob']::uuid[], '$conversation');
	END
}

# Both may sign in, and Alice may make bots.  Only what is missing is set: a
# password that is set again ends every session.
demo_accounts()
{
	local name
	for name in alice bob; do
		demo_account "$name" || die "could not give $name a password"
	done
	if [ "$(demo_has alice is_admin)" != t ]; then
		demo_ctl user admin alice on || die "could not make Alice an administrator"
	fi
	demo_known alice
	password_alice=$REPLY
	demo_known bob
	password_bob=$REPLY
}

# REPLY: the password that was made for her; nothing when she has another now.
demo_known()
{
	local file=$run/secret/password_$1
	REPLY=$(<"$file")
	[ ! -s "$file.hash" ] ||
		[ "$(demo_has "$1" password_hash)" = "$(<"$file.hash")" ] || REPLY=''
}

demo_account()
{
	local file=$run/secret/password_$1
	if [ -s "$file" ] && [ "$(demo_has "$1" 'password_hash IS NOT NULL')" = t ]; then
		return
	fi
	[ -s "$file" ] || (umask 077 && demo_password | write_file "$file") || return
	demo_ctl user passwd "$1" --password-file "$file" &&
		(umask 077 && demo_has "$1" password_hash | write_file "$file.hash")
}

# demo_has HANDLE WHAT - a column or a condition of her account; t, f, ...
demo_has()
{
	sql <<<"SELECT a.$2 FROM chemchat.account('$1') AS a"
}

demo_ctl()
{
	"$bin/chemchatctl" "$@" --pg "$pg_service"
}

# Four words of four: easily read from one window and typed into another.
demo_password()
{
	perl -e 'open my $random, "<:raw", "/dev/urandom" or die;
		read $random, my $bytes, 16;
		my @letters = ("a" .. "k", "m", "n", "p" .. "z", 2 .. 9);
		my $text = join "", map { $letters[ord($_) % 32] } split //, $bytes;
		print join("-", $text =~ /(....)/g), "\n";'
}

# Sets token_alice and token_bob: good for a week, made anew at each start.
demo_tokens()
{
	token_alice=$(demo_token "$alice") || die "could not sign Alice's token"
	token_bob=$(demo_token "$bob") || die "could not sign Bob's token"
}

demo_token()
{
	"$bin/chemchatctl" token --secret-file "$jwt_secret" --user "$1" --ttl 168h
}
