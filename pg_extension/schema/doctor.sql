-- What is wrong, in words, and the line that mends it.

CREATE FUNCTION chemchat.doctor()
RETURNS TABLE (severity text, subject text, finding text, remedy text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM chemchat._doctor_versions();
	RETURN QUERY SELECT * FROM chemchat._doctor_settings();
	RETURN QUERY SELECT * FROM chemchat._doctor_slots();
	RETURN QUERY SELECT * FROM chemchat._doctor_roles();
	RETURN QUERY SELECT * FROM chemchat._doctor_bindings();
	RETURN QUERY SELECT * FROM chemchat._doctor_activity();
END
$$;
COMMENT ON FUNCTION chemchat.doctor() IS
	'what is wrong with this server for ChemChat, and what mends it';

CREATE FUNCTION chemchat._doctor_versions()
RETURNS TABLE (severity text, subject text, finding text, remedy text)
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN v.library = v.installed AND v.installed = v.available
				THEN 'ok' ELSE 'error' END,
		   'version',
		   format('library %s, SQL %s, on disk %s', v.library, v.installed,
				  v.available),
		   CASE WHEN v.library <> v.available
				THEN 'reconnect: this session still runs the library from before the upgrade'
				WHEN v.installed <> v.available
				THEN 'ALTER EXTENSION chemchat UPDATE;' END
	  FROM (SELECT chemchat._library_version() AS library,
				   e.extversion AS installed, a.default_version AS available
			  FROM pg_extension AS e
			  JOIN pg_available_extensions AS a ON a.name = e.extname
			 WHERE e.extname = 'chemchat') AS v
$$;
COMMENT ON FUNCTION chemchat._doctor_versions() IS 'part of doctor()';

-- reset_val: what a session has before it changes anything itself.
CREATE FUNCTION chemchat._doctor_settings()
RETURNS TABLE (severity text, subject text, finding text, remedy text)
LANGUAGE sql STABLE AS $$
	WITH setting AS (
		SELECT s.name, s.reset_val AS value FROM pg_settings AS s
	), judged (name, is_good, severity, remedy) AS (
		SELECT s.name,
			   s.value = 'logical'
			   OR coalesce(current_setting('effective_wal_level', true), '')
				  = 'logical'
			   OR (s.value = 'replica'
				   AND current_setting('server_version_num')::int >= 190000),
			   'error',
			   'ALTER SYSTEM SET wal_level = logical; then restart the server'
		  FROM setting AS s WHERE s.name = 'wal_level'
		UNION ALL
		SELECT s.name, s.value ~ '(^|[,\s"])chemchat($|[,\s"])',
			   CASE WHEN EXISTS (
						SELECT FROM pg_db_role_setting AS r, unnest(r.setconfig)
								  AS config
						 WHERE r.setrole = to_regrole('chemchat_relay')
						   AND config ~ '^output_plugin_libraries=.*chemchat')
					THEN 'warning' ELSE 'error' END,
			   'ALTER SYSTEM SET output_plugin_libraries = pgoutput, test_decoding, chemchat; SELECT pg_reload_conf();'
		  FROM setting AS s WHERE s.name = 'output_plugin_libraries'
		UNION ALL
		SELECT s.name, s.value IN ('on', 'remote_apply'), 'error',
			   'ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();'
		  FROM setting AS s WHERE s.name = 'synchronous_commit'
		UNION ALL
		SELECT s.name, s.value = 'on', 'error',
			   format('ALTER SYSTEM SET %s = on; SELECT pg_reload_conf();',
					  s.name)
		  FROM setting AS s WHERE s.name IN ('fsync', 'full_page_writes')
		UNION ALL
		SELECT s.name, s.value IN ('read committed', 'read uncommitted'),
			   'error',
			   'ALTER SYSTEM SET default_transaction_isolation = ''read committed''; SELECT pg_reload_conf();'
		  FROM setting AS s WHERE s.name = 'default_transaction_isolation'
		UNION ALL
		SELECT s.name, s.value <> '-1', 'warning',
			   'ALTER SYSTEM SET max_slot_wal_keep_size = ''64GB''; without it an outage of Kafka fills the disk'
		  FROM setting AS s WHERE s.name = 'max_slot_wal_keep_size'
		UNION ALL
		SELECT s.name, s.value::int >= 2, 'error',
			   format('ALTER SYSTEM SET %s = 10; then restart the server',
					  s.name)
		  FROM setting AS s
		 WHERE s.name IN ('max_replication_slots', 'max_wal_senders')
		UNION ALL
		SELECT s.name, s.value NOT IN ('0'), 'warning',
			   'ALTER SYSTEM SET wal_sender_timeout = ''60s''; without it a dead relay keeps its slot'
		  FROM setting AS s WHERE s.name = 'wal_sender_timeout'
	)
	SELECT CASE WHEN j.is_good THEN 'ok' ELSE j.severity END, j.name,
		   format('%s is %L', j.name, s.value),
		   CASE WHEN NOT j.is_good THEN j.remedy END
	  FROM judged AS j JOIN setting AS s ON s.name = j.name
	 ORDER BY j.name
$$;
COMMENT ON FUNCTION chemchat._doctor_settings() IS 'part of doctor()';

CREATE FUNCTION chemchat._doctor_slots()
RETURNS TABLE (severity text, subject text, finding text, remedy text)
LANGUAGE sql STABLE AS $$
	WITH prefix AS (
		SELECT format('chemchat_%s_', d.oid) AS text
		  FROM pg_database AS d WHERE d.datname = current_database()
	), ours AS (
		SELECT coalesce(s.slot_name, r.slot) AS slot, s.slot_name IS NULL
				   AS is_missing, s.active, s.wal_status, s.plugin,
			   r.slot IS NOT NULL AS is_reported, r.is_repaired,
			   pg_size_pretty(pg_wal_lsn_diff(
					CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
						 ELSE pg_current_wal_lsn() END, s.restart_lsn))
				   AS retained
		  FROM (SELECT l.* FROM pg_replication_slots AS l, prefix AS p
				 WHERE l.database = current_database()
				   AND (l.plugin = 'chemchat'
						OR starts_with(l.slot_name, p.text))) AS s
		  -- a restored dump brings the slots of where it was made
		  FULL JOIN (SELECT t.* FROM chemchat.stream AS t, prefix AS p
					  WHERE starts_with(t.slot, p.text)) AS r
			ON r.slot = s.slot_name
	)
	SELECT CASE WHEN o.is_missing OR o.wal_status = 'lost' THEN 'error'
				WHEN NOT o.active OR o.wal_status = 'unreserved'
					 OR o.is_repaired IS FALSE THEN 'warning'
				ELSE 'ok' END,
		   format('slot %s', o.slot),
		   CASE WHEN o.is_missing THEN 'the relay has reported it, but it is not there'
				WHEN o.wal_status = 'lost' THEN 'its WAL was removed: it will never move again'
				WHEN NOT o.active THEN format('nobody reads it; it retains %s', o.retained)
				WHEN o.wal_status = 'unreserved' THEN format('it retains %s and will soon be lost', o.retained)
				WHEN o.is_repaired IS FALSE THEN 'its repair is not finished'
				ELSE format('streaming, retains %s', o.retained) END,
		   CASE WHEN o.is_missing AND o.slot ~ '_[0-9]+of[0-9]+$'
				THEN 'start the relay: it makes the slot and republishes everything'
				WHEN o.is_missing THEN 'start the relay'
				WHEN o.wal_status = 'lost'
				THEN format('SELECT pg_drop_replication_slot(%L); the relay makes it again and republishes', o.slot)
				WHEN NOT o.active
				THEN 'start the relay; or drop the slot if it is no longer wanted'
				WHEN o.wal_status = 'unreserved'
				THEN 'raise max_slot_wal_keep_size, and see why Kafka does not acknowledge'
				WHEN o.is_repaired IS FALSE THEN 'leave the relay running' END
	  FROM ours AS o
	UNION ALL
	SELECT 'warning', 'slots', 'no relay has ever read this database',
		   'start the relay; what was written before is republished'
	 WHERE NOT EXISTS (SELECT FROM ours)
$$;
COMMENT ON FUNCTION chemchat._doctor_slots() IS 'part of doctor()';

CREATE FUNCTION chemchat._doctor_roles()
RETURNS TABLE (severity text, subject text, finding text, remedy text)
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN r.oid IS NULL THEN 'error' ELSE 'ok' END,
		   format('role %s', wanted.name),
		   CASE WHEN r.oid IS NULL THEN 'is missing' ELSE 'exists' END,
		   CASE WHEN r.oid IS NULL
				THEN format('CREATE ROLE %I NOLOGIN%s; then restore its grants (pg_dump has them)',
							wanted.name, wanted.options) END
	  FROM (VALUES ('chemchat_owner', ''), ('chemchat_gateway', ''),
				   ('chemchat_relay', ' REPLICATION'), ('chemchat_admin', ''),
				   ('chemchat_reader', ''), ('chemchat_user', ''))
			   AS wanted (name, options)
	  LEFT JOIN pg_roles AS r ON r.rolname = wanted.name
	UNION ALL
	SELECT 'error', 'role chemchat_relay', 'cannot read a slot: no REPLICATION',
		   'ALTER ROLE chemchat_relay REPLICATION;'
	  FROM pg_roles AS r
	 WHERE r.rolname = 'chemchat_relay' AND NOT r.rolreplication
	UNION ALL
	SELECT 'warning', 'role chemchat_relay',
		   'may use any output plugin, and so read every table',
		   'ALTER ROLE chemchat_relay SET output_plugin_libraries = chemchat;'
	 WHERE EXISTS (SELECT FROM pg_settings
					WHERE name = 'output_plugin_libraries')
	   AND NOT EXISTS (
			SELECT FROM pg_db_role_setting AS s, unnest(s.setconfig) AS config
			 WHERE s.setrole = to_regrole('chemchat_relay')
			   AND config ~ '^output_plugin_libraries="?chemchat"?$')
	UNION ALL
	SELECT 'error', format('role %s', r.rolname),
		   'is a superuser or can log in: it must only own',
		   'ALTER ROLE chemchat_owner NOSUPERUSER NOLOGIN;'
	  FROM pg_roles AS r
	 WHERE r.rolname = 'chemchat_owner' AND (r.rolsuper OR r.rolcanlogin)
	UNION ALL
	SELECT CASE WHEN is_open THEN 'error' ELSE 'ok' END,
		   'pg_logical_emit_message',
		   CASE WHEN is_open THEN 'anybody can forge an event'
				ELSE 'closed to PUBLIC' END,
		   CASE WHEN is_open THEN
				'REVOKE ALL ON FUNCTION pg_catalog.pg_logical_emit_message FROM PUBLIC, for each of its forms (\df pg_logical_emit_message)' END
	  FROM (SELECT coalesce(bool_or(acl.grantee = 0), false) AS is_open
			  FROM pg_proc AS p,
				   aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))
					   AS acl
			 WHERE p.proname = 'pg_logical_emit_message'
			   AND p.pronamespace = 'pg_catalog'::regnamespace) AS forms
$$;
COMMENT ON FUNCTION chemchat._doctor_roles() IS 'part of doctor()';

CREATE FUNCTION chemchat._doctor_bindings()
RETURNS TABLE (severity text, subject text, finding text, remedy text)
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN r.oid IS NULL THEN 'error' ELSE 'warning' END,
		   format('role %s', l.role),
		   CASE WHEN r.oid IS NULL
				THEN 'is bound to a user, but is missing: whoever makes a role of that name acts for the user'
				WHEN r.rolsuper THEN 'is bound to a user, but is a superuser: it acts for everybody'
				ELSE 'is bound to a user, but is no member of chemchat_user' END,
		   CASE WHEN r.oid IS NOT NULL AND NOT r.rolsuper
				THEN format('GRANT chemchat_user TO %I;', l.role)
				ELSE format('SELECT chemchat.unbind_role(%L);', l.role) END
	  FROM chemchat.login_role AS l
	  LEFT JOIN pg_roles AS r ON r.rolname = l.role
	 WHERE r.oid IS NULL OR r.rolsuper
		OR NOT pg_has_role(r.oid, 'chemchat_user', 'MEMBER')
	UNION ALL
	SELECT 'warning', format('role %s', r.rolname),
		   'is a member of chemchat_user, but bound to no user: every call is refused',
		   format('SELECT chemchat.bind_role(%L, <user id>);', r.rolname)
	  FROM pg_roles AS r
	 WHERE r.rolcanlogin AND NOT r.rolsuper
	   AND pg_has_role(r.oid, 'chemchat_user', 'MEMBER')
	   AND NOT EXISTS (SELECT FROM chemchat.login_role AS l
						WHERE l.role = r.rolname)
	 ORDER BY 2
$$;
COMMENT ON FUNCTION chemchat._doctor_bindings() IS 'part of doctor()';

CREATE FUNCTION chemchat._doctor_activity()
RETURNS TABLE (severity text, subject text, finding text, remedy text)
LANGUAGE sql STABLE AS $$
	SELECT 'warning', format('session %s', a.pid),
		   format('%s has held a snapshot for %s', coalesce(a.usename, 'it'),
				  date_trunc('second', now() - a.xact_start)),
		   format('SELECT pg_terminate_backend(%s); or let it finish', a.pid)
	  FROM pg_stat_activity AS a
	 WHERE coalesce(a.backend_xmin, a.backend_xid) IS NOT NULL
	   AND a.backend_type = 'client backend'
	   AND a.xact_start < now() - interval '10 min'
	UNION ALL
	SELECT 'warning', format('prepared transaction %s', p.gid),
		   format('waits since %s', date_trunc('second', p.prepared)),
		   format('COMMIT PREPARED %L; or ROLLBACK PREPARED %L;', p.gid, p.gid)
	  FROM pg_prepared_xacts AS p
	 WHERE p.prepared < now() - interval '10 min'
	UNION ALL
	SELECT 'warning', 'failover',
		   CASE WHEN current_setting('server_version_num')::int >= 170000
				THEN 'a standby is connected, but the relay does not wait for it: after a failover Kafka may hold messages that were lost'
				ELSE 'a standby is connected; before PostgreSQL 17 a failover has no slot, and Kafka may hold messages that were lost' END,
		   CASE WHEN current_setting('server_version_num')::int >= 170000
				THEN 'set synchronized_standby_slots to the standbys'' slots'
				ELSE 'after a failover the relay republishes by itself' END
	  FROM (SELECT count(*) AS standbys FROM pg_stat_replication AS r
			 WHERE r.pid NOT IN (SELECT s.active_pid FROM pg_replication_slots AS s
								  WHERE s.slot_type = 'logical'
									AND s.active_pid IS NOT NULL)
			   AND r.state = 'streaming') AS physical
	 WHERE physical.standbys > 0
	   AND coalesce(current_setting('synchronized_standby_slots', true), '') = ''
$$;
COMMENT ON FUNCTION chemchat._doctor_activity() IS 'part of doctor()';
