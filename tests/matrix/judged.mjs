/*
 * judged - what each verb is asked, and who may
 *
 *	isIn		it is about a conversation: a fresh one each time
 *	fields		what is asked, of {room, who, seq (one's own message), id(name)}
 *	allowed		the least role that may: guest, member, admin, owner
 *	refused		who gets another code than that: undefined is done
 *	tells		who may read its title there
 *	isSkipped	why not by those with a good token
 */

import { randomUUID } from 'node:crypto';

const inRoom = (allowed, more = () => ({}), refused = {}) => ({ isIn: true, allowed,
	refused, fields: (cell) => ({ conversationId: cell.room, ...more(cell) }) });
const anywhere = (fields = () => ({})) => ({ isIn: false, fields });
const skipped = (isSkipped, fields = () => ({})) => ({ isSkipped, fields });

export const judged = {
	hello: skipped('every socket begins with it'),
	ping: anywhere(),
	bye: skipped('it ends the socket'),

	send: inRoom('guest', () => ({ clientMsgId: randomUUID(), body: 'hello' })),
	edit: inRoom('guest', ({ seq }) => ({ seq, body: 'mended' })),
	/* another's: of the owner, by the owner her own */
	delete: inRoom('admin', () => ({ seq: 1 })),
	react: inRoom('guest', () => ({ seq: 1, emoji: '👍' })),
	'DELETE /v1/conversations/{conversationId}/messages/{seq}/reactions/{emoji}':
		inRoom('guest', () => ({ seq: 1, emoji: '🧪' })),
	revisions: inRoom('guest', () => ({ seq: 1 })),
	reactions: inRoom('guest', () => ({ seq: 1 })),
	history: inRoom('guest'),
	thread: inRoom('guest', () => ({ seq: 1 })),
	changes: inRoom('guest', () => ({ afterEv: 0 })),
	conversation: inRoom('guest'),
	members: inRoom('guest'),
	cursors: inRoom('guest'),
	mark: inRoom('guest', ({ seq }) => ({ readSeq: seq })),
	preference: inRoom('guest', () => ({ isMuted: true })),
	update: inRoom('admin', () => ({ title: 'renamed' })),
	add: inRoom('admin', ({ id }) => ({ userId: id('other') })),
	invite: inRoom('admin', ({ id }) => ({ userId: id('other') })),
	remove: inRoom('admin', ({ id, who }) => ({
		userId: id(who === 'guest' ? 'member' : 'guest') })),
	role: inRoom('admin', ({ id }) => ({ userId: id('guest'), role: 'member' })),
	join: inRoom('guest', undefined, { invited: undefined }),
	leave: inRoom('guest', undefined,
		/* who was removed has left: a retry is a duplicate */
		{ owner: 'last_owner', invited: undefined, ex: undefined }),

	mentions: anywhere(),
	heads: anywhere(),
	channels: anywhere(),
	/* who is asked in is told into what */
	invitations: { ...anywhere(), tells: ['invited'] },
	state: anywhere(),
	create: anywhere(() => ({ kind: 'group', title: 'mine',
		conversationId: randomUUID() })),
	block: anywhere(({ id }) => ({ userId: id('other') })),
	unblock: anywhere(({ id }) => ({ userId: id('other') })),
	profile: anywhere(({ who }) => ({ displayName: who })),
	find: anywhere(() => ({ query: 'own' })),
	users: anywhere(({ id }) => ({ ids: [id('owner'), id('member')] })),
	'GET /v1/events': anywhere(() => ({ timeoutMs: 0 })),
	'GET /v1/limits': anywhere(),
	'GET /openapi.yaml': skipped('a document'),
	'GET /asyncapi.yaml': skipped('a document'),
	'GET /schemas/{name}': skipped('it needs a name that exists'),
	'POST /v1/sessions': skipped('it takes no token'),
	'POST /v1/sessions/refresh': skipped('what it is for is tested with accounts'),
	'DELETE /v1/sessions/current': skipped('it ends the token of the others'),
	'PUT /v1/me/password': skipped('tested with accounts', () => ({
		oldPassword: 'not this one', newPassword: 'nor this' })),
};
