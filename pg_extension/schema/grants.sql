-- Who may execute what (docs/sql.md, "Roles").  The outbox's own functions
-- are granted where they are made.

-- Writing of one actor: whom a chemchat_user acts for says _acting().
GRANT EXECUTE ON FUNCTION
	chemchat.send_message(uuid, uuid, uuid, text, bigint),
	chemchat.edit_message(uuid, uuid, bigint, text, bigint),
	chemchat.delete_message(uuid, uuid, bigint),
	chemchat.react(uuid, uuid, bigint, text, boolean),
	chemchat.update_user(uuid, text),
	chemchat.create_conversation(uuid, text, text, uuid[], uuid, text, boolean),
	chemchat.update_conversation(uuid, uuid, text, text, boolean, boolean),
	chemchat.add_member(uuid, uuid, uuid, text),
	chemchat.set_role(uuid, uuid, uuid, text),
	chemchat.invite(uuid, uuid, uuid, text),
	chemchat.remove_member(uuid, uuid, uuid),
	chemchat.leave(uuid, uuid),
	chemchat.join_conversation(uuid, uuid),
	chemchat.mark(uuid, uuid, bigint, bigint),
	chemchat.set_preference(uuid, uuid, boolean, timestamptz, text),
	chemchat.block_user(uuid, uuid, boolean)
 TO chemchat_gateway, chemchat_admin, chemchat_user;

GRANT EXECUTE ON FUNCTION
	chemchat.history(uuid, uuid, bigint, int, bigint),
	chemchat.thread(uuid, uuid, bigint, bigint, int),
	chemchat.revisions(uuid, uuid, bigint, bigint, int),
	chemchat.reactions(uuid, uuid, bigint[], bigint, int),
	chemchat.mentions(uuid, text, int),
	chemchat.changes_since(uuid, uuid, bigint, bigint, int),
	chemchat.heads(uuid),
	chemchat.users(uuid, uuid[]),
	chemchat.find_users(uuid, text, int),
	chemchat.conversation(uuid, uuid),
	chemchat.members(uuid, uuid, uuid, int),
	chemchat.public_channels(uuid, text, text, int),
	chemchat.invitations(uuid),
	chemchat.cursors(uuid, uuid),
	chemchat.my_state(uuid)
 TO chemchat_gateway, chemchat_admin, chemchat_reader, chemchat_user;

-- What speaks for many, and who gets in at all.
GRANT EXECUTE ON FUNCTION
	chemchat.create_user(text, text, uuid),
	chemchat.send_messages(uuid[], uuid[], uuid[], text[], text[], bigint[]),
	chemchat.marks(uuid[], uuid[], bigint[], bigint[]),
	chemchat.set_password(uuid, text, boolean),
	chemchat.account(text, uuid),
	chemchat.revoke_session(uuid, uuid, timestamptz),
	chemchat.revoke_user_tokens(uuid),
	chemchat.revocations(timestamptz),
	chemchat.create_bot(uuid, text, text),
	chemchat.create_bot_token(uuid, bytea, text[], timestamptz, uuid),
	chemchat.revoke_bot_token(uuid),
	chemchat.bot_token(bytea)
 TO chemchat_gateway, chemchat_admin;

GRANT EXECUTE ON FUNCTION
	chemchat.accounts(text, int),
	chemchat.bot_tokens(uuid),
	chemchat.deactivate_user(uuid),
	chemchat.reactivate_user(uuid),
	chemchat.bind_role(name, uuid),
	chemchat.unbind_role(name)
 TO chemchat_admin;

GRANT EXECUTE ON FUNCTION
	chemchat.live_heads(uuid[], int),
	chemchat.live_changes(uuid[], bigint[], int),
	chemchat.live_mark(),
	chemchat.live_states(uuid[], uuid[], text, int, int),
	chemchat.live_audience(uuid[], uuid[], int)
 TO chemchat_gateway, chemchat_admin;

GRANT EXECUTE ON FUNCTION
	chemchat.position(),
	chemchat.position_status(text, int, pg_lsn)
 TO chemchat_gateway, chemchat_admin, chemchat_reader, chemchat_user,
	chemchat_relay;

GRANT EXECUTE ON FUNCTION
	chemchat.stream_state(name),
	chemchat.report_stream(name, text, int, int, json, pg_lsn, bigint, text,
						   boolean),
	chemchat.republish(uuid, text, int),
	chemchat.slot_name(int, int),
	chemchat.live_slot_name()
 TO chemchat_relay, chemchat_admin;

GRANT EXECUTE ON FUNCTION chemchat.doctor() TO chemchat_reader, chemchat_admin;
