-- Sending is in C (send.c): one lock, one look-up, one insert for a whole
-- batch.  A plan made while the tables were small must not read them
-- sequentially once they are large.

CREATE FUNCTION chemchat.send_message(actor uuid, conversation_id uuid,
	client_msg_id uuid, body text, reply_to bigint DEFAULT NULL,
	OUT id uuid, OUT seq bigint, OUT ev bigint, OUT rev bigint,
	OUT created_at timestamptz, OUT is_duplicate boolean)
LANGUAGE c SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS 'MODULE_PATHNAME', 'chemchat_send_message';
COMMENT ON FUNCTION chemchat.send_message(uuid, uuid, uuid, text, bigint)
	IS
	'writes a message; the same client_msg_id again returns the original';

CREATE FUNCTION chemchat.send_messages(actors uuid[], conversation_ids uuid[],
	client_msg_ids uuid[], bodies text[], traceparents text[] DEFAULT NULL,
	replies_to bigint[] DEFAULT NULL)
RETURNS TABLE (item int, code text, field text, id uuid, seq bigint, ev bigint,
			   rev bigint, created_at timestamptz, is_duplicate boolean)
LANGUAGE c SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS 'MODULE_PATHNAME', 'chemchat_send_messages';
COMMENT ON FUNCTION chemchat.send_messages(uuid[], uuid[], uuid[], text[],
	text[], bigint[]) IS 'writes many messages at once; no item raises for the others';
