/* What of the page needs no browser: the model and the words. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Model } from '../../../web/model.js';
import { clockTime, dayName, initials, isEmojiOnly, shortTime, startOfDay,
	textParts } from '../../../web/format.js';

const AT = '2026-03-04T10:00:00Z';
const NOW = Date.parse('2026-03-04T12:00:00');
const DAY = 24 * 60 * 60 * 1000;

function said(seq, { sender = 'bob', rev = 1, body = `m${seq}`,
	createdAt = AT } = {}) {
	return { kind: 'message', conversationId: 'c', id: `i${seq}`, ev: seq, seq,
		rev, sender, clientMsgId: `k${seq}`, body, createdAt };
}

function model(more) {
	const made = new Model(more);

	made.me = 'alice';
	made.putConversation({ id: 'c', kind: 'group', title: 'General', ev: 0,
		seq: 0, readSeq: 0 });
	return made;
}

const bodies = (made) => made.rows('c', startOfDay).map((row) => row.body);

test('messages_stand_by_seq_however_they_came', () => {
	const made = model();

	for (const seq of [3, 1, 2, 3, 1])
		made.apply(said(seq));
	assert.deepEqual(bodies(made), ['m1', 'm2', 'm3']);
});

test('the_highest_rev_stays', () => {
	const made = model();

	made.apply(said(1, { rev: 2, body: 'edited' }));
	made.apply(said(1, { rev: 1, body: 'first' }));
	assert.deepEqual(bodies(made), ['edited']);
});

test('an_unsent_message_is_confirmed_in_its_place', () => {
	const made = model();
	const entry = { clientMsgId: 'k2', conversationId: 'c', body: 'm2',
		createdAtMs: Date.parse(AT), state: 'sending' };

	made.apply(said(1));
	made.unsent = [entry];
	const pending = made.rows('c', startOfDay).at(-1);

	assert.equal(pending.state, 'pending');
	made.apply(said(2, { sender: 'alice' }));
	const rows = made.rows('c', startOfDay);

	assert.deepEqual(rows.map((row) => row.state), ['sent', 'sent']);
	assert.equal(rows.at(-1).key, pending.key);
});

test('somebody_elses_client_msg_id_confirms_nothing_of_mine', () => {
	const made = model();

	made.unsent = [{ clientMsgId: 'k1', conversationId: 'c', body: 'mine',
		createdAtMs: Date.parse(AT), state: 'queued' }];
	made.apply(said(1, { sender: 'bob' }));
	assert.deepEqual(bodies(made), ['m1', 'mine']);
});

test('unread_counts_from_what_was_seen_or_read_elsewhere', () => {
	const made = model({ seen: { c: 2 } });

	for (let seq = 1; seq <= 5; seq++)
		made.apply(said(seq));
	const known = made.conversation('c');

	assert.equal(made.unread(known), 3);
	known.readSeq = 4;
	assert.equal(made.unread(known), 1);
	assert.equal(made.markSeen('c'), true);
	assert.equal(made.unread(known), 0);
	assert.equal(made.markSeen('c'), false);
});

test('runs_break_at_sender_pause_and_midnight', () => {
	const made = model();
	const minute = (n) => new Date(Date.parse(AT) + n * 60000).toISOString();

	made.apply(said(1, { createdAt: minute(0) }));
	made.apply(said(2, { createdAt: minute(1) }));
	made.apply(said(3, { createdAt: minute(9) }));
	made.apply(said(4, { createdAt: minute(9), sender: 'mia' }));
	made.apply(said(5, { createdAt: minute(2000), sender: 'mia' }));
	const rows = made.rows('c', startOfDay);

	assert.deepEqual(rows.map((row) => row.opens),
		[true, false, true, true, true]);
	assert.deepEqual(rows.map((row) => row.closes),
		[false, true, true, true, true]);
	assert.deepEqual(rows.map((row) => row.opensDay),
		[true, false, false, false, true]);
});

test('a_reset_forgets_messages_and_keeps_the_conversation', () => {
	const made = model();

	made.apply(said(1));
	made.reset(null);
	assert.deepEqual(bodies(made), []);
	assert.equal(made.conversations().length, 1);
});

test('an_event_of_a_conversation_we_are_not_in_shows_nothing', () => {
	const made = model();

	made.apply({ ...said(1), conversationId: 'other' });
	assert.deepEqual(made.conversations().map(({ id }) => id), ['c']);
	made.removeConversation('c');
	assert.deepEqual(made.conversations(), []);
});

test('a_conversation_of_two_is_named_after_the_other', () => {
	const made = model();

	made.putConversation({ id: 'd', kind: 'direct', title: null, ev: 3, seq: 0,
		readSeq: 0 });
	for (const userId of ['alice', 'mia'])
		made.apply({ kind: 'member', conversationId: 'd', ev: 2, rev: 1, userId,
			state: 'joined' });
	assert.deepEqual(made.strangers(), ['alice', 'mia']);
	made.apply({ kind: 'user', userId: 'mia', rev: 1, handle: 'mia',
		displayName: 'Mia Tanaka' });
	assert.equal(made.titleOf(made.conversation('d')), 'Mia Tanaka');
});

test('days_have_names', () => {
	assert.equal(dayName(NOW, NOW), 'Today');
	assert.equal(dayName(NOW - DAY, NOW), 'Yesterday');
	assert.equal(dayName(startOfDay(NOW) - 1, NOW), 'Yesterday');
	assert.match(dayName(NOW - 3 * DAY, NOW), /^\p{L}+$/u);
	assert.match(dayName(NOW - 400 * DAY, NOW), /2025/u);
	assert.equal(shortTime(NOW - 60000, NOW), clockTime(NOW - 60000));
	/* a clock that is ahead of ours is still today */
	assert.equal(shortTime(NOW + 60000, NOW), clockTime(NOW + 60000));
});

test('names_have_initials', () => {
	assert.equal(initials('Mia Tanaka'), 'MT');
	assert.equal(initials('alice'), 'A');
	assert.equal(initials('élodie von-der-Heide'), 'ÉH');
	assert.equal(initials('𝒜da'), '𝒜');
	assert.equal(initials(''), '?');
});

test('only_web_addresses_become_links', () => {
	const links = (text) => textParts(text).filter((part) => part.href)
		.map((part) => part.href);

	assert.deepEqual(links('see https://a.example/x?y=1, or (http://b.example).'),
		['https://a.example/x?y=1', 'http://b.example']);
	assert.deepEqual(links('javascript:alert(1) data:text/html,x ftp://x'), []);
	assert.deepEqual(links('<a href="https://a.example">x'),
		['https://a.example']);
	for (const text of ['', 'a', 'x https://a.example. y https://b.example'])
		assert.equal(textParts(text).map((part) => part.text).join(''), text);
});

test('emoji_alone_are_told_from_text', () => {
	assert.ok(isEmojiOnly('👍'));
	assert.ok(isEmojiOnly('👩‍🔬🧪'));
	assert.ok(!isEmojiOnly('ok 👍'));
	assert.ok(!isEmojiOnly('42'));
});
