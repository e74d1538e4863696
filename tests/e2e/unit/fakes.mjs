/*
 * A clock that is turned by hand, a seeded random source, and a server small
 * enough to misbehave on purpose: what chemchat.js is tried against.
 */

/* mulberry32: small, seeded, good enough to choose faults with. */
export function seededRandom(seed) {
	let state = seed >>> 0;

	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = state;

		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

export class FakeClock {
	#nowMs = 1000000;
	#timers = new Map();
	#lastId = 0;

	constructor(random = seededRandom(1)) {
		this.random = random;
	}

	now() {
		return this.#nowMs;
	}

	setTimeout(call, ms) {
		const id = ++this.#lastId;

		this.#timers.set(id, { call, atMs: this.#nowMs + Math.max(0, ms) });
		return id;
	}

	clearTimeout(id) {
		this.#timers.delete(id);
	}

	get pending() {
		return this.#timers.size;
	}

	/* Runs what is due within `ms`, in time's order, awaits included. */
	async advance(ms) {
		const endMs = this.#nowMs + ms;

		await settle();
		for (;;) {
			let next = null;

			for (const [id, timer] of this.#timers) {
				if (timer.atMs <= endMs &&
					(!next || timer.atMs < next.timer.atMs))
					next = { id, timer };
			}
			if (!next)
				break;
			this.#timers.delete(next.id);
			this.#nowMs = next.timer.atMs;
			next.timer.call();
			await settle();
		}
		this.#nowMs = endMs;
	}
}

/* Lets every promise that can go on, go on. */
export async function settle() {
	for (let i = 0; i < 4; i++)
		await new Promise((resolve) => setImmediate(resolve));
}

/*
 * A network of one server: `sockets` are those the client has opened, newest
 * last; what it wrote is in `heard`; the test answers by say() and drop().
 */
export function fakeNetwork() {
	const sockets = [];

	class FakeSocket {
		readyState = 0;
		heard = [];
		holdsState = false;

		constructor(url, protocol) {
			this.url = url;
			this.protocol = protocol;
			sockets.push(this);
		}

		send(text) {
			const frame = JSON.parse(text);

			this.heard.push(frame);
			this.onheard?.(frame);
			/* asked by itself at each welcome; most tests have no say in it */
			if (frame.type === 'state' && !this.holdsState)
				queueMicrotask(() => this.say(
					{ type: 'state', ref: frame.ref, events: [] }));
		}

		close() {
			this.readyState = 3;
		}

		/* -- the server's side -- */
		accept() {
			this.readyState = 1;
			this.onopen?.({});
		}

		say(frame) {
			if (this.readyState === 1)
				this.onmessage?.({ data: JSON.stringify(frame) });
		}

		drop(code = 1006) {
			if (this.readyState === 3)
				return;
			this.readyState = 3;
			this.onclose?.({ code });
		}

		last(type) {
			return this.heard.findLast((frame) => frame.type === type);
		}

		count(type) {
			return this.heard.filter((frame) => frame.type === type).length;
		}
	}
	return { WebSocket: FakeSocket, sockets };
}

/* Opens the newest socket and signs its client in. */
export function welcome(socket, more = {}) {
	socket.accept();
	socket.say({
		type: 'welcome', userId: 'me', sessionId: `s${Math.random()}`,
		position: '1:1:0/0', isReset: false, pingMs: 25000, ...more,
	});
}

export function answerHeads(socket, heads) {
	socket.say({ type: 'heads', ref: socket.last('heads').ref, heads });
}

export function message(conversationId, ev, body = `m${ev}`) {
	return {
		kind: 'message', conversationId, ev, rev: 1, id: `${conversationId}/${ev}`,
		seq: ev, sender: 'them', clientMsgId: `c${ev}`, body,
		createdAt: '2026-01-01T00:00:00Z',
	};
}

export function messages(conversationId, from, upto) {
	const list = [];

	for (let ev = from; ev <= upto; ev++)
		list.push(message(conversationId, ev));
	return list;
}
