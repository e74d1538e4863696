-- What a client compares when it comes back, and who the ids are.

-- A thousand conversations are a few thousand looks into indexes, each into a
-- page of its own: so they go in the indexes' order, what hangs on the user is
-- read in one piece, and mentions are counted only where something is unread.
-- The end of a conversation is looked for from where this session saw it last
-- (send_heads.h), and by _head() when nothing is there from that on; a message
-- that is the last change has its time in its id.
CREATE FUNCTION chemchat.heads(actor uuid)
RETURNS TABLE (conversation_id uuid, ev bigint, seq bigint, read_seq bigint,
			   mentions int, is_muted boolean, kind text, title text, role text,
			   member_rev bigint, delivered_seq bigint, notify text,
			   muted_until timestamptz, topic text, is_public boolean,
			   archived_at timestamptz, other_id uuid, last_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting CONSTANT uuid := chemchat._acting(heads.actor);
BEGIN
	RETURN QUERY
	SELECT m.conversation_id,
		   chemchat._note_head(m.conversation_id,
				coalesce(e.ev, chemchat._head(m.conversation_id))),
		   coalesce(e.seq, last.seq, 0), coalesce(own.read_seq, 0),
		   CASE WHEN coalesce(e.seq, last.seq) > coalesce(own.read_seq, 0) THEN
				(SELECT count(*)::int FROM chemchat.mention AS unread
				  WHERE unread.user_id = acting
					AND unread.conversation_id = m.conversation_id
					AND unread.seq > coalesce(own.read_seq, 0)) ELSE 0 END,
		   coalesce(own.is_muted, false), c.kind, c.title, m.role, m.rev,
		   coalesce(own.delivered_seq, 0), coalesce(own.notify, 'all'),
		   own.muted_until, c.topic, c.is_public, c.archived_at, d.other_id,
		   coalesce(e.at, last.created_at, c.created_at)
	  FROM (SELECT * FROM chemchat.member AS seat
			 WHERE seat.user_id = acting AND seat.state = 'joined'
			 ORDER BY seat.conversation_id OFFSET 0) AS m
	  CROSS JOIN LATERAL (
			SELECT * FROM chemchat.conversation AS it
			 WHERE it.id = m.conversation_id LIMIT 1) AS c
	  LEFT JOIN LATERAL (
			SELECT * FROM chemchat.member_state AS mine
			 WHERE mine.user_id = m.user_id
			   AND mine.conversation_id = m.conversation_id
			 LIMIT 1) AS own ON true
	  LEFT JOIN LATERAL (
			SELECT ch.ev, CASE ch.kind WHEN 'm' THEN ch.seq END AS seq,
				   CASE ch.kind WHEN 'm' THEN chemchat._uuid7_time(ch.id) END
					   AS at
			  FROM chemchat.change AS ch
			 WHERE ch.conversation_id = m.conversation_id
			   AND ch.ev >= chemchat._head_hint(m.conversation_id)
			 ORDER BY ch.ev DESC LIMIT 1) AS e ON true
	  LEFT JOIN LATERAL (
			SELECT said.seq, said.created_at FROM chemchat.message AS said
			 WHERE e.at IS NULL
			   AND said.conversation_id = m.conversation_id
			   AND said.seq >= coalesce(e.seq, own.read_seq, 0)
			 ORDER BY said.seq DESC LIMIT 1) AS last ON true
	  LEFT JOIN (
			SELECT pair.conversation_id, pair.high AS other_id
			  FROM chemchat.direct AS pair WHERE pair.low = acting
			 UNION ALL
			SELECT pair.conversation_id, pair.low
			  FROM chemchat.direct AS pair WHERE pair.high = acting) AS d
			 ON d.conversation_id = m.conversation_id
	 ORDER BY m.conversation_id;
END
$$;
COMMENT ON FUNCTION chemchat.heads(uuid) IS
	'how far each of the actor''s conversations is: what a client compares';

CREATE FUNCTION chemchat.users(actor uuid, ids uuid[])
RETURNS TABLE (id uuid, handle text, display_name text, rev bigint, event json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting CONSTANT uuid := chemchat._acting(users.actor);
BEGIN
	IF array_ndims(users.ids) > 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'ids',
			'ids must have one dimension');
	ELSIF users.ids IS NULL OR array_position(users.ids, NULL) IS NOT NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'ids',
			'ids must not be null');
	ELSIF cardinality(users.ids) > 200 THEN
		PERFORM chemchat._raise('too_large', 'ids', 'more than 200 ids');
	END IF;
	RETURN QUERY
	SELECT u.id, u.handle, u.display_name, u.rev, chemchat._user_json(u)
	  FROM chemchat.app_user AS u
	 WHERE u.id = ANY (users.ids)
	   AND (u.id = acting
			OR EXISTS (SELECT FROM chemchat.member AS mine
						 JOIN chemchat.member AS theirs
						   ON theirs.conversation_id = mine.conversation_id
						WHERE mine.user_id = acting
						  AND (mine.state <> 'invited'
							   OR theirs.user_id = mine.changed_by)
						  AND theirs.user_id = u.id))
	 ORDER BY u.id;
END
$$;
COMMENT ON FUNCTION chemchat.users(uuid, uuid[]) IS
	'those of the users who share or shared a conversation with the actor, or invited her';
