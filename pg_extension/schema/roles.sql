-- Roles belong to the cluster, the extension to a database: made if missing.
DO $$
DECLARE
	wanted record;
BEGIN
	FOR wanted IN
		SELECT * FROM (VALUES
			('chemchat_owner', 'NOLOGIN'),
			('chemchat_gateway', 'NOLOGIN'),
			('chemchat_relay', 'NOLOGIN REPLICATION'),
			('chemchat_admin', 'NOLOGIN'),
			('chemchat_reader', 'NOLOGIN'),
			('chemchat_user', 'NOLOGIN')) AS role (name, options)
	LOOP
		BEGIN
			IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles
							WHERE rolname = wanted.name) THEN
				EXECUTE pg_catalog.format('CREATE ROLE %I %s', wanted.name,
										  wanted.options);
			END IF;
		EXCEPTION WHEN duplicate_object OR unique_violation THEN
			NULL;				-- another database's CREATE EXTENSION was faster
		END;
	END LOOP;

	-- A role with REPLICATION could read every table through another plugin.
	-- Older minor releases do not know the setting.
	IF EXISTS (SELECT FROM pg_catalog.pg_settings
				WHERE name = 'output_plugin_libraries') THEN
		ALTER ROLE chemchat_relay SET output_plugin_libraries = chemchat;
	END IF;
END
$$;

-- doctor() looks at settings and at other sessions' snapshots.
GRANT pg_read_all_settings, pg_read_all_stats TO chemchat_owner;
GRANT USAGE ON SCHEMA chemchat
   TO chemchat_owner, chemchat_gateway, chemchat_relay, chemchat_admin,
	  chemchat_reader, chemchat_user;
