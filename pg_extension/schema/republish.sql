-- Writes the current state of everything into the WAL again, in short
-- transactions: for a slot that is new, or was lost.
--
-- The cursor, opaque to callers:
--   u/<user>/<other>/<done>/<total>         users from this one on are next,
--   s/..., n/..., b/...                     then cursors, preferences, blocks,
--   c/<conversation>/<ev>/<done>/<total>    and this conversation up to this ev
-- done and total count conversations; total is what the first call saw.

CREATE FUNCTION chemchat.republish(conversation_id uuid DEFAULT NULL,
	OUT events int, INOUT cursor text DEFAULT NULL,
	max_events int DEFAULT 1000, OUT is_done boolean, OUT done bigint,
	OUT total bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	phase "char";
	at_id uuid;
	at_other uuid;
	at_ev bigint;
	written int;
BEGIN
	PERFORM chemchat._begin_write();
	IF coalesce(republish.max_events, 0) < 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'max_events',
			'max_events must be at least 1');
	ELSIF republish.max_events > 10000 THEN
		PERFORM chemchat._raise('too_large', 'max_events',
			'max_events is above 10000');
	END IF;
	SELECT p.phase, p.at_id, p.at_other, p.at_ev, p.done, p.total
	  INTO phase, at_id, at_other, at_ev, republish.done, republish.total
	  FROM chemchat._republish_cursor(republish.cursor,
									  republish.conversation_id) AS p;
	republish.events := 0;
	republish.is_done := false;

	WHILE phase <> 'c' AND republish.events < republish.max_events LOOP
		SELECT r.written, r.next_id, r.next_other
		  INTO written, at_id, at_other
		  FROM chemchat._republish_users(phase, at_id, at_other,
				republish.max_events - republish.events) AS r;
		republish.events := republish.events + written;
		CONTINUE WHEN at_id IS NOT NULL;
		phase := CASE phase WHEN 'u' THEN 's' WHEN 's' THEN 'n'
					WHEN 'n' THEN 'b' ELSE 'c' END;
		at_id := '00000000-0000-0000-0000-000000000000';
		at_other := at_id;
		IF phase = 'c' THEN
			at_ev := 0;
			at_id := (SELECT c.id FROM chemchat.conversation AS c
					   ORDER BY c.id LIMIT 1);
		END IF;
	END LOOP;
	WHILE phase = 'c' AND at_id IS NOT NULL
		  AND republish.events < republish.max_events
	LOOP
		-- New events of the conversation wait until ours are committed.
		PERFORM chemchat._lock_conversation(at_id);
		SELECT r.written, r.last_ev INTO written, at_ev
		  FROM chemchat._republish_conversation(at_id, at_ev,
				republish.max_events - republish.events) AS r;
		republish.events := republish.events + written;
		IF republish.events < republish.max_events THEN
			republish.done := republish.done + 1;
			at_ev := 0;
			at_id := (SELECT c.id FROM chemchat.conversation AS c
					   WHERE c.id > at_id
						 AND republish.conversation_id IS NULL
					   ORDER BY c.id LIMIT 1);
		END IF;
	END LOOP;

	republish.is_done := at_id IS NULL;
	republish.cursor := CASE WHEN NOT republish.is_done THEN
		format('%s/%s/%s/%s/%s', phase, at_id,
			   CASE phase WHEN 'c' THEN at_ev::text ELSE at_other::text END,
			   republish.done, republish.total) END;
END
$$;
COMMENT ON FUNCTION chemchat.republish(uuid, text, int) IS
	'writes the current state of every entity again, marked as a replay; call with the returned cursor until is_done';

CREATE FUNCTION chemchat._republish_cursor(cursor text, conversation_id uuid,
	OUT phase "char", OUT at_id uuid, OUT at_other uuid, OUT at_ev bigint,
	OUT done bigint, OUT total bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
	id CONSTANT text := '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
	given CONSTANT text := left(_republish_cursor.cursor, 200);
	part CONSTANT text[] := coalesce(
		regexp_match(given, format(
			'^(c)/(%s)/([0-9]{1,16})/([0-9]{1,16})/([0-9]{1,16})$', id)),
		regexp_match(given, format(
			'^([usnb])/(%1$s)/(%1$s)/([0-9]{1,16})/([0-9]{1,16})$', id)));
BEGIN
	IF _republish_cursor.cursor IS NOT NULL THEN
		IF part IS NULL
		   OR (_republish_cursor.conversation_id IS NOT NULL
			   AND (part[1] <> 'c' OR part[2]
					<> _republish_cursor.conversation_id::text)) THEN
			PERFORM chemchat._raise('invalid_argument', 'cursor',
				'cursor must be NULL or what the call before returned');
		END IF;
		phase := part[1];
		at_id := part[2];
		IF phase = 'c' THEN at_ev := part[3]; ELSE at_other := part[3]; END IF;
		done := part[4];
		total := part[5];
	ELSIF _republish_cursor.conversation_id IS NOT NULL THEN
		IF NOT EXISTS (SELECT FROM chemchat.conversation AS c
						WHERE c.id = _republish_cursor.conversation_id) THEN
			PERFORM chemchat._raise('not_found', 'conversation_id');
		END IF;
		phase := 'c';
		at_id := _republish_cursor.conversation_id;
		at_ev := 0;
		done := 0;
		total := 1;
	ELSE
		phase := 'u';
		at_id := '00000000-0000-0000-0000-000000000000';
		at_other := at_id;
		done := 0;
		total := (SELECT count(*) FROM chemchat.conversation);
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._republish_cursor(text, uuid) IS
	'where a call of republish goes on';

-- What has no ev, of one kind, in the order of its key.
CREATE FUNCTION chemchat._user_entities(kind "char", from_id uuid,
	from_other uuid, max_rows int)
RETURNS TABLE (user_id uuid, other_id uuid, rev bigint, at timestamptz,
			   event json)
LANGUAGE plpgsql STABLE AS $$
BEGIN
	CASE _user_entities.kind
	WHEN 'u' THEN
		RETURN QUERY
		SELECT u.id, u.id, u.rev, coalesce(u.changed_at, u.created_at),
			   chemchat._user_json(u)
		  FROM chemchat.app_user AS u
		 WHERE u.id >= _user_entities.from_id
		 ORDER BY u.id LIMIT _user_entities.max_rows;
	WHEN 's' THEN
		RETURN QUERY
		SELECT s.user_id, s.conversation_id, s.cursor_rev, s.cursor_at,
			   chemchat._cursor_json(s)
		  FROM chemchat.member_state AS s
		 WHERE (s.user_id, s.conversation_id)
			   >= (_user_entities.from_id, _user_entities.from_other)
		   AND s.cursor_rev > 0
		 ORDER BY s.user_id, s.conversation_id LIMIT _user_entities.max_rows;
	WHEN 'n' THEN
		RETURN QUERY
		SELECT s.user_id, s.conversation_id, s.preference_rev, s.preference_at,
			   chemchat._preference_json(s)
		  FROM chemchat.member_state AS s
		 WHERE (s.user_id, s.conversation_id)
			   >= (_user_entities.from_id, _user_entities.from_other)
		   AND s.preference_rev > 0
		 ORDER BY s.user_id, s.conversation_id LIMIT _user_entities.max_rows;
	WHEN 'b' THEN
		RETURN QUERY
		SELECT b.user_id, b.blocked_id, b.rev, b.changed_at,
			   chemchat._block_json(b)
		  FROM chemchat.block AS b
		 WHERE (b.user_id, b.blocked_id)
			   >= (_user_entities.from_id, _user_entities.from_other)
		 ORDER BY b.user_id, b.blocked_id LIMIT _user_entities.max_rows;
	END CASE;
END
$$;
COMMENT ON FUNCTION chemchat._user_entities("char", uuid, uuid, int) IS
	'the next entities that belong to a user: u users, s cursors, n preferences, b blocks';

CREATE FUNCTION chemchat._republish_users(phase "char", from_id uuid,
	from_other uuid, max_events int,
	OUT written int, OUT next_id uuid, OUT next_other uuid)
LANGUAGE plpgsql AS $$
DECLARE
	e record;
BEGIN
	written := 0;
	FOR e IN
		SELECT * FROM chemchat._user_entities(_republish_users.phase,
			_republish_users.from_id, _republish_users.from_other,
			_republish_users.max_events + 1)
	LOOP
		IF written = _republish_users.max_events THEN
			next_id := e.user_id;
			next_other := e.other_id;
			EXIT;
		END IF;
		PERFORM chemchat._emit(_republish_users.phase, e.user_id, e.other_id,
			NULL, NULL, e.rev, e.at, e.event, true);
		written := written + 1;
	END LOOP;
END
$$;
COMMENT ON FUNCTION chemchat._republish_users("char", uuid, uuid, int) IS
	'writes the next entities that belong to a user again';

CREATE FUNCTION chemchat._republish_conversation(conversation_id uuid,
	after_ev bigint, max_events int, OUT written int, OUT last_ev bigint)
LANGUAGE plpgsql AS $$
DECLARE
	e chemchat._entity;
BEGIN
	written := 0;
	last_ev := after_ev;
	FOR e IN
		SELECT * FROM chemchat._entity AS each
		 WHERE each.conversation_id = _republish_conversation.conversation_id
		   AND each.ev > _republish_conversation.after_ev
		 ORDER BY each.ev LIMIT _republish_conversation.max_events
	LOOP
		PERFORM chemchat._emit(e.kind, e.conversation_id, e.id, e.ev, e.seq,
							   e.rev, e.at, e.event, true);
		written := written + 1;
		last_ev := e.ev;
	END LOOP;
END
$$;
COMMENT ON FUNCTION chemchat._republish_conversation(uuid, bigint, int) IS
	'writes the next entities of a conversation again, in ev order';
