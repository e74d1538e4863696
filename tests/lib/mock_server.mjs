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
import { latest, verbs } from './mock_verbs.mjs';

const WEB = new URL('../../web/', import.meta.url);
const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css',
	svg: 'image/svg+xml', webmanifest: 'application/manifest+json' };
/* The policy the gateway serves the page under. */
export const POLICY = "default-src 'self'; connect-src 'self' ws: wss:";

export class MockServer {
	users = new Map();
	conversations = new Map();
	sockets = new Set();
	refuseConnections = false;
	holdSends = false;
	refuseSends = null;			/* an error code */
	passwords = new Map();		/* handle -> password */
	hasPasswords = true;		/* local accounts are on */
	cursors = new Map();
	preferences = new Map();
	blocks = new Map();
	invited = [];
	invitationAsks = 0;
	refuseVerbs = null;			/* an error code */
	signedOut = [];				/* tokens */
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

	/* The first of `members` owns it. */
	addConversation(kind, title, members, { id = randomUUID(), topic,
		isPublic } = {}) {
		const made = { id, kind, title, topic, isPublic,
			members: new Set(members), log: [], seq: 0 };

		this.conversations.set(id, made);
		this.change(id, this.conversationEvent(made));
		members.forEach((userId, i) => this.change(id, { kind: 'member', userId,
			role: i === 0 ? 'owner' : 'member', state: 'joined' }));
		for (const userId of members)
			this.tell(userId, { type: 'added', conversationId: id,
				ev: made.log.length, seq: 0 });
		return id;
	}

	conversationEvent({ id, kind, title, topic, isPublic, archivedAt }) {
		return { kind: 'conversation', id, type: kind, title, topic,
			isPublic: isPublic || undefined, archivedAt: archivedAt ?? undefined };
	}

	write(id, sender, body, { agoMs = 0, clientMsgId = randomUUID(),
		replyTo } = {}) {
		const at = this.conversations.get(id);
		const known = at.log.find((event) => event.clientMsgId === clientMsgId);
		const replied = replyTo && at.log.find((event) =>
			event.kind === 'message' && event.seq === replyTo);

		return known ?? this.change(id, { kind: 'message', id: randomUUID(),
			seq: ++at.seq, sender, clientMsgId, body,
			createdAt: new Date(Date.now() - agoMs).toISOString(), replyTo,
			thread: replied ? replied.thread ?? replyTo : undefined,
			mentions: this.named(id, body) });
	}

	/* Many at once, told to nobody. */
	fill(id, sender, count, bodyOf) {
		const at = this.conversations.get(id);

		for (let i = 0; i < count; i++)
			at.log.push({ kind: 'message', conversationId: id,
				ev: at.log.length + 1, rev: 1, id: randomUUID(), seq: ++at.seq,
				sender, clientMsgId: randomUUID(), body: bodyOf(i + 1),
				createdAt: new Date(Date.now() - (count - i) * 1000)
					.toISOString() });
	}

	named(id, body) {
		const { members } = this.conversations.get(id);
		const ids = [...members].filter((userId) =>
			new RegExp(`(^|\\s)@${this.users.get(userId).handle}\\b`, 'u')
				.test(body));

		return /(^|\s)@all\b/u.test(body) ? ['*'] : ids.length ? ids : undefined;
	}

	memberships(userId) {
		return [...this.conversations.values()]
			.filter(({ members }) => members.has(userId));
	}

	/* The entity as it now is, numbered, kept and told to the members. */
	change(id, fields) {
		const { log, members } = this.conversations.get(id);
		const { kind, ...rest } = fields;
		const before = log.findLast((event) => event.kind === kind &&
			(event.id ?? event.userId) === (rest.id ?? rest.userId));
		const event = { ...rest, kind, conversationId: id, ev: log.length + 1,
			rev: (before?.rev ?? 0) + 1 };

		log.push(event);
		for (const userId of members)
			this.tell(userId, { type: 'events', conversationId: id,
				events: [event], position: '1:1:0/0' });
		return event;
	}

	tell(userId, frame) {
		for (const ws of this.sockets) {
			if (ws.userId === userId)
				say(ws, frame);
		}
	}

	/* ---- serving ---- */

	async #serve(request, response) {
		const name = request.url === '/' ? 'index.html' : request.url.slice(1);

		if (request.url.startsWith('/v1/')) {
			await this.#rest(request, response);
			return;
		}
		if (this.refuseConnections) {
			request.socket.destroy();
			return;
		}
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

	/* Sessions, for the sign-in form. */
	async #rest(request, response) {
		const parts = [];

		for await (const part of request)
			parts.push(part);
		const body = parts.length ? JSON.parse(Buffer.concat(parts)) : {};
		const token = request.headers.authorization?.slice(7);
		const answer = (status, fields) => response.writeHead(status,
			{ 'content-type': 'application/json' }).end(JSON.stringify(fields));
		const session = (userId) => answer(200, { token: this.token(userId),
			userId, expiresAt: new Date(Date.now() + 43200000).toISOString() });
		const of = (text) => JSON.parse(Buffer.from(text.split('.')[1],
			'base64url')).sub;

		switch (`${request.method} ${request.url}`) {
			case 'POST /v1/sessions': {
				const user = [...this.users.values()]
					.find(({ handle }) => handle === body.handle);

				if (user && this.passwords.get(body.handle) === body.password)
					session(user.userId);
				else
					answer(401, { code: 'invalid_credentials' });
				break;
			}
			case 'POST /v1/sessions/refresh':
				session(of(token));
				break;
			case 'DELETE /v1/sessions/current':
				this.signedOut.push(token);
				response.writeHead(204).end();
				break;
			case 'PUT /v1/me/password': {
				const { handle } = this.users.get(of(token));

				if (!this.hasPasswords) {
					answer(404, { code: 'not_found' });
					break;
				}
				if (this.passwords.get(handle) !== body.oldPassword) {
					answer(401, { code: 'invalid_credentials' });
					break;
				}
				this.passwords.set(handle, body.newPassword);
				session(of(token));
				break;
			}
			default:
				answer(404, { code: 'not_found' });
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
				say(ws, { type: 'heads', ref, heads: this.memberships(ws.userId)
					.map((at) => this.#head(ws.userId, at)),
				position: '1:1:0/0' });
				break;
			case 'changes':
				say(ws, { type: 'changes', ref, status: 'ok',
					conversationId: conversation.id,
					upto: conversation.log.length, head: conversation.log.length,
					events: conversation.log.slice(frame.afterEv) });
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
				this.#verb(ws, type, ref, frame);
		}
	}

	#verb(ws, type, ref, frame) {
		const answer = this.refuseVerbs ? { code: this.refuseVerbs }
			: verbs[type]?.(this, ws, frame) ?? { code: 'unknown_type' };

		say(ws, { ref, ...answer.code ? { type: 'error', ...answer } : answer });
	}

	#head(userId, { id, kind, title, topic, isPublic, archivedAt, log, seq,
		members }) {
		const key = `${userId}/${id}`;
		const { readSeq = 0, deliveredSeq = 0 } = this.cursors.get(key) ?? {};
		const { isMuted = false, notify = 'all', mutedUntil } =
			this.preferences.get(key) ?? {};
		const last = log.findLast((event) => event.kind === 'message');

		return { conversationId: id, ev: log.length, seq, readSeq, deliveredSeq,
			mentions: latest(log, 'message').filter((message) =>
				message.seq > readSeq && message.mentions?.some((one) =>
				one === userId || one === '*')).length,
			isMuted, mutedUntil, notify, kind, title, topic,
			isPublic: isPublic || undefined, archivedAt: archivedAt ?? undefined,
			otherId: kind === 'direct' ? [...members]
				.find((other) => other !== userId) : undefined,
			role: log.findLast((event) => event.kind === 'member' &&
				event.userId === userId)?.role ?? 'member', memberRev: 1,
			lastAt: last?.createdAt };
	}

	#send(ws, ref, { conversationId, clientMsgId, body, replyTo }) {
		if (this.refuseSends) {
			say(ws, { type: 'error', ref, code: this.refuseSends });
			return;
		}
		const { id, seq, ev, rev, createdAt } = this.write(conversationId,
			ws.userId, body, { clientMsgId, replyTo });

		say(ws, { type: 'ok', ref, id, seq, ev, rev, createdAt,
			isDuplicate: false, position: '1:1:0/0' });
	}
}

function say(ws, frame) {
	if (ws.readyState === 1)
		ws.send(JSON.stringify(frame));
}
