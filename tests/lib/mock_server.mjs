/*
 * mock_server - a chat server in memory, for looking at the page alone
 *
 * Speaks docs/protocol.md well enough for the page, and misbehaves when told
 * to.  What it shows is never a promise kept by ChemChat: those are tested
 * against the real thing.
 */

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'ws';

const WEB = new URL('../../web/', import.meta.url);
const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css',
	svg: 'image/svg+xml' };
/* The policy the gateway serves the page under. */
export const POLICY = "default-src 'self'; connect-src 'self' ws: wss:";

export class MockServer {
	users = new Map();
	conversations = new Map();
	sockets = new Set();
	refuseConnections = false;
	holdSends = false;
	refuseSends = null;			/* an error code */
	#http;
	#held = [];

	async listen() {
		this.#http = createServer((request, response) =>
			this.#serve(request, response));
		const wss = new WebSocketServer({ noServer: true });

		this.#http.on('upgrade', (request, socket, head) => {
			if (this.refuseConnections)
				socket.destroy();
			else
				wss.handleUpgrade(request, socket, head,
					(ws) => this.#connected(ws));
		});
		await new Promise((resolve) =>
			this.#http.listen(0, '127.0.0.1', resolve));
		this.url = `http://127.0.0.1:${this.#http.address().port}`;
	}

	close() {
		this.dropAll();
		this.#http.close();
		this.#http.closeAllConnections();
	}

	dropAll() {
		for (const ws of this.sockets)
			ws.terminate();
	}

	releaseSends() {
		this.holdSends = false;
		this.#held.splice(0).forEach((go) => go());
	}

	/* ---- a world to look at ---- */

	addUser(handle, displayName) {
		const user = { kind: 'user', userId: randomUUID(), rev: 1, handle,
			displayName, createdAt: new Date().toISOString() };

		this.users.set(user.userId, user);
		return user.userId;
	}

	token(userId) {
		const part = (value) =>
			Buffer.from(JSON.stringify(value)).toString('base64url');

		return `${part({ alg: 'none' })}.${part({ sub: userId })}.x`;
	}

	addConversation(kind, title, members) {
		const id = randomUUID();

		this.conversations.set(id, { id, kind, title, members: new Set(members),
			log: [], seq: 0 });
		this.#append(id, { kind: 'conversation', id, type: kind, title });
		for (const userId of members)
			this.#append(id, { kind: 'member', userId, role: 'member',
				state: 'joined' });
		return id;
	}

	write(id, sender, body, { agoMs = 0, clientMsgId = randomUUID() } = {}) {
		const { log } = this.conversations.get(id);
		const known = log.find((event) => event.clientMsgId === clientMsgId);

		return known ?? this.#append(id, { kind: 'message', id: randomUUID(),
			seq: ++this.conversations.get(id).seq, sender, clientMsgId, body,
			createdAt: new Date(Date.now() - agoMs).toISOString() });
	}

	#append(id, fields) {
		const { log, members } = this.conversations.get(id);
		const { kind, ...rest } = fields;
		const event = { kind, conversationId: id, ev: log.length + 1, rev: 1,
			...rest };

		log.push(event);
		for (const ws of this.sockets) {
			if (members.has(ws.userId))
				say(ws, { type: 'events', conversationId: id, events: [event],
					position: '1:1:0/0' });
		}
		return event;
	}

	/* ---- serving ---- */

	async #serve(request, response) {
		const name = request.url === '/' ? 'index.html' : request.url.slice(1);

		try {
			const body = await readFile(new URL(name, WEB));

			response.writeHead(200, {
				'content-type': TYPES[name.split('.').at(-1)] ?? 'text/plain',
				'content-security-policy': POLICY,
			}).end(body);
		} catch {
			response.writeHead(404).end();
		}
	}

	#connected(ws) {
		this.sockets.add(ws);
		ws.on('close', () => this.sockets.delete(ws));
		ws.on('error', () => {});
		ws.on('message', (data) => this.#answer(ws, JSON.parse(data)));
	}

	#answer(ws, { type, ref, ...frame }) {
		const conversation = this.conversations.get(frame.conversationId);

		switch (type) {
			case 'hello':
				ws.userId = JSON.parse(Buffer.from(frame.token.split('.')[1],
					'base64url')).sub;
				if (!this.users.has(ws.userId)) {
					say(ws, { type: 'error', code: 'invalid_token' });
					ws.close(4401);
					return;
				}
				say(ws, { type: 'welcome', userId: ws.userId,
					sessionId: randomUUID(), position: '1:1:0/0',
					isReset: false, pingMs: 25000,
					limits: { bodyBytes: 16384, frameBytes: 65536 } });
				break;
			case 'heads':
				say(ws, { type: 'heads', ref, heads: [...this.conversations
					.values()].filter(({ members }) => members.has(ws.userId))
					.map(({ id, kind, title, log, seq }) => ({
						conversationId: id, ev: log.length, seq, readSeq: 0,
						mentions: 0, isMuted: false, kind, title,
						role: 'member', memberRev: 1,
					})), position: '1:1:0/0' });
				break;
			case 'changes':
				say(ws, { type: 'changes', ref, status: 'ok',
					conversationId: conversation.id,
					upto: conversation.log.length, head: conversation.log.length,
					events: conversation.log.slice(frame.afterEv) });
				break;
			case 'history':
				say(ws, { type: 'history', ref, conversationId: conversation.id,
					events: conversation.log.filter((event) =>
						event.kind === 'message' &&
						event.seq < (frame.beforeSeq ?? Infinity))
						.slice(-(frame.maxRows ?? 50)).reverse() });
				break;
			case 'users':
				say(ws, { type: 'users', ref, users: frame.ids
					.map((id) => this.users.get(id)).filter(Boolean) });
				break;
			case 'send':
				if (this.holdSends)
					this.#held.push(() => this.#send(ws, ref, frame));
				else
					this.#send(ws, ref, frame);
				break;
			case 'ping':
				say(ws, { type: 'pong', ref });
				break;
			case 'bye':
				ws.close(1000);
				break;
			default:
				say(ws, { type: 'error', ref, code: 'unknown_type' });
		}
	}

	#send(ws, ref, { conversationId, clientMsgId, body }) {
		if (this.refuseSends) {
			say(ws, { type: 'error', ref, code: this.refuseSends });
			return;
		}
		const { id, seq, ev, rev, createdAt } = this.write(conversationId,
			ws.userId, body, { clientMsgId });

		say(ws, { type: 'ok', ref, id, seq, ev, rev, createdAt,
			isDuplicate: false, position: '1:1:0/0' });
	}
}

function say(ws, frame) {
	if (ws.readyState === 1)
		ws.send(JSON.stringify(frame));
}
