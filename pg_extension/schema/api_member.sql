-- A member's row, its ev and its event.  The caller holds the conversation's
-- lock and has taken ev from its head.
CREATE FUNCTION chemchat._write_member(conversation_id uuid, user_id uuid,
	role text, state text, ev bigint, rev bigint, changed_by uuid,
	changed_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	written chemchat.member;
BEGIN
	INSERT INTO chemchat.member AS m (conversation_id, user_id, role, state, ev,
									  rev, changed_by, changed_at)
	VALUES (_write_member.conversation_id, _write_member.user_id,
			_write_member.role, _write_member.state, _write_member.ev,
			_write_member.rev, _write_member.changed_by,
			_write_member.changed_at)
		ON CONFLICT ON CONSTRAINT member_pkey DO UPDATE
	   SET role = excluded.role, state = excluded.state, ev = excluded.ev,
		   rev = excluded.rev, changed_by = excluded.changed_by,
		   changed_at = excluded.changed_at
	RETURNING * INTO written;
	INSERT INTO chemchat.change (conversation_id, ev, id, kind)
	VALUES (written.conversation_id, written.ev, written.user_id, 'p');
	PERFORM chemchat._emit('p', written.conversation_id, written.user_id,
		written.ev, NULL, written.rev, written.changed_at,
		chemchat._member_json(written), false);
END
$$;
COMMENT ON FUNCTION chemchat._write_member(uuid, uuid, text, text, bigint,
	bigint, uuid, timestamptz) IS 'writes a member and its event';

-- The next state of a seat, under the conversation's lock.
CREATE FUNCTION chemchat._change_member(actor uuid, seat chemchat.member,
	role text, state text, first_rev bigint, OUT ev bigint, OUT rev bigint,
	OUT is_duplicate boolean)
LANGUAGE plpgsql AS $$
BEGIN
	_change_member.is_duplicate := _change_member.seat.role
			= _change_member.role
		AND _change_member.seat.state = _change_member.state;
	IF _change_member.is_duplicate THEN
		_change_member.ev := seat.ev;
		_change_member.rev := seat.rev;
		RETURN;
	END IF;
	_change_member.is_duplicate := false;
	_change_member.ev := chemchat._head(seat.conversation_id) + 1;
	_change_member.rev := greatest(coalesce(seat.rev, 0) + 1, first_rev);
	PERFORM chemchat._write_member(seat.conversation_id, seat.user_id,
		_change_member.role, _change_member.state, _change_member.ev,
		_change_member.rev, _change_member.actor, clock_timestamp());
END
$$;
COMMENT ON FUNCTION chemchat._change_member(uuid, chemchat.member, text, text,
	bigint) IS 'gives a seat a role and a state, which may be what it has';

-- A seat never taken has its ids and nothing else.
CREATE FUNCTION chemchat._seat(conversation_id uuid, user_id uuid)
RETURNS chemchat.member
LANGUAGE plpgsql STABLE AS $$
DECLARE
	seat chemchat.member;
BEGIN
	SELECT * INTO seat FROM chemchat.member AS m
	 WHERE m.conversation_id = _seat.conversation_id
	   AND m.user_id = _seat.user_id;
	seat.conversation_id := _seat.conversation_id;
	seat.user_id := _seat.user_id;
	RETURN seat;
END
$$;
COMMENT ON FUNCTION chemchat._seat(uuid, uuid) IS
	'the row of a member, or of who never was one';

CREATE FUNCTION chemchat._check_role(user_id uuid, role text) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF _check_role.user_id IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'user_id',
			'user_id must not be null');
	ELSIF _check_role.role IS NULL
		  OR _check_role.role NOT IN ('owner', 'admin', 'member', 'guest') THEN
		PERFORM chemchat._raise('invalid_argument', 'role',
			'role must be owner, admin, member or guest');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_role(uuid, text) IS
	'raises unless there is a user and a role';

CREATE FUNCTION chemchat._has_owner(conversation_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN EXISTS (SELECT FROM chemchat.member AS m
					WHERE m.conversation_id = _has_owner.conversation_id
					  AND m.role = 'owner' AND m.state = 'joined');
END
$$;
COMMENT ON FUNCTION chemchat._has_owner(uuid) IS
	'whether a conversation has an owner, who may be deactivated';

-- Under the lock: may the owner who is about to go, or to be less, do so?
-- Somebody who can still act must stay an owner, as long as anybody is there:
-- one who is deactivated may come back.
CREATE FUNCTION chemchat._check_last_owner(seat chemchat.member,
										   is_staying boolean) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF seat.state = 'joined' AND seat.role = 'owner'
	   AND (is_staying
			OR EXISTS (SELECT FROM chemchat.member AS m
						WHERE m.conversation_id = seat.conversation_id
						  AND m.user_id <> seat.user_id
						  AND m.state = 'joined'))
	   AND NOT EXISTS (SELECT FROM chemchat.member AS m
						 JOIN chemchat.app_user AS u ON u.id = m.user_id
						WHERE m.conversation_id = seat.conversation_id
						  AND m.user_id <> seat.user_id
						  AND m.role = 'owner' AND m.state = 'joined'
						  AND u.deactivated_at IS NULL) THEN
		PERFORM chemchat._raise('last_owner', 'user_id');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_last_owner(chemchat.member, boolean) IS
	'raises last_owner when nobody else is an owner, and somebody stays';

-- What add_member, set_role and invite have in common.
CREATE FUNCTION chemchat._give_seat(actor uuid, conversation_id uuid,
	user_id uuid, role text, verb text, first_rev bigint, OUT ev bigint,
	OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql AS $$
DECLARE
	seat chemchat.member;
	is_inviting CONSTANT boolean := verb = 'invite';
BEGIN
	PERFORM chemchat._check_role(_give_seat.user_id, _give_seat.role);
	PERFORM chemchat._lock_authorized(_give_seat.actor,
		_give_seat.conversation_id, _give_seat.verb);
	seat := chemchat._seat(_give_seat.conversation_id, _give_seat.user_id);
	IF verb = 'set_role' AND seat.state IS DISTINCT FROM 'joined' THEN
		PERFORM chemchat._raise('unknown_user', 'user_id',
			'the user is not a member of this conversation');
	ELSIF is_inviting AND seat.state = 'joined' THEN
		ev := seat.ev;
		rev := seat.rev;
		is_duplicate := true;
		RETURN;
	END IF;
	IF seat.state IS DISTINCT FROM 'joined' OR seat.role <> _give_seat.role THEN
		IF seat.state = 'joined' AND verb <> 'set_role' THEN
			PERFORM chemchat._authorize(_give_seat.actor,
				_give_seat.conversation_id, 'set_role');
		END IF;
		IF _give_seat.role = 'owner'
		   OR (seat.state = 'joined' AND seat.role = 'owner') THEN
			PERFORM chemchat._authorize(_give_seat.actor,
				_give_seat.conversation_id, 'add_owner');
			IF _give_seat.role <> 'owner' THEN
				PERFORM chemchat._check_last_owner(seat, true);
			END IF;
		END IF;
		PERFORM chemchat._check_users(ARRAY[_give_seat.user_id], 'user_id');
		IF seat.state IS DISTINCT FROM 'joined' THEN
			PERFORM chemchat._check_not_blocked(_give_seat.actor,
				ARRAY[_give_seat.user_id], 'user_id');
		END IF;
	END IF;
	SELECT c.ev, c.rev, c.is_duplicate INTO ev, rev, is_duplicate
	  FROM chemchat._change_member(_give_seat.actor, seat, _give_seat.role,
		CASE WHEN is_inviting THEN 'invited' ELSE 'joined' END,
		_give_seat.first_rev) AS c;
END
$$;
COMMENT ON FUNCTION chemchat._give_seat(uuid, uuid, uuid, text, text, bigint)
	IS 'part of add_member, set_role and invite';

CREATE FUNCTION chemchat.add_member(actor uuid, conversation_id uuid,
	user_id uuid, role text DEFAULT 'member',
	OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(add_member.actor);
BEGIN
	SELECT g.ev, g.rev, g.is_duplicate
	  INTO add_member.ev, add_member.rev, add_member.is_duplicate
	  FROM chemchat._give_seat(acting, add_member.conversation_id,
		add_member.user_id, add_member.role, 'add_member', first_rev) AS g;
END
$$;
COMMENT ON FUNCTION chemchat.add_member(uuid, uuid, uuid, text) IS
	'adds a user to a conversation, or gives a member another role';

CREATE FUNCTION chemchat.set_role(actor uuid, conversation_id uuid,
	user_id uuid, role text,
	OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(set_role.actor);
BEGIN
	SELECT g.ev, g.rev, g.is_duplicate
	  INTO set_role.ev, set_role.rev, set_role.is_duplicate
	  FROM chemchat._give_seat(acting, set_role.conversation_id,
		set_role.user_id, set_role.role, 'set_role', first_rev) AS g;
END
$$;
COMMENT ON FUNCTION chemchat.set_role(uuid, uuid, uuid, text) IS
	'gives a member another role';

CREATE FUNCTION chemchat.invite(actor uuid, conversation_id uuid, user_id uuid,
	role text DEFAULT 'member',
	OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(invite.actor);
BEGIN
	SELECT g.ev, g.rev, g.is_duplicate
	  INTO invite.ev, invite.rev, invite.is_duplicate
	  FROM chemchat._give_seat(acting, invite.conversation_id, invite.user_id,
		invite.role, 'invite', first_rev) AS g;
END
$$;
COMMENT ON FUNCTION chemchat.invite(uuid, uuid, uuid, text) IS
	'asks a user to join; she sees nothing of it until she does';
