-- Finding places and people.

-- A page ends with a cursor: where the next one begins.
CREATE FUNCTION chemchat.public_channels(actor uuid, query text DEFAULT NULL,
	after text DEFAULT NULL, max_rows int DEFAULT 50)
RETURNS TABLE (conversation_id uuid, title text, topic text, members int,
			   is_member boolean, cursor text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting CONSTANT uuid := chemchat._acting(public_channels.actor);
	sought CONSTANT text :=
		lower(left(coalesce(public_channels.query, ''), 1024));
	after_id uuid := '00000000-0000-0000-0000-000000000000';
	after_title text := '';
BEGIN
	PERFORM chemchat._check_max_rows(public_channels.max_rows, 200);
	IF octet_length(public_channels.query) > 1024 THEN
		PERFORM chemchat._raise('too_large', 'query',
			'query is longer than 1024 bytes');
	ELSIF public_channels.after IS NOT NULL THEN
		IF octet_length(public_channels.after) > 2048
		   OR public_channels.after !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/'
		THEN
			PERFORM chemchat._raise('invalid_argument', 'after',
				'after must be NULL or a cursor');
		END IF;
		after_id := left(public_channels.after, 36);
		after_title := substr(public_channels.after, 38);
	END IF;
	RETURN QUERY
	SELECT c.id, c.title, c.topic,
		   (SELECT count(*)::int
			  FROM (SELECT FROM chemchat.member AS m
					 WHERE m.conversation_id = c.id AND m.state = 'joined'
					 LIMIT 1000) AS counted),
		   EXISTS (SELECT FROM chemchat.member AS mine
					WHERE mine.conversation_id = c.id
					  AND mine.user_id = acting AND mine.state = 'joined'),
		   c.id || '/' || lower(coalesce(c.title, ''))
	  FROM chemchat.conversation AS c
	 WHERE c.is_public AND c.archived_at IS NULL
	   AND (lower(coalesce(c.title, '')) COLLATE "C", c.id)
		   > (after_title COLLATE "C", after_id)
	   AND (sought = '' OR strpos(lower(c.title), sought) > 0)
	 ORDER BY lower(coalesce(c.title, '')) COLLATE "C", c.id
	 LIMIT public_channels.max_rows;
END
$$;
COMMENT ON FUNCTION chemchat.public_channels(uuid, text, text, int) IS
	'the channels anybody may join, by title';

CREATE FUNCTION chemchat.invitations(actor uuid)
RETURNS TABLE (conversation_id uuid, kind text, title text, invited_by uuid,
			   invited_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting CONSTANT uuid := chemchat._acting(invitations.actor);
BEGIN
	RETURN QUERY
	SELECT c.id, c.kind, c.title, m.changed_by, m.changed_at
	  FROM chemchat.member AS m
	  JOIN chemchat.conversation AS c ON c.id = m.conversation_id
	 WHERE m.user_id = acting AND m.state = 'invited'
	 ORDER BY m.changed_at DESC, c.id;
END
$$;
COMMENT ON FUNCTION chemchat.invitations(uuid) IS
	'where the actor is asked to join, the latest first';

CREATE FUNCTION chemchat.members(actor uuid, conversation_id uuid,
	after uuid DEFAULT NULL, max_rows int DEFAULT 200)
RETURNS TABLE (user_id uuid, role text, state text, rev bigint, event json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting CONSTANT uuid := chemchat._acting(members.actor);
BEGIN
	PERFORM chemchat._authorize(acting, members.conversation_id, 'read');
	PERFORM chemchat._check_max_rows(members.max_rows, 500);
	RETURN QUERY
	SELECT m.user_id, m.role, m.state, m.rev, chemchat._member_json(m)
	  FROM chemchat.member AS m
	 WHERE m.conversation_id = members.conversation_id
	   AND m.state IN ('joined', 'invited')
	   AND (members.after IS NULL OR m.user_id > members.after)
	 ORDER BY m.user_id
	 LIMIT members.max_rows;
END
$$;
COMMENT ON FUNCTION chemchat.members(uuid, uuid, uuid, int) IS
	'who is in a conversation, and who is asked to join';

CREATE FUNCTION chemchat.find_users(actor uuid, query text,
	max_rows int DEFAULT 20)
RETURNS TABLE (id uuid, handle text, display_name text, event json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sought CONSTANT text := lower(ltrim(left(find_users.query, 256), '@'));
	-- behind everything that begins so: the last character there is
	beyond CONSTANT text := sought || chr(1114111);
BEGIN
	PERFORM chemchat._acting(find_users.actor);
	PERFORM chemchat._check_max_rows(find_users.max_rows, 50);
	IF coalesce(sought, '') = '' THEN
		PERFORM chemchat._raise('invalid_argument', 'query',
			'query must not be empty');
	ELSIF octet_length(find_users.query) > 256 THEN
		PERFORM chemchat._raise('too_large', 'query',
			'query is longer than 256 bytes');
	END IF;
	-- Twice as many names as wanted: whom the first branch has already is in
	-- the second too, and they are max_rows at most.  Left out before they are
	-- counted, all who share a short beginning would be read.
	RETURN QUERY
	SELECT f.id, f.handle, f.display_name, chemchat._user_json(f.person)
	  FROM ((SELECT u.id, u.handle, u.display_name, u
			   FROM chemchat.app_user AS u
			  WHERE u.handle COLLATE "C" >= sought COLLATE "C"
				AND u.handle COLLATE "C" < beyond COLLATE "C"
				AND u.deactivated_at IS NULL
			  ORDER BY u.handle COLLATE "C" LIMIT find_users.max_rows)
			UNION ALL
			SELECT named.* FROM (
			 SELECT u.id, u.handle, u.display_name, u
			   FROM chemchat.app_user AS u
			  WHERE lower(u.display_name) COLLATE "C" >= sought COLLATE "C"
				AND lower(u.display_name) COLLATE "C" < beyond COLLATE "C"
				AND u.deactivated_at IS NULL
			  ORDER BY lower(u.display_name) COLLATE "C"
			  LIMIT 2 * find_users.max_rows) AS named
			 WHERE NOT starts_with(named.handle, sought))
		   AS f (id, handle, display_name, person)
	 ORDER BY f.handle COLLATE "C"
	 LIMIT find_users.max_rows;
END
$$;
COMMENT ON FUNCTION chemchat.find_users(uuid, text, int) IS
	'users whose handle or name begins so, for beginning a conversation';
