-- Who gets in: local accounts, and what makes a token void before it expires.
-- Nothing of it is an event; gateways ask revocations() every two seconds.

CREATE FUNCTION chemchat._void_tokens(user_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	UPDATE chemchat.app_user AS u SET tokens_from = at, access_at = at
	 WHERE u.id = _void_tokens.user_id;
	IF NOT FOUND THEN
		PERFORM chemchat._raise_no_user(_void_tokens.user_id);
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._void_tokens(uuid) IS
	'makes the tokens of a user void that were issued until now';

CREATE FUNCTION chemchat.set_password(user_id uuid, password_hash text,
	is_admin boolean DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._begin_write();
	IF octet_length(set_password.password_hash) NOT BETWEEN 1 AND 1024 THEN
		PERFORM chemchat._raise('invalid_argument', 'password_hash',
			'password_hash must be 1 to 1024 bytes');
	ELSIF coalesce(set_password.password_hash, set_password.is_admin::text)
		  IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'password_hash',
			'password_hash and is_admin must not both be null');
	END IF;
	-- Also the lock: two changes at once come one after the other.
	PERFORM chemchat._void_tokens(set_password.user_id);
	INSERT INTO chemchat.account AS a
		(user_id, password_hash, is_admin, changed_at)
	VALUES (set_password.user_id, set_password.password_hash,
			coalesce(set_password.is_admin, false), clock_timestamp())
		ON CONFLICT ON CONSTRAINT account_pkey DO UPDATE
	   SET password_hash = coalesce(excluded.password_hash, a.password_hash),
		   is_admin = coalesce(set_password.is_admin, a.is_admin),
		   changed_at = excluded.changed_at;
END
$$;
COMMENT ON FUNCTION chemchat.set_password(uuid, text, boolean) IS
	'makes or changes an account; NULL keeps; tokens issued before are void';

-- By the handle of who signs in, or by the id of who did.
CREATE FUNCTION chemchat.account(handle text, user_id uuid DEFAULT NULL)
RETURNS TABLE (user_id uuid, password_hash text, is_admin boolean,
			   deactivated_at timestamptz, tokens_from timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
	SELECT u.id, a.password_hash, a.is_admin, u.deactivated_at, u.tokens_from
	  FROM chemchat.app_user AS u
	  LEFT JOIN chemchat.account AS a ON a.user_id = u.id
	 WHERE u.handle = account.handle OR u.id = account.user_id
	 LIMIT 1
$$;
COMMENT ON FUNCTION chemchat.account(text, uuid) IS
	'what a gateway judges a password by; no password: no account; no row: no user';

CREATE FUNCTION chemchat.revoke_session(jti uuid, user_id uuid,
	expires_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._begin_write();
	IF revoke_session.jti IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'jti',
			'jti must not be null');
	ELSIF revoke_session.expires_at IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'expires_at',
			'expires_at must not be null');
	ELSIF NOT EXISTS (SELECT FROM chemchat.app_user AS u
					   WHERE u.id = revoke_session.user_id) THEN
		PERFORM chemchat._raise_no_user(revoke_session.user_id);
	END IF;
	INSERT INTO chemchat.session_revocation AS r
		(jti, user_id, revoked_at, expires_at)
	VALUES (revoke_session.jti, revoke_session.user_id, clock_timestamp(),
			revoke_session.expires_at)
		ON CONFLICT ON CONSTRAINT session_revocation_pkey DO NOTHING;
	-- Each one that comes takes a few with it that have expired.
	DELETE FROM chemchat.session_revocation AS r
	 WHERE r.jti IN (SELECT old.jti FROM chemchat.session_revocation AS old
					  WHERE old.expires_at < now() - interval '1 hour'
					  ORDER BY old.expires_at LIMIT 10
						FOR UPDATE SKIP LOCKED);
END
$$;
COMMENT ON FUNCTION chemchat.revoke_session(uuid, uuid, timestamptz) IS
	'makes one token void until it expires';

CREATE FUNCTION chemchat.revoke_user_tokens(user_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._begin_write();
	PERFORM chemchat._void_tokens(revoke_user_tokens.user_id);
END
$$;
COMMENT ON FUNCTION chemchat.revoke_user_tokens(uuid) IS
	'makes all tokens of a user void that were issued until now';

-- A change is seen when it is committed, which is later than its time: so the
-- last 30 s before since are answered again.
CREATE FUNCTION chemchat.revocations(since timestamptz DEFAULT NULL)
RETURNS TABLE (jti uuid, user_id uuid, tokens_from timestamptz,
			   is_deactivated boolean, changed_at timestamptz,
			   expires_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- There is no time 30 s before the first one.
	seen CONSTANT timestamptz := CASE
		WHEN revocations.since >= 'epoch'
		THEN revocations.since - interval '30 s' ELSE '-infinity' END;
BEGIN
	RETURN QUERY
	SELECT r.jti, r.user_id, NULL::timestamptz, false, r.revoked_at,
		   r.expires_at
	  FROM chemchat.session_revocation AS r
	 WHERE r.revoked_at > seen AND r.expires_at > now()
	UNION ALL
	SELECT t.id, t.user_id, NULL, false, t.revoked_at, t.expires_at
	  FROM chemchat.bot_token AS t
	 WHERE t.revoked_at > seen AND coalesce(t.expires_at, 'infinity') > now()
	UNION ALL
	SELECT NULL, u.id, u.tokens_from, u.deactivated_at IS NOT NULL, u.access_at,
		   NULL
	  FROM chemchat.app_user AS u
	 WHERE u.access_at > seen
	   AND (revocations.since IS NOT NULL OR u.tokens_from IS NOT NULL
			OR u.deactivated_at IS NOT NULL)
	 ORDER BY 5;
END
$$;
COMMENT ON FUNCTION chemchat.revocations(timestamptz) IS
	'tokens and users no longer let in, or let in again: changed since; polled';

CREATE FUNCTION chemchat.accounts(after text DEFAULT NULL,
	max_rows int DEFAULT 200)
RETURNS TABLE (user_id uuid, handle text, display_name text, kind text,
			   has_password boolean, is_admin boolean, created_at timestamptz,
			   deactivated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._check_max_rows(accounts.max_rows, 1000);
	RETURN QUERY
	SELECT u.id, u.handle, u.display_name, u.kind,
		   a.password_hash IS NOT NULL, coalesce(a.is_admin, false),
		   u.created_at, u.deactivated_at
	  FROM chemchat.app_user AS u
	  LEFT JOIN chemchat.account AS a ON a.user_id = u.id
	 WHERE u.handle > coalesce(accounts.after, '')
	 ORDER BY u.handle
	 LIMIT accounts.max_rows;
END
$$;
COMMENT ON FUNCTION chemchat.accounts(text, int) IS
	'every user with what lets her in, by handle; for an administrator';
