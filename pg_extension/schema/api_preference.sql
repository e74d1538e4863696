-- What a member wants to be told of a conversation.

CREATE FUNCTION chemchat.set_preference(actor uuid, conversation_id uuid,
	is_muted boolean DEFAULT NULL, muted_until timestamptz DEFAULT NULL,
	notify text DEFAULT NULL, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(set_preference.actor);
	-- Whoever says muted, or until when, says both.
	is_muting CONSTANT boolean := set_preference.is_muted IS NOT NULL
		OR set_preference.muted_until IS NOT NULL;
	now_is chemchat.member_state;
BEGIN
	PERFORM chemchat._authorize(acting, set_preference.conversation_id, 'read');
	IF set_preference.notify NOT IN ('all', 'mentions', 'none') THEN
		PERFORM chemchat._raise('invalid_argument', 'notify',
			'notify must be all, mentions or none');
	ELSIF set_preference.muted_until IS NOT NULL
		  AND (NOT coalesce(set_preference.is_muted, true)
			   OR set_preference.muted_until
				  NOT BETWEEN '2000-01-01' AND '9999-01-01') THEN
		PERFORM chemchat._raise('invalid_argument', 'muted_until',
			'muted_until must be a time, and goes with is_muted');
	END IF;

	-- No row says what the defaults say: none is written for them.
	INSERT INTO chemchat.member_state AS s
		(user_id, conversation_id, is_muted, muted_until, notify,
		 preference_rev, preference_at)
	SELECT acting, set_preference.conversation_id,
		   is_muting AND coalesce(set_preference.is_muted, true),
		   set_preference.muted_until, coalesce(set_preference.notify, 'all'),
		   first_rev, clock_timestamp()
	 WHERE (is_muting AND coalesce(set_preference.is_muted, true))
		OR set_preference.notify <> 'all'
		OR EXISTS (SELECT FROM chemchat.member_state AS old
					WHERE old.user_id = acting
					  AND old.conversation_id = set_preference.conversation_id)
		ON CONFLICT ON CONSTRAINT member_state_pkey DO UPDATE
	   SET is_muted = CASE WHEN is_muting THEN excluded.is_muted
						ELSE s.is_muted END,
		   muted_until = CASE WHEN is_muting THEN excluded.muted_until
							ELSE s.muted_until END,
		   notify = coalesce(set_preference.notify, s.notify),
		   preference_rev = greatest(s.preference_rev + 1, first_rev),
		   preference_at = excluded.preference_at
	 WHERE (is_muting AND (s.is_muted <> excluded.is_muted
						   OR s.muted_until
							  IS DISTINCT FROM excluded.muted_until))
		OR s.notify <> set_preference.notify
	RETURNING * INTO now_is;
	set_preference.is_duplicate := NOT FOUND;
	IF set_preference.is_duplicate THEN
		SELECT * INTO now_is FROM chemchat.member_state AS s
		 WHERE s.user_id = acting
		   AND s.conversation_id = set_preference.conversation_id;
	ELSE
		PERFORM chemchat._emit('n', acting, now_is.conversation_id, NULL, NULL,
			now_is.preference_rev, now_is.preference_at,
			chemchat._preference_json(now_is), false);
	END IF;
	set_preference.rev := coalesce(now_is.preference_rev, 0);
END
$$;
COMMENT ON FUNCTION chemchat.set_preference(uuid, uuid, boolean, timestamptz,
	text) IS
	'mutes a conversation for the actor, and says what she is told of; NULL keeps';

CREATE FUNCTION chemchat.my_state(actor uuid)
RETURNS TABLE (event json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting CONSTANT uuid := chemchat._acting(my_state.actor);
BEGIN
	RETURN QUERY
	SELECT chemchat._user_json(u) FROM chemchat.app_user AS u
	 WHERE u.id = acting
	UNION ALL
	SELECT e.event
	  FROM chemchat.member AS m
	  JOIN chemchat.member_state AS s
		ON s.user_id = m.user_id AND s.conversation_id = m.conversation_id,
		   LATERAL (SELECT chemchat._cursor_json(s) WHERE s.cursor_rev > 0
					UNION ALL
					SELECT chemchat._preference_json(s)
					 WHERE s.preference_rev > 0) AS e (event)
	 WHERE m.user_id = acting AND m.state = 'joined'
	UNION ALL
	SELECT chemchat._block_json(b) FROM chemchat.block AS b
	 WHERE b.user_id = acting;
END
$$;
COMMENT ON FUNCTION chemchat.my_state(uuid) IS
	'what belongs to the actor alone: herself, her cursors, preferences and blocks';
