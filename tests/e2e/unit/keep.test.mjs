import { test } from 'node:test';
import assert from 'node:assert/strict';

/* As the browser's: what is stored are its own properties. */
class Storage {
	getItem(key) {
		return Object.hasOwn(this, key) ? this[key] : null;
	}

	setItem(key, value) {
		this[key] = String(value);
	}

	removeItem(key) {
		delete this[key];
	}
}

globalThis.sessionStorage = new Storage();
globalThis.localStorage = new Storage();
globalThis.history = { replaceState: () => {} };
const { Keep, keepSession, keptSession, takeToken } = await import('../../../web/keep.js');

test('what_one_person_typed_is_not_shown_to_the_next_in_the_same_tab', () => {
	const alice = new Keep('alice');
	const bob = new Keep('bob');

	alice.putDraft('c', 'for nobody else');
	assert.equal(bob.draft('c'), '');
	assert.equal(new Keep('alice').draft('c'), 'for nobody else');
});

test('a_link_that_was_cut_short_asks_for_a_token_like_any_bad_one', () => {
	globalThis.location = { hash: '#token=abc%2', pathname: '/' };
	assert.equal(takeToken(), true);
	assert.equal(keptSession().token, 'abc%2');
});

test('a_link_is_for_this_tab_and_a_session_that_stays_is_for_the_browser', () => {
	keepSession({ token: 'long' }, true);
	assert.equal(sessionStorage.getItem('chemchat.session'), null);
	assert.equal(keptSession().token, 'long');
	keepSession({ token: 'refreshed' });
	assert.equal(JSON.parse(localStorage.getItem('chemchat.session')).token,
		'refreshed');
	globalThis.location = { hash: '#token=guest', pathname: '/' };
	takeToken();
	assert.equal(keptSession().token, 'guest');
	/* leaving as a guest does not sign the other one out */
	keepSession(null);
	assert.equal(keptSession().token, 'refreshed');
	keepSession(null);
	assert.equal(keptSession(), null);
});

test('signing_out_leaves_nothing_of_what_was_written', () => {
	const keep = new Keep('alice');

	keep.putDraft('c', 'half');
	keep.putOutbox([{ clientMsgId: 'x', createdAtMs: 1 }]);
	keep.putEdit({ conversationId: 'c', seq: 1, body: 'x', atMs: 1 });
	keep.putEditDraft('c', { seq: 2, rev: 1, body: 'y' });
	new Keep('bob').putEdit({ conversationId: 'c', seq: 1, body: 'his' });
	keep.forget();
	assert.equal(keep.draft('c'), '');
	assert.equal(keep.editDraft('c'), null);
	assert.deepEqual(new Keep('alice').takeOutbox(), []);
	assert.deepEqual(new Keep('alice').edits(), []);
	assert.equal(new Keep('bob').edits().length, 1);
});

test('an_answer_takes_away_the_edit_it_answers_and_no_later_one', () => {
	const [one, two] = [new Keep('carol'), new Keep('carol')];
	const first = { conversationId: 'c', seq: 1, body: 'first', atMs: 1 };
	const second = { ...first, body: 'second', atMs: 2 };

	one.putEdit(first);
	two.putEdit(second);
	one.settleEdit(first, { isKept: false });
	assert.deepEqual(one.edits(), [second]);
	two.settleEdit(second, { isKept: false });
	assert.deepEqual(two.edits(), []);
});
