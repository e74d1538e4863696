-- Bots: users that no person is, let in by tokens of their own.

CREATE FUNCTION chemchat.create_bot(actor uuid, handle text,
	display_name text DEFAULT NULL, OUT id uuid, OUT rev bigint,
	OUT created_at timestamptz, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	acting CONSTANT uuid := chemchat._acting(create_bot.actor);
	shown CONSTANT text := coalesce(create_bot.display_name, create_bot.handle);
	made chemchat.app_user;
BEGIN
	IF NOT EXISTS (SELECT FROM chemchat.account AS a
					WHERE a.user_id = acting AND a.is_admin) THEN
		PERFORM chemchat._raise('forbidden', 'actor',
			'only an admin''s account makes bots');
	END IF;
	PERFORM chemchat._check_handle(create_bot.handle);
	PERFORM chemchat._check_display_name(shown);
	INSERT INTO chemchat.app_user AS u
		(id, handle, display_name, rev, created_at, kind)
	VALUES (chemchat._uuid7(), create_bot.handle, shown, first_rev,
			clock_timestamp(), 'bot')
		ON CONFLICT DO NOTHING
	RETURNING * INTO made;
	create_bot.is_duplicate := NOT FOUND;
	IF create_bot.is_duplicate THEN
		SELECT * INTO STRICT made FROM chemchat.app_user AS u
		 WHERE u.handle = create_bot.handle;
		IF made.kind <> 'bot' THEN
			PERFORM chemchat._raise('conflict', 'handle',
				'the handle is taken');
		END IF;
	ELSE
		PERFORM chemchat._emit('u', made.id, made.id, NULL, NULL, made.rev,
			made.created_at, chemchat._user_json(made), false);
	END IF;
	create_bot.id := made.id;
	create_bot.rev := made.rev;
	create_bot.created_at := made.created_at;
END
$$;
COMMENT ON FUNCTION chemchat.create_bot(uuid, text, text) IS
	'makes a bot; the same handle again is a retry';

CREATE FUNCTION chemchat.create_bot_token(user_id uuid, token_hash bytea,
	scopes text[], expires_at timestamptz, created_by uuid DEFAULT NULL,
	OUT id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._begin_write();
	IF coalesce(octet_length(create_bot_token.token_hash), 0) <> 32 THEN
		PERFORM chemchat._raise('invalid_argument', 'token_hash',
			'token_hash must be the SHA-256 of the token');
	ELSIF coalesce(cardinality(create_bot_token.scopes), 0) = 0
		  OR NOT create_bot_token.scopes <@ ARRAY['read', 'send', 'manage'] THEN
		PERFORM chemchat._raise('invalid_argument', 'scopes',
			'scopes must be some of read, send and manage');
	ELSIF create_bot_token.user_id IS NULL THEN
		PERFORM chemchat._raise_no_user(NULL);
	ELSIF NOT EXISTS (SELECT FROM chemchat.app_user AS u
					   WHERE u.id = create_bot_token.user_id
						 AND u.kind = 'bot') THEN
		PERFORM chemchat._raise('unknown_user', 'user_id',
			'there is no such bot');
	END IF;
	PERFORM chemchat._check_users(ARRAY[create_bot_token.user_id], 'user_id');
	INSERT INTO chemchat.bot_token AS t (id, user_id, token_hash, scopes,
		created_by, created_at, expires_at)
	VALUES (chemchat._uuid7(), create_bot_token.user_id,
			create_bot_token.token_hash,
			(SELECT array_agg(DISTINCT s.scope ORDER BY s.scope)
			   FROM unnest(create_bot_token.scopes) AS s (scope)),
			create_bot_token.created_by, clock_timestamp(),
			create_bot_token.expires_at)
		ON CONFLICT DO NOTHING
	RETURNING t.id INTO create_bot_token.id;
	IF NOT FOUND THEN
		PERFORM chemchat._raise('conflict', 'token_hash',
			'the token is in use');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat.create_bot_token(uuid, bytea, text[], timestamptz,
	uuid) IS 'lets a bot in with a token, of which only the SHA-256 is kept';

CREATE FUNCTION chemchat.revoke_bot_token(id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._begin_write();
	UPDATE chemchat.bot_token AS t SET revoked_at = clock_timestamp()
	 WHERE t.id = revoke_bot_token.id AND t.revoked_at IS NULL;
	IF NOT FOUND AND NOT EXISTS (SELECT FROM chemchat.bot_token AS t
								  WHERE t.id = revoke_bot_token.id) THEN
		PERFORM chemchat._raise('invalid_argument', 'id',
			'there is no such token');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat.revoke_bot_token(uuid) IS
	'makes a bot''s token void for ever';

CREATE FUNCTION chemchat.bot_token(token_hash bytea)
RETURNS TABLE (id uuid, user_id uuid, scopes text[], expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
	SELECT t.id, t.user_id, t.scopes, t.expires_at
	  FROM chemchat.bot_token AS t
	  JOIN chemchat.app_user AS u ON u.id = t.user_id
	 WHERE t.token_hash = bot_token.token_hash AND t.revoked_at IS NULL
	   AND u.deactivated_at IS NULL
	   AND coalesce(t.expires_at, 'infinity') > now()
$$;
COMMENT ON FUNCTION chemchat.bot_token(bytea) IS
	'whom a bot''s token lets in, and to do what; no row: nobody';

CREATE FUNCTION chemchat.bot_tokens(user_id uuid)
RETURNS TABLE (id uuid, scopes text[], created_at timestamptz,
			   expires_at timestamptz, revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
	SELECT t.id, t.scopes, t.created_at, t.expires_at, t.revoked_at
	  FROM chemchat.bot_token AS t
	 WHERE t.user_id = bot_tokens.user_id
	 ORDER BY t.created_at, t.id
$$;
COMMENT ON FUNCTION chemchat.bot_tokens(uuid) IS
	'the tokens of a bot, without what is secret; for an administrator';
