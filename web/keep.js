/*
 * keep - the small things that outlive the page
 *
 * The session: in sessionStorage, so that two tabs can be two people and none
 * stays behind; in localStorage when its owner says "stay signed in".  Unsent
 * messages: in localStorage under a name of this page's own, taken over by
 * the next page of the same person, whichever comes first; two pages that
 * take over the same ones send them under the same ids, which makes one
 * message of each.  Edits that are not saved: in localStorage, one per
 * message, of all pages of this person.  What is typed: in sessionStorage.
 * The looks: in localStorage, of everybody at this browser.
 *
 * A browser that stores nothing (private windows, quotas) costs only that.
 */

const SESSION = 'chemchat.session';
const OUTBOX = 'chemchat.outbox.';
const EDIT = 'chemchat.edit.';
const DRAFT = 'chemchat.draft.';
const LOOKS = 'chemchat.looks';

/* The token of `/#token=...`, which leaves the address bar at once. */
export function takeToken() {
	const match = /^#token=(.+)$/u.exec(location.hash);

	if (!match)
		return false;
	history.replaceState(null, '', location.pathname);
	keepSession({ token: decoded(match[1]) }, false);
	return true;
}

export function keptSession() {
	return parse(get(sessionStorage, SESSION)) ??
		parse(get(localStorage, SESSION));
}

/* `isLong`: also when the browser is closed; undefined: as it was. */
export function keepSession(session, isLong) {
	const text = session && JSON.stringify(session);
	const wasLong = get(localStorage, SESSION) !== null &&
		get(sessionStorage, SESSION) === null;

	if (session === null) {
		if (wasLong)
			set(localStorage, SESSION, null);
		set(sessionStorage, SESSION, null);
	} else if (isLong ?? wasLong) {
		set(localStorage, SESSION, text);
		set(sessionStorage, SESSION, null);
	} else
		set(sessionStorage, SESSION, text);
}

/* {theme: 'auto'|'light'|'dark'} */
export function looks() {
	return { theme: 'auto', ...parse(get(localStorage, LOOKS)) };
}

export function putLooks(changed) {
	set(localStorage, LOOKS, JSON.stringify({ ...looks(), ...changed }));
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

	/* Entered and not saved, the oldest first. */
	edits() {
		const prefix = `${EDIT}${this.#user}.`;

		return keys(localStorage).filter((key) => key.startsWith(prefix))
			.map((key) => parse(get(localStorage, key)))
			.filter((entry) => entry?.conversationId && entry.body)
			.sort((a, b) => a.atMs - b.atMs);
	}

	putEdit(entry) {
		set(localStorage, this.#editName(entry), JSON.stringify(entry));
	}

	/* Answered.  What another page has entered there since is that one's. */
	settleEdit(entry, { isKept }) {
		const held = parse(get(localStorage, this.#editName(entry)));

		if (!held || held.body === entry.body)
			set(localStorage, this.#editName(entry),
				isKept ? JSON.stringify(entry) : null);
	}

	/* Where: a conversation, or a thread of it. */
	draft(where) {
		return get(sessionStorage, this.#draftName(where)) ?? '';
	}

	putDraft(where, text) {
		set(sessionStorage, this.#draftName(where), text || null);
	}

	/* An edit that is half typed there: {seq, rev, body}, or null. */
	editDraft(where) {
		return parse(get(sessionStorage, this.#draftName(`${where}/edit`)));
	}

	putEditDraft(where, edit) {
		set(sessionStorage, this.#draftName(`${where}/edit`),
			edit && JSON.stringify(edit));
	}

	/* Nothing of this person stays: what is unsent, unsaved or typed. */
	forget() {
		for (const [storage, prefix] of [
			[localStorage, `${OUTBOX}${this.#user}.`],
			[localStorage, `${EDIT}${this.#user}.`],
			[sessionStorage, `${DRAFT}${this.#user}.`]]) {
			for (const key of keys(storage)) {
				if (key.startsWith(prefix))
					set(storage, key, null);
			}
		}
	}

	/* The next person in this tab is not to see it. */
	#draftName(where) {
		return `${DRAFT}${this.#user}.${where}`;
	}

	#editName({ conversationId, seq }) {
		return `${EDIT}${this.#user}.${conversationId}/${seq}`;
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
