import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Order } from '../../../web/chemchat-order.js';
import { messages, message, seededRandom } from './fakes.mjs';

const evs = (events) => events.map((event) => event.ev);

test('events_pass_in_order_and_once', () => {
	const order = new Order();

	order.start('c', 3);
	assert.deepEqual(evs(order.live('c', messages('c', 2, 5))), [4, 5]);
	assert.deepEqual(evs(order.live('c', messages('c', 4, 6))), [6]);
	assert.equal(order.ev('c'), 6);
	assert.equal(order.missing('c'), 0);
});

test('nothing_passes_a_hole_until_it_is_filled', () => {
	const order = new Order();

	order.start('c', 0);
	assert.deepEqual(order.live('c', messages('c', 3, 4)), []);
	assert.equal(order.missing('c'), 4);
	const filled = order.answer('c',
		{ events: messages('c', 1, 2), upto: 2, head: 2 });

	assert.deepEqual(evs(filled), [1, 2, 3, 4]);
	assert.equal(order.missing('c'), 0);
});

test('a_conversation_nobody_follows_gives_nothing', () => {
	const order = new Order();

	assert.deepEqual(order.live('c', messages('c', 1, 2)), []);
	assert.equal(order.learn('c', 7), false);
	assert.deepEqual(order.answer('c', { events: [], upto: 3, head: 3 }), []);
});

test('an_answer_that_was_overtaken_gives_only_what_is_new', () => {
	const order = new Order();

	order.start('c', 0);
	order.live('c', messages('c', 1, 3));
	assert.deepEqual(
		evs(order.answer('c', { events: messages('c', 1, 5), upto: 5, head: 9 })),
		[4, 5]);
	assert.equal(order.missing('c'), 4);
});

test('an_entity_changed_beyond_upto_waits_for_its_turn', () => {
	const order = new Order();

	order.start('c', 0);
	assert.deepEqual(
		evs(order.answer('c', {
			events: [message('c', 1), message('c', 8)], upto: 3, head: 8,
		})), [1]);
	assert.equal(order.ev('c'), 3);
});

test('what_is_held_behind_a_hole_is_bounded', () => {
	const order = new Order({ heldLimit: 10 });

	order.start('c', 0);
	for (let ev = 2; ev <= 1000; ev++)
		order.live('c', [message('c', ev)]);
	/* Dropped, not forgotten: the head says what to ask for. */
	assert.equal(order.head('c'), 1000);
	const first = order.answer('c',
		{ events: [message('c', 1)], upto: 1, head: 1000 });

	assert.ok(first.length <= 12);
	assert.equal(order.missing('c'), 1000 - order.ev('c'));
	assert.deepEqual(
		evs(order.answer('c', {
			events: messages('c', order.ev('c') + 1, 1000), upto: 1000, head: 1000,
		})).at(-1), 1000);
});

test('any_loss_doubling_and_overtaking_gives_each_once_in_order', () => {
	for (let seed = 1; seed <= 300; seed++) {
		const random = seededRandom(seed);
		const pick = (n) => Math.floor(random() * n);
		const order = new Order({ heldLimit: 1 + pick(20) });
		const written = 50 + pick(100);
		const seen = [];
		const underWay = [];
		let sent = 0;

		order.start('c', 0);
		for (let step = 0; order.ev('c') < written; step++) {
			assert.ok(step < 20000, `seed ${seed} gets nowhere`);
			const chance = random();

			if (chance < 0.4 && sent < written) {
				/* a frame of one or several, some of them sent before */
				const from = Math.max(1, sent + 1 - pick(3));

				sent = Math.min(written, sent + 1 + pick(4));
				if (random() > 0.2)
					underWay.push({ events: messages('c', from, sent) });
			} else if (chance < 0.6) {
				/* an answer of what the server knew when it was asked */
				const after = order.ev('c');
				const upto = Math.min(sent, after + 1 + pick(30));

				if (upto > after)
					underWay.push({
						events: messages('c', after + 1, upto), upto, head: sent,
					});
			} else if (underWay.length) {
				const [frame] = underWay.splice(pick(underWay.length), 1);

				seen.push(...(frame.upto ? order.answer('c', frame)
					: order.live('c', frame.events)));
			}
		}
		assert.deepEqual(evs(seen), evs(messages('c', 1, written)),
			`seed ${seed}`);
	}
});
