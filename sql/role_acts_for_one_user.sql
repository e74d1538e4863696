-- A developer's own service logs in as a role bound to one user: it acts for
-- her and for nobody else, whatever is on the way.
CALL t.people();
CREATE ROLE one_service LOGIN;
CREATE ROLE one_other LOGIN;
CREATE ROLE one_gateway LOGIN IN ROLE chemchat_gateway;
GRANT chemchat_user TO one_service, one_other;
-- Unbound: nothing.
SET ROLE one_service;
SELECT * FROM t.refusal($$ SELECT chemchat.heads(NULL) $$);
SELECT * FROM t.refusal($$ SELECT chemchat.heads(t.id('bob')) $$);
SELECT state FROM t.refusal($$ SELECT chemchat.bind_role('one_service', t.id('bob')) $$);
RESET ROLE;
SELECT severity, finding FROM chemchat.doctor() WHERE subject LIKE 'role one\_%' ORDER BY subject;
SELECT chemchat.bind_role('one_service', t.id('alice'));
SELECT chemchat.bind_role('one_service', t.id('bob'));
SELECT u.c, r.* FROM (VALUES (1, 'NULL, t.id(''bob'')'), (2, '''one_service'', NULL'), (3, '''one_nobody'', t.id(''bob'')'),
	(4, '''one_service'', t.id(''nobody'')'), (5, '''one_gateway'', t.id(''bob'')'), (6, '''chemchat_user'', t.id(''bob'')'),
	(7, 'current_user, t.id(''bob'')')) AS u (n, c),
	   t.refusal(format('SELECT chemchat.bind_role(%s)', c)) AS r ORDER BY n;

-- NULL is hers, so is her id; any other is forbidden, in every function.
SET ROLE one_service;
SELECT seq FROM chemchat.send_message(NULL, t.id('lab'), t.id('k1'), 'by the service');
SELECT seq, is_duplicate FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k1'), 'by the service');
SELECT t.name(sender) AS sender, body FROM chemchat.history(NULL, t.id('lab'));
SELECT read_seq FROM chemchat.mark(NULL, t.id('lab'), 1);
SELECT event->>'handle' AS handle FROM chemchat.my_state(NULL) WHERE event->>'kind' = 'user';
SELECT * FROM t.refusal($$ SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k2'), 'x') $$);
SELECT * FROM t.refusal($$ SELECT chemchat.send_message(t.id('nobody'), t.id('lab'), t.id('k2'), 'x') $$);
-- Functions without an actor, or with many, are not hers.
SELECT u.c, r.state FROM unnest(ARRAY['send_messages(''{}'', ''{}'', ''{}'', ''{}'')', 'marks(''{}'', ''{}'', ''{}'', ''{}'')',
	'live_heads(''{}'')', 'live_changes(ARRAY[t.id(''lab'')], ARRAY[0])', 'account(''alice'')', 'revocations()', 'create_user(''eve'')',
	'create_bot(NULL, ''eve'')', 'bot_token(''x'')', 'deactivate_user(t.id(''alice''))', 'set_password(t.id(''bob''), ''x'', true)']) AS u (c),
	   t.refusal('SELECT chemchat.' || c) AS r;
-- In her own transaction, with her own rows.
RESET ROLE;
CREATE SCHEMA one_shop AUTHORIZATION one_service;
SET ROLE one_service;
CREATE TABLE one_shop.reagent_order (id int, what text);
CREATE FUNCTION one_shop.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM chemchat.send_message(NULL, t.id('lab'), t.id('order' || NEW.id), 'ordered ' || NEW.what);
	RETURN NEW;
END
$$;
CREATE TRIGGER tell AFTER INSERT ON one_shop.reagent_order FOR EACH ROW EXECUTE FUNCTION one_shop.tell();
BEGIN;
INSERT INTO one_shop.reagent_order VALUES (1, 'toluene');
ROLLBACK;
INSERT INTO one_shop.reagent_order VALUES (2, 'ethanol');
SELECT seq, body FROM chemchat.history(NULL, t.id('lab'));

-- Her name is not lent: a function of hers with her rights does not act for
-- its caller as her, nor for her as its caller.
CREATE FUNCTION one_shop.lend(actor uuid) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS
$$ SELECT seq FROM chemchat.send_message(actor, t.id('lab'), gen_random_uuid(), 'lent') $$;
GRANT USAGE ON SCHEMA one_shop TO one_other, one_gateway;
RESET ROLE;
SET ROLE one_other;
SELECT state, message FROM t.refusal($$ SELECT one_shop.lend(NULL) $$);
SELECT state, message FROM t.refusal($$ SELECT one_shop.lend(t.id('bob')) $$);
RESET ROLE;
SELECT chemchat.bind_role('one_other', t.id('carol'));
SET ROLE one_other;
SELECT state, message FROM t.refusal($$ SELECT one_shop.lend(t.id('bob')) $$);
RESET ROLE;

-- Maintenance runs a table owner's code inside a superuser's session: in there
-- nobody acts.
SET ROLE one_service;
CREATE FUNCTION one_shop.forge(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN (SELECT seq FROM chemchat.send_message(t.id('alice'), t.id('lab'), gen_random_uuid(), 'forged'));
EXCEPTION WHEN OTHERS THEN
	RAISE NOTICE 'refused: % %', SQLSTATE, SQLERRM;
	RETURN 0;
END
$$;
CREATE TABLE one_shop.bait (n int);
INSERT INTO one_shop.bait VALUES (1);
CREATE INDEX bait_forge ON one_shop.bait (one_shop.forge(n));
RESET ROLE;
REINDEX INDEX one_shop.bait_forge;
ANALYZE one_shop.bait;
CREATE MATERIALIZED VIEW one_shop.bait_view AS SELECT one_shop.forge(0) AS forged WITH NO DATA;
ALTER MATERIALIZED VIEW one_shop.bait_view OWNER TO one_service;
REFRESH MATERIALIZED VIEW one_shop.bait_view;
SELECT count(*) AS forged FROM chemchat.message WHERE body = 'forged';

-- A reader who may also write as one user does not write as any.
GRANT chemchat_reader TO one_other;
SET ROLE one_other;
SELECT state FROM t.refusal($$ SELECT chemchat.heads(t.id('alice')) $$);
SELECT state FROM t.refusal($$ SELECT chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k3'), 'x') $$);
RESET ROLE;
REVOKE chemchat_reader FROM one_other;

-- Bound to one who is deactivated, and bound no more.
SELECT chemchat.deactivate_user(t.id('bob')) IS NOT NULL AS off;
SET ROLE one_service;
SELECT state, message FROM t.refusal($$ SELECT chemchat.heads(NULL) $$);
SELECT state, message FROM t.refusal($$ SELECT chemchat.send_message(NULL, t.id('lab'), t.id('k4'), 'x') $$);
RESET ROLE;
SELECT chemchat.unbind_role('one_service');
SELECT chemchat.unbind_role('one_service');
SET ROLE one_service;
SELECT state, message FROM t.refusal($$ SELECT chemchat.heads(NULL) $$);
RESET ROLE;
-- What stands when the role is gone.
DROP SCHEMA one_shop CASCADE;
DROP ROLE one_other;
SELECT severity, finding, remedy FROM chemchat.doctor() WHERE subject = 'role one_other';
DROP ROLE one_service, one_gateway;
SELECT * FROM t.hole;
