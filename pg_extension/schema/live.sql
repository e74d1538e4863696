-- What a gateway compares its live channels with.

CREATE FUNCTION chemchat.live_heads(users uuid[], channel int DEFAULT NULL)
RETURNS TABLE (user_id uuid, conversation_id uuid, ev bigint, seq bigint,
			   user_rev bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF array_ndims(live_heads.users) > 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'users',
			'users must have one dimension');
	ELSIF live_heads.users IS NULL
	   OR array_position(live_heads.users, NULL) IS NOT NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'users',
			'users must not be null');
	ELSIF cardinality(live_heads.users) > 10000 THEN
		PERFORM chemchat._raise('too_large', 'users', 'more than 10000 users');
	ELSIF live_heads.channel NOT BETWEEN 0 AND 63 THEN
		PERFORM chemchat._raise('invalid_argument', 'channel',
			'channel must be 0 to 63');
	END IF;
	RETURN QUERY
	WITH seat AS MATERIALIZED (
		SELECT m.user_id, m.conversation_id
		  FROM chemchat.member AS m
		 WHERE m.user_id = ANY (live_heads.users) AND m.state = 'joined'
		   AND (live_heads.channel IS NULL
				OR chemchat._live_channel(m.conversation_id)
				   = live_heads.channel)
	), head AS MATERIALIZED (
		-- Once per conversation, however many of the users are in it.
		SELECT c.conversation_id, e.ev, coalesce(s.seq, 0) AS seq
		  FROM (SELECT DISTINCT t.conversation_id FROM seat AS t) AS c
		  LEFT JOIN LATERAL (
				SELECT ch.ev FROM chemchat.change AS ch
				 WHERE ch.conversation_id = c.conversation_id
				 ORDER BY ch.ev DESC LIMIT 1) AS e ON true
		  LEFT JOIN LATERAL (
				SELECT last.seq FROM chemchat.message AS last
				 WHERE last.conversation_id = c.conversation_id
				 ORDER BY last.seq DESC LIMIT 1) AS s ON true
	)
	SELECT u.id, t.conversation_id, h.ev, h.seq, u.rev
	  FROM chemchat.app_user AS u
	  LEFT JOIN seat AS t ON t.user_id = u.id
	  LEFT JOIN head AS h ON h.conversation_id = t.conversation_id
	 WHERE u.id = ANY (live_heads.users)
	 ORDER BY u.id, t.conversation_id;
END
$$;
COMMENT ON FUNCTION chemchat.live_heads(uuid[], int) IS
	'every membership of these users, of one live channel or all';

-- Many conversations in one question: what a lap found changed.  Answers stop
-- where they are large enough; what has no row is asked again.
CREATE FUNCTION chemchat.live_changes(conversation_ids uuid[],
	after_evs bigint[], max_rows int DEFAULT 200)
RETURNS TABLE (conversation_id uuid, after_ev bigint, status text, upto bigint,
			   head bigint, events json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rows_left int := 2000;
	bytes_left int := 4 * 1024 * 1024;
BEGIN
	PERFORM chemchat._check_ids(live_changes.conversation_ids,
								'conversation_ids', 1000);
	IF coalesce(cardinality(live_changes.after_evs), -1)
	   <> cardinality(live_changes.conversation_ids) THEN
		PERFORM chemchat._raise('invalid_argument', 'after_evs',
			'after_evs must be as many as conversation_ids');
	ELSIF EXISTS (SELECT FROM unnest(live_changes.after_evs) AS a (ev)
				   WHERE coalesce(a.ev, -1) < 0) THEN
		PERFORM chemchat._raise('invalid_argument', 'after_evs',
			'after_evs must be 0 or more each');
	END IF;
	FOR live_changes.conversation_id, live_changes.after_ev IN
		SELECT a.id, a.ev
		  FROM unnest(live_changes.conversation_ids, live_changes.after_evs)
			   WITH ORDINALITY AS a (id, ev, n)
		 ORDER BY a.n
	LOOP
		EXIT WHEN rows_left <= 0 OR bytes_left <= 0;
		SELECT c.status, c.upto, c.head, c.events
		  INTO live_changes.status, live_changes.upto, live_changes.head,
			   live_changes.events
		  FROM chemchat._changes(live_changes.conversation_id,
			live_changes.after_ev, 0, live_changes.max_rows) AS c;
		IF live_changes.head = 0 THEN
			live_changes.status := 'unknown';
		END IF;
		-- No more than max_rows; less than none where the asker is ahead.
		rows_left := rows_left - greatest(live_changes.upto
										  - live_changes.after_ev, 0)::int;
		bytes_left := bytes_left - octet_length(live_changes.events::text);
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION chemchat.live_changes(uuid[], bigint[], int) IS
	'changes_since of many conversations for a gateway, which asks for all its users at once';
