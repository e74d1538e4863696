import { test } from 'node:test';
import assert from 'node:assert/strict';
import { ChemChat, newId } from '../../../web/chemchat.js';
import { FakeClock, fakeNetwork, welcome, answerHeads, message, messages,
	seededRandom, settle } from './fakes.mjs';

const HEAD = { conversationId: 'c', ev: 5, seq: 5, readSeq: 0, mentions: 0,
	isMuted: false, kind: 'group', title: 'General', role: 'member',
	memberRev: 1 };

async function signedIn(options = {}, heads = [HEAD]) {
	const clock = new FakeClock();
	const network = fakeNetwork();
	const client = new ChemChat({
		url: 'ws://test/v1/ws', token: 'secret', clock,
		WebSocket: network.WebSocket, ...options,
	});
	const told = { evs: [], names: [] };

	client.on('events', ({ events }) =>
		told.evs.push(...events.map((event) => event.ev)));
	for (const name of ['state', 'removed', 'reset', 'sent', 'failed', 'ready',
		'conversation'])
		client.on(name, (detail) => told.names.push([name, detail]));
	client.connect();
	await settle();
	const socket = network.sockets.at(-1);

	welcome(socket);
	answerHeads(socket, heads);
	return { client, clock, network, socket, told };
}

async function reconnected({ clock, network }) {
	const before = network.sockets.length;

	await clock.advance(31000);
	assert.ok(network.sockets.length > before, 'no new connection');
	return network.sockets.at(-1);
}

const named = (told, name) => told.names
	.filter(([other]) => other === name).map(([, detail]) => detail);

test('hello_carries_the_token_and_the_url_does_not', async () => {
	const { socket } = await signedIn();

	assert.equal(socket.protocol, 'chemchat.v1.json');
	assert.deepEqual(socket.heard[0], { type: 'hello', token: 'secret' });
	assert.ok(!socket.url.includes('secret'));
});

test('an_id_is_a_version_4_uuid', () => {
	assert.match(newId(),
		/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a_hole_is_asked_for_and_closed', async () => {
	const { socket, told } = await signedIn();

	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 6, 6) });
	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 8, 9) });
	assert.deepEqual(told.evs, [6]);
	const asked = socket.last('changes');

	assert.equal(asked.afterEv, 6);
	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 10, 10) });
	socket.say({ type: 'changes', ref: asked.ref, conversationId: 'c',
		status: 'ok', upto: 9, head: 9, events: messages('c', 7, 9) });
	assert.deepEqual(told.evs, [6, 7, 8, 9, 10]);
	assert.equal(socket.count('changes'), 1);
});

test('what_happened_while_away_comes_first', async () => {
	const it = await signedIn();

	it.socket.drop();
	const socket = await reconnected(it);

	welcome(socket);
	assert.equal(socket.heard[0].position, '1:1:0/0');
	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 9, 9) });
	answerHeads(socket, [{ ...HEAD, ev: 8 }]);
	assert.deepEqual(it.told.evs, []);
	socket.say({ type: 'changes', ref: socket.last('changes').ref,
		conversationId: 'c', status: 'ok', upto: 8, head: 8,
		events: messages('c', 6, 8) });
	assert.deepEqual(it.told.evs, [6, 7, 8, 9]);
});

test('far_behind_is_a_reset_and_not_a_flood', async () => {
	const it = await signedIn({ catchUpLimit: 100 });

	it.socket.drop();
	const socket = await reconnected(it);

	welcome(socket);
	answerHeads(socket, [{ ...HEAD, ev: 5000 }]);
	assert.deepEqual(named(it.told, 'reset'), [{ conversationId: 'c' }]);
	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 5001, 5001) });
	assert.deepEqual(it.told.evs, [5001]);
	assert.equal(socket.count('changes'), 0);
});

test('another_history_forgets_all_numbers', async () => {
	const it = await signedIn();

	it.socket.drop();
	const socket = await reconnected(it);

	welcome(socket, { isReset: true });
	answerHeads(socket, [{ ...HEAD, ev: 2 }]);
	assert.deepEqual(named(it.told, 'reset'), [{ conversationId: null }]);
	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 3, 3) });
	assert.deepEqual(it.told.evs, [3]);
});

test('an_answer_from_before_a_reset_is_not_believed', async () => {
	const { socket, told } = await signedIn();

	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 8, 8) });
	const old = socket.last('changes');

	socket.say({ type: 'reset', position: '1:2:0/0' });
	answerHeads(socket, [{ ...HEAD, ev: 1 }]);
	socket.say({ type: 'changes', ref: old.ref, conversationId: 'c',
		status: 'ok', upto: 8, head: 8, events: messages('c', 6, 8) });
	assert.deepEqual(told.evs, []);
	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 2, 2) });
	assert.deepEqual(told.evs, [2]);
});

test('a_retry_keeps_its_id_over_connections', async () => {
	const it = await signedIn();
	const { clientMsgId, done } = it.client.send('c', 'hi');

	assert.equal(it.socket.last('send').clientMsgId, clientMsgId);
	it.socket.drop();
	assert.equal(it.client.outbox().length, 1);
	const socket = await reconnected(it);

	welcome(socket);
	const again = socket.last('send');

	assert.equal(again.clientMsgId, clientMsgId);
	assert.equal(again.body, 'hi');
	socket.say({ type: 'ok', ref: again.ref, id: 'm', seq: 6, ev: 6, rev: 1,
		createdAt: 'now', isDuplicate: true, position: '1:1:0/1' });
	assert.equal((await done).seq, 6);
	assert.deepEqual(it.client.outbox(), []);
});

test('unknown_outcome_is_retried_and_forbidden_is_not', async () => {
	const { client, clock, socket, told } = await signedIn();
	const { clientMsgId } = client.send('c', 'one');

	client.send('c', 'two');
	socket.say({ type: 'error', ref: socket.last('send').ref,
		code: 'unknown_outcome', message: '' });
	assert.equal(socket.count('send'), 1);
	await clock.advance(10000);
	assert.equal(socket.count('send'), 2);
	assert.equal(socket.last('send').clientMsgId, clientMsgId);
	socket.say({ type: 'error', ref: socket.last('send').ref,
		code: 'forbidden', message: 'no' });
	assert.equal(named(told, 'failed')[0].error.code, 'forbidden');
	assert.equal(socket.last('send').body, 'two');
	assert.deepEqual(client.outbox().map(({ body, state }) => [body, state]),
		[['one', 'failed'], ['two', 'sending']]);
});

test('a_message_too_big_for_a_frame_never_reaches_the_wire', async () => {
	const { client, socket, told } = await signedIn();

	client.send('c', 'ä'.repeat(8193));
	client.send('c', '\u0001'.repeat(16000));	/* 6 bytes each as JSON */
	assert.equal(socket.count('send'), 0);
	assert.deepEqual(named(told, 'failed').map(({ error }) => error.code),
		['too_large', 'too_large']);
	client.send('c', 'ä'.repeat(8192));
	assert.equal(socket.count('send'), 1);
});

test('what_is_no_text_never_reaches_the_wire', async () => {
	const { client, socket, told } = await signedIn();

	/* The server could not even read whose request it refuses. */
	client.send('c', 'a\0b');
	client.send('c', 'half an emoji: \ud83d');
	assert.equal(socket.count('send'), 0);
	assert.deepEqual(named(told, 'failed').map(({ error }) =>
		[error.code, error.field]),
	[['invalid_argument', 'body'], ['invalid_argument', 'body']]);
	client.send('c', 'a whole one: \ud83d\ude00');
	assert.equal(socket.count('send'), 1);
});

test('an_acknowledged_message_that_does_not_come_back_is_fetched', async () => {
	const { client, clock, socket, told } = await signedIn();

	client.send('c', 'hi');
	socket.say({ type: 'ok', ref: socket.last('send').ref, id: 'm', seq: 6,
		ev: 6, rev: 1, createdAt: 'now', isDuplicate: false, position: 'p' });
	await clock.advance(2900);
	assert.equal(socket.count('changes'), 0);
	await clock.advance(200);
	socket.say({ type: 'changes', ref: socket.last('changes').ref,
		conversationId: 'c', status: 'ok', upto: 6, head: 6,
		events: messages('c', 6, 6) });
	assert.deepEqual(told.evs, [6]);
});

test('removed_is_final_also_for_what_was_under_way', async () => {
	const { client, socket, told } = await signedIn();

	socket.say({ type: 'lag', conversationIds: [] });
	const stale = socket.last('heads').ref;

	socket.say({ type: 'removed', conversationId: 'c' });
	socket.say({ type: 'heads', ref: stale, heads: [HEAD] });
	assert.deepEqual(client.conversations(), []);
	answerHeads(socket, []);
	assert.deepEqual(client.conversations(), []);
	assert.equal(named(told, 'removed').length, 1);
});

test('added_begins_and_learns_the_title', async () => {
	const { client, socket, told } = await signedIn({}, []);

	socket.say({ type: 'added', conversationId: 'c', ev: 5, seq: 2 });
	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 6, 6) });
	answerHeads(socket, [{ ...HEAD, ev: 6 }]);
	assert.deepEqual(told.evs, [6]);
	assert.equal(client.conversations()[0].title, 'General');
});

test('lag_asks_changes_of_what_it_names', async () => {
	const { socket } = await signedIn();

	socket.say({ type: 'lag', conversationIds: ['c'] });
	assert.equal(socket.last('changes').afterEv, 5);
});

test('bye_says_when_to_come_back', async () => {
	const { clock, network, socket } = await signedIn();

	socket.say({ type: 'bye', reason: 'drain', retryAfterMs: 3120 });
	socket.drop(1001);
	await clock.advance(3100);
	assert.equal(network.sockets.length, 1);
	await clock.advance(30);
	assert.equal(network.sockets.length, 2);
});

test('a_hello_that_is_refused_again_and_again_backs_off_like_any_failure', async () => {
	const { clock, network, client, socket } = await signedIn();
	const waits = [];

	client.on('state', ({ state, retryAtMs }) => {
		if (state === 'waiting')
			waits.push(retryAtMs - clock.now());
	});
	socket.drop(1006);
	for (let i = 0; i < 12; i++) {
		await clock.advance(waits.at(-1));
		network.sockets.at(-1).accept();
		network.sockets.at(-1).say({ type: 'error', code: 'unavailable',
			retryAfterMs: 1000 });
	}
	waits.shift();	/* the one after the drop */
	assert.ok(waits.every((ms) => ms >= 1000 && ms <= 31000));
	assert.equal(new Set(waits).size, waits.length, 'not jittered');
	assert.ok(Math.max(...waits) > 5000, 'does not grow');
});

test('backoff_grows_and_is_jittered', async () => {
	const { clock, network, client } = await signedIn();
	const waits = [];

	client.on('state', ({ state, retryAtMs }) => {
		if (state === 'waiting')
			waits.push(retryAtMs - clock.now());
	});
	for (let i = 0; i < 12; i++) {
		network.sockets.at(-1).drop();
		await clock.advance(30000);
	}
	waits.forEach((ms, i) =>
		assert.ok(ms <= Math.min(30000, 500 * 2 ** i), `${i}: ${ms}`));
	assert.ok(Math.max(...waits) > 5000);
	assert.equal(new Set(waits).size, waits.length);
});

test('a_network_that_is_cut_often_is_not_waited_for_long', async () => {
	const { clock, network, client } = await signedIn();
	const waits = [];

	client.on('state', ({ state, retryAtMs }) => {
		if (state === 'waiting')
			waits.push(retryAtMs - clock.now());
	});
	for (let i = 0; i < 12; i++) {
		network.sockets.at(-1).drop();
		await clock.advance(2000);
		welcome(network.sockets.at(-1));
		answerHeads(network.sockets.at(-1), [HEAD]);
	}
	assert.equal(waits.length, 12);
	assert.ok(Math.max(...waits) <= 2000, waits.join());
});

test('a_server_that_welcomes_and_hangs_up_is_left_alone', async () => {
	const { clock, network, client } = await signedIn();
	let waited = 0;

	client.on('state', ({ state, retryAtMs }) => {
		if (state === 'waiting')
			waited = Math.max(waited, retryAtMs - clock.now());
	});
	for (let i = 0; i < 12; i++) {
		network.sockets.at(-1).drop();
		await clock.advance(30000);
		welcome(network.sockets.at(-1));
	}
	assert.ok(waited > 5000, `${waited}`);
});

test('a_dead_network_is_noticed_by_ping', async () => {
	const { clock, network, socket } = await signedIn();

	await clock.advance(25000);
	assert.equal(socket.count('ping'), 1);
	socket.say({ type: 'pong' });
	await clock.advance(36000);
	assert.equal(socket.count('ping'), 2);
	assert.equal(network.sockets.length, 1);
	await clock.advance(10000);
	assert.equal(network.sockets.length, 2);
});

test('a_request_without_an_answer_costs_the_connection', async () => {
	const { client, clock, network, socket, told } = await signedIn();

	client.send('c', 'hi');
	await clock.advance(14900);
	assert.equal(client.connection, 'online');
	await clock.advance(1000);
	const second = network.sockets.at(-1);

	assert.notEqual(second, socket);
	welcome(second);
	answerHeads(second, [HEAD]);
	assert.equal(second.last('send').body, 'hi');
	/* the first one wakes up: nobody listens to it any more */
	socket.readyState = 1;
	socket.say({ type: 'events', conversationId: 'c',
		events: messages('c', 6, 6) });
	socket.drop();
	assert.deepEqual(told.evs, []);
	assert.equal(client.connection, 'online');
});

test('a_refused_token_stops', async () => {
	const clock = new FakeClock();
	const network = fakeNetwork();
	const client = new ChemChat({ url: 'ws://test', token: 'bad', clock,
		WebSocket: network.WebSocket });

	client.connect();
	await settle();
	network.sockets[0].accept();
	network.sockets[0].say({ type: 'error', code: 'invalid_token' });
	network.sockets[0].drop(4401);
	await clock.advance(120000);
	assert.equal(client.connection, 'unauthorized');
	assert.equal(network.sockets.length, 1);
});

/* A gateway was away and then slept over our hello: the token is as it was. */
test('one_late_hello_behind_an_outage_is_no_bad_token', async () => {
	const { client, clock, network } = await signedIn();

	network.sockets.at(-1).drop();
	for (let i = 0; i < 5; i++) {
		const { length } = network.sockets;

		while (network.sockets.length === length)
			await clock.advance(1000);
		network.sockets.at(-1).drop();
	}
	const { length } = network.sockets;

	while (network.sockets.length === length)
		await clock.advance(1000);
	network.sockets.at(-1).accept();
	network.sockets.at(-1).drop(4401);
	assert.equal(client.connection, 'waiting');
});

test('hellos_that_are_always_too_late_end_it', async () => {
	const { client, clock, network } = await signedIn();

	network.sockets.at(-1).drop();
	for (let i = 0; i < 4; i++) {
		const { length } = network.sockets;

		while (network.sockets.length === length)
			await clock.advance(1000);
		network.sockets.at(-1).accept();
		network.sockets.at(-1).drop(4401);
	}
	assert.equal(client.connection, 'unauthorized');
});

test('a_read_survives_a_lost_connection', async () => {
	const it = await signedIn();
	const asked = it.client.history('c');

	it.socket.drop();
	const socket = await reconnected(it);

	welcome(socket);
	assert.equal(socket.count('history'), 1);
	socket.say({ type: 'history', ref: socket.last('history').ref,
		conversationId: 'c', events: [message('c', 5)] });
	assert.equal((await asked)[0].ev, 5);
});

test('close_leaves_nothing_running', async () => {
	const { client, clock, network, socket } = await signedIn();

	client.send('c', 'unsent');
	client.close();
	assert.equal(socket.last('bye').type, 'bye');
	assert.equal(clock.pending, 0);
	await clock.advance(120000);
	assert.equal(network.sockets.length, 1);
	assert.deepEqual(client.outbox().map(({ body, state }) => [body, state]),
		[['unsent', 'queued']]);
});

/*
 * A whole life under random faults: frames swallowed and doubled, answers
 * late, connections cut, errors.  What the app is told must be each change
 * once, in order; what it sent must be there once, in the order it wrote.
 */
class HostileServer {
	constructor(random) {
		this.random = random;
		this.conversations = new Map([['a', []], ['b', []], ['c', []]]);
		this.calm = false;
	}

	write(id, body, clientMsgId = newId()) {
		const log = this.conversations.get(id);
		const known = log.find((event) => event.clientMsgId === clientMsgId);

		if (known)
			return { event: known, isDuplicate: true };
		const event = { ...message(id, log.length + 1, body), clientMsgId };

		log.push(event);
		if (this.calm || this.random() > 0.15)
			this.socket?.say({ type: 'events', conversationId: id,
				events: this.random() < 0.2 ? log.slice(-3) : [event] });
		return { event, isDuplicate: false };
	}

	/* Serves one socket; answers come late, by the clock. */
	serve(socket, clock) {
		this.socket = socket;
		socket.onheard = (frame) => clock.setTimeout(
			() => this.answer(socket, frame), this.random() * 200);
		socket.accept();
	}

	answer(socket, frame) {
		const flaky = !this.calm && this.random();

		if (flaky && flaky < 0.03) {
			socket.drop();
			return;
		}
		if (flaky && flaky < 0.1 && ['changes', 'heads'].includes(frame.type)) {
			socket.say({ type: 'error', ref: frame.ref, code: 'unavailable' });
			return;
		}
		const log = this.conversations.get(frame.conversationId);

		switch (frame.type) {
			case 'hello':
				socket.say({ type: 'welcome', userId: 'me', pingMs: 25000,
					sessionId: newId(), position: 'p', isReset: false });
				break;
			case 'heads':
				socket.say({ type: 'heads', ref: frame.ref,
					heads: [...this.conversations].map(([id, events]) => ({
						...HEAD, conversationId: id, ev: events.length,
						seq: events.length,
					})) });
				break;
			case 'changes': {
				const upto = Math.min(log.length,
					frame.afterEv + 1 + Math.floor(this.random() * 20));

				socket.say({ type: 'changes', ref: frame.ref,
					conversationId: frame.conversationId, status: 'ok', upto,
					head: log.length, events: log.slice(frame.afterEv, upto) });
				break;
			}
			case 'send':
				this.answerSend(socket, frame);
				break;
			case 'ping':
				socket.say({ type: 'pong' });
				break;
			default:
				break;
		}
	}

	answerSend(socket, frame) {
		const luck = this.calm ? 1 : this.random();

		if (luck < 0.1) {
			socket.say({ type: 'error', ref: frame.ref, code: 'busy' });
			return;
		}
		const { event, isDuplicate } = this.write(frame.conversationId,
			frame.body, frame.clientMsgId);

		if (luck < 0.2)
			socket.say({ type: 'error', ref: frame.ref, code: 'unknown_outcome' });
		else if (luck < 0.25)
			socket.drop();
		else
			socket.say({ type: 'ok', ref: frame.ref, ...event, type: 'ok',
				isDuplicate, position: 'p' });
	}
}

test('a_life_under_faults_tells_each_change_once_in_order', async () => {
	for (let seed = 1; seed <= 25; seed++) {
		const random = seededRandom(seed);
		const clock = new FakeClock(random);
		const network = fakeNetwork();
		const server = new HostileServer(random);
		const seen = { a: [], b: [], c: [] };
		const wrote = { a: [], b: [], c: [] };
		const client = new ChemChat({ url: 'ws://test', token: 't', clock,
			since: 'start', WebSocket: network.WebSocket });
		let served = 0;
		const step = async (ms) => {
			await clock.advance(ms);
			for (; served < network.sockets.length; served++)
				server.serve(network.sockets[served], clock);
		};

		client.on('events', ({ conversationId, events }) =>
			seen[conversationId].push(...events.map((event) => event.ev)));
		client.connect();
		for (let i = 0; i < 150; i++) {
			const id = 'abc'[Math.floor(random() * 3)];

			if (random() < 0.3) {
				client.send(id, `${i}`);
				wrote[id].push(`${i}`);
			} else
				server.write(id, 'theirs');
			await step(random() * 100);
		}
		server.calm = true;
		for (let i = 0; i < 60 || client.outbox().length; i++) {
			assert.ok(i < 2000, `seed ${seed}: unsent for ever`);
			await step(1000);
		}
		for (const [id, log] of server.conversations) {
			assert.deepEqual(seen[id], log.map((event) => event.ev),
				`seed ${seed}, conversation ${id}`);
			assert.deepEqual(log.map((event) => event.body)
				.filter((body) => body !== 'theirs'), wrote[id],
			`seed ${seed}, sends to ${id}`);
		}
		client.close();
		assert.ok(network.sockets.length > 1, `seed ${seed} saw no fault`);
	}
});
