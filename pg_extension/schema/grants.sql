-- Who may execute what (docs/sql.md, "Roles").  The outbox's own functions
-- are granted where they are made.

GRANT EXECUTE ON FUNCTION
	chemchat.create_user(text, text, uuid),
	chemchat.create_conversation(uuid, text, text, uuid[], uuid),
	chemchat.add_member(uuid, uuid, uuid, text),
	chemchat.remove_member(uuid, uuid, uuid),
	chemchat.send_message(uuid, uuid, uuid, text, bigint),
	chemchat.send_messages(uuid[], uuid[], uuid[], text[], text[], bigint[]),
	chemchat.edit_message(uuid, uuid, bigint, text, bigint),
	chemchat.delete_message(uuid, uuid, bigint),
	chemchat.react(uuid, uuid, bigint, text, boolean)
 TO chemchat_gateway, chemchat_admin;

GRANT EXECUTE ON FUNCTION
	chemchat.history(uuid, uuid, bigint, int, bigint),
	chemchat.thread(uuid, uuid, bigint, bigint, int),
	chemchat.revisions(uuid, uuid, bigint),
	chemchat.reactions(uuid, uuid, bigint[]),
	chemchat.mentions(uuid, timestamptz, int),
	chemchat.changes_since(uuid, uuid, bigint, bigint, int),
	chemchat.heads(uuid),
	chemchat.users(uuid, uuid[])
 TO chemchat_gateway, chemchat_admin, chemchat_reader;

GRANT EXECUTE ON FUNCTION
	chemchat.live_heads(uuid[], int),
	chemchat.live_changes(uuid, bigint, int)
 TO chemchat_gateway, chemchat_admin;

GRANT EXECUTE ON FUNCTION
	chemchat.position(),
	chemchat.position_status(text, int, pg_lsn)
 TO chemchat_gateway, chemchat_admin, chemchat_reader, chemchat_relay;

GRANT EXECUTE ON FUNCTION
	chemchat.stream_state(name),
	chemchat.report_stream(name, text, int, int, json, pg_lsn, bigint, text,
						   boolean),
	chemchat.republish(uuid, text, int),
	chemchat.slot_name(int, int),
	chemchat.live_slot_name()
 TO chemchat_relay, chemchat_admin;

GRANT EXECUTE ON FUNCTION chemchat.doctor() TO chemchat_reader, chemchat_admin;
