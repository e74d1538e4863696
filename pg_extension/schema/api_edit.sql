-- Changing what was said: the wall, the lock, the wall again, the message, in
-- this order, so that a stranger learns nothing and two changes meet one after
-- the other.

-- Neither side of a direct conversation writes to the other while one of them
-- blocks the other.
CREATE FUNCTION chemchat._is_blocked(actor uuid, conversation_id uuid)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	other uuid;
BEGIN
	IF (SELECT c.kind FROM chemchat.conversation AS c
		 WHERE c.id = _is_blocked.conversation_id)
	   IS DISTINCT FROM 'direct' THEN
		RETURN false;
	END IF;
	SELECT m.user_id INTO other FROM chemchat.member AS m
	 WHERE m.conversation_id = _is_blocked.conversation_id
	   AND m.user_id <> _is_blocked.actor;
	RETURN EXISTS (SELECT FROM chemchat.block AS b
					WHERE b.user_id = other
					  AND b.blocked_id = _is_blocked.actor AND b.is_on)
		OR EXISTS (SELECT FROM chemchat.block AS b
					WHERE b.user_id = _is_blocked.actor
					  AND b.blocked_id = other AND b.is_on);
END
$$;
COMMENT ON FUNCTION chemchat._is_blocked(uuid, uuid) IS
	'whether this is a direct conversation in which one blocks the other';

CREATE FUNCTION chemchat._lock_to_write(actor uuid, conversation_id uuid,
										verb text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM chemchat._lock_authorized(_lock_to_write.actor,
		_lock_to_write.conversation_id, _lock_to_write.verb);
	IF chemchat._is_blocked(_lock_to_write.actor,
							_lock_to_write.conversation_id) THEN
		PERFORM chemchat._raise('forbidden', 'actor');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._lock_to_write(uuid, uuid, text) IS
	'locks a conversation for one who may do that in it; raises otherwise';

-- Raises, or it is there.  A deleted one is found too.
CREATE FUNCTION chemchat._message(conversation_id uuid, seq bigint)
RETURNS chemchat.message
LANGUAGE plpgsql STABLE AS $$
DECLARE
	found_message chemchat.message;
BEGIN
	IF _message.seq IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'seq',
			'seq must not be null');
	END IF;
	SELECT * INTO found_message FROM chemchat.message AS m
	 WHERE m.conversation_id = _message.conversation_id
	   AND m.seq = _message.seq;
	IF NOT FOUND THEN
		PERFORM chemchat._raise('not_found', 'seq', 'there is no such message');
	END IF;
	RETURN found_message;
END
$$;
COMMENT ON FUNCTION chemchat._message(uuid, bigint) IS
	'a message by its number; raises not_found';

-- The message's new state, with the next numbers: its row, its change, its
-- event, and who is told of it.
CREATE FUNCTION chemchat._rewrite_message(first_rev bigint,
	INOUT message chemchat.message)
LANGUAGE plpgsql AS $$
BEGIN
	message.ev := chemchat._head(message.conversation_id) + 1;
	message.rev := greatest(message.rev + 1, _rewrite_message.first_rev);
	UPDATE chemchat.message AS m
	   SET ev = message.ev, rev = message.rev, body = message.body,
		   edited_at = message.edited_at, deleted_at = message.deleted_at,
		   mentions = message.mentions
	 WHERE m.conversation_id = message.conversation_id
	   AND m.seq = message.seq;
	INSERT INTO chemchat.change (conversation_id, ev, seq, id, kind)
	VALUES (message.conversation_id, message.ev, message.seq, message.id, 'e');
	DELETE FROM chemchat.mention AS told
	 WHERE told.conversation_id = message.conversation_id
	   AND told.seq = message.seq;
	IF message.mentions IS NOT NULL THEN
		PERFORM chemchat._write_mentions(message.conversation_id, message.seq,
			message.sender, message.created_at, message.mentions);
	END IF;
	PERFORM chemchat._emit('m', message.conversation_id, message.id, message.ev,
		message.seq, message.rev,
		coalesce(message.deleted_at, message.edited_at),
		chemchat._message_json(message), false);
END
$$;
COMMENT ON FUNCTION chemchat._rewrite_message(bigint, chemchat.message) IS
	'writes a message''s new state and its event; the caller holds the lock';

CREATE FUNCTION chemchat.edit_message(actor uuid, conversation_id uuid,
	OUT id uuid, INOUT seq bigint, body text, expected_rev bigint DEFAULT NULL,
	OUT ev bigint, OUT rev bigint, OUT edited_at timestamptz,
	OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	me CONSTANT uuid := chemchat._acting(edit_message.actor);
	written chemchat.message;
BEGIN
	IF coalesce(edit_message.body, '') = '' THEN
		PERFORM chemchat._raise('invalid_argument', 'body',
			'body must not be null or empty');
	ELSIF octet_length(edit_message.body) > 16384 THEN
		PERFORM chemchat._raise('too_large', 'body',
			'body is longer than 16384 bytes');
	END IF;
	PERFORM chemchat._lock_to_write(me, edit_message.conversation_id, 'edit');
	written := chemchat._message(edit_message.conversation_id,
								 edit_message.seq);
	IF written.sender <> me THEN
		PERFORM chemchat._raise('forbidden', 'actor',
			'only its sender edits a message');
	ELSIF written.deleted_at IS NOT NULL THEN
		PERFORM chemchat._raise('deleted', 'seq');
	END IF;
	-- Also when the rev is another by now: it may be this edit's own.
	edit_message.is_duplicate := written.body = edit_message.body;
	IF NOT edit_message.is_duplicate THEN
		IF written.rev <> edit_message.expected_rev THEN
			PERFORM chemchat._raise('conflict', 'expected_rev',
				format('the message is at rev %s', written.rev));
		END IF;
		INSERT INTO chemchat.message_revision
			(conversation_id, seq, rev, body, written_at)
		VALUES (written.conversation_id, written.seq, written.rev, written.body,
				coalesce(written.edited_at, written.created_at));
		written.body := edit_message.body;
		written.edited_at := clock_timestamp();
		written.mentions := chemchat._read_mentions(written.conversation_id,
			me, chemchat._handles(edit_message.body));
		written := chemchat._rewrite_message(first_rev, written);
	END IF;
	edit_message.id := written.id;
	edit_message.ev := written.ev;
	edit_message.rev := written.rev;
	edit_message.edited_at := written.edited_at;
END
$$;
COMMENT ON FUNCTION chemchat.edit_message(uuid, uuid, bigint, text, bigint) IS
	'gives one''s own message another body; the one before is kept';

CREATE FUNCTION chemchat.delete_message(actor uuid, conversation_id uuid,
	OUT id uuid, INOUT seq bigint, OUT ev bigint, OUT rev bigint,
	OUT deleted_at timestamptz, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	me CONSTANT uuid := chemchat._acting(delete_message.actor);
	written chemchat.message;
BEGIN
	-- Also out of the archive, and away from who is blocked.
	PERFORM chemchat._lock_authorized(me, delete_message.conversation_id,
									  'read');
	written := chemchat._message(delete_message.conversation_id,
								 delete_message.seq);
	PERFORM chemchat._authorize(me, delete_message.conversation_id,
		CASE written.sender WHEN me THEN 'delete_own' ELSE 'delete_any' END);
	delete_message.is_duplicate := written.deleted_at IS NOT NULL;
	IF NOT delete_message.is_duplicate THEN
		DELETE FROM chemchat.message_revision AS r
		 WHERE r.conversation_id = written.conversation_id
		   AND r.seq = written.seq;
		written.body := NULL;
		written.mentions := NULL;
		written.deleted_at := clock_timestamp();
		written := chemchat._rewrite_message(first_rev, written);
	END IF;
	delete_message.id := written.id;
	delete_message.ev := written.ev;
	delete_message.rev := written.rev;
	delete_message.deleted_at := written.deleted_at;
END
$$;
COMMENT ON FUNCTION chemchat.delete_message(uuid, uuid, bigint) IS
	'leaves a tombstone; body, earlier bodies and mentions go';

CREATE FUNCTION chemchat.revisions(actor uuid, conversation_id uuid, seq bigint,
	after_rev bigint DEFAULT NULL, max_rows int DEFAULT 200)
RETURNS TABLE (rev bigint, body text, written_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._authorize(chemchat._acting(revisions.actor),
								revisions.conversation_id, 'read');
	PERFORM chemchat._check_max_rows(revisions.max_rows, 200);
	PERFORM chemchat._message(revisions.conversation_id, revisions.seq);
	RETURN QUERY
	SELECT r.rev, r.body, r.written_at FROM chemchat.message_revision AS r
	 WHERE r.conversation_id = revisions.conversation_id
	   AND r.seq = revisions.seq AND r.rev > coalesce(revisions.after_rev, 0)
	 ORDER BY r.rev
	 LIMIT revisions.max_rows;
END
$$;
COMMENT ON FUNCTION chemchat.revisions(uuid, uuid, bigint, bigint, int) IS
	'what a message said before it was edited, oldest first; at most 200';
