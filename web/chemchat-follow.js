/*
 * chemchat-follow - every conversation of ours, from its head or its start on
 *
 * Which conversations there are and how far they are (`heads`), their events
 * in order (chemchat-order.js), and what to ask when something is missing
 * (`changes`).  The server tells, this compares: a cold start, a reconnect, a
 * hole and a year away are the same calls.
 *
 * ports: request(type, fields, done), later(error, call) for a second try,
 * emit(name, detail).  Knows no socket and no clock.
 */

import { Order } from './chemchat-order.js';

const CHANGES_AT_ONCE = 4;		/* requests for changes under way */
const CHANGES_ROWS = 500;

export class Follow {
	#ports;
	#since;
	#catchUpLimit;
	#order = new Order();
	#conversations = new Map();	/* id -> what heads says of it */
	#behind = new Set();		/* conversations to ask changes of, in turn */
	#asking = new Set();
	#headsState = 'none';		/* none, asked, stale (ask again) */

	constructor(ports, { since = 'head', catchUpLimit = 2000, evs = {} }) {
		this.#ports = ports;
		this.#since = since;
		this.#catchUpLimit = catchUpLimit;
		for (const [id, ev] of Object.entries(evs))
			this.#order.start(id, ev);
	}

	/* How far everything was told: what a next life begins with. */
	get evs() {
		return Object.fromEntries(this.#order.ids()
			.map((id) => [id, this.#order.ev(id)]));
	}

	get conversations() {
		return [...this.#conversations.values()];
	}

	/* Whatever was asked has no answer any more. */
	disconnected() {
		this.#asking.clear();
		this.#behind.clear();
		this.#headsState = 'none';
	}

	welcomed({ isReset }) {
		if (isReset)
			this.#reset();
		this.#askHeads();
	}

	/* Somebody says this event exists: see to it that it is told. */
	expect(id, ev) {
		if (this.#order.learn(id, ev))
			this.#fallBehind(id);
	}

	lag({ conversationIds }) {
		if (conversationIds.length === 0)
			this.#askHeads();
		for (const id of conversationIds) {
			this.#behind.add(id);	/* also if one is being asked */
			this.#fallBehind(id);
		}
	}

	added({ conversationId, ev }) {
		this.#begin(conversationId, ev);
		this.expect(conversationId, ev);
		this.#askHeads();
	}

	removed({ conversationId }) {
		this.#removed(conversationId);
		if (this.#headsState === 'asked')
			this.#headsState = 'stale';
	}

	reset() {
		this.#reset();
		this.#askHeads();
	}

	#reset() {
		this.#order.clear();
		this.#behind.clear();
		this.#asking = new Set();
		this.#ports.emit('reset', { conversationId: null });
	}

	/* ---- heads ---- */

	#askHeads() {
		if (this.#headsState !== 'none') {
			this.#headsState = 'stale';
			return;
		}
		this.#headsState = 'asked';
		this.#ports.request('heads', {}, (error, frame) => {
			const isStale = this.#headsState === 'stale';

			this.#headsState = 'none';
			if (error)
				this.#ports.later(error, () => this.#askHeads());
			else if (isStale)	/* membership changed meanwhile */
				this.#askHeads();
			else
				this.#applyHeads(frame.heads);
		});
	}

	#applyHeads(heads) {
		const present = new Set(heads.map((head) => head.conversationId));

		for (const id of [...this.#conversations.keys(), ...this.#order.ids()]) {
			if (!present.has(id))
				this.#removed(id);
		}
		for (const { conversationId, ...rest } of heads) {
			const conversation = { id: conversationId, ...rest };
			const old = this.#conversations.get(conversationId);

			this.#conversations.set(conversationId, conversation);
			this.#begin(conversationId, conversation.ev);
			if (JSON.stringify(old) !== JSON.stringify(conversation))
				this.#ports.emit('conversation', conversation);
			if (this.#order.learn(conversationId, conversation.ev))
				this.#fallBehind(conversationId);
		}
		this.#ports.emit('ready');
	}

	#removed(id) {
		const wasKnown = this.#order.has(id) || this.#conversations.has(id);

		this.#order.forget(id);
		this.#behind.delete(id);
		this.#conversations.delete(id);
		if (wasKnown)
			this.#ports.emit('removed', { conversationId: id });
	}

	/* ---- events, in order ---- */

	#begin(id, headEv) {
		if (!this.#order.has(id))
			this.#order.start(id, this.#since === 'start' ? 0 : headEv);
	}

	live({ conversationId: id, events }) {
		if (!events.length)
			return;
		if (!this.#order.has(id)) {		/* before heads told us of it */
			this.#begin(id, events[0].ev - 1);
			this.#askHeads();
		}
		this.#deliver(id, this.#order.live(id, events));
		if (this.#order.missing(id) > 0)
			this.#fallBehind(id);
	}

	#deliver(id, events) {
		if (events.length)
			this.#ports.emit('events', {
				conversationId: id, events, upto: this.#order.ev(id),
			});
	}

	#fallBehind(id) {
		if (!this.#order.has(id)) {
			this.#behind.delete(id);
			this.#askHeads();
			return;
		}
		if (this.#order.missing(id) > this.#catchUpLimit) {
			this.#order.start(id, this.#order.head(id));
			this.#ports.emit('reset', { conversationId: id });
			return;
		}
		if (!this.#asking.has(id))
			this.#behind.add(id);
		this.#catchUp();
	}

	#catchUp() {
		for (const id of this.#behind) {
			if (this.#asking.size >= CHANGES_AT_ONCE)
				return;
			if (this.#asking.has(id))
				continue;
			this.#behind.delete(id);
			this.#askChanges(id);
		}
	}

	#askChanges(id) {
		const asking = this.#asking;
		const afterEv = this.#order.ev(id);

		asking.add(id);
		this.#ports.request('changes',
			{ conversationId: id, afterEv, maxRows: CHANGES_ROWS },
			(error, frame) => {
				asking.delete(id);
				/* A reset or a new connection meanwhile: not our numbers. */
				if (asking !== this.#asking || !this.#order.has(id))
					return;
				if (error)
					this.#changesRefused(id, error);
				else if (frame.status === 'reset')
					this.#conversationReset(id);
				else
					this.#changesAnswered(id, afterEv, frame);
				this.#catchUp();
			});
	}

	#changesAnswered(id, afterEv, frame) {
		const heldEv = this.#order.ev(id);

		this.#deliver(id, this.#order.answer(id, frame));
		if (this.#order.missing(id) <= 0)
			return;
		if (this.#order.ev(id) > heldEv || heldEv > afterEv)
			this.#behind.add(id);
		else	/* a server that is behind what another one told us */
			this.#ports.later({ code: 'unavailable' }, () => this.#fallBehind(id));
	}

	#changesRefused(id, error) {
		if (error.code === 'not_found')
			this.#askHeads();
		else
			this.#ports.later(error, () => this.#fallBehind(id));
	}

	#conversationReset(id) {
		this.#order.forget(id);
		this.#behind.delete(id);
		this.#ports.emit('reset', { conversationId: id });
		this.#askHeads();
	}
}
