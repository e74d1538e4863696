-- Events: their JSON, and their way into the WAL.

CREATE FUNCTION chemchat._message_json(chemchat.message) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_message_json';
COMMENT ON FUNCTION chemchat._message_json(chemchat.message) IS
	'a message as an event';

CREATE FUNCTION chemchat._conversation_json(chemchat.conversation) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_conversation_json';
COMMENT ON FUNCTION chemchat._conversation_json(chemchat.conversation) IS
	'a conversation as an event';

CREATE FUNCTION chemchat._member_json(chemchat.member) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_member_json';
COMMENT ON FUNCTION chemchat._member_json(chemchat.member) IS
	'a member as an event';

CREATE FUNCTION chemchat._reaction_json(chemchat.reaction) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_reaction_json';
COMMENT ON FUNCTION chemchat._reaction_json(chemchat.reaction) IS
	'a reaction as an event';

CREATE FUNCTION chemchat._user_json(chemchat.app_user) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_user_json';
COMMENT ON FUNCTION chemchat._user_json(chemchat.app_user) IS
	'a user as an event';

CREATE FUNCTION chemchat._cursor_json(chemchat.member_state) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_cursor_json';
COMMENT ON FUNCTION chemchat._cursor_json(chemchat.member_state) IS
	'how far a member has read as an event';

CREATE FUNCTION chemchat._preference_json(chemchat.member_state) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_preference_json';
COMMENT ON FUNCTION chemchat._preference_json(chemchat.member_state) IS
	'what a member is told as an event';

CREATE FUNCTION chemchat._block_json(chemchat.block) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_block_json';
COMMENT ON FUNCTION chemchat._block_json(chemchat.block) IS
	'a block as an event';

CREATE FUNCTION chemchat._emit(kind "char", key uuid, id uuid, ev bigint,
	seq bigint, rev bigint, at timestamptz, event json, is_replay boolean)
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'chemchat_emit';
COMMENT ON FUNCTION chemchat._emit("char", uuid, uuid, bigint, bigint, bigint,
	timestamptz, json, boolean) IS
	'writes one event into the WAL, with this transaction';

-- Every entity at its last ev, as it now is.  A change that was followed by
-- another of the same entity has no row.  One branch per table, each asked
-- only for changes of its kind, by its key.
CREATE VIEW chemchat._entity AS
SELECT ch.conversation_id, ch.ev,
	   CASE ch.kind WHEN 'e' THEN 'm'::"char" ELSE ch.kind END AS kind, ch.id,
	   CASE WHEN ch.kind IN ('m', 'e') THEN ch.seq END AS seq, e.rev, e.at,
	   e.event
  FROM chemchat.change AS ch,
	   LATERAL (
			SELECT m.rev, coalesce(m.deleted_at, m.edited_at, m.created_at),
				   chemchat._message_json(m)
			  FROM chemchat.message AS m
			 WHERE ch.kind IN ('m', 'e')
			   AND m.conversation_id = ch.conversation_id
			   AND m.seq = ch.seq AND m.ev = ch.ev
			 UNION ALL
			SELECT r.rev, r.changed_at, chemchat._reaction_json(r)
			  FROM chemchat.reaction AS r
			 WHERE ch.kind = 'r' AND r.id = ch.id AND r.ev = ch.ev
			 UNION ALL
			SELECT p.rev, p.changed_at, chemchat._member_json(p)
			  FROM chemchat.member AS p
			 WHERE ch.kind = 'p' AND p.conversation_id = ch.conversation_id
			   AND p.user_id = ch.id AND p.ev = ch.ev
			 UNION ALL
			SELECT c.rev, coalesce(c.changed_at, c.created_at),
				   chemchat._conversation_json(c)
			  FROM chemchat.conversation AS c
			 WHERE ch.kind = 'c' AND c.id = ch.id AND c.ev = ch.ev)
	   AS e (rev, at, event);
COMMENT ON VIEW chemchat._entity IS
	'every conversation-scoped entity at its last ev, as an event';
