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
	IF create_user.handle IS NULL
	   OR create_user.handle !~ '^[a-z0-9._-]{1,64}$' THEN
		PERFORM chemchat._raise('invalid_argument', 'handle',
			'handle must be 1 to 64 of a-z 0-9 . _ -');
	ELSIF shown = '' THEN
		PERFORM chemchat._raise('invalid_argument', 'display_name',
			'display_name must not be empty');
	ELSIF octet_length(shown) > 256 THEN
		PERFORM chemchat._raise('too_large', 'display_name',
			'display_name is longer than 256 bytes');
	END IF;

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
