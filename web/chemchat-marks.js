/*
 * chemchat-marks - how far was read and delivered, told to the server
 *
 * A reader moves on faster than it is worth telling: per conversation the
 * first is told at once, what follows within `restMs` together, the highest
 * numbers of it; what was read does not wait for what was delivered.  Numbers
 * never go back.  A refusal for good counts as told: the next ones say more.
 *
 * Pure: no sockets; the time is given.
 */

export class Marks {
	#marks = new Map();			/* conversation id -> its two numbers */
	#underWay = 0;
	#restMs;
	#atOnce;

	constructor({ restMs = 400, atOnce = 16 } = {}) {
		this.#restMs = restMs;
		this.#atOnce = atOnce;
	}

	/* True when it says more than what was told or will be. */
	put(id, { readSeq = 0, deliveredSeq = 0 }) {
		const mark = this.#mark(id);
		const isRead = raise(mark.read, readSeq);

		return raise(mark.delivered, Math.max(deliveredSeq, readSeq)) || isRead;
	}

	/* What the server itself says is told already. */
	learn(id, { readSeq = 0, deliveredSeq = 0 }) {
		const { read, delivered } = this.#mark(id);

		for (const [number, seq] of [[read, readSeq], [delivered, deliveredSeq]]) {
			raise(number, seq);
			number.told = Math.max(number.told, seq);
			number.sent = Math.max(number.sent, seq);
		}
	}

	/*
	 * What to tell now, all of it when `isLast`; `wakeAtMs` is when to ask
	 * again, or null.
	 */
	take(nowMs, { isLast = false } = {}) {
		const ready = [];
		let wakeAtMs = null;

		for (const [id, mark] of this.#marks) {
			const fields = {};

			for (const [name, number] of [['readSeq', mark.read],
				['deliveredSeq', mark.delivered]]) {
				if (number.seq <= number.sent)
					continue;
				if (!isLast && (number.restsUntilMs > nowMs ||
					this.#underWay >= this.#atOnce)) {
					wakeAtMs = Math.min(wakeAtMs ?? Infinity,
						Math.max(number.restsUntilMs, nowMs + 50));
					continue;
				}
				number.sent = number.seq;
				number.restsUntilMs = nowMs + this.#restMs;
				fields[name] = number.seq;
			}
			if (Object.keys(fields).length) {
				this.#underWay++;
				ready.push({ conversationId: id, ...fields });
			}
		}
		return { ready, wakeAtMs };
	}

	told(id, seqs) {
		this.#underWay = Math.max(0, this.#underWay - 1);
		this.learn(id, seqs);
	}

	/* Not now: again at `atMs`. */
	delayed(id, atMs) {
		const { read, delivered } = this.#mark(id);

		this.#underWay = Math.max(0, this.#underWay - 1);
		for (const number of [read, delivered]) {
			if (number.sent > number.told) {
				number.sent = number.told;
				number.restsUntilMs = Math.max(number.restsUntilMs, atMs);
			}
		}
	}

	/* The connection is gone: what was under way is unknown, so again. */
	disconnected() {
		this.#underWay = 0;
		for (const { read, delivered } of this.#marks.values()) {
			for (const number of [read, delivered]) {
				number.sent = number.told;
				number.restsUntilMs = 0;
			}
		}
	}

	#mark(id) {
		if (!this.#marks.has(id))
			this.#marks.set(id, { read: nothing(), delivered: nothing() });
		return this.#marks.get(id);
	}
}

const nothing = () => ({ seq: 0, sent: 0, told: 0, restsUntilMs: 0 });

function raise(number, seq) {
	if (seq <= number.seq)
		return false;
	number.seq = seq;
	return true;
}
