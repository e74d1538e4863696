-- Who may call what: every function of the API, by everybody there can be, in
-- every kind of conversation.  What is expected is read from the permission
-- table.  A new function gets its line in `call`: the test fails without.
--
-- %1$s is the actor, %2$s the conversation, %3$s the seq of a message of the
-- actor's, if there is one, %4$s of somebody else's.
CREATE TABLE call (n int GENERATED ALWAYS AS IDENTITY, verb text, statement text);
INSERT INTO call (verb, statement) VALUES
	('read', 'history(%1$s, %2$s)'), ('read', 'thread(%1$s, %2$s, 1)'),
	('read', 'revisions(%1$s, %2$s, 1)'), ('read', 'reactions(%1$s, %2$s, ARRAY[1, 2])'),
	('read', 'changes_since(%1$s, %2$s, 0)'), ('read', 'conversation(%1$s, %2$s)'),
	('read', 'members(%1$s, %2$s)'), ('read', 'cursors(%1$s, %2$s)'),
	('read', 'mark(%1$s, %2$s, 1)'), ('read', 'set_preference(%1$s, %2$s, true)'),
	('read', 'batch_marks(%1$s, %2$s)'),
	('send', 'send_message(%1$s, %2$s, gen_random_uuid(), ''x'')'),
	('send', 'send_message(%1$s, %2$s, gen_random_uuid(), ''x'', 1)'),
	('send', 'batch_send_messages(%1$s, %2$s)'),
	('edit', 'edit_message(%1$s, %2$s, %3$s, ''x'')'),
	('delete_own', 'delete_message(%1$s, %2$s, %3$s)'),
	('delete_any', 'delete_message(%1$s, %2$s, %4$s)'),
	('react', 'react(%1$s, %2$s, 1, ''x'')'),
	('update', 'update_conversation(%1$s, %2$s, ''x'')'), ('update', 'update_conversation(%1$s, %2$s)'),
	('publish', 'update_conversation(%1$s, %2$s, is_public => false)'),
	('archive', 'update_conversation(%1$s, %2$s, is_archived => true)'),
	('invite', 'invite(%1$s, %2$s, t.id(''zed''))'), ('invite add_owner', 'invite(%1$s, %2$s, t.id(''zed''), ''owner'')'),
	('add_member', 'add_member(%1$s, %2$s, t.id(''zed''))'),
	('add_member add_owner', 'add_member(%1$s, %2$s, t.id(''zed''), ''owner'')'),
	('set_role', 'set_role(%1$s, %2$s, t.id(''extra''), ''guest'')'),
	('set_role add_owner', 'set_role(%1$s, %2$s, t.id(''anna''), ''guest'')'),
	('remove_member', 'remove_member(%1$s, %2$s, t.id(''extra''))'),
	('remove_member remove_owner', 'remove_member(%1$s, %2$s, t.id(''anna''))'),
	('leave', 'leave(%1$s, %2$s)'), ('leave', 'remove_member(%1$s, %2$s, %1$s)'),
	('join', 'join_conversation(%1$s, %2$s)'),
	('self', 'heads(%1$s)'), ('self', 'users(%1$s, ARRAY[t.id(''anna''), t.id(''extra'')])'), ('self', 'my_state(%1$s)'),
	('self', 'mentions(%1$s)'), ('self', 'invitations(%1$s)'), ('self', 'public_channels(%1$s)'),
	('self', 'find_users(%1$s, ''zed'')'), ('self', 'update_user(%1$s, ''Another'')'),
	('self', 'block_user(%1$s, t.id(''zed''))'), ('self', 'create_conversation(%1$s, ''group'', ''x'', ARRAY[t.id(''zed'')])'),
	('admin', 'create_bot(%1$s, ''robo'')'),
	('all', 'position()'), ('all', 'position_status(''1'', 1, ''0/1'')'),
	('trusted', 'create_user(''new'')'), ('trusted', 'live_heads(ARRAY[t.id(''anna'')])'),
	('trusted', 'live_changes(ARRAY[%2$s], ARRAY[0])'), ('trusted', 'live_mark()'),
	('trusted', 'live_states(ARRAY[t.id(''anna'')], ARRAY[%2$s])'), ('trusted', 'live_audience(ARRAY[t.id(''anna'')], ARRAY[%2$s])'),
	('trusted', 'accounts()'), ('trusted', 'bot_tokens(t.id(''anna''))'), ('trusted', 'set_password(t.id(''anna''), ''x'', true)'),
	('trusted', 'account(''anna'')'), ('trusted', 'revoke_session(t.id(''j''), t.id(''anna''), now())'),
	('trusted', 'revoke_user_tokens(t.id(''anna''))'), ('trusted', 'revocations()'),
	('trusted', 'create_bot_token(t.id(''anna''), ''\x00'', ''{}'', NULL)'), ('trusted', 'revoke_bot_token(t.id(''j''))'),
	('trusted', 'bot_token(''\x00'')'), ('trusted', 'send_messages(''{}'', ''{}'', ''{}'', ''{}'')'),
	('trusted', 'marks(''{}'', ''{}'', ''{}'', ''{}'')'),
	('operator', 'deactivate_user(t.id(''anna''))'), ('operator', 'reactivate_user(t.id(''anna''))'),
	('operator', 'bind_role(''x'', t.id(''anna''))'), ('operator', 'unbind_role(''x'')'),
	('operator', 'stream_state(''x'')'), ('operator', 'report_stream(''x'', ''1'', 1, 1, ''[]'', ''0/0'', 0, NULL, true)'),
	('operator', 'republish()'), ('operator', 'slot_name()'), ('operator', 'live_slot_name()'),
	('operator', 'outbox()'), ('operator', 'outbox_status()'), ('operator', 'doctor()');
SELECT p.proname AS not_in_the_matrix FROM pg_proc AS p
 WHERE p.pronamespace = 'chemchat'::regnamespace AND p.proname NOT LIKE '\_%'
   AND NOT EXISTS (SELECT FROM call WHERE statement LIKE p.proname || '(%');
SELECT statement AS not_a_function FROM call
 WHERE statement NOT LIKE 'batch\_%'
   AND NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.pronamespace = 'chemchat'::regnamespace
					  AND p.proname = split_part(statement, '(', 1));
-- A batch does not raise; here it does.
CREATE FUNCTION t.answer(code text, field text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	IF code <> 'ok' THEN
		PERFORM chemchat._raise(code, field);
	END IF;
	RETURN code;
END
$$;
CREATE FUNCTION t.batch_marks(actor uuid, conversation_id uuid) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT t.answer(m.code, m.field) FROM chemchat.marks(ARRAY[$1], ARRAY[$2], ARRAY[1::bigint], ARRAY[1::bigint]) AS m
$$;
CREATE FUNCTION t.batch_send_messages(actor uuid, conversation_id uuid) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT t.answer(m.code, m.field) FROM chemchat.send_messages(ARRAY[$1], ARRAY[$2], ARRAY[gen_random_uuid()], ARRAY['x']) AS m
$$;

-- Everybody there can be, in one group, one channel, one public channel; and
-- each of those who can be in a direct conversation in one with anna.
CREATE TABLE person (name text PRIMARY KEY, is_in boolean, role text, in_direct boolean);
INSERT INTO person VALUES ('owner', true, 'owner', true), ('admin', true, 'admin', false), ('member', true, 'member', true),
	('guest', true, 'guest', false), ('invited', false, NULL, false), ('exmember', false, NULL, false),
	('stranger', false, NULL, true), ('blocked', true, 'member', true), ('blocker', true, 'member', true),
	('deactivated', true, 'member', true), ('nobody', false, NULL, true),
	('unbound', true, 'owner', true), ('boundelse', true, 'owner', true);
SELECT count(chemchat.create_user(name, NULL, t.id(name)))
  FROM (SELECT name FROM person WHERE name NOT IN ('nobody', 'unbound', 'boundelse')
		UNION ALL VALUES ('anna'), ('extra'), ('zed')) AS u;
CREATE ROLE matrix_unbound;
CREATE ROLE matrix_bound;
GRANT chemchat_user TO matrix_unbound, matrix_bound;
GRANT USAGE ON SCHEMA t TO PUBLIC;
SELECT chemchat.bind_role('matrix_bound', t.id('zed'));

CREATE TABLE room (kind text, person text, id uuid);
CREATE PROCEDURE t.furnish(new_kind text) LANGUAGE plpgsql AS $$
DECLARE
	place uuid := t.id('room ' || new_kind);
	who person;
BEGIN
	PERFORM chemchat.create_conversation(t.id('anna'), CASE new_kind WHEN 'group' THEN 'group' ELSE 'channel' END,
		'TITLE ' || new_kind, ARRAY[t.id('extra')], place, 'TOPIC ' || new_kind, new_kind = 'public');
	PERFORM chemchat.send_message(t.id('anna'), place, t.id('k'), 'BODY @all');
	FOR who IN SELECT * FROM person WHERE name NOT IN ('nobody', 'unbound', 'boundelse') ORDER BY name LOOP
		IF who.name NOT IN ('stranger', 'invited') THEN
			PERFORM chemchat.add_member(t.id('anna'), place, t.id(who.name));
			PERFORM chemchat.send_message(t.id(who.name), place, t.id('k'), 'BODY of ' || who.name);
		END IF;
		CASE who.name
			WHEN 'owner', 'admin', 'guest' THEN
				PERFORM chemchat.set_role(t.id('anna'), place, t.id(who.name), who.role);
			WHEN 'invited' THEN
				PERFORM chemchat.invite(t.id('anna'), place, t.id(who.name));
			WHEN 'exmember' THEN
				PERFORM chemchat.send_message(t.id('anna'), place, t.id('k2'), 'BODY to @exmember');
				PERFORM chemchat.remove_member(t.id('anna'), place, t.id(who.name));
			ELSE
				NULL;
		END CASE;
	END LOOP;
	INSERT INTO room SELECT new_kind, name, place FROM person;
END
$$;
CALL t.furnish('group');
CALL t.furnish('channel');
CALL t.furnish('public');
INSERT INTO room
SELECT 'direct', name, (SELECT c.id FROM chemchat.create_conversation(
			t.id(CASE name WHEN 'owner' THEN name ELSE 'anna' END), 'direct', 'TITLE direct',
			ARRAY[t.id(CASE name WHEN 'owner' THEN 'anna' ELSE name END)]) AS c)
  FROM person WHERE in_direct AND name NOT IN ('stranger', 'nobody', 'unbound', 'boundelse') ORDER BY name;
INSERT INTO room SELECT 'direct', p.name, r.id FROM person AS p, room AS r
 WHERE p.name IN ('stranger', 'nobody', 'unbound', 'boundelse') AND r.kind = 'direct' AND r.person = 'owner';
SELECT count(s.seq) FROM (SELECT DISTINCT id FROM room WHERE kind = 'direct') AS d,
	   LATERAL chemchat.send_message(t.id('anna'), d.id, t.id('k'), 'BODY') AS s;
SELECT count(s.seq) FROM room AS r, LATERAL chemchat.send_message(t.id(r.person), r.id, t.id('k'), 'BODY') AS s
 WHERE kind = 'direct' AND person NOT IN ('stranger', 'nobody', 'unbound', 'boundelse');
SELECT rev FROM chemchat.block_user(t.id('anna'), t.id('blocked'));
SELECT rev FROM chemchat.block_user(t.id('blocker'), t.id('anna'));
SELECT rev FROM chemchat.deactivate_user(t.id('deactivated'));

-- One call, taken back; what it answered, if it did.
CREATE FUNCTION t.attempt(as_role text, statement text,
	OUT state text, OUT told text, OUT result text) LANGUAGE plpgsql AS $$
DECLARE
	field text;
	hint text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', as_role);
	EXECUTE 'SELECT string_agg(r::text, '' '') FROM ' || statement || ' AS r' INTO result;
	RAISE EXCEPTION USING ERRCODE = 'ZZ999';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS field = COLUMN_NAME, hint = PG_EXCEPTION_HINT;
	state := CASE SQLSTATE WHEN 'ZZ999' THEN 'ok' ELSE SQLSTATE END;
	told := concat_ws(' | ', state, field, SQLERRM, hint);
END
$$;
CREATE FUNCTION t.statement(call call, actor text, place uuid) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN call.statement LIKE 'batch\_%' THEN 't.' ELSE 'chemchat.' END
		|| format(call.statement, quote_nullable(t.id(actor)) || '::uuid', quote_nullable(place) || '::uuid',
			coalesce((SELECT min(m.seq) FROM chemchat.message AS m WHERE m.conversation_id = place AND m.sender = t.id(actor)), 1),
			coalesce((SELECT max(m.seq) FROM chemchat.message AS m WHERE m.conversation_id = place AND m.sender <> t.id(actor)), 1))
$$;
CREATE TABLE outcome AS
SELECT r.kind, r.person, p.is_in, p.role, c.n, c.verb, c.statement, r.id,
	   a.state, a.told, a.result, b.told AS told_of_none
  FROM room AS r JOIN person AS p ON p.name = r.person CROSS JOIN call AS c,
	   LATERAL (SELECT CASE r.person WHEN 'unbound' THEN 'matrix_unbound' WHEN 'boundelse' THEN 'matrix_bound'
						ELSE 'chemchat_gateway' END AS name,
					   CASE WHEN r.person IN ('unbound', 'boundelse') THEN 'owner' ELSE r.person END AS actor) AS role,
	   LATERAL t.attempt(role.name, t.statement(c, role.actor, r.id)) AS a,
	   LATERAL (SELECT CASE WHEN NOT p.is_in THEN
					(t.attempt(role.name, t.statement(c, role.actor, t.id('no room')))).told END) AS b (told);
-- What each should have been told.
CREATE TABLE judged AS
SELECT o.*, CASE
	WHEN verb = 'all' THEN 'ok'
	WHEN person IN ('unbound', 'boundelse')
		THEN CASE WHEN verb IN ('trusted', 'operator', 'admin') OR statement LIKE 'batch\_%' THEN '42501' ELSE 'QC002' END
	WHEN verb = 'operator' THEN '42501'
	WHEN verb = 'trusted' THEN state			-- whoever is trusted names nobody
	WHEN person = 'deactivated' THEN 'QC006'
	-- Sends and batches see no member in who is not even there.
	WHEN person = 'nobody' THEN CASE WHEN statement ~ '^(batch_|send_message)' THEN 'QC001' ELSE 'QC006' END
	WHEN verb = 'self' THEN 'ok'
	WHEN verb = 'admin' THEN 'QC002'
	WHEN verb = 'join' THEN CASE WHEN is_in AND (kind <> 'direct' OR person <> 'stranger') OR person = 'invited' OR kind = 'public' THEN 'ok' ELSE 'QC001' END
	-- She declines, and who has left has left.
	WHEN verb = 'leave' AND person IN ('invited', 'exmember') THEN 'ok'
	WHEN NOT is_in THEN 'QC001'
	WHEN kind = 'direct' AND person IN ('blocked', 'blocker') AND verb IN ('send', 'edit', 'react') THEN 'QC002'
	WHEN (SELECT bool_and(EXISTS (SELECT FROM chemchat.permission AS p
								   WHERE p.kind = CASE o.kind WHEN 'public' THEN 'channel' ELSE o.kind END
									 AND p.role = o.role AND p.verb = v))
			FROM unnest(string_to_array(verb, ' ')) AS v) THEN 'ok'
	ELSE 'QC002' END AS expected
  FROM outcome AS o;
-- Whom the gateway or an operator names apart.
SELECT kind, person, count(*) FILTER (WHERE state = 'ok') AS ok, count(*) FILTER (WHERE state = 'QC001') AS not_found,
	   count(*) FILTER (WHERE state = 'QC002') AS forbidden, count(*) FILTER (WHERE state = 'QC006') AS unknown_user,
	   count(*) FILTER (WHERE state = '42501') AS denied, count(*) FILTER (WHERE state IS DISTINCT FROM expected) AS wrong
  FROM judged WHERE verb NOT IN ('trusted', 'operator') GROUP BY kind, person ORDER BY kind, person;
SELECT kind, person, verb, statement, expected, told FROM judged WHERE state IS DISTINCT FROM expected ORDER BY kind, person, n;

-- To whoever is not in it, a conversation that is there and one that is not are
-- the same, to the letter.
SELECT kind, person, statement, told, told_of_none FROM judged
 WHERE NOT is_in AND verb NOT IN ('self', 'admin', 'all', 'trusted', 'operator')
   AND NOT (person = 'invited' AND verb IN ('leave', 'join')) AND NOT (person = 'exmember' AND verb = 'leave')
   AND NOT (kind = 'public' AND verb = 'join')
   AND told IS DISTINCT FROM told_of_none ORDER BY kind, person, n;
-- And nothing they are told has anything of it: its id, its words; but the
-- invitation its title, and the list of channels what is public.
SELECT kind, person, statement, result FROM judged
 WHERE (NOT is_in OR person IN ('deactivated', 'unbound', 'boundelse')) AND verb NOT IN ('trusted', 'operator')
   AND NOT (verb IN ('leave', 'join') AND state = 'ok')
   AND (result ~ 'BODY'
		OR (strpos(result, id::text) > 0 OR result ~ ('(TITLE|TOPIC) ' || kind))
		   AND NOT (person = 'invited' AND statement LIKE 'invitations%' AND result !~ 'TOPIC')
		   AND NOT (kind = 'public' AND statement LIKE 'public_channels%')) ORDER BY kind, person, n;
-- The members were told it, so the search above can find.
SELECT count(*) > 0 AS told FROM judged WHERE person = 'guest' AND result ~ 'BODY' AND strpos(result, id::text) > 0;
SELECT chemchat.unbind_role('matrix_bound');
DROP ROLE matrix_unbound, matrix_bound;
