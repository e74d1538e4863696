-- Blocks.  In a direct conversation neither side writes; the blocked one brings
-- the blocker into no conversation.  She is never told why.

-- The row lock on the blocker holds off invitations, whose writer has her row
-- in share mode (_check_users); the one on the direct conversation holds off
-- sends.  So nothing comes after the block is committed.
CREATE FUNCTION chemchat.block_user(actor uuid, user_id uuid,
	is_on boolean DEFAULT true, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(block_user.actor);
	now_is chemchat.block;
BEGIN
	IF block_user.user_id IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'user_id',
			'user_id must not be null');
	ELSIF block_user.user_id = acting THEN
		PERFORM chemchat._raise('invalid_argument', 'user_id',
			'nobody blocks herself');
	ELSIF block_user.is_on IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'is_on',
			'is_on must not be null');
	ELSIF NOT EXISTS (SELECT FROM chemchat.app_user AS u
					   WHERE u.id = block_user.user_id) THEN
		PERFORM chemchat._raise('unknown_user', 'user_id');
	END IF;
	PERFORM FROM chemchat.app_user AS u WHERE u.id = acting
		FOR NO KEY UPDATE;
	PERFORM chemchat._lock_conversation(
		chemchat._direct_of(acting, block_user.user_id));

	SELECT * INTO now_is FROM chemchat.block AS b
	 WHERE b.user_id = acting AND b.blocked_id = block_user.user_id;
	block_user.is_duplicate :=
		coalesce(now_is.is_on, false) = block_user.is_on;
	IF NOT block_user.is_duplicate THEN
		INSERT INTO chemchat.block AS b
			(user_id, blocked_id, is_on, rev, changed_at)
		VALUES (acting, block_user.user_id, block_user.is_on,
				greatest(coalesce(now_is.rev, 0) + 1, first_rev),
				clock_timestamp())
			ON CONFLICT ON CONSTRAINT block_pkey DO UPDATE
		   SET is_on = excluded.is_on, rev = excluded.rev,
			   changed_at = excluded.changed_at
		RETURNING * INTO now_is;
		PERFORM chemchat._emit('b', now_is.user_id, now_is.blocked_id, NULL,
			NULL, now_is.rev, now_is.changed_at,
			chemchat._block_json(now_is), false);
	END IF;
	block_user.rev := coalesce(now_is.rev, 0);
END
$$;
COMMENT ON FUNCTION chemchat.block_user(uuid, uuid, boolean) IS
	'blocks a user, or no longer';

CREATE FUNCTION chemchat._check_not_blocked(actor uuid, users uuid[],
											field text) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF EXISTS (SELECT FROM chemchat.block AS b
				WHERE b.user_id = ANY (_check_not_blocked.users)
				  AND b.blocked_id = _check_not_blocked.actor AND b.is_on) THEN
		PERFORM chemchat._raise('forbidden', _check_not_blocked.field,
			'one of them cannot be reached by the actor');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_not_blocked(uuid, uuid[], text) IS
	'raises forbidden when one of the users has blocked the actor';
