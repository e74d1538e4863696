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

CREATE FUNCTION chemchat.add_member(actor uuid, conversation_id uuid,
	user_id uuid, role text DEFAULT 'member',
	OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	existing chemchat.member;
BEGIN
	IF add_member.user_id IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'user_id',
			'user_id must not be null');
	ELSIF add_member.role IS NULL
		  OR add_member.role NOT IN ('owner', 'admin', 'member', 'guest') THEN
		PERFORM chemchat._raise('invalid_argument', 'role',
			'role must be owner, admin, member or guest');
	END IF;
	PERFORM chemchat._lock_conversation(add_member.conversation_id);
	PERFORM chemchat._authorize(add_member.actor, add_member.conversation_id,
								'add_member');
	SELECT * INTO existing FROM chemchat.member AS m
	 WHERE m.conversation_id = add_member.conversation_id
	   AND m.user_id = add_member.user_id;
	IF existing.state = 'joined' AND existing.role = add_member.role THEN
		add_member.ev := existing.ev;
		add_member.rev := existing.rev;
		add_member.is_duplicate := true;
		RETURN;
	END IF;
	IF add_member.role = 'owner'
	   OR (existing.state = 'joined' AND existing.role = 'owner') THEN
		PERFORM chemchat._authorize(add_member.actor,
			add_member.conversation_id, 'add_owner');
	END IF;
	PERFORM chemchat._check_users(ARRAY[add_member.user_id], 'user_id');

	add_member.ev := chemchat._head(add_member.conversation_id) + 1;
	add_member.rev := greatest(coalesce(existing.rev, 0) + 1, first_rev);
	add_member.is_duplicate := false;
	PERFORM chemchat._write_member(add_member.conversation_id,
		add_member.user_id, add_member.role, 'joined', add_member.ev,
		add_member.rev, add_member.actor, clock_timestamp());
END
$$;
COMMENT ON FUNCTION chemchat.add_member(uuid, uuid, uuid, text) IS
	'adds a user to a conversation, or gives a member another role';

CREATE FUNCTION chemchat.remove_member(actor uuid, conversation_id uuid,
	user_id uuid, OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	existing chemchat.member;
BEGIN
	IF remove_member.user_id IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'user_id',
			'user_id must not be null');
	END IF;
	PERFORM chemchat._lock_conversation(remove_member.conversation_id);
	SELECT * INTO existing FROM chemchat.member AS m
	 WHERE m.conversation_id = remove_member.conversation_id
	   AND m.user_id = remove_member.user_id;
	-- Who has left already and asks again is told so, not that there is no
	-- such conversation.
	IF remove_member.actor IS DISTINCT FROM remove_member.user_id THEN
		PERFORM chemchat._authorize(remove_member.actor,
			remove_member.conversation_id, 'remove_member');
	ELSIF existing.state IS DISTINCT FROM 'removed' THEN
		PERFORM chemchat._authorize(remove_member.actor,
			remove_member.conversation_id, 'leave');
	END IF;
	IF existing.user_id IS NULL THEN
		PERFORM chemchat._raise('unknown_user', 'user_id',
			'the user never was a member of this conversation');
	ELSIF existing.state = 'removed' THEN
		remove_member.ev := existing.ev;
		remove_member.rev := existing.rev;
		remove_member.is_duplicate := true;
		RETURN;
	ELSIF existing.role = 'owner'
		  AND remove_member.actor <> remove_member.user_id THEN
		PERFORM chemchat._authorize(remove_member.actor,
			remove_member.conversation_id, 'remove_owner');
	END IF;

	remove_member.ev := chemchat._head(remove_member.conversation_id) + 1;
	remove_member.rev := greatest(existing.rev + 1, first_rev);
	remove_member.is_duplicate := false;
	PERFORM chemchat._write_member(remove_member.conversation_id,
		remove_member.user_id, existing.role, 'removed', remove_member.ev,
		remove_member.rev, remove_member.actor, clock_timestamp());
END
$$;
COMMENT ON FUNCTION chemchat.remove_member(uuid, uuid, uuid) IS
	'removes a member, or lets her leave; the row stays, with state removed';
