-- A developer's own service: a login role that acts for one user.

-- The next role of that name, made by somebody else, would be bound too: so
-- unbind before DROP ROLE; doctor() tells.
CREATE FUNCTION chemchat.bind_role(role name, user_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._begin_write();
	IF bind_role.role IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'role',
			'role must not be null');
	ELSIF bind_role.user_id IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'user_id',
			'user_id must not be null');
	ELSIF NOT EXISTS (SELECT FROM pg_roles AS r
					   WHERE r.rolname = bind_role.role) THEN
		PERFORM chemchat._raise('invalid_argument', 'role',
			format('there is no role %I', bind_role.role));
	ELSIF starts_with(bind_role.role, 'chemchat_') THEN
		PERFORM chemchat._raise('invalid_argument', 'role',
			'bind the role that logs in, not one of chemchat''s own');
	ELSIF EXISTS (SELECT FROM pg_roles AS trusted
				   WHERE trusted.rolname IN ('chemchat_gateway',
											 'chemchat_admin', 'chemchat_owner')
					 AND pg_has_role(bind_role.role, trusted.oid, 'MEMBER')) THEN
		PERFORM chemchat._raise('invalid_argument', 'role',
			format('%I acts for everybody: it cannot be bound to one user',
				   bind_role.role));
	END IF;
	PERFORM chemchat._check_users(ARRAY[bind_role.user_id], 'user_id');
	INSERT INTO chemchat.login_role AS l (role, user_id)
	VALUES (bind_role.role, bind_role.user_id)
		ON CONFLICT ON CONSTRAINT login_role_pkey DO UPDATE
	   SET user_id = excluded.user_id;
END
$$;
COMMENT ON FUNCTION chemchat.bind_role(name, uuid) IS
	'lets a login role, a member of chemchat_user, act for this user and no other';

CREATE FUNCTION chemchat.unbind_role(role name) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._begin_write();
	IF unbind_role.role IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'role',
			'role must not be null');
	END IF;
	DELETE FROM chemchat.login_role AS l WHERE l.role = unbind_role.role;
END
$$;
COMMENT ON FUNCTION chemchat.unbind_role(name) IS
	'the role acts for nobody from now on';
