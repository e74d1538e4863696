/* Edits that are entered, answered, refused, and left to the next page. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Edits } from '../../../web/edits.js';
import { settle } from './fakes.mjs';

/* A page; `kept` is what the browser holds, `asked` what awaits its answer. */
function page(kept = new Map()) {
	const nameOf = ({ conversationId, seq }) => `${conversationId}/${seq}`;
	const asked = [];
	const edits = new Edits({
		ask: (edit) => new Promise((resolve, reject) => {
			asked.push({ ...edit, done: (rev) => resolve({ rev }),
				refuse: (code) =>
					reject(Object.assign(new Error(), { code })) });
		}),
		keep: { edits: () => [...kept.values()],
			putEdit: (entry) => kept.set(nameOf(entry), { ...entry }),
			settleEdit: (entry, { isKept }) => isKept
				? kept.set(nameOf(entry), { ...entry })
				: kept.delete(nameOf(entry)) },
		onChange: () => {},
	});

	return { edits, asked, kept };
}

const sent = ({ asked }) => asked.map(({ seq, body, rev }) => [seq, body, rev]);

test('an_edit_is_kept_until_it_is_answered', async () => {
	const { edits, asked, kept } = page();

	edits.put('c', { seq: 7, rev: 3 }, 'better');
	assert.equal(kept.get('c/7').body, 'better');
	assert.equal(edits.of('c', 7).body, 'better');
	asked[0].done(4);
	await settle();
	assert.equal(kept.size, 0);
	assert.equal(edits.of('c', 7), undefined);
});

test('the_next_page_sends_it_with_the_revision_it_began_from', async () => {
	const left = page();

	left.edits.put('c', { seq: 7, rev: 3 }, 'better');
	left.edits.put('d', { seq: 1, rev: 1 }, 'other');
	left.asked.forEach(({ refuse }) => refuse('closed'));
	await settle();
	const next = page(left.kept);

	next.edits.resume();
	assert.deepEqual(sent(next), [[7, 'better', 3], [1, 'other', 1]]);
	next.asked.forEach(({ done }) => done(9));
	await settle();
	assert.equal(next.kept.size, 0);
});

test('what_is_entered_behind_one_under_way_follows_it', async () => {
	const it = page();
	const { edits, asked, kept } = it;

	edits.put('c', { seq: 7, rev: 1 }, 'second');
	edits.put('c', { seq: 7, rev: 1 }, 'third');
	edits.put('c', { seq: 7, rev: 1 }, 'fourth');
	assert.deepEqual(sent(it), [[7, 'second', 1]]);
	asked[0].done(2);
	await settle();
	assert.equal(kept.get('c/7').body, 'fourth');
	assert.deepEqual(sent(it), [[7, 'second', 1], [7, 'fourth', 2]]);
	/* nor does the refusal of an earlier one take it away */
	edits.put('c', { seq: 7, rev: 2 }, 'fifth');
	asked[1].refuse('too_large');
	await settle();
	assert.equal(edits.of('c', 7).error, undefined);
	asked[2].done(3);
	await settle();
	/* begun before the page was told of its own edit */
	edits.put('c', { seq: 7, rev: 1 }, 'sixth');
	assert.deepEqual(sent(it).slice(2), [[7, 'fifth', 2], [7, 'sixth', 3]]);
});

test('a_refused_edit_stays_until_it_is_entered_again_or_given_up', async () => {
	const first = page();

	first.edits.put('c', { seq: 7, rev: 3 }, 'better');
	first.edits.discard('c', 7);		/* may be saved any moment: stays */
	assert.equal(first.edits.of('c', 7).body, 'better');
	first.asked[0].refuse('conflict');
	await settle();
	const next = page(first.kept);

	next.edits.resume();
	assert.deepEqual(sent(next), [], 'nobody has asked for it');
	assert.equal(next.edits.of('c', 7).error.code, 'conflict');
	next.edits.put('c', { seq: 7, rev: 5 }, 'better');
	assert.deepEqual(sent(next), [[7, 'better', 5]]);
	assert.equal(next.edits.of('c', 7).error, undefined);
	next.asked[0].refuse('deleted');
	await settle();
	next.edits.discard('c', 7);
	assert.equal(next.edits.of('c', 7), undefined);
	assert.equal(next.kept.size, 0);
});

test('of_very_many_refused_ones_the_newest_stay', async () => {
	const { edits, asked, kept } = page();

	for (let seq = 1; seq <= 60; seq++)
		edits.put('c', { seq, rev: 1 }, `edit ${seq}`);
	asked.forEach(({ refuse }) => refuse('not_found'));
	await settle();
	assert.equal(kept.size, 50);
	assert.ok(!kept.has('c/10') && kept.has('c/11'));
});
