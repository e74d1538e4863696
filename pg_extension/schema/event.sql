-- Events: their JSON, and their way into the WAL.

CREATE FUNCTION chemchat._message_json(conversation_id uuid, ev bigint,
	rev bigint, id uuid, seq bigint, sender uuid, client_msg_id uuid, body text,
	created_at timestamptz) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_message_json';
COMMENT ON FUNCTION chemchat._message_json(uuid, bigint, bigint, uuid, bigint,
	uuid, uuid, text, timestamptz) IS 'a message as an event';

CREATE FUNCTION chemchat._conversation_json(id uuid, ev bigint, rev bigint,
	kind text, title text, created_by uuid, created_at timestamptz)
RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_conversation_json';
COMMENT ON FUNCTION chemchat._conversation_json(uuid, bigint, bigint, text,
	text, uuid, timestamptz) IS 'a conversation as an event';

CREATE FUNCTION chemchat._member_json(conversation_id uuid, ev bigint,
	rev bigint, user_id uuid, role text, state text, changed_by uuid,
	changed_at timestamptz) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_member_json';
COMMENT ON FUNCTION chemchat._member_json(uuid, bigint, bigint, uuid, text,
	text, uuid, timestamptz) IS 'a member as an event';

CREATE FUNCTION chemchat._user_json(id uuid, rev bigint, handle text,
	display_name text, created_at timestamptz) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_user_json';
COMMENT ON FUNCTION chemchat._user_json(uuid, bigint, text, text, timestamptz)
	IS 'a user as an event';

CREATE FUNCTION chemchat._emit(kind "char", key uuid, id uuid, ev bigint,
	seq bigint, rev bigint, at timestamptz, event json, is_replay boolean)
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'chemchat_emit';
COMMENT ON FUNCTION chemchat._emit("char", uuid, uuid, bigint, bigint, bigint,
	timestamptz, json, boolean) IS
	'writes one event into the WAL, with this transaction';

-- Every entity at its last ev, as it now is.  A change that was followed by
-- another of the same entity has no row.
CREATE VIEW chemchat._entity AS
SELECT ch.conversation_id, ch.ev, ch.kind, ch.id, ch.seq,
	   coalesce(m.rev, p.rev, c.rev) AS rev,
	   coalesce(m.created_at, p.changed_at, c.created_at) AS at,
	   CASE ch.kind
		   WHEN 'm' THEN chemchat._message_json(m.conversation_id, m.ev, m.rev,
				m.id, m.seq, m.sender, m.client_msg_id, m.body, m.created_at)
		   WHEN 'p' THEN chemchat._member_json(p.conversation_id, p.ev, p.rev,
				p.user_id, p.role, p.state, p.changed_by, p.changed_at)
		   WHEN 'c' THEN chemchat._conversation_json(c.id, c.ev, c.rev, c.kind,
				c.title, c.created_by, c.created_at)
	   END AS event
  FROM chemchat.change AS ch
  LEFT JOIN chemchat.message AS m
		 ON m.conversation_id = ch.conversation_id AND m.seq = ch.seq
		AND m.ev = ch.ev
  LEFT JOIN chemchat.member AS p
		 ON p.conversation_id = ch.conversation_id
		AND p.user_id = CASE ch.kind WHEN 'p' THEN ch.id END
		AND p.ev = ch.ev
  LEFT JOIN chemchat.conversation AS c
		 ON c.id = CASE ch.kind WHEN 'c' THEN ch.id END AND c.ev = ch.ev
 WHERE coalesce(m.ev, p.ev, c.ev) IS NOT NULL;
COMMENT ON VIEW chemchat._entity IS
	'every conversation-scoped entity at its last ev, as an event';
