/* What a person does besides sending, and how far she has read. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { ChemChat } from '../../../web/chemchat.js';
import { Marks } from '../../../web/chemchat-marks.js';
import { FakeClock, fakeNetwork, welcome, answerHeads, settle } from './fakes.mjs';

async function signedIn() {
	const clock = new FakeClock();
	const network = fakeNetwork();
	const client = new ChemChat({ url: 'ws://test/v1/ws', token: 'secret',
		clock, WebSocket: network.WebSocket });

	client.connect();
	await settle();
	welcome(network.sockets[0]);
	answerHeads(network.sockets[0], []);
	await settle();
	return { client, clock, network, socket: network.sockets[0] };
}

const answer = (socket, type, fields = {}, as = 'done') => socket.say(
	{ type: as, ref: socket.last(type).ref, ...fields });

test('writes_into_one_conversation_go_one_after_the_other', async () => {
	const { client, socket } = await signedIn();
	const on = client.react('c', 1, '👍');
	const off = client.react('c', 1, '👍', false);
	const other = client.react('d', 1, '👍');

	await settle();
	assert.deepEqual(socket.heard.filter(({ type }) => type === 'react')
		.map(({ conversationId, isOn }) => [conversationId, isOn]),
	[['c', true], ['d', true]]);
	socket.say({ type: 'done', ref: socket.heard.find((frame) =>
		frame.conversationId === 'c').ref, ev: 3, rev: 1 });
	assert.equal((await on).ev, 3);
	await settle();
	assert.equal(socket.last('react').isOn, false);
	answer(socket, 'react', { ev: 4 });
	assert.equal((await off).ev, 4);
	client.close();
	await assert.rejects(other, { code: 'closed' });
});

test('a_refused_write_does_not_hold_up_the_next', async () => {
	const { client, socket } = await signedIn();
	const first = client.edit('c', 1, 'x');
	const second = client.delete('c', 1);

	await settle();
	answer(socket, 'edit', { code: 'forbidden' }, 'error');
	await assert.rejects(first, { code: 'forbidden' });
	await settle();
	answer(socket, 'delete', { ev: 9 });
	assert.equal((await second).ev, 9);
});

test('an_edit_that_no_frame_can_carry_is_refused_and_not_repeated', async () => {
	const { client, socket } = await signedIn();

	await assert.rejects(client.edit('c', 1, 'ä'.repeat(8193)),
		{ code: 'too_large', field: 'body' });
	await assert.rejects(client.edit('c', 1, '\u0001'.repeat(16000)),
		{ code: 'too_large' });
	await assert.rejects(client.edit('c', 1, 'half an emoji: \ud83d'),
		{ code: 'invalid_argument', field: 'body' });
	await assert.rejects(client.update('c', { title: 'a\0b' }),
		{ code: 'invalid_argument', field: 'title' });
	assert.equal(socket.count('edit') + socket.count('update'), 0);
	const fits = client.edit('c', 1, 'ä'.repeat(8192));

	await settle();
	answer(socket, 'edit', { rev: 2 });
	assert.equal((await fits).rev, 2);
});

test('a_page_has_every_reaction_however_many_a_message_has', async () => {
	const { client, socket } = await signedIn();
	const of = (seq, from, count) => Array.from({ length: count }, (_, n) =>
		({ kind: 'reaction', seq, ev: from + n, id: `${seq}/${from + n}` }));
	const page = client.page('c');

	await settle();
	answer(socket, 'history', { events: [{ seq: 2 }, { seq: 1 }],
		reactions: [...of(1, 10, 100), ...of(2, 500, 99)] }, 'history');
	await settle();
	assert.deepEqual([socket.last('reactions').seq,
		socket.last('reactions').afterEv], [1, 109]);
	answer(socket, 'reactions', { reactions: of(1, 110, 1000), next: 1109 },
		'reactions');
	await settle();
	assert.equal(socket.last('reactions').afterEv, 1109);
	answer(socket, 'reactions', { reactions: of(1, 1110, 3) }, 'reactions');
	const { reactions } = await page;

	assert.equal(reactions.length, 100 + 99 + 1000 + 3);
	assert.equal(new Set(reactions.map(({ id }) => id)).size,
		reactions.length);
});

test('a_write_is_repeated_over_connections_until_it_is_answered', async () => {
	const { client, clock, network, socket } = await signedIn();
	const edited = client.edit('c', 7, 'better');

	await settle();
	socket.drop();
	await clock.advance(31000);
	const next = network.sockets.at(-1);

	welcome(next);
	await settle();
	assert.deepEqual({ ...next.last('edit'), ref: 0 },
		{ type: 'edit', ref: 0, conversationId: 'c', seq: 7, body: 'better' });
	answer(next, 'edit', { rev: 2 });
	assert.equal((await edited).rev, 2);
});

test('a_group_has_its_id_before_it_is_made_and_a_direct_one_has_not', async () => {
	const { client, socket } = await signedIn();

	client.create({ kind: 'group', title: 'Lab', members: ['u'] })
		.catch(() => {});
	await settle();
	assert.match(socket.last('create').conversationId, /^[0-9a-f-]{36}$/u);
	answer(socket, 'create', { id: 'x' });
	await settle();
	client.create({ kind: 'direct', members: ['u'] }).catch(() => {});
	await settle();
	assert.equal(socket.last('create').kind, 'direct');
	assert.equal(socket.last('create').conversationId, undefined);
	client.close();
});

test('state_is_asked_at_every_welcome_and_told_with_what_comes_live', async () => {
	const { client, clock, network, socket } = await signedIn();
	const told = [];

	client.on('people', ({ events }) => told.push(...events));
	const block = { kind: 'block', userId: 'me', blockedId: 'x', rev: 1,
		state: 'on' };

	socket.say({ type: 'state', events: [block] });
	assert.deepEqual(told, [block]);
	socket.drop();
	await clock.advance(31000);
	const next = network.sockets.at(-1);

	next.holdsState = true;
	welcome(next);
	await settle();
	answer(next, 'state', { events: [{ ...block, rev: 2 }] }, 'state');
	await settle();
	assert.equal(told.at(-1).rev, 2);
	let stale = 0;

	client.on('stale', () => { stale++; });
	next.say({ type: 'lag', conversationIds: ['c'], isStateLost: true });
	await settle();
	assert.equal(next.count('state'), 2);
	assert.equal(stale, 1);
});

test('an_invitation_is_told', async () => {
	const { client, socket } = await signedIn();
	const told = [];

	client.on('invited', (detail) => told.push(detail));
	socket.say({ type: 'invited', conversationId: 'x' });
	assert.deepEqual(told, [{ conversationId: 'x' }]);
});

test('a_reply_names_its_message_on_every_try', async () => {
	const { client, clock, network, socket } = await signedIn();

	client.send('c', 'indeed', { replyTo: 4 });
	assert.equal(socket.last('send').replyTo, 4);
	assert.equal(client.outbox()[0].replyTo, 4);
	socket.drop();
	await clock.advance(31000);
	welcome(network.sockets.at(-1));
	assert.equal(network.sockets.at(-1).last('send').replyTo, 4);
});

test('marks_are_gathered_and_told_once', async () => {
	const { client, clock, socket } = await signedIn();

	/* at once, so that a page that is left has told it */
	client.mark('c', { readSeq: 1 });
	assert.equal(socket.last('mark').readSeq, 1);
	answer(socket, 'mark', { readSeq: 1, deliveredSeq: 1 });
	for (let seq = 2; seq <= 20; seq++)
		client.mark('c', { readSeq: seq });
	assert.equal(socket.count('mark'), 1);
	await clock.advance(500);
	assert.equal(socket.count('mark'), 2);
	assert.equal(socket.last('mark').readSeq, 20);
	answer(socket, 'mark', { readSeq: 20, deliveredSeq: 20 });
	client.mark('c', { readSeq: 12 });
	await clock.advance(1000);
	assert.equal(socket.count('mark'), 2);
});

test('what_was_read_does_not_wait_for_what_was_delivered', async () => {
	const { client, clock, socket } = await signedIn();

	client.mark('c', { deliveredSeq: 5 });
	client.mark('c', { readSeq: 5 });
	assert.deepEqual(socket.heard.filter(({ type }) => type === 'mark')
		.map(({ readSeq, deliveredSeq }) => [readSeq, deliveredSeq]),
	[[undefined, 5], [5, undefined]]);
	/* a page that is left says the rest at once */
	client.mark('c', { readSeq: 6 });
	assert.equal(socket.count('mark'), 2);
	client.flush();
	assert.equal(socket.last('mark').readSeq, 6);
	await clock.advance(2000);
	assert.equal(socket.count('mark'), 3);
});

test('a_busy_server_is_told_later_and_everything', async () => {
	const { client, clock, socket } = await signedIn();

	client.mark('c', { readSeq: 3 });
	answer(socket, 'mark', { code: 'rate_limited', retryAfterMs: 3000 }, 'error');
	await clock.advance(2500);
	assert.equal(socket.count('mark'), 1);
	await clock.advance(1000);
	assert.deepEqual([socket.last('mark').readSeq,
		socket.last('mark').deliveredSeq, socket.count('mark')], [3, 3, 2]);
});

test('marks_made_offline_are_told_when_it_is_back', async () => {
	const { client, clock, network, socket } = await signedIn();

	socket.drop();
	client.mark('c', { readSeq: 3 });
	await clock.advance(31000);
	welcome(network.sockets.at(-1));
	await clock.advance(1000);
	assert.equal(network.sockets.at(-1).last('mark').readSeq, 3);
	network.sockets.at(-1).drop();
	await clock.advance(31000);
	welcome(network.sockets.at(-1));
	await clock.advance(1000);
	assert.equal(network.sockets.at(-1).last('mark').readSeq, 3);
});

test('what_another_device_has_read_is_not_told_again', () => {
	const marks = new Marks();

	marks.learn('c', { readSeq: 10, deliveredSeq: 12 });
	assert.equal(marks.put('c', { readSeq: 9, deliveredSeq: 12 }), false);
	assert.equal(marks.put('c', { readSeq: 11 }), true);
	assert.deepEqual(marks.take(1000).ready, [{ conversationId: 'c', readSeq: 11 }]);
});

test('a_refused_mark_is_not_told_for_ever', async () => {
	const { client, clock, socket } = await signedIn();

	client.mark('c', { readSeq: 99 });
	await clock.advance(500);
	answer(socket, 'mark', { code: 'not_found' }, 'error');
	await clock.advance(20000);
	assert.equal(socket.count('mark'), 1);
});
