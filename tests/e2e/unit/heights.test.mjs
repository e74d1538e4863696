/* What keeps long lists quick. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Heights } from '../../../web/heights.js';
import { seededRandom } from './fakes.mjs';

test('every_row_stands_where_those_above_it_end', () => {
	const random = seededRandom(7);
	const sizes = [];
	const heights = new Heights();

	for (let turn = 0; turn < 300; turn++) {
		const what = random();

		if (what < 0.3 || sizes.length === 0) {
			sizes.length = 0;
			for (let i = Math.floor(random() * 200); i >= 0; i--)
				sizes.push(Math.floor(random() * 90) + 1);
			heights.reset(sizes.length, (i) => sizes[i]);
		} else {
			const i = Math.floor(random() * sizes.length);

			sizes[i] = Math.floor(random() * 90) + 1;
			heights.set(i, sizes[i]);
		}
		const i = Math.floor(random() * sizes.length);
		const offset = sizes.slice(0, i).reduce((a, b) => a + b, 0);

		assert.equal(heights.offset(i), offset);
		assert.equal(heights.indexAt(offset), i);
		assert.equal(heights.indexAt(offset + sizes[i] - 0.5), i);
		assert.equal(heights.total, sizes.reduce((a, b) => a + b, 0));
	}
});

test('rows_keep_their_size_when_others_come_before_and_behind_them', () => {
	const heights = new Heights();
	const sizes = () => Array.from({ length: heights.count },
		(_, i) => heights.size(i));

	heights.reset(3, (i) => i + 1);
	heights.rebase(-2, 6, () => 9);
	assert.deepEqual(sizes(), [9, 9, 1, 2, 3, 9]);
	heights.rebase(3, 3, () => 7);
	assert.deepEqual(sizes(), [2, 3, 9]);
	heights.rebase(50, 2, () => 5);
	assert.deepEqual(sizes(), [5, 5]);
	heights.rebase(-50, 2, () => 4);
	assert.deepEqual(sizes(), [4, 4]);
});

test('nothing_is_nowhere', () => {
	const heights = new Heights();

	assert.deepEqual([heights.total, heights.indexAt(100), heights.count],
		[0, 0, 0]);
	heights.reset(3, () => 10);
	assert.deepEqual([heights.indexAt(-50), heights.indexAt(1e9)], [0, 2]);
});

test('the_last_of_a_hundred_thousand_rows_costs_little_to_change', () => {
	const heights = new Heights();

	heights.reset(100000, () => 20);
	heights.offset(100000);
	const beganMs = performance.now();

	for (let i = 0; i < 1000; i++) {
		heights.set(99999, 20 + (i % 7));
		heights.offset(100000);
	}
	assert.ok(performance.now() - beganMs < 500);
});
