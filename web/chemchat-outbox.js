/*
 * chemchat-outbox - what was written and is not yet acknowledged
 *
 * An entry keeps its clientMsgId from the first try to the last, so that no
 * number of retries makes a second message.  Per conversation one entry is
 * under way at a time, the oldest: a retry cannot be overtaken by the entry
 * behind it, and messages stand in the order they were written.
 *
 * An entry leaves by `ok` or when its owner discards it.  A definite error
 * makes it `failed`: it steps aside, those behind it go on.  `error` of one
 * that is not failed says why the last try came to nothing.
 *
 * Pure: no sockets; the time is given.
 */

/* Errors after which the same clientMsgId is tried again. */
const RETRIED = new Set(['busy', 'unavailable', 'unknown_outcome',
	'rate_limited', 'storage_full', 'not_ready', 'disconnected', 'timeout']);

const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 8000;

export function isRetried(code) {
	return RETRIED.has(code);
}

export class Outbox {
	#entries = [];			/* oldest first */
	#random;

	constructor({ entries = [], random = Math.random } = {}) {
		this.#random = random;
		for (const entry of entries)
			this.add(entry);
	}

	/* Takes over an entry; one whose clientMsgId is here already is not. */
	add({ clientMsgId, conversationId, body, replyTo, createdAtMs, state,
		error }) {
		if (this.find(clientMsgId))
			return this.find(clientMsgId);
		const entry = {
			clientMsgId, conversationId, body, replyTo, createdAtMs,
			state: state === 'failed' ? 'failed' : 'queued',
			error: state === 'failed' ? error : undefined,
			tries: 0,
			retryAtMs: 0,
		};

		this.#entries.push(entry);
		return entry;
	}

	find(clientMsgId) {
		return this.#entries.find(
			(entry) => entry.clientMsgId === clientMsgId);
	}

	/* Plain objects, fit for JSON and for the constructor. */
	list() {
		return this.#entries.map((entry) => ({
			clientMsgId: entry.clientMsgId,
			conversationId: entry.conversationId,
			body: entry.body,
			...(entry.replyTo && { replyTo: entry.replyTo }),
			createdAtMs: entry.createdAtMs,
			state: entry.state,
			...(entry.error && { error: entry.error }),
		}));
	}

	get size() {
		return this.#entries.length;
	}

	/*
	 * Marks as `sending` and returns what may go out now.  `wakeAtMs` is
	 * when to ask again for what waits for its time, or null.
	 */
	take(nowMs) {
		const seen = new Set(this.#entries
			.filter((entry) => entry.state === 'sending')
			.map((entry) => entry.conversationId));
		const ready = [];
		let wakeAtMs = null;

		for (const entry of this.#entries) {
			if (entry.state === 'failed' || seen.has(entry.conversationId))
				continue;
			seen.add(entry.conversationId);
			if (entry.retryAtMs > nowMs) {
				wakeAtMs = Math.min(wakeAtMs ?? Infinity, entry.retryAtMs);
				continue;
			}
			entry.state = 'sending';
			entry.tries++;
			ready.push(entry);
		}
		return { ready, wakeAtMs };
	}

	/* Acknowledged, or given up by its owner. */
	remove(clientMsgId) {
		const at = this.#entries.findIndex(
			(entry) => entry.clientMsgId === clientMsgId);

		return at < 0 ? undefined : this.#entries.splice(at, 1)[0];
	}

	/*
	 * A refusal.  Returns the entry when the error is definite and it is now
	 * `failed`, undefined when it will be tried again.
	 */
	refuse(clientMsgId, error, nowMs) {
		const entry = this.find(clientMsgId);

		if (!entry)
			return undefined;
		if (isRetried(error.code)) {
			const ceiling = Math.min(RETRY_LAST_MS,
				RETRY_FIRST_MS * 2 ** (entry.tries - 1));

			entry.state = 'queued';
			entry.error = { code: error.code };
			entry.retryAtMs = nowMs +
				(error.retryAfterMs ?? this.#random() * ceiling);
			return undefined;
		}
		entry.state = 'failed';
		entry.error = { code: error.code, message: error.message };
		return entry;
	}

	/* Try a failed entry again, under its old id. */
	retry(clientMsgId) {
		const entry = this.find(clientMsgId);

		if (entry?.state !== 'failed')
			return false;
		entry.state = 'queued';
		entry.error = undefined;
		entry.retryAtMs = 0;
		return true;
	}

	/* The connection is gone: what was under way is unknown, so again. */
	disconnected() {
		for (const entry of this.#entries) {
			if (entry.state === 'sending') {
				entry.state = 'queued';
				entry.error = undefined;
				entry.retryAtMs = 0;
			}
		}
	}
}
