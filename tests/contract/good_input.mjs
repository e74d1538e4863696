/*
 * good_input - everything a client can do, done once as it should be
 */

import { waitFor } from '../lib/wait.mjs';
import { Socket } from './socket.mjs';

const uuid = () => crypto.randomUUID();

/* Counts each check that held; the first that does not ends the part. */
function counting(report, object, names) {
	return new Proxy(object, { get(target, name) {
		const value = target[name];

		return !names.includes(name) ? value
			: async (...words) => {
				const answer = await value.apply(target, words);

				report.passed++;
				return answer;
			};
	} });
}

export async function goodRequests({ http: plain, ann, ben, cas, dot, password,
	documents, url }, report) {
	const http = counting(report, plain, ['expect']);
	const { token } = ann;
	const ask = (id, values = {}, status = 200) =>
		http.expect(id, { token, ...values }, status);

	/* conversations and members */
	const key = uuid();
	const created = await ask('createConversation', { 'Idempotency-Key': key,
		body: { kind: 'group', title: 'Lab', topic: 'what we do',
			members: [ben.id] } }, 201);
	const conversationId = created.conversationId;
	const there = { conversationId };

	if (conversationId !== key)
		throw new Error('the key is not the id');
	await ask('createConversation', { 'Idempotency-Key': key,
		body: { kind: 'group', title: 'Lab', topic: 'what we do',
			members: [ben.id] } });
	const channel = (await ask('createConversation', { body: { kind: 'channel',
		title: 'News', isPublic: true, members: [] } }, 201)).conversationId;
	await ask('createConversation', { body: { kind: 'direct',
		members: [ben.id] } }, 201);
	await ask('createConversation', { body: { kind: 'direct',
		members: [ben.id] } });
	const heads = await plain.call('listConversations', { token });

	report.passed++;
	if (heads.value.heads.length < 3)
		throw new Error('conversations are missing');
	await ask('listConversations', { 'If-None-Match':
		heads.headers.get('etag') }, 304);
	const one = await plain.call('getConversation', { token, ...there });

	await ask('getConversation', { ...there, 'If-None-Match':
		`"x", ${one.headers.get('etag')}` }, 304);
	await ask('updateConversation', { ...there, body: { title: 'The lab',
		topic: '' } });
	await ask('getConversation', { ...there, 'If-None-Match':
		one.headers.get('etag') });
	await ask('addMember', { ...there, userId: cas.id, body: { role: 'guest' } });
	await ask('setRole', { ...there, userId: cas.id, body: { role: 'member' } });
	await ask('addMember', { ...there, userId: cas.id });
	await ask('removeMember', { ...there, userId: cas.id });
	await ask('invite', { ...there, body: { userId: cas.id } });
	if ((await ask('listInvitations', { token: cas.token })).invitations
		.length !== 1)
		throw new Error('no invitation');
	await ask('leave', { ...there, token: cas.token });
	await ask('invite', { ...there, body: { userId: cas.id, role: 'guest' } });
	await ask('join', { ...there, token: cas.token });
	await ask('join', { conversationId: channel, token: cas.token });
	const page = await ask('listMembers', { ...there, maxRows: 2 });

	await ask('listMembers', { ...there, maxRows: 2, after: page.next });
	await ask('listChannels', { query: 'ne', maxRows: 1 });

	/* messages */
	const message = { 'Idempotency-Key': uuid(), body: { body: 'hi @ben' },
		traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
	const { seq } = await ask('sendMessage', { ...there, ...message }, 201);

	if (!(await ask('sendMessage', { ...there, ...message })).isDuplicate)
		throw new Error('sent twice');
	await ask('sendMessage', { ...there, token: ben.token,
		'Idempotency-Key': uuid(), body: { body: 'hello', replyTo: seq } }, 201);
	await ask('editMessage', { ...there, seq, 'If-Match': '"1"',
		body: { body: 'hi @ben and @all' } });
	await ask('react', { ...there, seq, emoji: '👍' });
	await ask('react', { ...there, seq, emoji: '🧪' });
	await ask('unreact', { ...there, seq, emoji: '👍' });
	await ask('unreact', { ...there, seq, emoji: '🎈' });
	const revisions = await ask('listRevisions', { ...there, seq, maxRows: 1 });

	if (revisions.revisions.length !== 1)
		throw new Error('not one revision');
	await ask('listRevisions', { ...there, seq, afterRev: revisions.next });
	const reactions = await ask('listReactions', { ...there, seq, maxRows: 1 });

	if (reactions.reactions.length !== 1 || (await ask('listReactions',
		{ ...there, seq, afterEv: reactions.next })).reactions.length !== 0)
		throw new Error('not the one reaction');
	const history = await ask('listMessages', { ...there, maxRows: 1 });

	if (history.next === undefined || (await ask('listMessages', { ...there,
		beforeSeq: history.next })).events.length !== 1)
		throw new Error('the next page is not the rest');
	const mine = (await ask('listConversations')).heads
		.find((one) => one.conversationId === there.conversationId);

	if (mine.lastAt !== history.events[0].createdAt)
		throw new Error(`the last message is of ${mine.lastAt}?`);
	if ((await ask('listMessages', { ...there, afterSeq: 0 })).reactions
		.length !== 1)
		throw new Error('not one reaction');
	await ask('listThread', { ...there, seq });
	const mentions = await ask('listMentions', { token: ben.token, maxRows: 1 });

	if (mentions.events.length !== 1 || (await ask('listMentions', {
		token: ben.token, before: mentions.next })).events
		.some((event) => event.id === mentions.events[0].id))
		throw new Error('the next page of mentions is not the rest');
	await ask('listChanges', { ...there, afterEv: 0, maxRows: 5 });

	/* cursors, people */
	await ask('mark', { ...there, token: ben.token, body: { readSeq: 1 } });
	await ask('listCursors', there);
	await ask('setPreference', { ...there, body: { isMuted: true,
		mutedUntil: '2031-02-03T04:05:06+01:00', notify: 'mentions' } });
	await ask('block', { userId: cas.id });
	await ask('unblock', { userId: cas.id });
	await ask('updateProfile', { body: { displayName: 'Ann A.' } });
	await ask('getState');
	await ask('listUsers', { ids: [ben.id, ann.id].join(',') });
	await ask('listUsers', { query: 'be', maxRows: 5 });
	await ask('deleteMessage', { ...there, seq });
	await ask('updateConversation', { conversationId: channel,
		body: { isArchived: true } });
	await ask('leave', { ...there, token: ben.token });

	/* sessions, the service */
	await ask('signIn', { token: undefined, body: { handle: 'dot', password } },
		201).then((session) => { dot.token = session.token; });
	await ask('refreshToken', { token: dot.token });
	dot.token = (await ask('changePassword', { token: dot.token, body: {
		oldPassword: password, newPassword: `${password}!` } })).token;
	await ask('signOut', { token: dot.token });
	await ask('getLimits', { token: undefined });
	for (const id of ['getOpenapi', 'getAsyncapi', 'getSchema']) {
		const answer = await plain.call(id, { name: 'event.json' });

		await ask(id, { token: undefined, name: 'event.json',
			'If-None-Match': answer.headers.get('etag') }, 304);
	}
	await ask('pollEvents', { timeoutMs: 0 });

	/* Whatever is documented as success has been seen; HEAD is as GET. */
	for (const operation of documents.operations()) {
		for (const status of Object.keys(operation.responses)) {
			if (status < '400' &&
				!plain.seen.get(operation.operationId)?.has(Number(status)))
				report.failures.push(`${operation.operationId} never answered ${
					status}`);
			else
				report.passed++;
		}
	}
	const head = await fetch(`${url}/v1/me`, { method: 'HEAD',
		headers: { Authorization: `Bearer ${token}` } });

	if (head.status !== 200 || (await head.text()) !== '')
		throw new Error(`HEAD is ${head.status}`);
}

export async function goodFrames({ socketUrl, documents, ann, ben, cas },
	report) {
	const sockets = [];
	const enter = async (person) => {
		const socket = new Socket(socketUrl, documents);

		sockets.push(socket);
		await socket.opened;
		await socket.good('hello', { token: person.token });
		return counting(report, socket, ['good', 'bad']);
	};
	const a = await enter(ann);
	const b = await enter(ben);
	const c = await enter(cas);
	const asked = new Set(['hello']);
	const ask = (socket, type, fields) => {
		asked.add(type);
		return socket.good(type, fields);
	};
	const { conversationId } = await ask(a, 'create', { kind: 'group',
		title: 'Frames', members: [ben.id] });
	const there = { conversationId };
	const clientMsgId = uuid();

	await waitFor('ben hears of it', () =>
		b.live.some((frame) => frame.type === 'added'));
	const { seq } = await ask(a, 'send', { ...there, clientMsgId,
		body: 'one @ben' });

	await ask(a, 'send', { ...there, clientMsgId, body: 'one @ben' });
	await ask(b, 'send', { ...there, clientMsgId: uuid(), body: 'two',
		replyTo: seq });
	await ask(a, 'edit', { ...there, seq, body: 'one!', expectedRev: 1 });
	await ask(b, 'react', { ...there, seq, emoji: '👍' });
	await ask(b, 'react', { ...there, seq, emoji: '👍', isOn: false });
	await ask(b, 'react', { ...there, seq, emoji: '🎈', isOn: false });
	await ask(b, 'revisions', { ...there, seq });
	await ask(b, 'reactions', { ...there, seq });
	await ask(b, 'history', { ...there, maxRows: 1 });
	await ask(b, 'thread', { ...there, seq });
	await ask(b, 'mentions', {});
	await ask(b, 'changes', { ...there, afterEv: 0 });
	await ask(b, 'heads', {});
	await ask(b, 'conversation', there);
	await ask(b, 'mark', { ...there, readSeq: 2 });
	await ask(a, 'cursors', there);
	await ask(a, 'update', { ...there, topic: 'frames' });
	await ask(a, 'invite', { ...there, userId: cas.id });
	await waitFor('cas is told', () =>
		c.live.some((frame) => frame.type === 'invited'));
	await ask(c, 'invitations', {});
	await ask(c, 'join', there);
	await ask(a, 'role', { ...there, userId: cas.id, role: 'admin' });
	await ask(a, 'remove', { ...there, userId: cas.id });
	await waitFor('cas is out', () =>
		c.live.some((frame) => frame.type === 'removed'));
	await ask(a, 'add', { ...there, userId: cas.id, role: 'guest' });
	await ask(c, 'leave', there);
	await ask(a, 'members', { ...there, maxRows: 1 });
	await ask(a, 'channels', {});
	await ask(a, 'preference', { ...there, notify: 'none' });
	await ask(a, 'block', { userId: cas.id });
	await ask(a, 'unblock', { userId: cas.id });
	await ask(a, 'state', {});
	await ask(a, 'profile', { displayName: 'Ann B.' });
	await ask(a, 'users', { ids: [ben.id] });
	await ask(a, 'find', { query: 'b' });
	await ask(a, 'delete', { ...there, seq });
	await ask(a, 'ping', {});
	await waitFor('state is live', () => a.live.some((frame) =>
		frame.type === 'state' && frame.events.some((e) => e.kind === 'cursor')));
	a.ws.send(JSON.stringify({ type: 'bye' }));
	asked.add('bye');
	if (await a.closed !== 1000)
		report.failures.push('bye does not close with 1000');
	for (const { type } of documents.verbs) {
		if (type && !asked.has(type))
			report.failures.push(`${type} was never asked`);
	}
	for (const socket of sockets) {
		report.failures.push(...socket.failures);
		socket.close();
	}
}
