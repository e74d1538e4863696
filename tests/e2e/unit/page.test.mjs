/* What of the page needs no browser: the model and the words. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Model } from '../../../web/model.js';
import { Timeline, threadRows } from '../../../web/timeline.js';
import { clockTime, dayName, folded, initials, isEmojiOnly, matching,
	namePrefix, oneLine, shortTime, startOfDay, textParts } from '../../../web/format.js';

const AT = '2026-03-04T10:00:00Z';
const NOW = Date.parse('2026-03-04T12:00:00');
const DAY = 24 * 60 * 60 * 1000;

function said(seq, { sender = 'bob', rev = 1, body = `m${seq}`,
	createdAt = AT } = {}) {
	return { kind: 'message', conversationId: 'c', id: `i${seq}`, ev: seq, seq,
		rev, sender, clientMsgId: `k${seq}`, body, createdAt };
}

function model(more) {
	const made = new Model({ me: 'alice', ...more });

	made.putConversation({ id: 'c', kind: 'group', title: 'General', ev: 0,
		seq: 0 });
	made.putPage('c', { events: [] }, { maxRows: 50 });
	return made;
}

function rows(made, options = {}) {
	const timeline = new Timeline(made, made.conversation('c'),
		{ startOfDay, ...options });

	return Array.from({ length: timeline.count }, (_, i) => timeline.row(i));
}

const bodies = (made) => rows(made).map((row) => row.body);

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
	const pending = rows(made).at(-1);

	assert.equal(pending.state, 'pending');
	made.apply(said(2, { sender: 'alice' }));
	const drawn = rows(made);

	assert.deepEqual(drawn.map((row) => row.state), ['sent', 'sent']);
	assert.equal(drawn.at(-1).key, pending.key);
});

test('somebody_elses_client_msg_id_confirms_nothing_of_mine', () => {
	const made = model();

	made.unsent = [{ clientMsgId: 'k1', conversationId: 'c', body: 'mine',
		createdAtMs: Date.parse(AT), state: 'queued' }];
	made.apply(said(1, { sender: 'bob' }));
	assert.deepEqual(bodies(made), ['m1', 'mine']);
});

test('unread_counts_from_what_was_read_here_or_elsewhere', () => {
	const made = model();

	for (let seq = 1; seq <= 5; seq++)
		made.apply(said(seq));
	const known = made.conversation('c');

	assert.equal(made.unread(known), 5);
	made.apply({ kind: 'cursor', userId: 'alice', conversationId: 'c', rev: 4,
		readSeq: 4, deliveredSeq: 4 });
	assert.equal(made.unread(known), 1);
	assert.equal(made.markRead('c', 5), true);
	assert.equal(made.unread(known), 0);
	assert.equal(made.markRead('c', 3), false);
	/* heads that were asked before it do not make it unread again */
	made.putConversation({ id: 'c', kind: 'group', ev: 5, seq: 5, readSeq: 2 });
	assert.equal(made.unread(known), 0);
});

test('mentions_count_what_heads_said_and_what_came_since', () => {
	const made = model();
	const known = made.conversation('c');

	made.putConversation({ id: 'c', kind: 'group', ev: 9, seq: 7, readSeq: 2,
		mentions: 2 });
	assert.equal(made.mentions(known), 2);
	made.apply({ ...said(8), mentions: ['alice'] });
	made.apply({ ...said(9), mentions: ['*'] });
	made.apply({ ...said(10, { sender: 'alice' }), mentions: ['*'] });
	assert.equal(made.mentions(known), 4);
	/* edited so that it mentions her no longer */
	made.apply({ ...said(9, { rev: 2 }) });
	assert.equal(made.mentions(known), 3);
	made.markRead('c', 10);
	assert.equal(made.mentions(known), 0);
});

test('reactions_are_grouped_and_the_last_word_of_each_counts', () => {
	const made = model();
	const react = (userId, emoji, rev, state) => made.apply({ kind: 'reaction',
		conversationId: 'c', id: `${userId}${emoji}`, seq: 1, userId, emoji,
		rev, state });

	made.apply(said(1));
	react('bob', '👍', 2, 'on');
	react('bob', '👍', 1, 'off');
	react('alice', '👍', 1, 'on');
	react('mia', '🎉', 1, 'on');
	react('mia', '🎉', 2, 'off');
	assert.deepEqual(rows(made)[0].reactions,
		[{ emoji: '👍', userIds: ['bob', 'alice'] }]);
});

test('a_deleted_message_shows_nothing_of_what_it_said', () => {
	const made = model();

	made.apply(said(1));
	made.apply({ kind: 'message', conversationId: 'c', id: 'i1', ev: 2, seq: 1,
		rev: 2, sender: 'bob', clientMsgId: 'k1', createdAt: AT, deletedAt: AT });
	assert.deepEqual(rows(made).map(({ state, body }) => [state, body]),
		[['deleted', '']]);
});

test('a_window_grows_at_both_ends_and_jumps', () => {
	const made = model();
	const known = made.conversation('c');
	const page = (from, upto) => ({ events: Array.from(
		{ length: upto - from + 1 }, (_, i) => said(from + i)) });

	made.putConversation({ id: 'c', kind: 'group', ev: 99, seq: 100 });
	made.putPage('c', page(91, 100), { maxRows: 10 });
	assert.deepEqual([known.lo, known.hi, known.hasOldest], [91, 100, false]);
	made.putPage('c', page(81, 90), { beforeSeq: 91, maxRows: 10 });
	assert.deepEqual([known.lo, known.hi], [81, 100]);
	/* far back: the window is there, and what comes live is not in it */
	made.putPage('c', page(11, 20), { beforeSeq: 21, maxRows: 10, isJump: true });
	assert.deepEqual([known.lo, known.hi, known.isDetached], [11, 20, true]);
	made.apply(said(101));
	assert.deepEqual([known.hi, known.seq], [20, 101]);
	made.unsent = [{ clientMsgId: 'z', conversationId: 'c', body: 'x',
		createdAtMs: NOW, state: 'queued' }];
	assert.equal(rows(made).length, 10);
	/* down to what is held already: the window reaches the head again */
	made.putPage('c', page(21, 80), { afterSeq: 20, maxRows: 60 });
	assert.deepEqual([known.lo, known.hi, known.isDetached], [11, 101, false]);
	assert.equal(rows(made).length, 92);
	made.putPage('c', page(1, 10), { beforeSeq: 11, maxRows: 10 });
	assert.equal(known.hasOldest, true);
	/* an answer that comes late changes nothing */
	made.putPage('c', page(1, 5), { beforeSeq: 50, maxRows: 10 });
	assert.equal(known.lo, 1);
});

test('what_is_new_is_parted_from_what_was_read', () => {
	const made = model();

	for (let seq = 1; seq <= 4; seq++)
		made.apply(said(seq));
	assert.deepEqual(rows(made, { unreadAfter: 2 })
		.map((row) => row.opensUnread), [false, false, true, false]);
	assert.deepEqual(rows(made, { unreadAfter: 2 })
		.map((row) => row.closes), [false, true, false, true]);
});

test('a_thread_is_its_root_and_its_replies_in_order', () => {
	const made = model();

	for (let seq = 1; seq <= 3; seq++)
		made.apply(said(seq));
	made.apply({ ...said(5), replyTo: 4, thread: 2 });
	made.apply({ ...said(4), replyTo: 2, thread: 2 });
	made.unsent = [{ clientMsgId: 'z', conversationId: 'c', body: 'mine',
		createdAtMs: NOW, state: 'queued', replyTo: 5 }];
	const thread = threadRows(made, made.conversation('c'), 2, startOfDay);

	assert.deepEqual(thread.map((row) => row.body), ['m2', 'm4', 'm5', 'mine']);
	assert.equal(thread[1].replyTo, undefined);
	assert.equal(thread[2].replyTo, 4);
	assert.equal(rows(made)[1].replies, 2);
});

test('receipts_count_those_who_are_in_it', () => {
	const made = model();
	const known = made.conversation('c');
	const cursor = (userId, readSeq, deliveredSeq) => made.apply({
		kind: 'cursor', userId, conversationId: 'c', rev: 1, readSeq,
		deliveredSeq });

	for (const userId of ['alice', 'bob', 'mia'])
		made.apply({ kind: 'member', conversationId: 'c', userId, rev: 1,
			role: 'member', state: 'joined' });
	cursor('bob', 3, 5);
	cursor('mia', 0, 4);
	cursor('alice', 9, 9);
	assert.deepEqual(made.receipts(known, 3),
		{ read: 1, delivered: 2, others: 2 });
	assert.deepEqual(made.receipts(known, 5),
		{ read: 0, delivered: 1, others: 2 });
	made.apply({ kind: 'member', conversationId: 'c', userId: 'mia', rev: 2,
		role: 'member', state: 'removed' });
	assert.deepEqual(made.receipts(known, 3),
		{ read: 1, delivered: 1, others: 1 });
});

test('the_next_life_begins_with_what_this_one_knew', () => {
	const made = model();

	for (let seq = 1; seq <= 400; seq++)
		made.apply(said(seq));
	made.apply({ kind: 'reaction', conversationId: 'c', id: 'r', seq: 400,
		userId: 'bob', emoji: '👍', rev: 1, state: 'on' });
	const kept = structuredClone(made.exported('c', 401));
	const next = new Model({ me: 'alice' });

	next.restore({ conversations: [kept], people: [{ kind: 'user',
		userId: 'bob', rev: 1, handle: 'bob' }] });
	assert.deepEqual(bodies(next), bodies(made).slice(-150));
	assert.equal(rows(next).at(-1).reactions.length, 1);
	assert.equal(next.conversation('c').hasOldest, false);
	assert.deepEqual(next.strangers(), ['alice']);
	next.apply(said(401));
	assert.equal(bodies(next).at(-1), 'm401');
});

test('a_conversation_that_was_not_opened_is_kept_without_messages', () => {
	const made = new Model({ me: 'alice' });

	made.putConversation({ id: 'c', kind: 'group', title: 'G', ev: 3, seq: 3 });
	made.apply(said(3));
	const kept = made.exported('c', 3);

	assert.deepEqual([kept.messages.length, kept.ev, kept.last.body],
		[0, undefined, 'm3']);
});

test('runs_break_at_sender_pause_and_midnight', () => {
	const made = model();
	const minute = (n) => new Date(Date.parse(AT) + n * 60000).toISOString();

	made.apply(said(1, { createdAt: minute(0) }));
	made.apply(said(2, { createdAt: minute(1) }));
	made.apply(said(3, { createdAt: minute(9) }));
	made.apply(said(4, { createdAt: minute(9), sender: 'mia' }));
	made.apply(said(5, { createdAt: minute(2000), sender: 'mia' }));
	const drawn = rows(made);

	assert.deepEqual(drawn.map((row) => row.opens),
		[true, false, true, true, true]);
	assert.deepEqual(drawn.map((row) => row.closes),
		[false, true, true, true, true]);
	assert.deepEqual(drawn.map((row) => row.opensDay),
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
	assert.deepEqual(new Set(made.strangers()), new Set(['alice', 'mia']));
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
	assert.ok(isEmojiOnly('🇯🇵 👨‍👩‍👧‍👦 1️⃣'));
	assert.ok(!isEmojiOnly('👍👍👍👍'));
	assert.ok(!isEmojiOnly('©'));
	assert.ok(!isEmojiOnly(''));
});

test('a_long_text_is_folded_behind_a_line_a_word_or_a_letter', () => {
	const text = (parts) => parts.map((part) => part.text).join('');
	const fold = (body) => folded(textParts(body, () => true));
	const cut = (body) => text(fold(body));

	assert.equal(fold('x'.repeat(1300)), null);
	assert.equal(fold('line\n'.repeat(19)), null);
	assert.equal(cut('line\n'.repeat(30)), 'line\n'.repeat(12).trimEnd());
	const words = cut('some words '.repeat(200));

	assert.ok(words.length > 540 && words.length <= 560);
	assert.match(words, /(?:some|words)$/u);
	/* never half of a letter, however many parts that has */
	for (const letter of ['𝒜', '👩‍🔬', 'é'.normalize('NFD'), '🇯🇵']) {
		const kept = cut(letter.repeat(2000));

		assert.ok(kept.length > 540, letter);
		assert.equal(kept, letter.repeat(kept.length / letter.length));
	}
	/* an address leads where it led */
	const href = `https://a.example/${'x'.repeat(1500)}`;
	const [part] = fold(href);

	assert.equal(part.href, href);
	assert.ok(part.text.length <= 560 && href.startsWith(part.text));
	assert.equal(cut(`${'word '.repeat(100)}@alice ${'word '.repeat(300)}`)
		.includes('@alice'), true);
});

test('names_are_found_where_they_are_meant', () => {
	const names = (text) => textParts(text, (handle) => handle !== 'nobody')
		.filter((part) => part.handle).map((part) => part.handle);

	assert.deepEqual(names('@bob, ask @mia.t. Or (@all)!'),
		['bob', 'mia.t', 'all']);
	assert.deepEqual(names('a@bob.example @nobody @ x@y'), []);
	assert.equal(textParts('hi @Bob.', () => true)
		.map((part) => part.text).join(''), 'hi @Bob.');
});

test('an_at_offers_names_while_it_is_typed', () => {
	assert.deepEqual(namePrefix('hi @bo', 6), { from: 3, word: 'bo' });
	assert.deepEqual(namePrefix('@', 1), { from: 0, word: '' });
	assert.equal(namePrefix('mail a@bo', 9), null);
	assert.equal(namePrefix('@bob ', 5), null);
	const people = [{ handle: 'zoe', displayName: 'Bo Zimmer' },
		{ handle: 'bob', displayName: 'Robert' }, { handle: 'abo' },
		{ handle: 'mia', displayName: 'Mia' }]
		.map((person) => ({ ...person, userId: person.handle }));

	assert.deepEqual(matching(people, 'bo').map(({ handle }) => handle),
		['bob', 'zoe', 'abo']);
	/* everybody is not what Enter takes when nothing was typed */
	assert.equal(matching([{ handle: 'all' }, ...people], '').at(-1).handle,
		'all');
	assert.equal(matching([...people, { handle: 'all' }], 'a')[0].handle, 'abo');
	assert.equal(matching([...people, { handle: 'all' }], 'al')[0].handle, 'all');
});

test('one_line_is_one_line', () => {
	assert.equal(oneLine(' a\n\n b\t c '), 'a b c');
	assert.equal(oneLine('x'.repeat(200), 10), `${'x'.repeat(9)}…`);
});
