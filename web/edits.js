/*
 * edits - other texts of one's messages, entered and not saved yet
 *
 * One per message, kept (keep.js) from Enter to the server's answer, and sent
 * again by the next page of the same person.  Each goes with the revision it
 * began from, so that none takes the place of a text that nobody here has
 * seen: it is refused.  What is refused stays with its message, and `error`
 * says why, until it is entered again or given up.  One that is sent twice is
 * saved once: the text a message has already is taken at any revision.
 *
 * No DOM, no socket.
 */

const MOST_REFUSED = 50;		/* the oldest of more are given up */

export class Edits {
	#ask;
	#keep;
	#onChange;
	#entries = new Map();		/* key -> entry */
	#savedRevs = new Map();		/* key -> rev of what was saved from here */

	/*
	 * ask({conversationId, seq, body, rev}): a promise of the answer's `rev`,
	 * or of why it was refused for good; keep: keep.js; onChange()
	 */
	constructor({ ask, keep, onChange }) {
		this.#ask = ask;
		this.#keep = keep;
		this.#onChange = onChange;
	}

	/* What earlier pages left goes on. */
	resume() {
		for (const entry of this.#keep.edits()) {
			this.#entries.set(keyOf(entry), entry);
			if (!entry.error)
				this.#send(entry);
		}
	}

	/* {body, error}, or undefined. */
	of(conversationId, seq) {
		return this.#entries.get(keyOf({ conversationId, seq }));
	}

	/* `rev`: of the message when this was begun. */
	put(conversationId, { seq, rev }, body) {
		const key = keyOf({ conversationId, seq });
		const held = this.#entries.get(key);

		if (held && !held.error) {		/* goes out behind it */
			held.body = body;
			this.#keep.putEdit(held);
			return;
		}
		const entry = { conversationId, seq, body, atMs: Date.now(),
			/* one's own, of which no event has told yet, is no surprise */
			rev: Math.max(rev, this.#savedRevs.get(key) ?? 0) };

		this.#entries.delete(key);
		this.#entries.set(key, entry);
		this.#keep.putEdit(entry);
		this.#onChange();
		this.#send(entry);
	}

	/* Gives one up that was refused. */
	discard(conversationId, seq) {
		const entry = this.of(conversationId, seq);

		if (entry?.error)
			this.#drop(entry);
	}

	async #send(entry) {
		for (;;) {
			const { body } = entry;
			const error = await this.#ask({ ...entry }).then(({ rev }) => {
				entry.rev = rev;
				this.#savedRevs.set(keyOf(entry), rev);
			}, (refusal) => refusal);

			if (error?.code === 'closed')	/* the next page's, or nobody's */
				return;
			if (entry.body === body) {
				this.#answered(entry, error);
				return;
			}
			this.#keep.putEdit(entry);
		}
	}

	#answered(entry, error) {
		if (!error) {
			this.#drop(entry);
			return;
		}
		entry.error = { code: error.code, message: error.message };
		this.#keep.settleEdit(entry, { isKept: true });
		[...this.#entries.values()].filter((one) => one.error)
			.slice(0, -MOST_REFUSED).forEach((one) => this.#drop(one));
		this.#onChange();
	}

	#drop(entry) {
		this.#entries.delete(keyOf(entry));
		this.#keep.settleEdit(entry, { isKept: false });
		this.#onChange();
	}
}

function keyOf({ conversationId, seq }) {
	return `${conversationId}/${seq}`;
}
