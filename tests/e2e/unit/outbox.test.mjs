import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Outbox } from '../../../web/chemchat-outbox.js';

const entry = (clientMsgId, conversationId = 'c') =>
	({ clientMsgId, conversationId, body: clientMsgId, createdAtMs: 1 });
const ids = ({ ready }) => ready.map((one) => one.clientMsgId);

test('one_message_of_a_conversation_is_under_way', () => {
	const outbox = new Outbox({ entries: ['a', 'b'].map((id) => entry(id)) });

	outbox.add(entry('x', 'other'));
	assert.deepEqual(ids(outbox.take(0)), ['a', 'x']);
	assert.deepEqual(ids(outbox.take(0)), []);
	outbox.remove('a');
	assert.deepEqual(ids(outbox.take(0)), ['b']);
});

test('a_retry_is_not_overtaken', () => {
	const outbox = new Outbox({
		entries: [entry('a'), entry('b')], random: () => 0.5,
	});

	outbox.take(0);
	assert.equal(outbox.refuse('a', { code: 'busy' }, 0), undefined);
	const waiting = outbox.take(0);

	assert.deepEqual(ids(waiting), []);
	assert.equal(waiting.wakeAtMs, 125);
	assert.deepEqual(ids(outbox.take(125)), ['a']);
});

test('the_server_says_how_long_to_wait', () => {
	const outbox = new Outbox({ entries: [entry('a')] });

	outbox.take(0);
	outbox.refuse('a', { code: 'rate_limited', retryAfterMs: 700 }, 100);
	assert.equal(outbox.take(799).wakeAtMs, 800);
	assert.deepEqual(ids(outbox.take(800)), ['a']);
});

test('a_definite_error_steps_aside', () => {
	const outbox = new Outbox({ entries: [entry('a'), entry('b')] });

	outbox.take(0);
	assert.equal(outbox.refuse('a', { code: 'forbidden' }, 0).clientMsgId, 'a');
	assert.equal(outbox.list()[0].state, 'failed');
	assert.deepEqual(ids(outbox.take(0)), ['b']);
	assert.equal(outbox.retry('a'), true);
	assert.deepEqual(ids(outbox.take(0)), []);	/* b is under way */
	outbox.remove('b');
	assert.deepEqual(ids(outbox.take(0)), ['a']);
});

test('a_lost_connection_makes_all_of_it_unsent_again', () => {
	const outbox = new Outbox({ entries: [entry('a'), entry('b', 'other')] });

	outbox.take(0);
	outbox.disconnected();
	assert.deepEqual(ids(outbox.take(0)), ['a', 'b']);
});

test('it_lives_on_as_json', () => {
	const outbox = new Outbox({ entries: [entry('a'), entry('b')] });

	outbox.take(0);
	outbox.refuse('a', { code: 'forbidden', message: 'no' }, 0);
	outbox.take(0);
	const again = new Outbox({
		entries: JSON.parse(JSON.stringify(outbox.list())),
	});

	assert.deepEqual(
		again.list().map(({ clientMsgId, state }) => [clientMsgId, state]),
		[['a', 'failed'], ['b', 'queued']]);
	assert.equal(again.add(entry('a')).state, 'failed');
	assert.equal(again.size, 2);
});
