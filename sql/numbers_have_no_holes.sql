-- ev and seq are 1..n, whatever is rolled back.
CALL t.people();
CREATE FUNCTION pg_temp.send(key text, body text DEFAULT 'x') RETURNS text
LANGUAGE sql AS $$
	SELECT format('seq %s ev %s', seq, ev)
	  FROM chemchat.send_message(t.id('alice'), t.id('lab'), t.id(key), body)
$$;
SELECT pg_temp.send('k1');

BEGIN;
SELECT pg_temp.send('k2');
SELECT pg_temp.send('k3');
ROLLBACK;
SELECT pg_temp.send('k4') AS after_rollback;

BEGIN;
SELECT pg_temp.send('k5');
SAVEPOINT a;
SELECT pg_temp.send('k6');
SAVEPOINT b;
SELECT pg_temp.send('k7');
ROLLBACK TO b;
SELECT pg_temp.send('k8') AS after_inner;
ROLLBACK TO a;
SELECT pg_temp.send('k9') AS after_outer;
COMMIT;

-- A statement that fails in the middle.
SELECT pg_temp.send('k10'), 1 / 0;
DO $$
BEGIN
	PERFORM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('k11'), 'x');
	RAISE EXCEPTION 'never mind';
EXCEPTION WHEN OTHERS THEN
	NULL;
END
$$;
SELECT pg_temp.send('k12') AS after_failures;

-- Refusals take no number.
SELECT state FROM t.refusal($$ SELECT pg_temp.send('k12', 'other') $$);
SELECT state FROM t.refusal($$ SELECT chemchat.add_member(t.id('alice'), t.id('lab'), t.id('erin')) $$);
SELECT item, code, seq, ev FROM chemchat.send_messages(
	ARRAY[t.id('alice'), t.id('carol'), t.id('alice'), t.id('alice'), t.id('bob')],
	array_fill(t.id('lab'), ARRAY[5]),
	ARRAY[t.id('k20'), t.id('k20'), t.id('k12'), t.id('k21'), t.id('k20')],
	ARRAY['a', 'b', 'x', '', 'c']);

-- Many in one statement, several conversations in one batch, members between.
SELECT count(pg_temp.send('many' || n)) FROM generate_series(1, 50) AS n;
SELECT ev FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol'));
SELECT ev FROM chemchat.create_conversation(t.id('bob'), 'channel', 'News',
	ARRAY[t.id('alice'), t.id('carol')], t.id('news'));
SELECT item, code, seq, ev FROM chemchat.send_messages(
	array_fill(t.id('alice'), ARRAY[6]),
	ARRAY[t.id('news'), t.id('lab'), t.id('news'), t.id('lab'), t.id('lab'), t.id('news')],
	(SELECT array_agg(t.id('b' || n)) FROM generate_series(1, 6) AS n),
	array_fill('x'::text, ARRAY[6]));
SELECT ev, is_duplicate FROM chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('bob'));

-- In one statement that sends after another sent, and in a trigger.
WITH a AS MATERIALIZED (SELECT pg_temp.send('cte1') AS sent)
SELECT sent, pg_temp.send('cte2') FROM a;
CREATE TABLE order_line (n int);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM chemchat.send_message(t.id('alice'), t.id('lab'), t.id('line' || NEW.n), 'line ' || NEW.n);
	RETURN NULL;
END
$$;
CREATE TRIGGER tell AFTER INSERT ON order_line FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO order_line SELECT generate_series(1, 10);
SELECT seq, body FROM chemchat.message WHERE conversation_id = t.id('lab')
 ORDER BY seq DESC LIMIT 2;

SELECT * FROM t.hole;
SELECT count(*) AS messages_without_their_change
  FROM chemchat.message AS m
 WHERE NOT EXISTS (SELECT FROM chemchat.change AS ch
					WHERE (ch.conversation_id, ch.ev, ch.seq, ch.id, ch.kind)
						  = (m.conversation_id, m.ev, m.seq, m.id, 'm'));
