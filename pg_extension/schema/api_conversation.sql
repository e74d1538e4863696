CREATE FUNCTION chemchat.create_conversation(actor uuid, kind text,
	title text DEFAULT NULL, members uuid[] DEFAULT '{}',
	conversation_id uuid DEFAULT NULL, topic text DEFAULT NULL,
	is_public boolean DEFAULT false,
	OUT id uuid, OUT ev bigint, OUT rev bigint, OUT created_at timestamptz,
	OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(create_conversation.actor);
	others uuid[];
	made chemchat.conversation;
BEGIN
	PERFORM chemchat._check_conversation(create_conversation.kind,
		create_conversation.title, create_conversation.topic,
		create_conversation.is_public, create_conversation.members);
	-- Everybody once, in the order given, the actor apart.
	SELECT coalesce(array_agg(o.user_id ORDER BY o.n), '{}') INTO others
	  FROM (SELECT m.user_id, min(m.n) AS n
			  FROM unnest(create_conversation.members)
				   WITH ORDINALITY AS m (user_id, n)
			 WHERE m.user_id <> acting
			 GROUP BY m.user_id) AS o;
	IF create_conversation.kind = 'direct' AND cardinality(others) <> 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'members',
			'a direct conversation has exactly one other member');
	END IF;

	made := chemchat._find_made(acting, create_conversation.kind, others,
								create_conversation.conversation_id);
	create_conversation.is_duplicate := made.id IS NOT NULL;
	IF NOT create_conversation.is_duplicate THEN
		PERFORM chemchat._check_users(acting || others, 'members');
		PERFORM chemchat._check_not_blocked(acting, others, 'members');
		INSERT INTO chemchat.conversation AS c
			(id, kind, title, topic, is_public, ev, rev, created_ev, created_by,
			 created_at)
		VALUES (coalesce(create_conversation.conversation_id,
						 chemchat._uuid7()),
				create_conversation.kind, create_conversation.title,
				nullif(create_conversation.topic, ''),
				create_conversation.is_public, 1, first_rev,
				cardinality(others) + 2, acting, clock_timestamp())
			ON CONFLICT DO NOTHING
		RETURNING * INTO made;
		-- Somebody may have been faster since we looked.
		create_conversation.is_duplicate := made.id IS NULL
			OR (made.kind = 'direct'
				AND NOT chemchat._claim_direct(acting, others[1], made.id));
		IF create_conversation.is_duplicate THEN
			made := chemchat._find_made(acting, create_conversation.kind,
				others, create_conversation.conversation_id);
		ELSE
			PERFORM chemchat._write_first_changes(made, others);
		END IF;
	END IF;
	create_conversation.id := made.id;
	create_conversation.ev := made.created_ev;
	create_conversation.rev := made.rev;
	create_conversation.created_at := made.created_at;
END
$$;
COMMENT ON FUNCTION chemchat.create_conversation(uuid, text, text, uuid[], uuid,
	text, boolean) IS
	'makes a conversation, the actor its owner; the same conversation_id by the same actor is a retry, and a direct one is there once per pair';

CREATE FUNCTION chemchat._find_made(actor uuid, kind text, others uuid[],
	conversation_id uuid) RETURNS chemchat.conversation
LANGUAGE plpgsql STABLE AS $$
DECLARE
	paired CONSTANT uuid := CASE WHEN _find_made.kind = 'direct' THEN
		chemchat._direct_of(_find_made.actor, _find_made.others[1]) END;
	made chemchat.conversation;
BEGIN
	SELECT * INTO made FROM chemchat.conversation AS c
	 WHERE c.id = coalesce(paired, _find_made.conversation_id);
	-- An id of her own that names something else is no retry: what she means
	-- for the one would else be said in the other.
	IF paired IS NULL AND (made.created_by <> _find_made.actor
						   OR made.kind <> _find_made.kind
						   OR made.kind = 'direct') THEN
		PERFORM chemchat._raise('conflict', 'conversation_id',
			'the conversation_id is taken');
	END IF;
	RETURN made;
END
$$;
COMMENT ON FUNCTION chemchat._find_made(uuid, text, uuid[], uuid) IS
	'what a retry of create_conversation made before, or the pair''s direct conversation';

CREATE FUNCTION chemchat._check_conversation(kind text, title text, topic text,
	is_public boolean, members uuid[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF _check_conversation.kind IS NULL
	   OR _check_conversation.kind NOT IN ('direct', 'group', 'channel') THEN
		PERFORM chemchat._raise('invalid_argument', 'kind',
			'kind must be direct, group or channel');
	ELSIF _check_conversation.title = '' THEN
		PERFORM chemchat._raise('invalid_argument', 'title',
			'title must not be empty');
	ELSIF array_ndims(_check_conversation.members) > 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'members',
			'members must have one dimension');
	ELSIF _check_conversation.members IS NULL
		  OR array_position(_check_conversation.members, NULL) IS NOT NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'members',
			'members must not be null');
	ELSIF cardinality(_check_conversation.members) > 1000 THEN
		PERFORM chemchat._raise('too_large', 'members',
			'more than 1000 members at once');
	ELSIF _check_conversation.is_public IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'is_public',
			'is_public must not be null');
	END IF;
	PERFORM chemchat._check_settings(_check_conversation.kind,
		_check_conversation.title, _check_conversation.topic,
		_check_conversation.is_public);
END
$$;
COMMENT ON FUNCTION chemchat._check_conversation(text, text, text, boolean,
	uuid[]) IS 'raises for arguments no conversation can be made of';

CREATE FUNCTION chemchat._check_settings(kind text, title text, topic text,
	is_public boolean) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF octet_length(_check_settings.title) > 1024 THEN
		PERFORM chemchat._raise('too_large', 'title',
			'title is longer than 1024 bytes');
	ELSIF octet_length(_check_settings.topic) > 4096 THEN
		PERFORM chemchat._raise('too_large', 'topic',
			'topic is longer than 4096 bytes');
	ELSIF _check_settings.is_public AND _check_settings.kind <> 'channel' THEN
		PERFORM chemchat._raise('invalid_argument', 'is_public',
			'only a channel can be public');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_settings(text, text, text, boolean) IS
	'raises for what a conversation of that kind cannot be set to';

-- Nobody else sees the conversation yet: its numbers need no lock.
CREATE FUNCTION chemchat._write_first_changes(made chemchat.conversation,
											  others uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	seat record;
BEGIN
	INSERT INTO chemchat.change (conversation_id, ev, id, kind)
	VALUES (made.id, made.ev, made.id, 'c');
	PERFORM chemchat._emit('c', made.id, made.id, made.ev, NULL, made.rev,
		made.created_at, chemchat._conversation_json(made), false);
	FOR seat IN
		SELECT s.user_id, s.n + 1 AS ev,
			   CASE s.n WHEN 1 THEN 'owner' ELSE 'member' END AS role
		  FROM unnest(made.created_by || others)
			   WITH ORDINALITY AS s (user_id, n)
		 ORDER BY s.n
	LOOP
		PERFORM chemchat._write_member(made.id, seat.user_id, seat.role,
			'joined', seat.ev, made.rev, made.created_by, made.created_at);
	END LOOP;
END
$$;
COMMENT ON FUNCTION chemchat._write_first_changes(chemchat.conversation, uuid[])
	IS 'ev 1 and those of the first members, as rows and events';

CREATE FUNCTION chemchat.update_conversation(actor uuid, conversation_id uuid,
	title text DEFAULT NULL, topic text DEFAULT NULL,
	is_public boolean DEFAULT NULL, is_archived boolean DEFAULT NULL,
	OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(update_conversation.actor);
	at timestamptz;
	now_is chemchat.conversation;
BEGIN
	PERFORM chemchat._authorize_update(acting,
		update_conversation.conversation_id, update_conversation.title,
		update_conversation.topic, update_conversation.is_public,
		update_conversation.is_archived);
	PERFORM chemchat._lock_conversation(update_conversation.conversation_id);
	PERFORM chemchat._authorize_update(acting,
		update_conversation.conversation_id, update_conversation.title,
		update_conversation.topic, update_conversation.is_public,
		update_conversation.is_archived);
	SELECT * INTO STRICT now_is FROM chemchat.conversation AS c
	 WHERE c.id = update_conversation.conversation_id;
	PERFORM chemchat._check_settings(now_is.kind, update_conversation.title,
		update_conversation.topic, update_conversation.is_public);

	at := clock_timestamp();
	UPDATE chemchat.conversation AS c
	   SET title = CASE WHEN update_conversation.title IS NULL THEN c.title
					ELSE nullif(update_conversation.title, '') END,
		   topic = CASE WHEN update_conversation.topic IS NULL THEN c.topic
					ELSE nullif(update_conversation.topic, '') END,
		   is_public = coalesce(update_conversation.is_public, c.is_public),
		   archived_at = CASE update_conversation.is_archived
							WHEN true THEN coalesce(c.archived_at, at)
							WHEN false THEN NULL
							ELSE c.archived_at END,
		   ev = chemchat._head(c.id) + 1,
		   rev = greatest(c.rev + 1, first_rev),
		   changed_at = at
	 WHERE c.id = now_is.id
	   AND (nullif(coalesce(update_conversation.title, c.title, ''), '')
				IS DISTINCT FROM c.title
			OR nullif(coalesce(update_conversation.topic, c.topic, ''), '')
				IS DISTINCT FROM c.topic
			OR coalesce(update_conversation.is_public, c.is_public)
				<> c.is_public
			OR coalesce(update_conversation.is_archived,
						c.archived_at IS NOT NULL)
				<> (c.archived_at IS NOT NULL))
	RETURNING * INTO now_is;
	update_conversation.is_duplicate := NOT FOUND;
	IF NOT update_conversation.is_duplicate THEN
		INSERT INTO chemchat.change (conversation_id, ev, id, kind)
		VALUES (now_is.id, now_is.ev, now_is.id, 'c');
		PERFORM chemchat._emit('c', now_is.id, now_is.id, now_is.ev, NULL,
			now_is.rev, at, chemchat._conversation_json(now_is), false);
	ELSE
		SELECT * INTO STRICT now_is FROM chemchat.conversation AS c
		 WHERE c.id = update_conversation.conversation_id;
	END IF;
	update_conversation.ev := now_is.ev;
	update_conversation.rev := now_is.rev;
END
$$;
COMMENT ON FUNCTION chemchat.update_conversation(uuid, uuid, text, text,
	boolean, boolean) IS
	'changes a conversation''s settings; NULL keeps one, an empty text clears it';

-- Who takes a conversation out of the archive may change the rest at once.
CREATE FUNCTION chemchat._authorize_update(actor uuid, conversation_id uuid,
	title text, topic text, is_public boolean, is_archived boolean)
RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
	verb text;
BEGIN
	IF _authorize_update.is_archived IS NOT NULL THEN
		PERFORM chemchat._authorize(_authorize_update.actor,
			_authorize_update.conversation_id, 'archive');
	END IF;
	FOREACH verb IN ARRAY
		CASE WHEN _authorize_update.is_public IS NOT NULL
			 THEN ARRAY['publish'] ELSE '{}' END
		|| CASE WHEN _authorize_update.title IS NOT NULL
					 OR _authorize_update.topic IS NOT NULL
					 OR (_authorize_update.is_public IS NULL
						 AND _authorize_update.is_archived IS NULL)
				THEN ARRAY['update'] ELSE '{}' END
	LOOP
		IF _authorize_update.is_archived IS DISTINCT FROM false THEN
			PERFORM chemchat._authorize(_authorize_update.actor,
				_authorize_update.conversation_id, verb);
		ELSIF NOT EXISTS (
			SELECT FROM chemchat._authorized(_authorize_update.actor,
				_authorize_update.conversation_id, verb) AS a
			 WHERE a.is_allowed) THEN
			PERFORM chemchat._raise('forbidden', 'actor');
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION chemchat._authorize_update(uuid, uuid, text, text, boolean,
	boolean) IS 'raises unless the actor may change each of the settings named';

CREATE FUNCTION chemchat.conversation(actor uuid, conversation_id uuid,
	OUT event json, OUT member json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting CONSTANT uuid := chemchat._acting(conversation.actor);
BEGIN
	PERFORM chemchat._authorize(acting, conversation.conversation_id, 'read');
	SELECT chemchat._conversation_json(c), chemchat._member_json(m)
	  INTO conversation.event, conversation.member
	  FROM chemchat.conversation AS c
	  JOIN chemchat.member AS m
		ON m.conversation_id = c.id AND m.user_id = acting
	 WHERE c.id = conversation.conversation_id;
END
$$;
COMMENT ON FUNCTION chemchat.conversation(uuid, uuid) IS
	'one conversation and the actor''s seat in it, as events';
