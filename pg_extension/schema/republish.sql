-- Writes the current state of everything into the WAL again, in short
-- transactions: for a slot that is new, or was lost.
--
-- The cursor, opaque to callers:
--   u/<user>/0/<done>/<total>               users from this one on are next
--   c/<conversation>/<ev>/<done>/<total>    and this conversation up to this ev
-- done and total count conversations; total is what the first call saw.

CREATE FUNCTION chemchat.republish(conversation_id uuid DEFAULT NULL,
	OUT events int, INOUT cursor text DEFAULT NULL,
	max_events int DEFAULT 1000, OUT is_done boolean, OUT done bigint,
	OUT total bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	at_users boolean;
	at_id uuid;
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
	SELECT p.at_users, p.at_id, p.at_ev, p.done, p.total
	  INTO at_users, at_id, at_ev, republish.done, republish.total
	  FROM chemchat._republish_cursor(republish.cursor,
									  republish.conversation_id) AS p;
	republish.events := 0;
	republish.is_done := false;

	IF at_users THEN
		SELECT r.written, r.next_id INTO written, at_id
		  FROM chemchat._republish_users(at_id, republish.max_events) AS r;
		republish.events := written;
		IF at_id IS NULL THEN
			at_users := false;
			at_ev := 0;
			at_id := (SELECT c.id FROM chemchat.conversation AS c
					   ORDER BY c.id LIMIT 1);
		END IF;
	END IF;
	WHILE NOT at_users AND at_id IS NOT NULL
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
		format('%s/%s/%s/%s/%s', CASE WHEN at_users THEN 'u' ELSE 'c' END,
			   at_id, at_ev, republish.done, republish.total) END;
END
$$;
COMMENT ON FUNCTION chemchat.republish(uuid, text, int) IS
	'writes the current state of every entity again, marked as a replay; call with the returned cursor until is_done';

CREATE FUNCTION chemchat._republish_cursor(cursor text, conversation_id uuid,
	OUT at_users boolean, OUT at_id uuid, OUT at_ev bigint, OUT done bigint,
	OUT total bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
	part CONSTANT text[] := regexp_match(_republish_cursor.cursor,
		'^([cu])/([0-9a-f-]{36})/([0-9]{1,16})/([0-9]{1,16})/([0-9]{1,16})$');
BEGIN
	IF _republish_cursor.cursor IS NOT NULL THEN
		IF part IS NULL
		   OR (_republish_cursor.conversation_id IS NOT NULL
			   AND (part[1] = 'u' OR part[2]
					<> _republish_cursor.conversation_id::text)) THEN
			PERFORM chemchat._raise('invalid_argument', 'cursor',
				'cursor must be NULL or what the call before returned');
		END IF;
		at_users := part[1] = 'u';
		at_id := part[2];
		at_ev := part[3];
		done := part[4];
		total := part[5];
	ELSIF _republish_cursor.conversation_id IS NOT NULL THEN
		IF NOT EXISTS (SELECT FROM chemchat.conversation AS c
						WHERE c.id = _republish_cursor.conversation_id) THEN
			PERFORM chemchat._raise('not_found', 'conversation_id');
		END IF;
		at_users := false;
		at_id := _republish_cursor.conversation_id;
		at_ev := 0;
		done := 0;
		total := 1;
	ELSE
		at_users := true;
		at_id := '00000000-0000-0000-0000-000000000000';
		at_ev := 0;
		done := 0;
		total := (SELECT count(*) FROM chemchat.conversation);
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._republish_cursor(text, uuid) IS
	'where a call of republish goes on';

CREATE FUNCTION chemchat._republish_users(from_id uuid, max_events int,
	OUT written int, OUT next_id uuid)
LANGUAGE plpgsql AS $$
DECLARE
	u chemchat.app_user;
BEGIN
	written := 0;
	FOR u IN
		SELECT * FROM chemchat.app_user AS each
		 WHERE each.id >= _republish_users.from_id
		 ORDER BY each.id LIMIT _republish_users.max_events + 1
	LOOP
		IF written = _republish_users.max_events THEN
			next_id := u.id;
			EXIT;
		END IF;
		PERFORM chemchat._emit('u', u.id, u.id, NULL, NULL, u.rev,
			coalesce(u.changed_at, u.created_at), chemchat._user_json(u), true);
		written := written + 1;
	END LOOP;
END
$$;
COMMENT ON FUNCTION chemchat._republish_users(uuid, int) IS
	'writes the next users again';

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
