-- Out of a conversation: by herself, or by somebody else.

-- Who has left already and asks again is told so, not that there is no such
-- conversation.
CREATE FUNCTION chemchat._authorize_removal(actor uuid, conversation_id uuid,
	user_id uuid) RETURNS chemchat.member
LANGUAGE plpgsql STABLE AS $$
DECLARE
	seat CONSTANT chemchat.member := chemchat._seat(
		_authorize_removal.conversation_id, _authorize_removal.user_id);
BEGIN
	IF _authorize_removal.actor <> _authorize_removal.user_id THEN
		PERFORM chemchat._authorize(_authorize_removal.actor,
			_authorize_removal.conversation_id, 'remove_member');
	ELSIF seat.state IS NULL OR seat.state = 'joined' THEN
		PERFORM chemchat._authorize(_authorize_removal.actor,
			_authorize_removal.conversation_id, 'leave');
	END IF;
	IF seat.state IS NULL THEN
		PERFORM chemchat._raise('unknown_user', 'user_id',
			'the user never was a member of this conversation');
	ELSIF seat.state = 'joined' AND seat.role = 'owner'
		  AND _authorize_removal.actor <> _authorize_removal.user_id THEN
		PERFORM chemchat._authorize(_authorize_removal.actor,
			_authorize_removal.conversation_id, 'remove_owner');
	END IF;
	RETURN seat;
END
$$;
COMMENT ON FUNCTION chemchat._authorize_removal(uuid, uuid, uuid) IS
	'the seat to be emptied; raises unless the actor may do it';

CREATE FUNCTION chemchat._empty_seat(actor uuid, conversation_id uuid,
	user_id uuid, first_rev bigint, OUT ev bigint, OUT rev bigint,
	OUT is_duplicate boolean)
LANGUAGE plpgsql AS $$
DECLARE
	seat chemchat.member := chemchat._authorize_removal(_empty_seat.actor,
		_empty_seat.conversation_id, _empty_seat.user_id);
BEGIN
	-- Who has left is a stranger: she neither waits for the lock nor holds it.
	IF seat.state <> 'removed' THEN
		PERFORM chemchat._lock_conversation(_empty_seat.conversation_id);
		seat := chemchat._authorize_removal(_empty_seat.actor,
			_empty_seat.conversation_id, _empty_seat.user_id);
		PERFORM chemchat._check_last_owner(seat, false);
	END IF;
	SELECT c.ev, c.rev, c.is_duplicate INTO ev, rev, is_duplicate
	  FROM chemchat._change_member(_empty_seat.actor, seat, seat.role,
		'removed', _empty_seat.first_rev) AS c;
END
$$;
COMMENT ON FUNCTION chemchat._empty_seat(uuid, uuid, uuid, bigint) IS
	'part of remove_member and leave';

CREATE FUNCTION chemchat.remove_member(actor uuid, conversation_id uuid,
	user_id uuid, OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(remove_member.actor);
BEGIN
	IF remove_member.user_id IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'user_id',
			'user_id must not be null');
	END IF;
	SELECT e.ev, e.rev, e.is_duplicate
	  INTO remove_member.ev, remove_member.rev, remove_member.is_duplicate
	  FROM chemchat._empty_seat(acting, remove_member.conversation_id,
		remove_member.user_id, first_rev) AS e;
END
$$;
COMMENT ON FUNCTION chemchat.remove_member(uuid, uuid, uuid) IS
	'removes a member or takes an invitation back; the row stays, with state removed';

CREATE FUNCTION chemchat.leave(actor uuid, conversation_id uuid,
	OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(leave.actor);
BEGIN
	SELECT e.ev, e.rev, e.is_duplicate
	  INTO leave.ev, leave.rev, leave.is_duplicate
	  FROM chemchat._empty_seat(acting, leave.conversation_id, acting,
		first_rev) AS e;
END
$$;
COMMENT ON FUNCTION chemchat.leave(uuid, uuid) IS
	'leaves a conversation, or declines an invitation';

-- Who may come in by herself: the invited, and anybody into a public channel.
-- For all others there is no such conversation.
CREATE FUNCTION chemchat._authorize_join(actor uuid, conversation_id uuid)
RETURNS chemchat.member
LANGUAGE plpgsql STABLE AS $$
DECLARE
	seat CONSTANT chemchat.member := chemchat._seat(
		_authorize_join.conversation_id, _authorize_join.actor);
	is_public boolean;
	is_archived boolean;
BEGIN
	IF _authorize_join.conversation_id IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'conversation_id',
			'conversation_id must not be null');
	END IF;
	SELECT c.is_public, c.archived_at IS NOT NULL INTO is_public, is_archived
	  FROM chemchat.conversation AS c
	 WHERE c.id = _authorize_join.conversation_id;
	IF NOT coalesce(is_public OR seat.state IN ('joined', 'invited'), false)
	THEN
		PERFORM chemchat._raise('not_found', 'conversation_id');
	ELSIF is_archived AND seat.state IS DISTINCT FROM 'joined' THEN
		PERFORM chemchat._raise('archived', 'conversation_id');
	END IF;
	RETURN seat;
END
$$;
COMMENT ON FUNCTION chemchat._authorize_join(uuid, uuid) IS
	'the seat to be taken; raises unless the actor may take it';

CREATE FUNCTION chemchat.join_conversation(actor uuid, conversation_id uuid,
	OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(join_conversation.actor);
	seat chemchat.member := chemchat._authorize_join(acting,
		join_conversation.conversation_id);
	role text;
BEGIN
	-- Who is there takes no lock: in a direct conversation that would meet
	-- block_user, which takes the two the other way round.
	IF seat.state IS DISTINCT FROM 'joined' THEN
		PERFORM chemchat._lock_conversation(join_conversation.conversation_id);
		PERFORM chemchat._check_users(ARRAY[acting], 'actor');
		seat := chemchat._authorize_join(acting,
			join_conversation.conversation_id);
	END IF;
	-- Where all owners have gone the next to come is the owner; a guest who
	-- goes and comes back is a guest.
	role := CASE WHEN seat.state = 'joined' THEN seat.role
				 WHEN NOT chemchat._has_owner(seat.conversation_id) THEN 'owner'
				 WHEN seat.state = 'invited' OR seat.role = 'guest'
				 THEN seat.role ELSE 'member' END;
	SELECT c.ev, c.rev, c.is_duplicate
	  INTO join_conversation.ev, join_conversation.rev,
		   join_conversation.is_duplicate
	  FROM chemchat._change_member(acting, seat, role, 'joined', first_rev)
		   AS c;
END
$$;
COMMENT ON FUNCTION chemchat.join_conversation(uuid, uuid) IS
	'enters a public channel, or accepts an invitation';
