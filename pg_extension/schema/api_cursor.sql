-- How far a member has read, and what has reached her.  Reading never waits for
-- writing: the conversation's row is not touched, but when a number is beyond
-- the last message.  That one's transaction may be about to end, since an event
-- is heard before its row is seen: while somebody writes there, it is "busy".

-- Answers every item.  Rows are written in key order, so that two batches
-- never wait for each other in a circle.  LIMIT 1 and what mark and marks SET:
-- a plan is made once a session, and must be by the indexes whatever the
-- tables were then.
CREATE FUNCTION chemchat._mark(actors uuid[], conversation_ids uuid[],
	read_seqs bigint[], delivered_seqs bigint[], first_rev bigint)
RETURNS TABLE (item int, code text, field text, read_seq bigint,
			   delivered_seq bigint, rev bigint, is_duplicate boolean)
LANGUAGE plpgsql AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	epoch CONSTANT bigint := (_mark.first_rev >> 40) << 40;
	refusals text[];
	fields text[];
	at_rest uuid[];		-- nobody writes there
	written_users uuid[];
	written_conversations uuid[];
BEGIN
	SELECT array_agg(split_part(j.refusal, ':', 1) ORDER BY j.n),
		   array_agg(nullif(split_part(j.refusal, ':', 2), '') ORDER BY j.n)
	  INTO refusals, fields
	  FROM (SELECT i.n, CASE
				WHEN i.actor IS NULL THEN 'invalid_argument:actor'
				WHEN i.conversation_id IS NULL
					THEN 'invalid_argument:conversation_id'
				WHEN coalesce(i.read_seq, i.delivered_seq) IS NULL
					 OR i.read_seq < 0 THEN 'invalid_argument:read_seq'
				WHEN i.delivered_seq < 0 THEN 'invalid_argument:delivered_seq'
				WHEN EXISTS (SELECT FROM chemchat.app_user AS u
							  WHERE u.id = i.actor
								AND u.deactivated_at IS NOT NULL)
					THEN 'unknown_user:actor'
				WHEN wall.is_allowed IS NULL THEN 'not_found:conversation_id'
				WHEN NOT wall.is_allowed THEN 'forbidden:actor'
				WHEN i.read_seq > head.seq THEN 'beyond:read_seq'
				WHEN i.delivered_seq > head.seq THEN 'beyond:delivered_seq'
				ELSE 'ok' END AS refusal
			  FROM unnest(_mark.actors, _mark.conversation_ids, _mark.read_seqs,
						  _mark.delivered_seqs) WITH ORDINALITY
				   AS i (actor, conversation_id, read_seq, delivered_seq, n)
			  LEFT JOIN LATERAL chemchat._authorized(i.actor,
					i.conversation_id, 'read') AS wall ON true
			 CROSS JOIN LATERAL (
				SELECT coalesce((SELECT m.seq FROM chemchat.message AS m
								  WHERE m.conversation_id = i.conversation_id
								  ORDER BY m.seq DESC LIMIT 1), 0)) AS head (seq)
		   ) AS j;

	IF 'beyond' = ANY (refusals) THEN
		at_rest := ARRAY(
			SELECT c.id FROM chemchat.conversation AS c
			 WHERE c.id = ANY (ARRAY(
					SELECT i.id FROM unnest(_mark.conversation_ids, refusals)
						   AS i (id, refusal)
					 WHERE i.refusal = 'beyond'))
			 ORDER BY c.id FOR SHARE SKIP LOCKED);
		-- A statement of its own sees what the last holder committed.
		SELECT array_agg(j.refusal ORDER BY j.n),
			   array_agg(CASE j.refusal WHEN 'ok' THEN NULL
						 WHEN 'busy' THEN 'conversation_id'
						 ELSE j.field END ORDER BY j.n)
		  INTO refusals, fields
		  FROM (SELECT i.n, i.field, CASE
					WHEN i.refusal <> 'beyond' THEN i.refusal
					WHEN NOT i.conversation_id = ANY (at_rest) THEN 'busy'
					WHEN EXISTS (
						SELECT FROM chemchat.message AS m
						 WHERE m.conversation_id = i.conversation_id
						   AND m.seq >= greatest(i.read_seq, i.delivered_seq))
						THEN 'ok'
					ELSE 'invalid_argument' END AS refusal
				  FROM unnest(_mark.conversation_ids, _mark.read_seqs,
							  _mark.delivered_seqs, refusals, fields)
					   WITH ORDINALITY AS i (conversation_id, read_seq,
						delivered_seq, refusal, field, n)
			   ) AS j;
	END IF;

	WITH asked AS (
		SELECT i.actor AS user_id, i.conversation_id,
			   coalesce(max(i.read_seq), 0) AS read_seq,
			   coalesce(max(greatest(i.read_seq, i.delivered_seq)), 0)
				   AS delivered_seq
		  FROM unnest(_mark.actors, _mark.conversation_ids, _mark.read_seqs,
					  _mark.delivered_seqs, refusals)
			   AS i (actor, conversation_id, read_seq, delivered_seq, refusal)
		 WHERE i.refusal = 'ok'
		 GROUP BY i.actor, i.conversation_id
	), written AS (
		INSERT INTO chemchat.member_state AS s
			(user_id, conversation_id, read_seq, delivered_seq, cursor_rev,
			 cursor_at)
		SELECT a.user_id, a.conversation_id, a.read_seq, a.delivered_seq,
			   epoch + a.read_seq + a.delivered_seq, at
		  FROM asked AS a
		  LEFT JOIN LATERAL (
				SELECT * FROM chemchat.member_state AS o
				 WHERE o.user_id = a.user_id
				   AND o.conversation_id = a.conversation_id
				 LIMIT 1) AS old ON true
		 WHERE a.read_seq > coalesce(old.read_seq, 0)
			OR a.delivered_seq > coalesce(old.delivered_seq, 0)
		 ORDER BY a.user_id, a.conversation_id
			ON CONFLICT ON CONSTRAINT member_state_pkey DO UPDATE
		   SET read_seq = greatest(s.read_seq, excluded.read_seq),
			   delivered_seq = greatest(s.delivered_seq,
										excluded.delivered_seq),
			   cursor_rev = epoch + greatest(s.read_seq, excluded.read_seq)
					+ greatest(s.delivered_seq, excluded.delivered_seq),
			   cursor_at = excluded.cursor_at
		 WHERE excluded.read_seq > s.read_seq
			OR excluded.delivered_seq > s.delivered_seq
		-- Here, and not in a SELECT behind it: this part always runs to its
		-- end, whatever is read of it.
		RETURNING s.user_id, s.conversation_id,
				  chemchat._emit('s', s.user_id, s.conversation_id, NULL, NULL,
					s.cursor_rev, s.cursor_at, chemchat._cursor_json(s),
					false) IS NULL AS is_silent
	)
	SELECT array_agg(w.user_id), array_agg(w.conversation_id)
	  INTO written_users, written_conversations
	  FROM written AS w;

	-- Behind it: what somebody else wrote meanwhile counts.
	RETURN QUERY
	SELECT i.n::int, i.refusal, i.field,
		   CASE WHEN i.refusal = 'ok' THEN coalesce(s.read_seq, 0) END,
		   CASE WHEN i.refusal = 'ok' THEN coalesce(s.delivered_seq, 0) END,
		   CASE WHEN i.refusal = 'ok' THEN coalesce(s.cursor_rev, 0) END,
		   CASE WHEN i.refusal = 'ok' THEN w.user_id IS NULL END
	  FROM unnest(_mark.actors, _mark.conversation_ids, refusals, fields)
		   WITH ORDINALITY AS i (actor, conversation_id, refusal, field, n)
	  LEFT JOIN LATERAL (
			SELECT * FROM chemchat.member_state AS o
			 WHERE o.user_id = i.actor
			   AND o.conversation_id = i.conversation_id
			   AND i.refusal = 'ok' LIMIT 1) AS s ON true
	  LEFT JOIN unnest(written_users, written_conversations)
				AS w (user_id, conversation_id)
			 ON w.user_id = i.actor AND w.conversation_id = i.conversation_id
	 ORDER BY i.n;
END
$$;
COMMENT ON FUNCTION chemchat._mark(uuid[], uuid[], bigint[], bigint[], bigint)
	IS 'part of mark and marks';

CREATE FUNCTION chemchat.mark(actor uuid, conversation_id uuid,
	INOUT read_seq bigint DEFAULT NULL, INOUT delivered_seq bigint DEFAULT NULL,
	OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(mark.actor);
	answer record;
BEGIN
	SELECT * INTO answer
	  FROM chemchat._mark(ARRAY[acting], ARRAY[mark.conversation_id],
		ARRAY[mark.read_seq], ARRAY[mark.delivered_seq], first_rev) AS m;
	IF answer.code <> 'ok' THEN
		PERFORM chemchat._raise(answer.code, answer.field,
			CASE answer.code WHEN 'invalid_argument' THEN
				format('%s must be 0 up to the last message, and not null',
					   answer.field) END);
	END IF;
	mark.read_seq := answer.read_seq;
	mark.delivered_seq := answer.delivered_seq;
	mark.rev := answer.rev;
	mark.is_duplicate := answer.is_duplicate;
END
$$;
COMMENT ON FUNCTION chemchat.mark(uuid, uuid, bigint, bigint) IS
	'how far the actor has read, and what has reached her; never back';

CREATE FUNCTION chemchat.marks(actors uuid[], conversation_ids uuid[],
	read_seqs bigint[], delivered_seqs bigint[])
RETURNS TABLE (item int, code text, read_seq bigint, delivered_seq bigint,
			   rev bigint, field text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	argument record;
BEGIN
	FOR argument IN
		SELECT * FROM (VALUES
			('actors', array_ndims(marks.actors), cardinality(marks.actors)),
			('conversation_ids', array_ndims(marks.conversation_ids),
			 cardinality(marks.conversation_ids)),
			('read_seqs', array_ndims(marks.read_seqs),
			 cardinality(marks.read_seqs)),
			('delivered_seqs', array_ndims(marks.delivered_seqs),
			 cardinality(marks.delivered_seqs))) AS a (name, dimensions, items)
	LOOP
		IF argument.items IS NULL OR argument.dimensions > 1
		   OR argument.items <> cardinality(marks.actors) THEN
			PERFORM chemchat._raise('invalid_argument', argument.name,
				format('%s must be an array of one dimension, as long as actors',
					   argument.name));
		END IF;
	END LOOP;
	IF cardinality(marks.actors) > 1000 THEN
		PERFORM chemchat._raise('too_large', 'actors',
			'more than 1000 marks at once');
	END IF;
	RETURN QUERY
	SELECT m.item, m.code, m.read_seq, m.delivered_seq, m.rev, m.field
	  FROM chemchat._mark(marks.actors, marks.conversation_ids,
		marks.read_seqs, marks.delivered_seqs, first_rev) AS m;
END
$$;
COMMENT ON FUNCTION chemchat.marks(uuid[], uuid[], bigint[], bigint[]) IS
	'many marks at once; no item raises for the others';

CREATE FUNCTION chemchat.cursors(actor uuid, conversation_id uuid)
RETURNS TABLE (user_id uuid, read_seq bigint, delivered_seq bigint, rev bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting CONSTANT uuid := chemchat._acting(cursors.actor);
	readers uuid[];
BEGIN
	PERFORM chemchat._authorize(acting, cursors.conversation_id, 'read');
	readers := ARRAY(
		SELECT m.user_id FROM chemchat.member AS m
		 WHERE m.conversation_id = cursors.conversation_id
		   AND m.state = 'joined'
		 ORDER BY m.user_id LIMIT 201);
	IF cardinality(readers) > 200 THEN
		readers := ARRAY[acting];
	END IF;
	RETURN QUERY
	SELECT s.user_id, s.read_seq, s.delivered_seq, s.cursor_rev
	  FROM unnest(readers) AS r (user_id)
	  CROSS JOIN LATERAL (
			SELECT * FROM chemchat.member_state AS o
			 WHERE o.user_id = r.user_id
			   AND o.conversation_id = cursors.conversation_id
			 LIMIT 1) AS s
	 WHERE s.cursor_rev > 0
	 ORDER BY s.user_id;
END
$$;
COMMENT ON FUNCTION chemchat.cursors(uuid, uuid) IS
	'how far the members have read; above 200 members only the actor herself';
