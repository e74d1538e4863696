/*
 * mock_verbs - what the server in memory does besides sending and telling
 *
 * One function per type of docs/protocol.md: (server, ws, frame) to the
 * answer's fields, or {code} for a refusal.  Good enough to look at the page;
 * what ChemChat promises is tested against the real thing.
 */

import { randomUUID } from 'node:crypto';

const now = () => new Date().toISOString();
const done = (fields = {}) => ({ type: 'done', isDuplicate: false, ...fields });

export const verbs = {
	history(server, ws, frame) {
		const { log } = server.conversations.get(frame.conversationId);
		const { beforeSeq = Infinity, afterSeq, maxRows = 50 } = frame;
		const all = latest(log, 'message').sort((a, b) => a.seq - b.seq);
		const events = afterSeq !== undefined
			? all.filter(({ seq }) => seq > afterSeq).slice(0, maxRows)
			: all.filter(({ seq }) => seq < beforeSeq).slice(-maxRows).reverse();

		return { type: 'history', conversationId: frame.conversationId, events,
			reactions: reactionsTo(log, events) };
	},

	thread(server, ws, frame) {
		const { log } = server.conversations.get(frame.conversationId);
		const events = latest(log, 'message')
			.filter(({ thread }) => thread === frame.seq)
			.sort((a, b) => b.seq - a.seq);

		return { type: 'thread', conversationId: frame.conversationId, events,
			reactions: reactionsTo(log, events) };
	},

	edit(server, ws, frame) {
		const { body, rev, ev, deletedAt } = messageOf(server, frame) ?? {};

		if (deletedAt)
			return { code: 'deleted' };
		if (body === frame.body)
			return done({ ev, rev, isDuplicate: true });
		if (rev !== undefined && rev !== (frame.expectedRev ?? rev))
			return { code: 'conflict' };
		return change(server, frame, (message) => {
			(message.past ??= []).push({ rev: message.rev, body: message.body,
				writtenAt: message.editedAt ?? message.createdAt });
			return { body: frame.body, editedAt: now(), past: message.past,
				mentions: server.named(frame.conversationId, frame.body) };
		});
	},

	delete: (server, ws, frame) => change(server, frame, () =>
		({ body: undefined, mentions: undefined, deletedAt: now() })),

	revisions: (server, ws, frame) => ({ type: 'revisions',
		revisions: messageOf(server, frame).past ?? [] }),

	react(server, ws, { conversationId, seq, emoji, isOn = true }) {
		const event = server.change(conversationId, { kind: 'reaction',
			id: `${ws.userId}/${seq}/${emoji}`, seq, userId: ws.userId, emoji,
			state: isOn ? 'on' : 'off', changedAt: now() });

		return done({ ev: event.ev, rev: event.rev });
	},

	reactions(server, ws, { conversationId, seq, afterEv = 0, maxRows = 200 }) {
		const { log } = server.conversations.get(conversationId);

		return { type: 'reactions', reactions: reactionsTo(log, [{ seq }],
			{ most: Infinity }).filter(({ ev }) => ev > afterEv)
			.slice(0, maxRows) };
	},

	mentions(server, ws) {
		const events = server.memberships(ws.userId).flatMap(({ log }) =>
			latest(log, 'message').filter(({ mentions }) =>
				mentions?.includes(ws.userId) || mentions?.includes('*')));

		return { type: 'mentions', events: events.sort((a, b) =>
			a.createdAt < b.createdAt ? 1 : -1).slice(0, 50) };
	},

	create(server, ws, frame) {
		const pair = frame.kind === 'direct' && [...server.conversations.values()]
			.find(({ kind, members }) => kind === 'direct' &&
				members.has(ws.userId) && members.has(frame.members[0]));

		return done({ conversationId: pair ? pair.id : server.addConversation(
			frame.kind, frame.title, [ws.userId, ...frame.members],
			{ id: frame.conversationId, topic: frame.topic,
				isPublic: frame.isPublic }) });
	},

	update(server, ws, { conversationId, title, topic, isPublic, isArchived }) {
		const at = server.conversations.get(conversationId);

		Object.assign(at, clean({ title, topic, isPublic,
			archivedAt: isArchived === undefined ? undefined
				: isArchived ? now() : null }));
		server.change(conversationId, server.conversationEvent(at));
		return done();
	},

	members(server, ws, { conversationId, after = '', maxRows = 200 }) {
		return { type: 'members', members: latest(
			server.conversations.get(conversationId).log, 'member')
			.filter(({ userId }) => userId > after)
			.sort((a, b) => a.userId < b.userId ? -1 : 1).slice(0, maxRows) };
	},

	add: (server, ws, frame) => member(server, frame, 'joined'),
	remove: (server, ws, frame) => member(server, frame, 'removed'),
	role: (server, ws, frame) => member(server, frame, 'joined'),
	join: (server, ws, frame) =>
		member(server, { ...frame, userId: ws.userId }, 'joined'),
	leave: (server, ws, frame) =>
		member(server, { ...frame, userId: ws.userId }, 'removed'),

	invite(server, ws, { conversationId, userId, role = 'member' }) {
		server.change(conversationId,
			{ kind: 'member', userId, role, state: 'invited' });
		server.invited.push({ conversationId, userId, invitedBy: ws.userId,
			invitedAt: now() });
		server.tell(userId, { type: 'invited', conversationId });
		return done();
	},

	invitations(server, ws) {
		server.invitationAsks++;
		return { type: 'invitations', invitations:
			server.invited.filter(({ userId }) => userId === ws.userId)
				.map(({ conversationId, invitedBy, invitedAt }) => ({
					conversationId, invitedBy, invitedAt,
					kind: server.conversations.get(conversationId).kind,
					title: server.conversations.get(conversationId).title })) };
	},

	channels: (server, ws, { query = '' }) => ({ type: 'channels', channels:
		[...server.conversations.values()].filter(({ isPublic, title }) =>
			isPublic && title.toLowerCase().includes(query.toLowerCase()))
			.map(({ id, title, topic, members }) => ({ conversationId: id, title,
				topic, members: members.size,
				isMember: members.has(ws.userId) })) }),

	mark(server, ws, { conversationId, readSeq = 0, deliveredSeq = 0 }) {
		const key = `${ws.userId}/${conversationId}`;
		const held = server.cursors.get(key) ?? { readSeq: 0, deliveredSeq: 0 };
		const event = { kind: 'cursor', userId: ws.userId, conversationId,
			readSeq: Math.max(held.readSeq, readSeq),
			deliveredSeq: Math.max(held.deliveredSeq, deliveredSeq, readSeq) };

		event.rev = event.readSeq + event.deliveredSeq;
		server.cursors.set(key, event);
		for (const userId of server.conversations.get(conversationId).members)
			server.tell(userId, { type: 'state', events: [event] });
		return done(event);
	},

	cursors: (server, ws, { conversationId }) => ({ type: 'cursors', cursors:
		[...server.cursors.values()].filter((cursor) =>
			cursor.conversationId === conversationId) }),

	preference(server, ws, { conversationId, ...changed }) {
		const key = `${ws.userId}/${conversationId}`;
		const held = server.preferences.get(key) ?? { rev: 0, isMuted: false };
		const event = { ...held, ...clean(changed), kind: 'preference',
			userId: ws.userId, conversationId, rev: held.rev + 1 };

		server.preferences.set(key, event);
		server.tell(ws.userId, { type: 'state', events: [event] });
		return done({ rev: event.rev });
	},

	block: (server, ws, frame) => block(server, ws, frame, 'on'),
	unblock: (server, ws, frame) => block(server, ws, frame, 'off'),

	state: (server, ws) => ({ type: 'state', events: [
		server.users.get(ws.userId),
		...[server.cursors, server.preferences, server.blocks].flatMap((held) =>
			[...held.values()].filter(({ userId }) => userId === ws.userId)),
	] }),

	profile(server, ws, { displayName }) {
		const user = server.users.get(ws.userId);

		Object.assign(user, { displayName, rev: user.rev + 1 });
		for (const ws2 of server.sockets)
			server.tell(ws2.userId, { type: 'state', events: [user] });
		return done({ rev: user.rev });
	},

	find: (server, ws, { query }) => ({ type: 'users', users:
		[...server.users.values()].filter(({ handle, displayName }) =>
			handle.startsWith(query.toLowerCase()) ||
			displayName.toLowerCase().startsWith(query.toLowerCase())) }),

	users: (server, ws, { ids }) => ({ type: 'users', users:
		ids.map((id) => server.users.get(id)).filter(Boolean) }),
};

/* The last event of each entity of a kind. */
export function latest(log, kind) {
	const held = new Map();

	for (const event of log) {
		if (event.kind === kind)
			held.set(event.id ?? event.userId, event);
	}
	return [...held.values()];
}

/* As many of each message as a page of messages has. */
function reactionsTo(log, events, { most = 100 } = {}) {
	const all = latest(log, 'reaction').filter(({ state }) => state === 'on');

	return events.flatMap(({ seq }) =>
		all.filter((reaction) => reaction.seq === seq).slice(0, most));
}

function messageOf(server, { conversationId, seq }) {
	return latest(server.conversations.get(conversationId).log, 'message')
		.find((message) => message.seq === seq);
}

function change(server, frame, by) {
	const message = messageOf(server, frame);

	if (!message)
		return { code: 'not_found' };
	const { ev, rev } = server.change(frame.conversationId,
		{ ...message, ...by(message) });

	return done({ ev, rev });
}

function member(server, { conversationId, userId, role = 'member' }, state) {
	const { members } = server.conversations.get(conversationId);
	const wasIn = members.has(userId);

	server.invited = server.invited.filter((invitation) =>
		invitation.conversationId !== conversationId ||
		invitation.userId !== userId);
	const event = server.change(conversationId,
		{ kind: 'member', userId, role, state });

	if (state === 'joined' && !wasIn) {
		members.add(userId);
		server.tell(userId, { type: 'added', conversationId, ev: event.ev,
			seq: server.conversations.get(conversationId).seq });
	} else if (state === 'removed' && wasIn) {
		members.delete(userId);
		server.tell(userId, { type: 'removed', conversationId });
	}
	return done({ ev: event.ev });
}

function block(server, ws, { userId: blockedId }, state) {
	const key = `${ws.userId}/${blockedId}`;
	const event = { kind: 'block', userId: ws.userId, blockedId, state,
		rev: (server.blocks.get(key)?.rev ?? 0) + 1, changedAt: now() };

	server.blocks.set(key, event);
	server.tell(ws.userId, { type: 'state', events: [event] });
	return done({ rev: event.rev });
}

function clean(fields) {
	return Object.fromEntries(Object.entries(fields)
		.filter(([, value]) => value !== undefined));
}
