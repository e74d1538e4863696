CREATE FUNCTION chemchat.create_user(handle text,
	display_name text DEFAULT NULL, user_id uuid DEFAULT NULL,
	OUT id uuid, OUT rev bigint, OUT created_at timestamptz,
	OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	shown CONSTANT text := coalesce(create_user.display_name,
									create_user.handle);
	made chemchat.app_user;
	existing chemchat.app_user;
BEGIN
	PERFORM chemchat._check_handle(create_user.handle);
	PERFORM chemchat._check_display_name(shown);
	INSERT INTO chemchat.app_user AS u (id, handle, display_name, rev, created_at)
	VALUES (coalesce(create_user.user_id, chemchat._uuid7()),
			create_user.handle, shown, first_rev, clock_timestamp())
		ON CONFLICT DO NOTHING
	RETURNING * INTO made;
	IF FOUND THEN
		create_user.id := made.id;
		create_user.rev := made.rev;
		create_user.created_at := made.created_at;
		create_user.is_duplicate := false;
		PERFORM chemchat._emit('u', made.id, made.id, NULL, NULL, made.rev,
			made.created_at, chemchat._user_json(made), false);
		RETURN;
	END IF;

	SELECT * INTO existing FROM chemchat.app_user AS u
	 WHERE u.id = create_user.user_id;
	IF NOT FOUND THEN
		PERFORM chemchat._raise('conflict', 'handle', 'the handle is taken');
	ELSIF existing.handle <> create_user.handle THEN
		PERFORM chemchat._raise('conflict', 'user_id', 'the user_id is taken');
	END IF;
	create_user.id := existing.id;
	create_user.rev := existing.rev;
	create_user.created_at := existing.created_at;
	create_user.is_duplicate := true;
END
$$;
COMMENT ON FUNCTION chemchat.create_user(text, text, uuid) IS
	'makes a user; the same user_id and handle again is a retry';

CREATE FUNCTION chemchat._check_handle(handle text) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	-- The length first: a pattern unpacks a gigabyte to look at it.
	IF coalesce(octet_length(_check_handle.handle), 0) NOT BETWEEN 1 AND 64 THEN
		PERFORM chemchat._raise('invalid_argument', 'handle',
			'handle must be 1 to 64 of a-z 0-9 . _ -');
	ELSIF _check_handle.handle !~ '^[a-z0-9._-]{1,64}$' THEN
		PERFORM chemchat._raise('invalid_argument', 'handle',
			'handle must be 1 to 64 of a-z 0-9 . _ -');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_handle(text) IS
	'raises for what is no handle';

CREATE FUNCTION chemchat._check_display_name(display_name text) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF coalesce(_check_display_name.display_name, '') = '' THEN
		PERFORM chemchat._raise('invalid_argument', 'display_name',
			'display_name must not be empty');
	ELSIF octet_length(_check_display_name.display_name) > 256 THEN
		PERFORM chemchat._raise('too_large', 'display_name',
			'display_name is longer than 256 bytes');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_display_name(text) IS
	'raises for what is no display name';

-- The lock keeps a user from being deactivated, and from blocking whoever asks,
-- until we commit.
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

CREATE FUNCTION chemchat._raise_no_user(user_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF _raise_no_user.user_id IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'user_id',
			'user_id must not be null');
	END IF;
	PERFORM chemchat._raise('unknown_user', 'user_id');
END
$$;
COMMENT ON FUNCTION chemchat._raise_no_user(uuid) IS
	'raises unknown_user for an id nobody has, invalid_argument for none';

CREATE FUNCTION chemchat.update_user(actor uuid, display_name text,
	OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(update_user.actor);
	now_is chemchat.app_user;
BEGIN
	PERFORM chemchat._check_display_name(update_user.display_name);
	UPDATE chemchat.app_user AS u
	   SET display_name = update_user.display_name,
		   rev = greatest(u.rev + 1, first_rev), changed_at = clock_timestamp()
	 WHERE u.id = acting AND u.display_name <> update_user.display_name
	RETURNING * INTO now_is;
	update_user.is_duplicate := NOT FOUND;
	IF update_user.is_duplicate THEN
		SELECT * INTO STRICT now_is FROM chemchat.app_user AS u
		 WHERE u.id = acting;
	ELSE
		PERFORM chemchat._emit('u', now_is.id, now_is.id, NULL, NULL,
			now_is.rev, now_is.changed_at, chemchat._user_json(now_is), false);
	END IF;
	update_user.rev := now_is.rev;
END
$$;
COMMENT ON FUNCTION chemchat.update_user(uuid, text) IS
	'changes the actor''s display name';

CREATE FUNCTION chemchat._set_active(user_id uuid, is_active boolean,
	OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	at CONSTANT timestamptz := clock_timestamp();
	now_is chemchat.app_user;
BEGIN
	UPDATE chemchat.app_user AS u
	   SET deactivated_at = CASE WHEN NOT _set_active.is_active THEN at END,
		   access_at = at, rev = greatest(u.rev + 1, first_rev), changed_at = at
	 WHERE u.id = _set_active.user_id
	   AND (u.deactivated_at IS NULL) <> _set_active.is_active
	RETURNING * INTO now_is;
	_set_active.is_duplicate := NOT FOUND;
	IF _set_active.is_duplicate THEN
		SELECT * INTO now_is FROM chemchat.app_user AS u
		 WHERE u.id = _set_active.user_id;
		IF NOT FOUND THEN
			PERFORM chemchat._raise_no_user(_set_active.user_id);
		END IF;
	ELSE
		PERFORM chemchat._emit('u', now_is.id, now_is.id, NULL, NULL,
			now_is.rev, now_is.changed_at, chemchat._user_json(now_is), false);
	END IF;
	_set_active.rev := now_is.rev;
END
$$;
COMMENT ON FUNCTION chemchat._set_active(uuid, boolean) IS
	'part of deactivate_user and reactivate_user';

CREATE FUNCTION chemchat.deactivate_user(user_id uuid,
	OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT s.rev, s.is_duplicate
	  INTO deactivate_user.rev, deactivate_user.is_duplicate
	  FROM chemchat._set_active(deactivate_user.user_id, false) AS s;
END
$$;
COMMENT ON FUNCTION chemchat.deactivate_user(uuid) IS
	'lets a user do nothing more; what she wrote and where she is stays';

CREATE FUNCTION chemchat.reactivate_user(user_id uuid,
	OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT s.rev, s.is_duplicate
	  INTO reactivate_user.rev, reactivate_user.is_duplicate
	  FROM chemchat._set_active(reactivate_user.user_id, true) AS s;
END
$$;
COMMENT ON FUNCTION chemchat.reactivate_user(uuid) IS
	'takes deactivate_user back';
