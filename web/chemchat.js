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
import { Follow } from './chemchat-follow.js';
import { Outbox, isRetried } from './chemchat-outbox.js';
import { Marks } from './chemchat-marks.js';
import { Verbs, newId } from './chemchat-verbs.js';

export { ChemChatError, newId };

const ECHO_DEADLINE_MS = 3000;
const NO_TEXT = /\0|\p{Surrogate}/u;	/* NUL, half a character */
const DEFAULT_LIMITS = { bodyBytes: 16384, frameBytes: 65536 };

export class ChemChat extends Verbs {
	#clock;
	#link;
	#follow;
	#outbox;
	#handlers = new Map();		/* event name -> Set of functions */
	#limits = DEFAULT_LIMITS;
	#sends = new Map();			/* clientMsgId -> [resolve, reject] */
	#asked = new Set();			/* requests, repeated until answered */
	#marks = new Marks();
	#timers = new Set();
	#alarms = new Map();		/* what to do -> {timer, atMs} */
	#isStateAsked = false;
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
		super();
		this.#clock = options.clock ?? systemClock;
		this.#outbox = new Outbox({
			entries: options.outbox ?? [],
			random: () => this.#clock.random(),
		});
		this.#follow = new Follow({
			request: (...words) => this.#link.request(...words),
			later: (error, call) => this.#later(error, call),
			emit: (name, detail) => this.#emit(name, detail),
		}, { since: options.since, catchUpLimit: options.catchUpLimit,
			evs: options.state?.evs });
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
		this.#alarms.clear();
		for (const asked of this.#asked)
			asked.reject(new ChemChatError({ code: 'closed' }));
		this.#asked.clear();
		this.#isStateAsked = false;
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
	 *	people({events})				user, cursor, preference, block events
	 *	stale()							ask cursors() of what is looked at
	 *	invited({conversationId})		ask invitations()
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
	send(conversationId, body, { clientMsgId = newId(), replyTo } = {}) {
		const entry = this.#outbox.add({
			clientMsgId, conversationId, body, replyTo,
			createdAtMs: this.#clock.now(),
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
		return { position: this.#link.position, evs: this.#follow.evs };
	}

	/** What `heads` last said: {id, kind, title, role, ev, seq, readSeq, ...} */
	conversations() {
		return this.#follow.conversations;
	}

	/**
	 * How far the reader is: {readSeq, deliveredSeq}, what is given.  Told to
	 * the server soon, together with what follows; needs no connection.
	 */
	mark(conversationId, seqs) {
		if (this.#marks.put(conversationId, seqs))
			this.#tellMarks();
	}

	/** The page may be gone in a moment: tells what is not told. */
	flush() {
		this.#tellMarks({ isLast: true });
	}

	/**
	 * A request of the protocol by its type, repeated until it is answered;
	 * for a server that knows more than this library.
	 */
	ask(type, fields = {}) {
		return new Promise((resolve, reject) => {
			const asked = { type, fields, resolve, reject };

			this.#asked.add(asked);
			if (this.#link.state === 'online')
				this.#issue(asked);
		});
	}

	/* ---- the connection ---- */

	#stateChanged(state, retryAtMs) {
		if (state !== 'online') {
			this.#outbox.disconnected();
			this.#follow.disconnected();
			this.#marks.disconnected();
		}
		this.#emit('state', { state, retryAtMs });
	}

	#welcomed(frame) {
		this.userId = frame.userId;
		this.sessionId = frame.sessionId;
		this.#limits = { ...DEFAULT_LIMITS, ...frame.limits };
		this.#follow.welcomed(frame);
		for (const asked of this.#asked)
			this.#issue(asked);
		this.#askState();
		this.#tellMarks();
		this.#pump();
	}

	/* Ours and what concerns us: after anything that may have been missed. */
	#askState() {
		if (this.#isStateAsked)
			return;
		this.#isStateAsked = true;
		this.me().then((events) => this.#people(events), (error) => {
			if (error.code !== 'unknown_type')	/* a server before it */
				this.#emit('error', error);
		}).finally(() => { this.#isStateAsked = false; });
	}

	#people(events) {
		for (const event of events) {
			if (event.kind === 'cursor' && event.userId === this.userId)
				this.#marks.learn(event.conversationId, event);
		}
		this.#emit('people', { events });
	}

	#received(frame) {
		switch (frame.type) {
			case 'events':
				this.#follow.live(frame);
				break;
			case 'lag':
				this.#follow.lag(frame);
				if (frame.isStateLost) {
					this.#askState();
					this.#emit('stale');
				}
				break;
			case 'state':
				this.#people(frame.events);
				break;
			case 'invited':
				this.#emit('invited', { conversationId: frame.conversationId });
				break;
			case 'added':
				this.#follow.added(frame);
				break;
			case 'removed':
				this.#follow.removed(frame);
				break;
			case 'reset':
				this.#follow.reset();
				this.#askState();
				break;
			case 'error':
				this.#emit('error', new ChemChatError(frame));
				break;
			default:	/* a newer server's; docs/protocol.md: ignore */
		}
	}

	/* ---- sending ---- */

	#pump() {
		if (this.#link.state !== 'online')
			return;
		const { ready, wakeAtMs } = this.#outbox.take(this.#clock.now());

		for (const entry of ready)
			this.#sendNow(entry);
		this.#alarm('pump', wakeAtMs, () => this.#pump());
	}

	#sendNow(entry) {
		const { clientMsgId, conversationId, body, replyTo } = entry;
		const fields = { conversationId, clientMsgId, body,
			...(replyTo && { replyTo }) };
		const unfit = this.#unfit(fields);

		if (unfit) {
			this.#refuse(entry, unfit);
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
		this.#after(ECHO_DEADLINE_MS,
			() => this.#follow.expect(entry.conversationId, ok.ev));
		this.#pump();
	}

	#refuse(entry, error) {
		const failed = this.#outbox.refuse(
			entry.clientMsgId, error, this.#clock.now());

		if (failed) {
			const [, reject] = this.#sends.get(entry.clientMsgId) ?? [];

			this.#sends.delete(entry.clientMsgId);
			this.#emit('failed', { entry, error });
			reject?.(error);
		}
		this.#outboxChanged();
		this.#pump();
	}

	/* Why no try of this would end; undefined when it is fit for a frame. */
	#unfit(fields) {
		const odd = Object.keys(fields).find((name) =>
			typeof fields[name] === 'string' && NO_TEXT.test(fields[name]));

		/* Nobody could read the frame, nor answer it. */
		if (odd)
			return new ChemChatError({ code: 'invalid_argument', field: odd,
				message: `the ${odd === 'body' ? 'message' : odd
				} holds what is no text` });
		/* Too big a frame would cost the connection, again and again. */
		if (utf8Bytes(fields.body ?? '') > this.#limits.bodyBytes ||
			utf8Bytes(JSON.stringify(fields)) + 64 > this.#limits.frameBytes)
			return new ChemChatError({ code: 'too_large',
				field: fields.body && 'body',
				message: 'the message is too long' });
		return undefined;
	}

	#outboxChanged() {
		this.#emit('outbox', this.#outbox.list());
	}

	/* ---- asking ---- */

	/* Repeated, over connections too, until something answers. */
	#issue(asked) {
		const unfit = this.#unfit(asked.fields);

		if (unfit) {
			this.#asked.delete(asked);
			asked.reject(unfit);
			return;
		}
		this.#link.request(asked.type, asked.fields, (error, frame) => {
			if (!this.#asked.has(asked) || error?.code === 'disconnected' ||
				error?.code === 'timeout')
				return;
			if (error && isRetried(error.code)) {
				this.#later(error, () => this.#issue(asked));
				return;
			}
			this.#asked.delete(asked);
			if (error) {
				asked.reject(error);
				return;
			}
			asked.resolve(frame);
		});
	}

	/* ---- read and delivered ---- */

	#tellMarks(how = {}) {
		if (this.#link.state !== 'online')
			return;
		const { ready, wakeAtMs } = this.#marks.take(this.#clock.now(), how);

		for (const fields of ready)
			this.#tellMark(fields);
		this.#alarm('marks', wakeAtMs, () => this.#tellMarks());
	}

	#tellMark(fields) {
		const id = fields.conversationId;

		this.#link.request('mark', fields, (error, frame) => {
			if (error?.code === 'disconnected' || error?.code === 'timeout')
				return;				/* said again on the next connection */
			if (error && isRetried(error.code))
				this.#marks.delayed(id, this.#clock.now() +
					(error.retryAfterMs ?? 1000));
			else	/* a refusal for good counts as told: it would not end */
				this.#marks.told(id, error ? fields : { ...fields, ...frame });
			this.#tellMarks();
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

	/* One alarm of a name at a time, the earliest that was wanted. */
	#alarm(name, atMs, call) {
		const set = this.#alarms.get(name);

		if (atMs === null || (set && set.atMs <= atMs))
			return;
		if (set) {
			this.#clock.clearTimeout(set.timer);
			this.#timers.delete(set.timer);
		}
		this.#alarms.set(name, { atMs, timer: this.#after(
			Math.max(1, atMs - this.#clock.now()), () => {
				this.#alarms.delete(name);
				call();
			}) });
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

function utf8Bytes(text) {
	return new TextEncoder().encode(text).length;
}
