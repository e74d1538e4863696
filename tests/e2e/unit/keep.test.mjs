import { test } from 'node:test';
import assert from 'node:assert/strict';

class Storage {
	#held = new Map();

	getItem(key) {
		return this.#held.get(key) ?? null;
	}

	setItem(key, value) {
		this.#held.set(key, String(value));
	}

	removeItem(key) {
		this.#held.delete(key);
	}
}

globalThis.sessionStorage = new Storage();
globalThis.localStorage = new Storage();
globalThis.history = { replaceState: () => {} };
const { Keep, takeToken } = await import('../../../web/keep.js');

test('what_one_person_typed_is_not_shown_to_the_next_in_the_same_tab', () => {
	const alice = new Keep('alice');
	const bob = new Keep('bob');

	alice.putDraft('c', 'for nobody else');
	assert.equal(bob.draft('c'), '');
	assert.equal(new Keep('alice').draft('c'), 'for nobody else');
});

test('a_link_that_was_cut_short_asks_for_a_token_like_any_bad_one', () => {
	globalThis.location = { hash: '#token=abc%2', pathname: '/' };
	assert.equal(takeToken(), 'abc%2');
});
