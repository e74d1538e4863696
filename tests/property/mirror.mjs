/*
 * mirror - what a client knows when it follows docs/protocol.md to the letter
 *
 * Keeps everything one user may see, fed by live frames and by what those tell
 * it to ask; never by looking again without a cause.  A mirror made afresh is
 * the snapshot it must equal (plain()).
 *
 * `failures` has what must never happen: a frame of a conversation after
 * `removed`, an answer that is none, events that go backwards in one frame.
 */

import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import { sleep } from '../lib/wait.mjs';

const REQUEST_MS = 20000;

export class Mirror {
	failures = [];
	counts = { frames: 0, pulls: 0, lags: 0, resets: 0, connects: 0 };
	isOnline = false;			/* and in step: nothing is being asked */
	#url;
	#token;
	#random;
	#socket = null;
	#waiting = new Map();		/* ref -> {resolve, reject} */
	#position;
	#isClosed = false;
	#work = 0;					/* questions that what we know depends on */
	#isOut = new Set();
	#at = 0;					/* grows with every frame */
	#movedAt = new Map();		/* conversationId -> #at of added or removed */
	#wanted = { state: 0, heads: 0 };

	constructor(userId, { url, token, random = Math.random }) {
		this.userId = userId;
		this.#url = url;
		this.#token = token;
		this.#random = random;
		this.#forget();
	}

	#forget() {
		this.conversations = new Map();
		this.own = new Map();		/* kind/id -> event */
		this.profiles = new Map();	/* userId -> event */
		this.invitations = new Set();
	}

	/* ---- the connection ---- */

	async run() {
		while (!this.#isClosed) {
			await this.#session();
			if (!this.#isClosed)
				await sleep(20 + 180 * this.#random());
		}
	}

	cut() {
		this.#socket?.terminate();
	}

	close() {
		this.#isClosed = true;
		this.#socket?.terminate();
	}

	get isInStep() {
		return this.isOnline && this.#work === 0;
	}

	#session() {
		return new Promise((resolve) => {
			const socket = new WebSocket(this.#url, 'chemchat.v1.json');

			this.#socket = socket;
			this.#isOut.clear();
			socket.on('open', () => socket.send(JSON.stringify({ type: 'hello',
				token: this.#token, position: this.#position })));
			socket.on('message', (data) => this.#hear(JSON.parse(data), socket));
			socket.on('error', () => {});
			socket.on('close', () => {
				this.isOnline = false;
				for (const { reject } of this.#waiting.values())
					reject(new Error('disconnected'));
				this.#waiting.clear();
				resolve();
			});
		});
	}

	/* The answer's frame, whatever it says; throws when there is none. */
	request(type, fields = {}) {
		const ref = randomUUID();
		const socket = this.#socket;

		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.failures.push(`${type} was not answered`);
				reject(new Error('no answer'));
			}, REQUEST_MS);

			this.#waiting.set(ref, {
				resolve: (frame) => { clearTimeout(timer); resolve(frame); },
				reject: (error) => { clearTimeout(timer); reject(error); },
			});
			if (socket?.readyState !== WebSocket.OPEN) {
				this.#waiting.delete(ref);
				clearTimeout(timer);
				reject(new Error('disconnected'));
				return;
			}
			socket.send(JSON.stringify({ type, ref, ...fields }));
		});
	}

	/* The same until it is an answer of that type; null when it is refused. */
	async #ask(type, fields) {
		for (;;) {
			const answer = await this.request(type, fields);

			if (answer.type === type)
				return answer;
			if (!['rate_limited', 'unavailable', 'busy'].includes(answer.code))
				return null;
			await sleep(answer.retryAfterMs ?? 300);
		}
	}

	/* Work that has to be done before we are in step; ends with the socket. */
	#do(task) {
		this.#work++;
		task().catch((error) => {
			if (!/disconnected|no answer/u.test(error.message))
				this.failures.push(error.stack);
		}).finally(() => { this.#work--; });
	}

	/* ---- frames ---- */

	#hear(frame, socket) {
		if (socket !== this.#socket)
			return;
		this.#at++;
		this.counts.frames++;
		if (frame.position && frame.type !== 'changes')
			this.#position = frame.position;
		if (frame.ref !== undefined && this.#waiting.has(frame.ref)) {
			this.#waiting.get(frame.ref).resolve(frame);
			this.#waiting.delete(frame.ref);
			return;
		}
		switch (frame.type) {
			case 'welcome':
				this.counts.connects++;
				if (frame.isReset) {
					this.counts.resets++;
					this.#forget();
				}
				this.isOnline = true;
				this.#sync();
				break;
			case 'events':
				this.#events(frame);
				break;
			case 'state':
				frame.events.forEach((event) => this.#stateEvent(event));
				break;
			case 'added':
				this.#movedAt.set(frame.conversationId, this.#at);
				this.#isOut.delete(frame.conversationId);
				this.invitations.delete(frame.conversationId);
				this.#enter(frame.conversationId);
				break;
			case 'removed':
				this.#movedAt.set(frame.conversationId, this.#at);
				this.#isOut.add(frame.conversationId);
				this.conversations.delete(frame.conversationId);
				break;
			case 'invited':
				this.invitations.add(frame.conversationId);
				break;
			case 'lag':
				this.counts.lags++;
				if (frame.conversationIds.length === 0)
					this.#do(() => this.#heads());
				frame.conversationIds.forEach((id) => {
					if (this.conversations.has(id))
						this.#pull(this.conversations.get(id));
				});
				if (frame.isStateLost)
					this.#refreshState();
				break;
			case 'reset':
				this.counts.resets++;
				this.#forget();
				this.#sync();
				break;
			case 'error':
				if (!['invalid_token', 'unavailable', 'rate_limited']
					.includes(frame.code))
					this.failures.push(`error ${frame.code} ${frame.field}`);
				break;
			case 'bye':
				break;
			default:
				this.failures.push(`a frame of type ${frame.type}`);
		}
	}

	#events({ conversationId, events }) {
		let conversation = this.conversations.get(conversationId);
		let last = 0;

		if (this.#isOut.has(conversationId)) {
			this.failures.push(`${conversationId}: a frame after removed`);
			return;
		}
		conversation ??= this.#enter(conversationId);
		for (const event of events) {
			if (event.ev <= last)
				this.failures.push(`${conversationId}: ${event.ev} after ${last}`);
			last = event.ev;
			if (event.ev > conversation.ev + 1) {
				this.#pull(conversation);
				return;
			}
			this.#apply(conversation, event);
			conversation.ev = Math.max(conversation.ev, event.ev);
		}
	}

	/* ---- what we know ---- */

	#sync() {
		this.#do(() => this.#heads());
		this.#refreshState();
		this.#do(async () => {
			const answer = await this.#ask('invitations');

			for (const one of answer?.invitations ?? [])
				this.invitations.add(one.conversationId);
		});
	}

	async #heads() {
		const before = new Set(this.conversations.keys());
		const askedAt = this.#at;
		const answer = await this.#ask('heads');
		const moved = (id) => (this.#movedAt.get(id) ?? -1) > askedAt;

		for (const { conversationId: id, ev } of answer?.heads ?? []) {
			before.delete(id);
			if (moved(id))
				continue;			/* a frame says more than these rows */
			const known = this.conversations.get(id) ?? this.#enter(id);

			if (known.ev < ev)
				this.#pull(known);
		}
		for (const id of before) {
			if (answer && !moved(id))
				this.conversations.delete(id);
		}
	}

	#refreshState() {
		this.#do(() => this.#state());
		for (const conversation of this.conversations.values())
			this.#meet(conversation);
	}

	/* A conversation that was not here: all of it. */
	#enter(id) {
		let conversation = this.conversations.get(id);

		if (conversation)
			return conversation;
		conversation = { id, ev: 0, entities: new Map(), cursors: new Map(),
			isPulling: false, isBehind: false, isMeeting: false,
			isStrange: false };
		this.conversations.set(id, conversation);
		this.#pull(conversation);
		this.#meet(conversation);
		/* preferences of an earlier stay */
		this.#do(() => this.#state());
		return conversation;
	}

	async #state() {
		const answer = await this.#ask('state');

		answer?.events.forEach((event) => this.#stateEvent(event));
	}

	#pull(conversation) {
		conversation.isBehind = true;
		if (conversation.isPulling)
			return;
		conversation.isPulling = true;
		this.#do(async () => {
			try {
				while (conversation.isBehind) {
					conversation.isBehind = false;
					this.counts.pulls++;
					const answer = await this.#ask('changes', {
						conversationId: conversation.id,
						afterEv: conversation.ev, maxRows: 500 });

					if (answer === null)
						return;			/* out of it: a frame will say so */
					if (answer.status === 'reset') {
						conversation.entities.clear();
						conversation.ev = 0;
						conversation.isBehind = true;
						continue;
					}
					answer.events.forEach((event) =>
						this.#apply(conversation, event));
					conversation.ev = Math.max(conversation.ev, answer.upto);
					conversation.isBehind ||= conversation.ev < answer.head;
				}
			} finally {
				conversation.isPulling = false;
			}
		});
	}

	/* Who is in it, and how far they have read. */
	#meet(conversation) {
		conversation.isStrange = true;
		if (conversation.isMeeting)
			return;
		conversation.isMeeting = true;
		this.#do(async () => {
			try {
				while (conversation.isStrange) {
					conversation.isStrange = false;
					const cursors = await this.#ask('cursors',
						{ conversationId: conversation.id });

					for (const one of cursors?.cursors ?? [])
						this.#cursor(conversation, one);
					const ids = this.#joined(conversation);

					if (ids.length === 0)
						continue;
					const users = await this.#ask('users', { ids });

					for (const event of users?.users ?? [])
						this.#profile(event);
				}
			} finally {
				conversation.isMeeting = false;
			}
		});
	}

	#joined(conversation) {
		return [...conversation.entities.values()].filter((event) =>
			event.kind === 'member' && event.state === 'joined')
			.map((event) => event.userId);
	}

	#apply(conversation, event) {
		const key = `${event.kind}/${event.kind === 'member' ? event.userId
			: event.id}`;
		const known = conversation.entities.get(key);

		if (event.conversationId !== conversation.id)
			this.failures.push(`an event of ${event.conversationId}`);
		if (known && known.rev >= event.rev)
			return;
		conversation.entities.set(key, event);
		if (event.kind === 'member' && event.state === 'joined')
			this.#meet(conversation);
	}

	#stateEvent(event) {
		if (event.kind === 'user')
			this.#profile(event);
		else if (event.kind === 'cursor') {
			const conversation = this.conversations.get(event.conversationId);

			if (conversation)
				this.#cursor(conversation, event);
		} else if (event.userId !== this.userId)
			this.failures.push(`${event.kind} of ${event.userId}`);
		else {
			const key = `${event.kind}/${event.conversationId ?? event.blockedId}`;

			if ((this.own.get(key)?.rev ?? 0) < event.rev)
				this.own.set(key, event);
		}
	}

	#cursor(conversation, { userId, readSeq = 0, deliveredSeq = 0, rev }) {
		if ((conversation.cursors.get(userId)?.rev ?? 0) < rev)
			conversation.cursors.set(userId, { readSeq, deliveredSeq, rev });
	}

	#profile(event) {
		if ((this.profiles.get(event.userId)?.rev ?? 0) < event.rev)
			this.profiles.set(event.userId, event);
	}

	/* ---- to compare ---- */

	/* Everything, as `path: text` lines in order. */
	plain() {
		const lines = [];
		const met = new Set([this.userId]);

		for (const conversation of this.conversations.values()) {
			const joined = this.#joined(conversation);

			lines.push(`${conversation.id} ev: ${conversation.ev}`);
			for (const [key, event] of conversation.entities)
				lines.push(`${conversation.id} ${key}: ${canonical(event)}`);
			for (const userId of joined) {
				const cursor = conversation.cursors.get(userId);

				met.add(userId);
				if (cursor)
					lines.push(`${conversation.id} cursor ${userId}: ${
						canonical(cursor)}`);
			}
		}
		/* Of a conversation one left nothing is told, and nothing changes. */
		for (const [key, event] of this.own) {
			if (!event.conversationId ||
				this.conversations.has(event.conversationId)) {
				lines.push(`own ${key}: ${canonical(event)}`);
			}
		}
		for (const userId of met)
			lines.push(`profile ${userId}: ${
				canonical(this.profiles.get(userId))}`);
		return lines.sort();
	}
}

function canonical(value) {
	return value === undefined ? 'unknown' : JSON.stringify(
		Object.fromEntries(Object.entries(value).sort(([a], [b]) =>
			a < b ? -1 : 1)));
}
