-- What the drivers of make bench need: users, conversations, and a plain
-- copy of the message table.  Runs once, as an administrator.
\set ON_ERROR_STOP on
CREATE SCHEMA bench;
CREATE TABLE bench.actor (id uuid PRIMARY KEY);
CREATE TABLE bench.conversation (n int PRIMARY KEY, id uuid NOT NULL);
CREATE TABLE bench.plain (LIKE chemchat.message INCLUDING INDEXES INCLUDING DEFAULTS);
DO $$
DECLARE
	a uuid[];
BEGIN
	FOR i IN 1 .. 100 LOOP
		a := a || (SELECT id FROM chemchat.create_user('bench' || i));
	END LOOP;
	INSERT INTO bench.actor SELECT unnest(a);
	FOR i IN 1 .. 1000 LOOP
		INSERT INTO bench.conversation
			SELECT i, id
			FROM chemchat.create_conversation(a[1], 'group', 'bench ' || i,
				CASE WHEN i <= 100 THEN a[2:100] ELSE a[2:10] END);
	END LOOP;
END
$$;
-- columns that the plain insert does not fill
DO $$
DECLARE
	c text;
BEGIN
	FOR c IN
		SELECT attname FROM pg_attribute
		WHERE attrelid = 'bench.plain'::regclass AND attnum > 0 AND attnotnull
			AND attname NOT IN ('conversation_id', 'seq', 'id', 'sender', 'client_msg_id', 'body')
	LOOP
		EXECUTE format('ALTER TABLE bench.plain ALTER %I DROP NOT NULL', c);
	END LOOP;
END
$$;
ANALYZE;

-- Rooms for the gateway: 1..100 have two members each (n and its neighbour),
-- 101 has eight.
CREATE TABLE bench.room (n int, member int, user_id uuid, id uuid, PRIMARY KEY (n, member));
DO $$
DECLARE
	a uuid[] := ARRAY(SELECT id FROM bench.actor ORDER BY id);
	c uuid;
BEGIN
	FOR i IN 1 .. 100 LOOP
		SELECT id INTO c FROM chemchat.create_conversation(a[i], 'group', 'room ' || i, ARRAY[a[i % 100 + 1]]);
		INSERT INTO bench.room VALUES (i, 1, a[i], c), (i, 2, a[i % 100 + 1], c);
	END LOOP;
	SELECT id INTO c FROM chemchat.create_conversation(a[1], 'group', 'room 101', a[2:8]);
	INSERT INTO bench.room SELECT 101, m, a[m], c FROM generate_series(1, 8) AS m;
END
$$;

-- Backlogs for the relay and its peers: events of 256 bytes of JSON, and rows
-- of 256 bytes, 1,000 keys, `per_tx` in a transaction.
CREATE TABLE bench.outbox_row (id bigserial PRIMARY KEY, aggregate_id uuid NOT NULL, payload text NOT NULL);

CREATE FUNCTION bench.event(n bigint) RETURNS bytea LANGUAGE sql AS $$
	SELECT '\x016d0000'::bytea || uuid_send(key) || uuid_send(gen_random_uuid())
		|| int8send(n / 1000 + 1) || int8send(n / 1000 + 1) || int8send(1)
		|| int8send((extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
		|| int4send(256) || convert_to(rpad(format(
			'{"kind":"message","conversationId":"%s","ev":%s,"rev":1,"body":"', key, n / 1000 + 1), 254, 'x') || '"}', 'UTF8')
	FROM (SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n % 1000), 12, '0'))::uuid AS key) AS k
$$;

CREATE PROCEDURE bench.make_events(total int, per_tx int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 0 .. total / per_tx - 1 LOOP
		FOR j IN 0 .. per_tx - 1 LOOP
			PERFORM pg_logical_emit_message(true, 'chemchat', bench.event(i * per_tx + j));
		END LOOP;
		COMMIT;
	END LOOP;
END
$$;

CREATE PROCEDURE bench.make_rows(total int, per_tx int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 0 .. total / per_tx - 1 LOOP
		INSERT INTO bench.outbox_row (aggregate_id, payload)
			SELECT ('00000000-0000-7000-8000-' || lpad(to_hex((i * per_tx + j) % 1000), 12, '0'))::uuid,
				rpad(format('{"n":%s,"body":"', i * per_tx + j), 254, 'x') || '"}'
			FROM generate_series(0, per_tx - 1) AS j;
		COMMIT;
	END LOOP;
END
$$;

-- One committed event of 256 bytes that says which run and which number it is.
CREATE FUNCTION bench.emit(n bigint, run bigint) RETURNS void LANGUAGE sql AS $$
	SELECT pg_logical_emit_message(true, 'chemchat',
		'\x016d0000'::bytea || uuid_send(key) || uuid_send(gen_random_uuid())
		|| int8send(n / 1000 + 1) || int8send(n / 1000 + 1) || int8send(1)
		|| int8send((extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
		|| int4send(256) || convert_to(rpad(format(
			'{"kind":"message","conversationId":"%s","run":%s,"n":%s,"body":"', key, run, n), 254, 'x') || '"}', 'UTF8'))
	FROM (SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n % 1000), 12, '0'))::uuid AS key) AS k
$$;

-- heads() of the actor with the most conversations, each answer read whole.
CREATE FUNCTION bench.time_heads(calls int, OUT conversations bigint, OUT p50_ms numeric, OUT p99_ms numeric)
LANGUAGE plpgsql AS $$
DECLARE
	actor CONSTANT uuid := (SELECT m.user_id FROM chemchat.member AS m GROUP BY 1 ORDER BY count(*) DESC LIMIT 1);
	took float8[] := '{}';
	began timestamptz;
BEGIN
	FOR i IN 1 .. calls LOOP
		began := clock_timestamp();
		SELECT count(h) INTO conversations FROM chemchat.heads(actor) AS h;
		took := took || extract(epoch FROM clock_timestamp() - began)::float8 * 1000;
	END LOOP;
	SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY t)::numeric, 2),
		round(percentile_cont(0.99) WITHIN GROUP (ORDER BY t)::numeric, 2)
		INTO p50_ms, p99_ms FROM unnest(took) AS t;
END
$$;
