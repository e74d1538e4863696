/*
 * chemchat.js - a client of ChemChat (docs/protocol.md), for browsers and node
 *
 * What it promises:
 *	- a message given to send() is sent until it is acknowledged or refused
 *	  for good, under one clientMsgId, over any number of connections; those
 *	  of one conversation arrive in the order they were written;
 *	- the events of a conversation come in order, each once, without a hole,
 *	  over any number of connections, or `reset` says that they cannot;
 *	- it comes back by itself, and does not storm the server doing so.
 *
 * It keeps no messages and draws nothing.  What should outlive the page is
 * given out (`outbox` event, state()) and taken in by the constructor.
 *
 * Described with examples in docs/chemchat-js.md.
 */

import { Link, ChemChatError, systemClock } from './chemchat-link.js';
import { Order } from './chemchat-order.js';
import { Outbox, isRetried } from './chemchat-outbox.js';

export { ChemChatError };

const CHANGES_AT_ONCE = 4;		/* requests for changes under way */
const CHANGES_ROWS = 500;
const ECHO_DEADLINE_MS = 3000;
const USERS_AT_ONCE = 200;
const DEFAULT_LIMITS = { bodyBytes: 16384, frameBytes: 65536 };

export class ChemChat {
	#clock;
	#link;
	#order = new Order();
	#outbox;
	#handlers = new Map();		/* event name -> Set of functions */
	#conversations = new Map();	/* id -> what heads says of it */
	#options;
	#limits = DEFAULT_LIMITS;
	#sends = new Map();			/* clientMsgId -> [resolve, reject] */
	#reads = new Set();			/* history and users, repeated until answered */
	#behind = new Set();		/* conversations to ask changes of, in turn */
	#asking = new Set();
	#headsState = 'none';		/* none, asked, stale (ask again) */
	#timers = new Set();
	#pumpTimer = null;
	#pumpAtMs = Infinity;
	userId = null;
	sessionId = null;

	/**
	 * @param {object} options
	 * @param {string} options.url  ws://host/v1/ws
	 * @param {string|function} options.token  a token, or a function (it may
	 *	be asynchronous) that gives one for each connection
	 * @param {function} [options.WebSocket]  constructor; the global one
	 * @param {object[]} [options.outbox]  what outbox() gave in an earlier life
	 * @param {object} [options.state]  what state() gave in an earlier life
	 * @param {'head'|'start'} [options.since='head']  where to begin in a
	 *	conversation not known from `state`: at its head, or at its first event
	 * @param {number} [options.catchUpLimit=2000]  further behind than this, a
	 *	conversation is `reset` to its head instead of being caught up
	 * @param {object} [options.clock]  now, setTimeout, clearTimeout, random
	 */
	constructor(options) {
		this.#options = { since: 'head', catchUpLimit: 2000, ...options };
		this.#clock = options.clock ?? systemClock;
		this.#outbox = new Outbox({
			entries: options.outbox ?? [],
			random: () => this.#clock.random(),
		});
		for (const [id, ev] of Object.entries(options.state?.evs ?? {}))
			this.#order.start(id, ev);
		this.#link = new Link({
			url: options.url,
			token: options.token,
			WebSocket: options.WebSocket ?? globalThis.WebSocket,
			clock: this.#clock,
			position: options.state?.position,
			onState: (state, retryAtMs) => this.#stateChanged(state, retryAtMs),
			onWelcome: (frame) => this.#welcomed(frame),
			onFrame: (frame) => this.#received(frame),
		});
	}

	/* ---- what an app calls ---- */

	/** idle, connecting, online, waiting, unauthorized or closed */
	get connection() {
		return this.#link.state;
	}

	/** Connects and stays connected until close(). */
	connect() {
		this.#link.open();
	}

	/** Leaves.  What is unsent stays in outbox(). */
	close() {
		this.#link.close();
		for (const timer of this.#timers)
			this.#clock.clearTimeout(timer);
		this.#timers.clear();
		this.#pumpAtMs = Infinity;
		for (const read of this.#reads)
			read.reject(new ChemChatError({ code: 'closed' }));
		this.#reads.clear();
	}

	/** The network may be back: try now instead of waiting. */
	wake() {
		this.#link.wake();
	}

	/**
	 * Listens; returns the function that stops listening.
	 *
	 *	state({state, retryAtMs})		connecting, online, waiting, ...
	 *	ready()							heads are in: conversations() is whole
	 *	conversation(conversation)		new, or what heads says of it changed
	 *	removed({conversationId})		no longer a member
	 *	events({conversationId, events, upto})	in order, without a hole
	 *	reset({conversationId})			forget what you hold of it (null: all)
	 *	outbox(entries)					it changed: the moment to store it
	 *	sent({entry, ok})				acknowledged
	 *	failed({entry, error})			refused for good: retry() or discard()
	 *	error(error)					an error that answers nothing we asked
	 */
	on(name, handler) {
		if (!this.#handlers.has(name))
			this.#handlers.set(name, new Set());
		this.#handlers.get(name).add(handler);
		return () => this.#handlers.get(name).delete(handler);
	}

	/**
	 * Queues a message; it needs no connection.  The promise `done` gives the
	 * `ok` frame, or the error that refused it for good; it may be ignored.
	 */
	send(conversationId, body, { clientMsgId = newId() } = {}) {
		const entry = this.#outbox.add({
			clientMsgId, conversationId, body, createdAtMs: this.#clock.now(),
		});
		const done = new Promise((resolve, reject) => {
			this.#sends.set(clientMsgId, [resolve, reject]);
		});

		done.catch(() => {});
		this.#outboxChanged();
		this.#pump();
		return { clientMsgId, createdAtMs: entry.createdAtMs, done };
	}

	/** Tries a failed message again, under its id. */
	retry(clientMsgId) {
		if (this.#outbox.retry(clientMsgId)) {
			this.#outboxChanged();
			this.#pump();
		}
	}

	/** Gives a message up.  One that was under way may still arrive. */
	discard(clientMsgId) {
		if (this.#outbox.remove(clientMsgId)) {
			this.#sends.delete(clientMsgId);
			this.#outboxChanged();
		}
	}

	/** Takes over unsent messages of another life of this app. */
	adopt(entries) {
		for (const entry of entries)
			this.#outbox.add(entry);
		this.#outboxChanged();
		this.#pump();
	}

	/** Everything unsent, oldest first, as plain objects. */
	outbox() {
		return this.#outbox.list();
	}

	/** Numbers to give to a next life that kept what it was told. */
	state() {
		const evs = {};

		for (const id of this.#order.ids())
			evs[id] = this.#order.ev(id);
		return { position: this.#link.position, evs };
	}

	/** What `heads` last said: {id, kind, title, role, ev, seq, readSeq, ...} */
	conversations() {
		return [...this.#conversations.values()];
	}

	/** `message` events, newest first, older than `beforeSeq` if given. */
	history(conversationId, { beforeSeq, maxRows = 50 } = {}) {
		return this.#read('history', {
			conversationId, maxRows, ...(beforeSeq && { beforeSeq }),
		}).then((frame) => frame.events);
	}

	/**
	 * Events after `afterEv` as they now are, for an app that wants to look
	 * further back than `since`; the order of `events` is not touched.
	 */
	changes(conversationId, { afterEv, maxRows = 200 }) {
		return this.#read('changes', { conversationId, afterEv, maxRows });
	}

	/** `user` events of those ids the server lets us know. */
	async users(ids) {
		const asked = [];

		for (let at = 0; at < ids.length; at += USERS_AT_ONCE)
			asked.push(this.#read('users',
				{ ids: ids.slice(at, at + USERS_AT_ONCE) }));
		return (await Promise.all(asked)).flatMap((frame) => frame.users);
	}

	/* ---- the connection ---- */

	#stateChanged(state, retryAtMs) {
		if (state !== 'online')
			this.#disconnected();
		this.#emit('state', { state, retryAtMs });
	}

	#disconnected() {
		this.#outbox.disconnected();
		this.#asking.clear();
		this.#behind.clear();
		this.#headsState = 'none';
	}

	#welcomed(frame) {
		this.userId = frame.userId;
		this.sessionId = frame.sessionId;
		this.#limits = { ...DEFAULT_LIMITS, ...frame.limits };
		if (frame.isReset)
			this.#reset();
		this.#askHeads();
		for (const read of this.#reads)
			this.#issue(read);
		this.#pump();
	}

	#received(frame) {
		switch (frame.type) {
			case 'events':
				this.#live(frame.conversationId, frame.events);
				break;
			case 'lag':
				if (frame.conversationIds.length === 0)
					this.#askHeads();
				for (const id of frame.conversationIds) {
					this.#behind.add(id);	/* also if one is being asked */
					this.#fallBehind(id);
				}
				break;
			case 'added':
				this.#begin(frame.conversationId, frame.ev);
				if (this.#order.learn(frame.conversationId, frame.ev))
					this.#fallBehind(frame.conversationId);
				this.#askHeads();
				break;
			case 'removed':
				this.#removed(frame.conversationId);
				this.#headsState =
					this.#headsState === 'none' ? 'none' : 'stale';
				break;
			case 'reset':
				this.#reset();
				this.#askHeads();
				break;
			case 'error':
				this.#emit('error', new ChemChatError(frame));
				break;
			default:	/* a newer server's; docs/protocol.md: ignore */
		}
	}

	#reset() {
		this.#order.clear();
		this.#behind.clear();
		this.#asking = new Set();
		this.#emit('reset', { conversationId: null });
	}

	/* ---- heads: which conversations there are, and how far they are ---- */

	#askHeads() {
		if (this.#headsState !== 'none') {
			this.#headsState = 'stale';
			return;
		}
		this.#headsState = 'asked';
		this.#link.request('heads', {}, (error, frame) => {
			const isStale = this.#headsState === 'stale';

			this.#headsState = 'none';
			if (error)
				this.#later(error, () => this.#askHeads());
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
				this.#emit('conversation', conversation);
			if (this.#order.learn(conversationId, conversation.ev))
				this.#fallBehind(conversationId);
		}
		this.#emit('ready');
	}

	#removed(id) {
		const wasKnown = this.#order.has(id) || this.#conversations.has(id);

		this.#order.forget(id);
		this.#behind.delete(id);
		this.#conversations.delete(id);
		if (wasKnown)
			this.#emit('removed', { conversationId: id });
	}

	/* ---- events, in order ---- */

	#begin(id, headEv) {
		if (!this.#order.has(id))
			this.#order.start(id, this.#options.since === 'start' ? 0 : headEv);
	}

	#live(id, events) {
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
			this.#emit('events', {
				conversationId: id, events, upto: this.#order.ev(id),
			});
	}

	#fallBehind(id) {
		if (!this.#order.has(id)) {
			this.#behind.delete(id);
			this.#askHeads();
			return;
		}
		if (this.#order.missing(id) > this.#options.catchUpLimit) {
			this.#order.start(id, this.#order.head(id));
			this.#emit('reset', { conversationId: id });
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
		this.#link.request('changes',
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
			this.#later({ code: 'unavailable' }, () => this.#fallBehind(id));
	}

	#changesRefused(id, error) {
		if (error.code === 'not_found')
			this.#askHeads();
		else
			this.#later(error, () => this.#fallBehind(id));
	}

	#conversationReset(id) {
		this.#order.forget(id);
		this.#behind.delete(id);
		this.#emit('reset', { conversationId: id });
		this.#askHeads();
	}

	/* ---- sending ---- */

	#pump() {
		if (this.#link.state !== 'online')
			return;
		const { ready, wakeAtMs } = this.#outbox.take(this.#clock.now());

		for (const entry of ready)
			this.#sendNow(entry);
		if (wakeAtMs !== null && wakeAtMs < this.#pumpAtMs) {
			this.#clock.clearTimeout(this.#pumpTimer);
			this.#timers.delete(this.#pumpTimer);
			this.#pumpAtMs = wakeAtMs;
			this.#pumpTimer = this.#after(
				Math.max(1, wakeAtMs - this.#clock.now()), () => {
					this.#pumpAtMs = Infinity;
					this.#pump();
				});
		}
	}

	#sendNow(entry) {
		const { clientMsgId, conversationId, body } = entry;
		const fields = { conversationId, clientMsgId, body };

		/* Too big a frame would cost the connection, again and again. */
		if (utf8Bytes(body) > this.#limits.bodyBytes ||
			utf8Bytes(JSON.stringify(fields)) + 64 > this.#limits.frameBytes) {
			this.#refuse(entry, new ChemChatError({
				code: 'too_large', field: 'body',
				message: 'the message is too long',
			}));
			return;
		}
		this.#link.request('send', fields, (error, ok) => {
			if (!error)
				this.#acknowledged(entry, ok);
			else if (this.#link.state === 'online' && error.code !== 'timeout')
				this.#refuse(entry, error);
			/* else the connection is gone, and the outbox is told of that */
		});
	}

	#acknowledged(entry, ok) {
		const [resolve] = this.#sends.get(entry.clientMsgId) ?? [];

		this.#sends.delete(entry.clientMsgId);
		this.#outbox.remove(entry.clientMsgId);
		this.#emit('sent', { entry, ok });
		this.#outboxChanged();
		resolve?.(ok);
		/* What was acknowledged must come back as an event; see to it. */
		this.#after(ECHO_DEADLINE_MS, () => {
			if (this.#order.learn(entry.conversationId, ok.ev))
				this.#fallBehind(entry.conversationId);
		});
		this.#pump();
	}

	#refuse(entry, error) {
		const failed = this.#outbox.refuse(
			entry.clientMsgId, error, this.#clock.now());

		if (failed) {
			const [, reject] = this.#sends.get(entry.clientMsgId) ?? [];

			this.#sends.delete(entry.clientMsgId);
			this.#emit('failed', { entry, error });
			this.#outboxChanged();
			reject?.(error);
		}
		this.#pump();
	}

	#outboxChanged() {
		this.#emit('outbox', this.#outbox.list());
	}

	/* ---- reading ---- */

	#read(type, fields) {
		return new Promise((resolve, reject) => {
			const read = { type, fields, resolve, reject };

			this.#reads.add(read);
			if (this.#link.state === 'online')
				this.#issue(read);
		});
	}

	/* A read is repeated, over connections too, until something answers. */
	#issue(read) {
		this.#link.request(read.type, read.fields, (error, frame) => {
			if (!this.#reads.has(read) || error?.code === 'disconnected' ||
				error?.code === 'timeout')
				return;
			if (error && isRetried(error.code)) {
				this.#later(error, () => this.#issue(read));
				return;
			}
			this.#reads.delete(read);
			if (error)
				read.reject(error);
			else
				read.resolve(frame);
		});
	}

	/* ---- small things ---- */

	/* Again after a refusal, unless the connection it happened on is gone. */
	#later(error, call) {
		const session = this.sessionId;

		if (this.#link.state !== 'online')
			return;
		this.#after(error.retryAfterMs ?? 500 + this.#clock.random() * 1500,
			() => {
				if (this.#link.state === 'online' && this.sessionId === session)
					call();
			});
	}

	#after(delayMs, call) {
		const timer = this.#clock.setTimeout(() => {
			this.#timers.delete(timer);
			call();
		}, delayMs);

		this.#timers.add(timer);
		return timer;
	}

	#emit(name, detail) {
		for (const handler of this.#handlers.get(name) ?? [])
			handler(detail);
	}
}

/** A random UUID; crypto.randomUUID() exists on secure pages only. */
export function newId() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));

	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
		.join('');

	return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16),
		hex.slice(16, 20), hex.slice(20)].join('-');
}

function utf8Bytes(text) {
	return new TextEncoder().encode(text).length;
}
