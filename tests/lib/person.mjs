/*
 * person - somebody who chats: chemchat.js over a real WebSocket
 *
 * Keeps a transcript: per conversation, the events in the order in which the
 * library told them.  Watches over what must never happen meanwhile: an event
 * twice or out of order, a frame of a conversation one was removed from.
 */

import { webcrypto } from 'node:crypto';
import WebSocket from 'ws';

globalThis.crypto ??= webcrypto;
const { ChemChat } = await import('../../web/chemchat.js');

export class Person {
	transcript = new Map();		/* conversationId -> events */
	resets = [];
	removedFrom = new Set();
	failures = [];				/* what must not happen */
	frames = 0;
	#socket = null;
	#isOut = new Set();			/* as the frames say, not the library */
	#swallow = [];
	swallowed = 0;

	constructor(name, { url, token, random = Math.random }) {
		const person = this;

		this.name = name;
		this.token = token;
		/* A socket whose frames pass by us first. */
		class WatchedSocket extends WebSocket {
			constructor(...words) {
				super(...words);
				person.#socket = this;
			}

			set onmessage(handler) {
				super.onmessage = (event) => {
					if (person.#watch(JSON.parse(event.data)))
						handler(event);
				};
			}

			close(...words) {
				/* a dead peer must not keep us waiting */
				super.close(...words);
				setTimeout(() => this.terminate(), 1000).unref();
			}
		}
		this.client = new ChemChat({ url, token, since: 'start',
			catchUpLimit: Infinity, WebSocket: WatchedSocket,
			clock: { now: Date.now, random,
				setTimeout: (call, ms) => setTimeout(call, ms),
				clearTimeout: (timer) => clearTimeout(timer) } });
		this.client.on('events', (told) => this.#told(told));
		this.client.on('reset', ({ conversationId }) => {
			this.resets.push(conversationId);
			if (conversationId)
				this.transcript.delete(conversationId);
			else
				this.transcript.clear();
		});
		this.client.on('removed', ({ conversationId }) =>
			this.removedFrom.add(conversationId));
		this.client.on('conversation', ({ id }) => this.removedFrom.delete(id));
	}

	events(conversationId) {
		return this.transcript.get(conversationId) ?? [];
	}

	get isOnline() {
		return this.client.connection === 'online';
	}

	/*
	 * The network dies under it; the library is to come back by itself.  Ends
	 * once it has been told; it may be back by then.
	 */
	cut() {
		const socket = this.#socket;

		return new Promise((resolve) => {
			if (!socket || socket.readyState === WebSocket.CLOSED) {
				resolve();
				return;
			}
			socket.once('close', resolve);
			socket.terminate();
		});
	}

	/* The next `events` frame with this text is lost on its way. */
	swallowNext(text) {
		this.#swallow.push(text);
	}

	/* A request of our own making, past the outbox: {error} or the answer. */
	raw(type, fields) {
		return new Promise((resolve, reject) => {
			const socket = this.#socket;
			const ref = `raw${Math.random()}`;
			const hear = (data) => {
				const frame = JSON.parse(data);

				if (frame.ref === ref) {
					done();
					resolve(frame);
				}
			};
			const end = () => {
				done();
				reject(new Error('disconnected'));
			};
			const done = () => {
				socket.off('message', hear);
				socket.off('close', end);
			};

			socket.on('message', hear);
			socket.on('close', end);
			socket.send(JSON.stringify({ type, ref, ...fields }));
		});
	}

	/* False for a frame that is to be lost. */
	#watch(frame) {
		this.frames++;
		const id = frame.conversationId;

		if (frame.type === 'removed')
			this.#isOut.add(id);
		else if (frame.type === 'added')
			this.#isOut.delete(id);
		else if (frame.type === 'events' && this.#isOut.has(id))
			this.failures.push(`a frame of ${id} after removed`);
		if (frame.type === 'events') {
			const at = this.#swallow.findIndex((text) =>
				JSON.stringify(frame).includes(text));

			if (at >= 0) {
				this.#swallow.splice(at, 1);
				this.swallowed++;
				return false;
			}
		}
		return true;
	}

	#told({ conversationId, events }) {
		const list = this.transcript.get(conversationId) ?? [];

		this.transcript.set(conversationId, list);
		for (const event of events) {
			const last = list.at(-1)?.ev ?? 0;

			if (event.ev <= last)
				this.failures.push(
					`${conversationId}: ev ${event.ev} after ${last}`);
			list.push(event);
		}
	}

	close() {
		this.client.close();
		this.#socket?.terminate();
	}
}
