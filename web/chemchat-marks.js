/*
 * chemchat-marks - how far was read and delivered, told to the server
 *
 * A reader moves on faster than it is worth telling: per conversation the
 * first is told at once, what follows within `restMs` together, the highest
 * numbers of it, one telling under way at a time.  Numbers never go back.  A refusal for
 * good drops them: the next ones will say more.
 *
 * Pure: no sockets; the time is given.
 */

export class Marks {
	#marks = new Map();		/* id -> {read, delivered, dueMs, ...} */
	#restMs;
	#atOnce;

	constructor({ restMs = 400, atOnce = 8 } = {}) {
		this.#restMs = restMs;
		this.#atOnce = atOnce;
	}

	/* True when it says more than what was told or will be. */
	put(id, { readSeq = 0, deliveredSeq = 0 }, nowMs) {
		const mark = this.#marks.get(id) ?? { read: 0, delivered: 0,
			toldRead: 0, toldDelivered: 0, dueMs: null, restMs: 0,
			isUnderWay: false };
		const delivered = Math.max(deliveredSeq, readSeq);

		this.#marks.set(id, mark);
		if (readSeq <= mark.read && delivered <= mark.delivered)
			return false;
		mark.read = Math.max(mark.read, readSeq);
		mark.delivered = Math.max(mark.delivered, delivered);
		mark.dueMs ??= Math.max(nowMs, mark.restMs);
		return true;
	}

	/* What the server itself says is told already. */
	learn(id, { readSeq = 0, deliveredSeq = 0 }) {
		const mark = this.#marks.get(id);

		if (!mark) {
			this.#marks.set(id, { read: readSeq, delivered: deliveredSeq,
				toldRead: readSeq, toldDelivered: deliveredSeq, dueMs: null,
				restMs: 0, isUnderWay: false });
			return;
		}
		mark.toldRead = Math.max(mark.toldRead, readSeq);
		mark.toldDelivered = Math.max(mark.toldDelivered, deliveredSeq);
		mark.read = Math.max(mark.read, readSeq);
		mark.delivered = Math.max(mark.delivered, deliveredSeq);
	}

	/* What to tell now; `wakeAtMs` is when to ask again, or null. */
	take(nowMs) {
		const ready = [];
		let underWay = 0;
		let wakeAtMs = null;

		for (const mark of this.#marks.values())
			underWay += Number(mark.isUnderWay);
		for (const [id, mark] of this.#marks) {
			if (mark.dueMs === null || mark.isUnderWay)
				continue;
			if (mark.dueMs > nowMs || underWay >= this.#atOnce) {
				wakeAtMs = Math.min(wakeAtMs ?? Infinity,
					Math.max(mark.dueMs, nowMs + this.#restMs));
				continue;
			}
			mark.dueMs = null;
			if (mark.read <= mark.toldRead &&
				mark.delivered <= mark.toldDelivered)
				continue;
			mark.isUnderWay = true;
			mark.restMs = nowMs + this.#restMs;
			underWay++;
			ready.push({ conversationId: id,
				...(mark.read > mark.toldRead && { readSeq: mark.read }),
				...(mark.delivered > mark.toldDelivered &&
					{ deliveredSeq: mark.delivered }) });
		}
		return { ready, wakeAtMs };
	}

	told(id, { readSeq = 0, deliveredSeq = 0 }) {
		const mark = this.#marks.get(id);

		if (mark) {
			mark.isUnderWay = false;
			this.learn(id, { readSeq, deliveredSeq });
		}
	}

	/* Not now: again at `atMs`. */
	delayed(id, atMs) {
		const mark = this.#marks.get(id);

		if (mark) {
			mark.isUnderWay = false;
			mark.dueMs = Math.max(mark.dueMs ?? 0, atMs);
		}
	}

	forget(id) {
		this.#marks.delete(id);
	}

	/* The connection is gone: what was under way is unknown, so again. */
	disconnected() {
		for (const mark of this.#marks.values()) {
			if (mark.isUnderWay) {
				mark.isUnderWay = false;
				mark.dueMs = 0;
			}
		}
	}
}
