-- What our own functions share.  Names begin with _; nobody but the owner
-- may execute them.

CREATE FUNCTION chemchat._library_version() RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'chemchat_library_version';
COMMENT ON FUNCTION chemchat._library_version() IS
	'the version of the loaded chemchat.so';

CREATE FUNCTION chemchat._raise(code text, field text,
								message text DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'chemchat_raise';
COMMENT ON FUNCTION chemchat._raise(text, text, text) IS
	'raises one of the errors of docs/sql.md; field becomes COLUMN';

CREATE FUNCTION chemchat._begin_write() RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'chemchat_begin_write';
COMMENT ON FUNCTION chemchat._begin_write() IS
	'opens every writing function; returns the lowest rev of this epoch';

CREATE FUNCTION chemchat._acting(actor uuid) RETURNS uuid
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'chemchat_acting';
COMMENT ON FUNCTION chemchat._acting(uuid) IS
	'opens every function with an actor: who the caller may act for, and exists and is active';

CREATE FUNCTION chemchat._uuid7() RETURNS uuid
LANGUAGE c AS 'MODULE_PATHNAME', 'chemchat_uuid7';
COMMENT ON FUNCTION chemchat._uuid7() IS 'a new id';

CREATE FUNCTION chemchat._uuid7_time(id uuid) RETURNS timestamptz
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_uuid7_time';
COMMENT ON FUNCTION chemchat._uuid7_time(uuid) IS
	'when an id of ours was made, to the microsecond; NULL: it is of another kind';

CREATE FUNCTION chemchat._live_channel(key uuid) RETURNS int
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'chemchat_live_channel';
COMMENT ON FUNCTION chemchat._live_channel(uuid) IS
	'0..63: the channel on which the events of this key go live';

-- The wall, as rows: inlined where a set of items is judged at once.
CREATE FUNCTION chemchat._authorized(actor uuid, conversation_id uuid, verb text)
RETURNS TABLE (role text, is_allowed boolean, is_frozen boolean)
LANGUAGE sql STABLE AS $$
	SELECT m.role, p.verb IS NOT NULL,
		   c.archived_at IS NOT NULL
		   AND NOT EXISTS (SELECT FROM chemchat.permission AS f
							WHERE f.kind = 'archived' AND f.role = m.role
							  AND f.verb = _authorized.verb)
	  FROM chemchat.member AS m
	  JOIN chemchat.conversation AS c ON c.id = m.conversation_id
	  LEFT JOIN chemchat.permission AS p
			 ON p.kind = c.kind AND p.role = m.role
			AND p.verb = _authorized.verb
	 WHERE m.conversation_id = _authorized.conversation_id
	   AND m.user_id = _authorized.actor
	   AND m.state = 'joined'
	 LIMIT 1					-- see send_store.c
$$;
COMMENT ON FUNCTION chemchat._authorized(uuid, uuid, text) IS
	'the actor''s role, whether it allows the verb, and whether the archive forbids it; no row for a stranger';

CREATE FUNCTION chemchat._authorize(actor uuid, conversation_id uuid, verb text)
RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	found_role text;
	found_allowed boolean;
	found_frozen boolean;
BEGIN
	IF _authorize.actor IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'actor',
								'actor must not be null');
	ELSIF _authorize.conversation_id IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'conversation_id',
								'conversation_id must not be null');
	END IF;
	SELECT a.role, a.is_allowed, a.is_frozen
	  INTO found_role, found_allowed, found_frozen
	  FROM chemchat._authorized(_authorize.actor, _authorize.conversation_id,
								_authorize.verb) AS a;
	IF found_role IS NULL THEN
		PERFORM chemchat._raise('not_found', 'conversation_id');
	ELSIF NOT found_allowed THEN
		PERFORM chemchat._raise('forbidden', 'actor');
	ELSIF found_frozen THEN
		PERFORM chemchat._raise('archived', 'conversation_id');
	END IF;
	RETURN found_role;
END
$$;
COMMENT ON FUNCTION chemchat._authorize(uuid, uuid, text) IS
	'returns the actor''s role; raises not_found for a stranger, forbidden, or archived';

CREATE FUNCTION chemchat._head(conversation_id uuid) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN						-- in SQL it would be planned anew for each call
	RETURN (SELECT ch.ev FROM chemchat.change AS ch
			 WHERE ch.conversation_id = _head.conversation_id
			 ORDER BY ch.ev DESC LIMIT 1);
END
$$;
COMMENT ON FUNCTION chemchat._head(uuid) IS
	'the last ev of a conversation; NULL when there is no such conversation';

CREATE FUNCTION chemchat._head_hint(conversation_id uuid) RETURNS bigint
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'chemchat_head_hint';
COMMENT ON FUNCTION chemchat._head_hint(uuid) IS
	'an ev from which to look for the head: where this session last saw it';

CREATE FUNCTION chemchat._note_head(conversation_id uuid, ev bigint)
RETURNS bigint
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'chemchat_note_head';
COMMENT ON FUNCTION chemchat._note_head(uuid, bigint) IS
	'what it is given, noted for _head_hint';

-- The lock is a statement of its own, so that the next one sees what the
-- holder before us committed.
CREATE FUNCTION chemchat._lock_conversation(conversation_id uuid)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM chemchat.conversation AS c
	  WHERE c.id = _lock_conversation.conversation_id
		FOR NO KEY UPDATE;
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION chemchat._lock_conversation(uuid) IS
	'waits for and takes the right to give numbers in a conversation';

-- Asked twice: a stranger must not wait for a lock, nor hold one, and so not
-- learn from the time it takes that there is such a conversation; and what
-- counts is what is so once we have the lock.
CREATE FUNCTION chemchat._lock_authorized(actor uuid, conversation_id uuid,
	verb text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM chemchat._authorize(_lock_authorized.actor,
		_lock_authorized.conversation_id, _lock_authorized.verb);
	PERFORM chemchat._lock_conversation(_lock_authorized.conversation_id);
	RETURN chemchat._authorize(_lock_authorized.actor,
		_lock_authorized.conversation_id, _lock_authorized.verb);
END
$$;
COMMENT ON FUNCTION chemchat._lock_authorized(uuid, uuid, text) IS
	'opens a change in a conversation: the wall, the lock, the wall again';
