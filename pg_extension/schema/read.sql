-- Reading: STABLE, so that one call is one snapshot however many statements it
-- has; locks nothing; works on a standby.

CREATE FUNCTION chemchat._check_max_rows(max_rows int, upper int) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF coalesce(_check_max_rows.max_rows, 0) < 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'max_rows',
			'max_rows must be at least 1');
	ELSIF _check_max_rows.max_rows > _check_max_rows.upper THEN
		PERFORM chemchat._raise('too_large', 'max_rows',
			format('max_rows is above %s', _check_max_rows.upper));
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_max_rows(int, int) IS
	'raises unless 1 <= max_rows <= upper';

-- One dimension first: in more of them nothing can be searched for.
CREATE FUNCTION chemchat._check_ids(ids uuid[], name text,
									upper int DEFAULT 10000) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF _check_ids.ids IS NULL OR array_ndims(_check_ids.ids) > 1 THEN
		PERFORM chemchat._raise('invalid_argument', _check_ids.name,
			_check_ids.name || ' must be a list without nulls');
	ELSIF cardinality(_check_ids.ids) > _check_ids.upper THEN
		PERFORM chemchat._raise('too_large', _check_ids.name,
			format('more than %s ids', _check_ids.upper));
	ELSIF array_position(_check_ids.ids, NULL) IS NOT NULL THEN
		PERFORM chemchat._raise('invalid_argument', _check_ids.name,
			_check_ids.name || ' must be a list without nulls');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_ids(uuid[], text, int) IS
	'raises unless it is a list of at most so many ids';

CREATE FUNCTION chemchat.history(actor uuid, conversation_id uuid,
	before_seq bigint DEFAULT NULL, max_rows int DEFAULT 50,
	after_seq bigint DEFAULT NULL)
RETURNS TABLE (seq bigint, id uuid, sender uuid, body text, ev bigint,
			   rev bigint, created_at timestamptz, edited_at timestamptz,
			   deleted_at timestamptz, event json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._authorize(chemchat._acting(history.actor),
								history.conversation_id, 'read');
	PERFORM chemchat._check_max_rows(history.max_rows, 200);
	IF history.after_seq IS NOT NULL THEN
		IF history.before_seq IS NOT NULL THEN
			PERFORM chemchat._raise('invalid_argument', 'after_seq',
				'after_seq and before_seq must not both be given');
		END IF;
		RETURN QUERY
		SELECT m.seq, m.id, m.sender, m.body, m.ev, m.rev, m.created_at,
			   m.edited_at, m.deleted_at, chemchat._message_json(m)
		  FROM chemchat.message AS m
		 WHERE m.conversation_id = history.conversation_id
		   AND m.seq > history.after_seq
		 ORDER BY m.seq
		 LIMIT history.max_rows;
		RETURN;
	END IF;
	RETURN QUERY
	SELECT m.seq, m.id, m.sender, m.body, m.ev, m.rev, m.created_at,
		   m.edited_at, m.deleted_at, chemchat._message_json(m)
	  FROM chemchat.message AS m
	 WHERE m.conversation_id = history.conversation_id
	   AND m.seq < coalesce(history.before_seq, 9223372036854775807)
	 ORDER BY m.seq DESC
	 LIMIT history.max_rows;
END
$$;
COMMENT ON FUNCTION chemchat.history(uuid, uuid, bigint, int, bigint) IS
	'the messages before one, newest first, or those after one, oldest first; at most 200';

-- Any message of a thread names it.  The root is read by itself: beside its
-- answers it would need another index.
CREATE FUNCTION chemchat.thread(actor uuid, conversation_id uuid, thread bigint,
	before_seq bigint DEFAULT NULL, max_rows int DEFAULT 50)
RETURNS TABLE (seq bigint, id uuid, sender uuid, body text, ev bigint,
			   rev bigint, created_at timestamptz, edited_at timestamptz,
			   deleted_at timestamptz, event json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	named chemchat.message;
	root bigint;
BEGIN
	PERFORM chemchat._authorize(chemchat._acting(thread.actor),
								thread.conversation_id, 'read');
	PERFORM chemchat._check_max_rows(thread.max_rows, 200);
	IF thread.thread IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'thread',
			'thread must not be null');
	END IF;
	SELECT * INTO named FROM chemchat.message AS m
	 WHERE m.conversation_id = thread.conversation_id
	   AND m.seq = thread.thread;
	IF NOT FOUND THEN
		PERFORM chemchat._raise('not_found', 'thread',
			'there is no such message');
	END IF;
	root := coalesce(named.thread, named.seq);
	RETURN QUERY
	SELECT m.seq, m.id, m.sender, m.body, m.ev, m.rev, m.created_at,
		   m.edited_at, m.deleted_at, chemchat._message_json(m)
	  FROM chemchat.message AS m
	 WHERE m.conversation_id = thread.conversation_id
	   AND m.seq IN (
			(SELECT a.seq FROM chemchat.message AS a
			  WHERE a.conversation_id = thread.conversation_id
				AND a.thread = root
				AND a.seq < coalesce(thread.before_seq, 9223372036854775807)
			  ORDER BY a.seq DESC LIMIT thread.max_rows)
			UNION ALL
			SELECT root
			 WHERE root < coalesce(thread.before_seq, 9223372036854775807))
	 ORDER BY m.seq DESC
	 LIMIT thread.max_rows;
END
$$;
COMMENT ON FUNCTION chemchat.thread(uuid, uuid, bigint, bigint, int) IS
	'a thread''s messages before one, newest first, its root the last; at most 200';

-- ev has no holes, so the window's end is arithmetic.  An entity whose last
-- change lies beyond the window comes with that one.
CREATE FUNCTION chemchat._changes(conversation_id uuid, after_ev bigint,
	at_least bigint, max_rows int,
	OUT status text, OUT upto bigint, OUT head bigint, OUT events json)
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF coalesce(_changes.after_ev, -1) < 0 THEN
		PERFORM chemchat._raise('invalid_argument', 'after_ev',
			'after_ev must be 0 or more');
	END IF;
	PERFORM chemchat._check_max_rows(_changes.max_rows, 500);
	_changes.head := coalesce(chemchat._head(_changes.conversation_id), 0);
	_changes.upto := least(_changes.after_ev, _changes.head);
	_changes.events := '[]';
	IF _changes.head < coalesce(_changes.at_least, 0) THEN
		_changes.status := 'behind';
	ELSIF _changes.head < _changes.after_ev THEN
		-- Only the primary knows that what the asker saw is no more.
		_changes.status := CASE WHEN pg_is_in_recovery() THEN 'behind'
								ELSE 'reset' END;
	ELSE
		_changes.status := 'ok';
		_changes.upto := least(_changes.after_ev + _changes.max_rows,
							   _changes.head);
		_changes.events := (
			SELECT coalesce('[' || string_agg(e.event::text, ',' ORDER BY e.ev)
							|| ']', '[]')
			  FROM chemchat._entity AS e
			 WHERE e.conversation_id = _changes.conversation_id
			   AND e.ev > _changes.after_ev AND e.ev <= _changes.upto);
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._changes(uuid, bigint, bigint, int) IS
	'what changed in a conversation after an ev';

CREATE FUNCTION chemchat.changes_since(actor uuid, conversation_id uuid,
	after_ev bigint, at_least bigint DEFAULT 0, max_rows int DEFAULT 200,
	OUT status text, OUT upto bigint, OUT head bigint, OUT events json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._authorize(chemchat._acting(changes_since.actor),
		changes_since.conversation_id, 'read');
	SELECT c.status, c.upto, c.head, c.events
	  INTO changes_since.status, changes_since.upto, changes_since.head,
		   changes_since.events
	  FROM chemchat._changes(changes_since.conversation_id,
		changes_since.after_ev, changes_since.at_least,
		changes_since.max_rows) AS c;
END
$$;
COMMENT ON FUNCTION chemchat.changes_since(uuid, uuid, bigint, bigint, int) IS
	'what changed in a conversation after an ev; at most 500 changes';
