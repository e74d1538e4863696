CREATE FUNCTION chemchat.position(OUT system_id text, OUT timeline int,
								  OUT lsn pg_lsn)
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'chemchat_position';
COMMENT ON FUNCTION chemchat.position() IS
	'how far this server''s history is durable; on a standby: replayed';

CREATE FUNCTION chemchat.position_status(system_id text, timeline int,
										 lsn pg_lsn) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'chemchat_position_status';
COMMENT ON FUNCTION chemchat.position_status(text, int, pg_lsn) IS
	'same: the position lies on this server''s history; reset: it does not';
