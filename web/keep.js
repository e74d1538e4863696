/*
 * keep - what outlives the page
 *
 * The token: in sessionStorage, so that two tabs can be two people and none
 * stays behind.  Unsent messages: in localStorage under a name of this page's
 * own, taken over by the next page of the same person, whichever comes first;
 * two pages that take over the same ones send them under the same ids, which
 * makes one message of each.  What was read: in localStorage.  What is typed:
 * in sessionStorage.
 *
 * A browser that stores nothing (private windows, quotas) costs only that.
 */

const TOKEN = 'chemchat.token';
const OUTBOX = 'chemchat.outbox.';
const SEEN = 'chemchat.seen.';
const DRAFT = 'chemchat.draft.';

/* The token of `/#token=...`, which leaves the address bar at once. */
export function takeToken() {
	const match = /^#token=(.+)$/u.exec(location.hash);

	if (match) {
		set(sessionStorage, TOKEN, decoded(match[1]));
		history.replaceState(null, '', location.pathname);
	}
	return get(sessionStorage, TOKEN);
}

export function keepToken(token) {
	set(sessionStorage, TOKEN, token);
}

export function dropToken() {
	set(sessionStorage, TOKEN, null);
}

/* Whom a token names, without believing it: only to find what is stored. */
export function subjectOf(token) {
	try {
		const payload = token.split('.')[1]
			.replace(/-/gu, '+').replace(/_/gu, '/');

		return JSON.parse(atob(payload)).sub ?? null;
	} catch {
		return null;
	}
}

export class Keep {
	#user;
	#page = Math.random().toString(36).slice(2);

	constructor(user) {
		this.#user = user ?? 'unknown';
	}

	/* Unsent messages of earlier pages of this person, oldest first. */
	takeOutbox() {
		const prefix = `${OUTBOX}${this.#user}.`;
		const entries = [];

		for (const key of keys(localStorage)) {
			if (key.startsWith(prefix)) {
				entries.push(...(parse(get(localStorage, key)) ?? []));
				set(localStorage, key, null);
			}
		}
		entries.sort((a, b) => a.createdAtMs - b.createdAtMs);
		this.putOutbox(entries);
		return entries;
	}

	putOutbox(entries) {
		set(localStorage, `${OUTBOX}${this.#user}.${this.#page}`,
			entries.length ? JSON.stringify(entries) : null);
	}

	get seen() {
		return parse(get(localStorage, SEEN + this.#user)) ?? {};
	}

	/* Another page may have seen more. */
	set seen(seen) {
		const all = this.seen;

		for (const [id, seq] of Object.entries(seen))
			all[id] = Math.max(all[id] ?? 0, seq);
		set(localStorage, SEEN + this.#user, JSON.stringify(all));
	}

	draft(conversationId) {
		return get(sessionStorage, this.#draftName(conversationId)) ?? '';
	}

	putDraft(conversationId, text) {
		set(sessionStorage, this.#draftName(conversationId), text || null);
	}

	/* The next person in this tab is not to see it. */
	#draftName(conversationId) {
		return `${DRAFT}${this.#user}.${conversationId}`;
	}
}

function decoded(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

function get(storage, key) {
	try {
		return storage.getItem(key);
	} catch {
		return null;
	}
}

function set(storage, key, value) {
	try {
		if (value === null)
			storage.removeItem(key);
		else
			storage.setItem(key, value);
	} catch {
		/* nothing is kept, and nothing else depends on it */
	}
}

function keys(storage) {
	try {
		return Object.keys(storage);
	} catch {
		return [];
	}
}

function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}
