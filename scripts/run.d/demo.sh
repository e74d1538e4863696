# shellcheck shell=bash disable=SC2034,SC2154 # one script in several files
# demo.sh - Alice, Bob and a conversation; sourced by scripts/run
#
# Fixed ids and the API's own idempotence: doing it again changes nothing.

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
