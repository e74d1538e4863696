-- Who is named in a body (handles.h), among the members of the conversation.

CREATE FUNCTION chemchat._handles(body text) RETURNS text[]
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chemchat_handles';
COMMENT ON FUNCTION chemchat._handles(text) IS
	'the handles a body names, at most 50; NULL: none';

-- A handle's own full stop counts before a sentence's: the longer one is
-- taken.  The nil id in front stands for everybody.  From the handles to the
-- users to their seats: a plan that began with the seats would read all of a
-- large channel, so it is not given the choice (OFFSET 0).
CREATE FUNCTION chemchat._read_mentions(conversation_id uuid, sender uuid,
										handles text[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
	everybody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
	named uuid[];
BEGIN
	IF _read_mentions.handles IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT array_agg(who.id ORDER BY who.n) INTO named
	  FROM (SELECT match.id, min(h.n) AS n
			  FROM unnest(_read_mentions.handles)
				   WITH ORDINALITY AS h (handle, n)
			 CROSS JOIN LATERAL (
					SELECT u.id FROM chemchat.app_user AS u
					 WHERE u.handle = ANY (ARRAY[h.handle,
												 rtrim(h.handle, '._-')])
					   AND u.deactivated_at IS NULL AND u.id <> everybody
					   AND EXISTS (SELECT FROM chemchat.member AS m
									WHERE m.conversation_id
										  = _read_mentions.conversation_id
									  AND m.user_id = u.id
									  AND m.state = 'joined'
								   OFFSET 0)
					 ORDER BY length(u.handle) DESC LIMIT 1) AS match
			 WHERE match.id <> _read_mentions.sender
			 GROUP BY match.id) AS who;
	IF EXISTS (SELECT FROM unnest(_read_mentions.handles) AS h (handle)
				WHERE rtrim(h.handle, '._-') = 'all')
	   AND (SELECT a.is_allowed
			  FROM chemchat._authorized(_read_mentions.sender,
				_read_mentions.conversation_id, 'mention_all') AS a) THEN
		named := everybody || named;
	END IF;
	RETURN named;
END
$$;
COMMENT ON FUNCTION chemchat._read_mentions(uuid, uuid, text[]) IS
	'which members these handles name, each once; NULL: nobody';

-- Who has blocked the sender is not told.  Of everybody those with the lowest
-- ids are, who are found without looking at all the others.
CREATE FUNCTION chemchat._write_mentions(conversation_id uuid, seq bigint,
	sender uuid, created_at timestamptz, mentions uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	everybody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
	INSERT INTO chemchat.mention (user_id, conversation_id, seq, created_at)
	SELECT told.user_id, _write_mentions.conversation_id, _write_mentions.seq,
		   _write_mentions.created_at
	  FROM (SELECT unnest(_write_mentions.mentions)
			 UNION
			SELECT * FROM (
				SELECT m.user_id FROM chemchat.member AS m
				 WHERE m.conversation_id = _write_mentions.conversation_id
				   AND m.state = 'joined'
				 ORDER BY m.user_id
				 LIMIT CASE WHEN _write_mentions.mentions[1] = everybody
						THEN 1000 ELSE 0 END) AS others) AS told (user_id)
	 WHERE told.user_id NOT IN (_write_mentions.sender, everybody)
	   AND NOT EXISTS (SELECT FROM chemchat.block AS b
						WHERE b.user_id = told.user_id
						  AND b.blocked_id = _write_mentions.sender
						  AND b.is_on);
END
$$;
COMMENT ON FUNCTION chemchat._write_mentions(uuid, bigint, uuid, timestamptz,
	uuid[]) IS 'writes who is told of a message: those named, and of everybody 1000';

-- Messages of one batch have one time, so a page ends with a cursor: the last
-- row's time, conversation and number.
CREATE FUNCTION chemchat.mentions(actor uuid, before text DEFAULT NULL,
								  max_rows int DEFAULT 50)
RETURNS TABLE (conversation_id uuid, seq bigint, created_at timestamptz,
			   event json, cursor text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	me CONSTANT uuid := chemchat._acting(mentions.actor);
	part text[];
	before_at timestamptz := 'infinity';
	before_id uuid;
	before_seq bigint;
BEGIN
	PERFORM chemchat._check_max_rows(mentions.max_rows, 200);
	IF mentions.before IS NOT NULL THEN
		part := CASE WHEN octet_length(mentions.before) <= 100 THEN
			regexp_match(mentions.before,
				'^([0-9]{1,16})/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'
				'/([0-9]{1,16})$') END;
		IF part IS NULL THEN
			PERFORM chemchat._raise('invalid_argument', 'before',
				'before must be NULL or a cursor');
		END IF;
		before_at := timestamptz 'epoch'
			+ part[1]::bigint * interval '1 microsecond';
		before_id := part[2];
		before_seq := part[3];
	END IF;
	RETURN QUERY
	SELECT told.conversation_id, told.seq, told.created_at,
		   chemchat._message_json(m),
		   concat_ws('/', (extract(epoch FROM told.created_at)
						   * 1000000)::bigint, told.conversation_id, told.seq)
	  FROM chemchat.mention AS told
	  JOIN chemchat.member AS seat
		ON seat.conversation_id = told.conversation_id
	   AND seat.user_id = told.user_id AND seat.state = 'joined'
	  JOIN chemchat.message AS m
		ON m.conversation_id = told.conversation_id AND m.seq = told.seq
	 WHERE told.user_id = me
	   AND (told.created_at, told.conversation_id, told.seq)
		   < (before_at, before_id, before_seq)
	 ORDER BY told.created_at DESC, told.conversation_id DESC, told.seq DESC
	 LIMIT mentions.max_rows;
END
$$;
COMMENT ON FUNCTION chemchat.mentions(uuid, text, int) IS
	'the messages that name the actor, newest first; at most 200';
