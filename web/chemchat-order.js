/*
 * chemchat-order - which changes of a conversation may be applied now
 *
 * Live frames and answers to `changes` come from different roads and overtake
 * each other, frames get lost, connections break.  Out of here come, for each
 * conversation, events of strictly rising `ev`, none twice, and none after a
 * hole: what lies behind a hole is kept until the hole is filled.
 *
 * Pure: no sockets, no clock.  Bounded: at most `heldLimit` events are kept
 * per conversation; beyond it they are dropped, which is only another hole.
 */

export class Order {
	#known = new Map();		/* conversationId -> { ev, head, held } */
	#heldLimit;

	constructor({ heldLimit = 1000 } = {}) {
		this.#heldLimit = heldLimit;
	}

	has(id) {
		return this.#known.has(id);
	}

	/* Everything up to this `ev` was applied; undefined when not followed. */
	ev(id) {
		return this.#known.get(id)?.ev;
	}

	/* The highest `ev` that is known to exist. */
	head(id) {
		return this.#known.get(id)?.head;
	}

	ids() {
		return [...this.#known.keys()];
	}

	/* Follow from here on: `ev` counts as applied. */
	start(id, ev) {
		this.#known.set(id, { ev, head: ev, held: new Map() });
	}

	forget(id) {
		this.#known.delete(id);
	}

	clear() {
		this.#known.clear();
	}

	/* Somebody says this `ev` exists.  True when we have not applied it. */
	learn(id, ev) {
		const at = this.#known.get(id);

		if (!at)
			return false;
		at.head = Math.max(at.head, ev);
		return at.head > at.ev;
	}

	/* What is known to exist and was not applied. */
	missing(id) {
		const at = this.#known.get(id);

		return at ? at.head - at.ev : 0;
	}

	/* Live events: returns those to apply now, in order. */
	live(id, events) {
		const at = this.#known.get(id);

		if (!at)
			return [];
		for (const event of events) {
			at.head = Math.max(at.head, event.ev);
			if (event.ev > at.ev)
				at.held.set(event.ev, event);
		}
		const ready = this.#release(at);

		if (at.held.size > this.#heldLimit)
			at.held.clear();
		return ready;
	}

	/*
	 * The answer to `changes`: each entity once, as it now is, so its `ev`s
	 * may have gaps; having applied it we are at `upto`.  An entity that has
	 * changed again beyond `upto` comes again by then, so it is left for then.
	 */
	answer(id, { events, upto, head }) {
		const at = this.#known.get(id);

		if (!at)
			return [];
		at.head = Math.max(at.head, head ?? upto, upto);
		const ready = events.filter(
			(event) => event.ev > at.ev && event.ev <= upto);

		at.ev = Math.max(at.ev, upto);
		return ready.concat(this.#release(at));
	}

	/* Takes what now follows without a hole out of what was held. */
	#release(at) {
		const ready = [];

		for (;;) {
			const next = at.held.get(at.ev + 1);

			if (!next)
				break;
			at.held.delete(next.ev);
			at.ev = next.ev;
			ready.push(next);
		}
		for (const ev of at.held.keys()) {
			if (ev <= at.ev)
				at.held.delete(ev);
		}
		return ready;
	}
}
