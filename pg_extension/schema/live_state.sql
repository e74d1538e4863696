-- What belongs to a user (profile, cursors, preferences, blocks, invitations)
-- for a gateway that cannot hear of it, or lost something.
--
-- These have no ev to compare, so what is new is told by the rows themselves:
-- every row whose writer had not finished when a mark was taken.  A mark names
-- the oldest transaction of its moment; a row of an older one was visible then,
-- also when it was written under a savepoint.  So nothing is ever left out, and
-- a row may come twice while an older transaction is open.

CREATE FUNCTION chemchat.live_mark(OUT mark text, OUT lsn pg_lsn)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- Later than the snapshot: what that one shows was written before it.
	live_mark.lsn := CASE WHEN pg_is_in_recovery()
						  THEN pg_last_wal_replay_lsn()
						  ELSE pg_current_wal_insert_lsn() END;
	SELECT concat_ws(':', p.system_id, p.timeline, p.lsn,
					 pg_snapshot_xmin(pg_current_snapshot()))
	  INTO live_mark.mark
	  FROM chemchat.position() AS p;
END
$$;
COMMENT ON FUNCTION chemchat.live_mark() IS
	'this moment, for live_states; lsn: all that is visible was written before';

-- NULL: of no use here, everything counts as new.
CREATE FUNCTION chemchat._mark_age(mark text) RETURNS int
LANGUAGE plpgsql STABLE AS $$
DECLARE
	part text[] := string_to_array(_mark_age.mark, ':');
BEGIN
	IF _mark_age.mark IS NULL THEN
		RETURN NULL;
	ELSIF octet_length(_mark_age.mark) > 100
		  OR _mark_age.mark !~ '^\d{1,20}:[1-9]\d{0,8}:[0-9A-F]{1,8}/[0-9A-F]{1,8}:\d{1,18}$' THEN
		PERFORM chemchat._raise('invalid_argument', 'since',
			'since must be a mark of live_mark()');
	ELSIF chemchat.position_status(part[1], part[2]::int, part[3]::pg_lsn)
		  <> 'same' THEN
		RETURN NULL;			-- another history counts its own transactions
	END IF;
	RETURN age((part[4]::bigint & 4294967295)::text::xid);
END
$$;
COMMENT ON FUNCTION chemchat._mark_age(text) IS
	'rows whose age(xmin) is at most this may be newer than the mark';

CREATE FUNCTION chemchat._small(conversation_id uuid, members_max int)
RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT count(*) BETWEEN 1 AND _small.members_max
	  FROM (SELECT FROM chemchat.member AS m
			 WHERE m.conversation_id = _small.conversation_id
			   AND m.state = 'joined'
			 ORDER BY m.user_id
			 LIMIT _small.members_max + 1) AS found
$$;
COMMENT ON FUNCTION chemchat._small(uuid, int) IS
	'has the conversation no more members than that?';

CREATE FUNCTION chemchat.live_states(users uuid[], conversation_ids uuid[],
	since text DEFAULT NULL, channel int DEFAULT NULL,
	members_max int DEFAULT 200)
RETURNS TABLE (target "char", target_id uuid, kind "char", key uuid, id uuid,
			   rev bigint, event json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	oldest int;
BEGIN
	PERFORM chemchat._check_ids(live_states.users, 'users');
	PERFORM chemchat._check_ids(live_states.conversation_ids,
								'conversation_ids');
	IF live_states.channel NOT BETWEEN 0 AND 63 THEN
		PERFORM chemchat._raise('invalid_argument', 'channel',
			'channel must be 0 to 63');
	ELSIF coalesce(live_states.members_max, -1) NOT BETWEEN 0 AND 10000 THEN
		PERFORM chemchat._raise('invalid_argument', 'members_max',
			'members_max must be 0 to 10000');
	END IF;
	oldest := coalesce(chemchat._mark_age(live_states.since), 2147483647);

	-- A user's own: on the channel of the user.
	RETURN QUERY
	WITH mine AS MATERIALIZED (
		SELECT u.id FROM unnest(live_states.users) AS u (id)
		 WHERE live_states.channel IS NULL
			OR chemchat._live_channel(u.id) = live_states.channel
	)
	SELECT 'u'::"char", u.id, 'u'::"char", u.id, u.id, u.rev,
		   chemchat._user_json(u)
	  FROM mine JOIN chemchat.app_user AS u ON u.id = mine.id
	 WHERE age(u.xmin) <= oldest
	 UNION ALL
	SELECT 'u', s.user_id, 's', s.user_id, s.conversation_id, s.cursor_rev,
		   chemchat._cursor_json(s)
	  FROM mine JOIN chemchat.member_state AS s ON s.user_id = mine.id
	 WHERE s.cursor_rev > 0 AND age(s.xmin) <= oldest
	 UNION ALL
	SELECT 'u', s.user_id, 'n', s.user_id, s.conversation_id, s.preference_rev,
		   chemchat._preference_json(s)
	  FROM mine JOIN chemchat.member_state AS s ON s.user_id = mine.id
	 WHERE s.preference_rev > 0 AND age(s.xmin) <= oldest
	 UNION ALL
	SELECT 'u', b.user_id, 'b', b.user_id, b.blocked_id, b.rev,
		   chemchat._block_json(b)
	  FROM mine JOIN chemchat.block AS b ON b.user_id = mine.id
	 WHERE age(b.xmin) <= oldest;

	-- Invitations: on the channel of the conversation.
	RETURN QUERY
	SELECT 'i'::"char", m.user_id, 'p'::"char", m.conversation_id, m.user_id,
		   m.rev, NULL::json
	  FROM unnest(live_states.users) AS u (id)
	  JOIN chemchat.member AS m ON m.user_id = u.id
	 WHERE m.state = 'invited' AND age(m.xmin) <= oldest
	   AND (live_states.channel IS NULL
			OR chemchat._live_channel(m.conversation_id)
			   = live_states.channel);

	-- What the members of a small conversation see of each other.
	RETURN QUERY
	WITH seat AS MATERIALIZED (
		SELECT m.conversation_id, m.user_id
		  FROM unnest(live_states.conversation_ids) AS c (id)
		  JOIN chemchat.member AS m ON m.conversation_id = c.id
		 WHERE m.state = 'joined'
		   AND chemchat._small(c.id, live_states.members_max)
		   AND (live_states.channel IS NULL
				OR chemchat._live_channel(m.user_id) = live_states.channel)
	)
	SELECT 'c'::"char", s.conversation_id, 's'::"char", s.user_id,
		   s.conversation_id, s.cursor_rev, chemchat._cursor_json(s)
	  FROM seat JOIN chemchat.member_state AS s
		ON s.user_id = seat.user_id
	   AND s.conversation_id = seat.conversation_id
	 WHERE s.cursor_rev > 0 AND age(s.xmin) <= oldest
	 UNION ALL
	SELECT 'c', seat.conversation_id, 'u', u.id, u.id, u.rev,
		   chemchat._user_json(u)
	  FROM seat JOIN chemchat.app_user AS u ON u.id = seat.user_id
	 WHERE age(u.xmin) <= oldest;
END
$$;
COMMENT ON FUNCTION chemchat.live_states(uuid[], uuid[], text, int, int) IS
	'what users, and the members of small conversations, are to be told since a mark';

CREATE FUNCTION chemchat.live_audience(users uuid[], conversation_ids uuid[],
									   members_max int DEFAULT 200)
RETURNS TABLE (user_id uuid, conversation_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._check_ids(live_audience.users, 'users');
	PERFORM chemchat._check_ids(live_audience.conversation_ids,
								'conversation_ids');
	IF coalesce(live_audience.members_max, -1) NOT BETWEEN 0 AND 10000 THEN
		PERFORM chemchat._raise('invalid_argument', 'members_max',
			'members_max must be 0 to 10000');
	END IF;
	RETURN QUERY
	SELECT m.user_id, m.conversation_id
	  FROM unnest(live_audience.users) AS u (id)
	  JOIN chemchat.member AS m ON m.user_id = u.id
	 WHERE m.state = 'joined'
	   AND chemchat._small(m.conversation_id, live_audience.members_max)
	 UNION ALL
	SELECT NULL, c.id
	  FROM unnest(live_audience.conversation_ids) AS c (id)
	 WHERE chemchat._small(c.id, live_audience.members_max);
END
$$;
COMMENT ON FUNCTION chemchat.live_audience(uuid[], uuid[], int) IS
	'which of these conversations, and of these users'' ones, are small';
