CREATE FUNCTION chemchat.create_conversation(actor uuid, kind text,
	title text DEFAULT NULL, members uuid[] DEFAULT '{}',
	conversation_id uuid DEFAULT NULL,
	OUT id uuid, OUT ev bigint, OUT rev bigint, OUT created_at timestamptz,
	OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	others uuid[];
	made chemchat.conversation;
	existing chemchat.conversation;
	seat record;
BEGIN
	PERFORM chemchat._check_conversation(create_conversation.actor,
		create_conversation.kind, create_conversation.title,
		create_conversation.members);
	-- Everybody once, in the order given, the actor apart.
	SELECT coalesce(array_agg(o.user_id ORDER BY o.n), '{}') INTO others
	  FROM (SELECT m.user_id, min(m.n) AS n
			  FROM unnest(create_conversation.members)
				   WITH ORDINALITY AS m (user_id, n)
			 WHERE m.user_id <> create_conversation.actor
			 GROUP BY m.user_id) AS o;
	IF create_conversation.kind = 'direct' AND cardinality(others) <> 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'members',
			'a direct conversation has exactly one other member');
	END IF;
	PERFORM chemchat._check_users(ARRAY[create_conversation.actor], 'actor');
	PERFORM chemchat._check_users(others, 'members');

	INSERT INTO chemchat.conversation AS c
		(id, kind, title, ev, rev, created_ev, created_by, created_at)
	VALUES (coalesce(create_conversation.conversation_id, chemchat._uuid7()),
			create_conversation.kind, create_conversation.title, 1, first_rev,
			cardinality(others) + 2, create_conversation.actor,
			clock_timestamp())
		ON CONFLICT DO NOTHING
	RETURNING * INTO made;
	IF NOT FOUND THEN
		SELECT * INTO STRICT existing FROM chemchat.conversation AS c
		 WHERE c.id = create_conversation.conversation_id;
		IF existing.created_by <> create_conversation.actor THEN
			PERFORM chemchat._raise('conflict', 'conversation_id',
				'the conversation_id is taken');
		END IF;
		create_conversation.id := existing.id;
		create_conversation.ev := existing.created_ev;
		create_conversation.rev := existing.rev;
		create_conversation.created_at := existing.created_at;
		create_conversation.is_duplicate := true;
		RETURN;
	END IF;

	create_conversation.id := made.id;
	create_conversation.ev := made.created_ev;
	create_conversation.rev := made.rev;
	create_conversation.created_at := made.created_at;
	create_conversation.is_duplicate := false;
	-- Nobody else sees the conversation yet: its numbers need no lock.
	INSERT INTO chemchat.change (conversation_id, ev, id, kind)
	VALUES (made.id, 1, made.id, 'c');
	PERFORM chemchat._emit('c', made.id, made.id, 1, NULL, first_rev,
		made.created_at, chemchat._conversation_json(made), false);
	FOR seat IN
		SELECT s.user_id, s.n + 1 AS ev,
			   CASE s.n WHEN 1 THEN 'owner' ELSE 'member' END AS role
		  FROM unnest(create_conversation.actor || others)
			   WITH ORDINALITY AS s (user_id, n)
		 ORDER BY s.n
	LOOP
		PERFORM chemchat._write_member(create_conversation.id, seat.user_id,
			seat.role, 'joined', seat.ev, first_rev, create_conversation.actor,
			create_conversation.created_at);
	END LOOP;
END
$$;
COMMENT ON FUNCTION chemchat.create_conversation(uuid, text, text, uuid[], uuid)
	IS 'makes a conversation, the actor its owner; the same conversation_id by the same actor is a retry';

CREATE FUNCTION chemchat._check_conversation(actor uuid, kind text, title text,
											 members uuid[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF _check_conversation.actor IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'actor',
			'actor must not be null');
	ELSIF _check_conversation.kind IS NULL
		  OR _check_conversation.kind NOT IN ('direct', 'group', 'channel') THEN
		PERFORM chemchat._raise('invalid_argument', 'kind',
			'kind must be direct, group or channel');
	ELSIF _check_conversation.title = '' THEN
		PERFORM chemchat._raise('invalid_argument', 'title',
			'title must not be empty');
	ELSIF octet_length(_check_conversation.title) > 1024 THEN
		PERFORM chemchat._raise('too_large', 'title',
			'title is longer than 1024 bytes');
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
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_conversation(uuid, text, text, uuid[]) IS
	'raises for arguments no conversation can be made of';

-- The lock keeps a user from being deactivated until we commit.
CREATE FUNCTION chemchat._check_users(ids uuid[], field text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM chemchat.app_user AS u
	  WHERE u.id = ANY (_check_users.ids) AND u.deactivated_at IS NULL
	  ORDER BY u.id FOR SHARE;
	IF EXISTS (SELECT FROM unnest(_check_users.ids) AS asked (id)
				WHERE NOT EXISTS (SELECT FROM chemchat.app_user AS u
								   WHERE u.id = asked.id
									 AND u.deactivated_at IS NULL)) THEN
		PERFORM chemchat._raise('unknown_user', _check_users.field);
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_users(uuid[], text) IS
	'raises unknown_user unless all of them exist and are active';
