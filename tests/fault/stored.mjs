/*
 * stored - what there is in the end, past every function of ours
 *
 * The tables themselves, and the last state of each entity in a topic.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/* As oracle.mjs wants it, of these conversations. */
export async function stored(instance, conversationIds) {
	const ids = `('${conversationIds.join("','")}')`;
	const rows = async (columns, rest) => (await instance.sql(
		`SELECT json_build_object(${columns}) FROM ${rest}`))
		.split('\n').filter(Boolean).map((line) => JSON.parse(line));
	const changes = new Map(conversationIds.map((id) => [id, []]));
	const bodies = new Map();

	for (const { c, ...change } of await rows(
		`'c', conversation_id, 'ev', ev, 'kind', kind, 'id', id`,
		`chemchat.change WHERE conversation_id IN ${ids}
		ORDER BY conversation_id, ev`))
		changes.get(c).push(change);
	for (const { c, seq, rev, body } of await rows(
		`'c', conversation_id, 'seq', seq, 'rev', rev, 'body', body`,
		`chemchat.message_revision WHERE conversation_id IN ${ids}`)) {
		const key = `${c}/${seq}`;

		bodies.set(key, (bodies.get(key) ?? new Map()).set(rev, body));
	}
	const messages = (await rows(`'conversationId', conversation_id, 'seq', seq,
		'ev', ev, 'rev', rev, 'id', id, 'sender', sender,
		'clientMsgId', client_msg_id, 'body', body,
		'isDeleted', deleted_at IS NOT NULL`,
	`chemchat.message WHERE conversation_id IN ${ids}`)).map((row) => {
		const all = new Map(bodies.get(`${row.conversationId}/${row.seq}`));

		if (!row.isDeleted)
			all.set(row.rev, row.body);
		return { ...row, bodies: all, firstBody: row.isDeleted ? null
			: all.get(Math.min(...all.keys())) };
	});
	const reactions = new Map((await rows(`'key', conversation_id || '/' || seq
		|| '/' || user_id || '/' || emoji, 'id', id, 'rev', rev, 'isOn', is_on`,
	`chemchat.reaction WHERE conversation_id IN ${ids}`))
		.map(({ key, ...reaction }) => [key, reaction]));
	const cursors = new Map((await rows(`'key', user_id || '/' ||
		conversation_id, 'readSeq', read_seq, 'rev', cursor_rev`,
	`chemchat.member_state WHERE conversation_id IN ${ids}`))
		.map(({ key, ...cursor }) => [key, cursor]));
	const conversations = await rows(`'id', id, 'rev', rev`,
		`chemchat.conversation WHERE id IN ${ids}`);

	return { messages, changes, reactions, cursors, expectedRevs: new Map([
		['chat.users.v1', new Map([...cursors].filter(([, { rev }]) => rev > 0)
			.map(([key, { rev }]) => [`cursor:${key}`, rev]))],
		['chat.conversations.v1', new Map(conversations
			.map(({ id, rev }) => [`conversation:${id}`, rev]))],
	]) };
}

/* Map topic -> Map entity -> the highest rev that a record of it has. */
export async function lastRevs(broker, topics) {
	const revs = new Map();

	for (const topic of topics) {
		const { stdout } = await run('kcat', ['-b', broker, '-C', '-q', '-e',
			'-t', topic, '-o', 'beginning', '-f', '%h\\n'],
		{ maxBuffer: 1 << 29 });
		const entities = new Map();

		for (const [, entity, rev] of
			stdout.matchAll(/(?:^|,)ce_id=([^,]*):(\d+)/gmu))
			entities.set(entity, Math.max(Number(rev), entities.get(entity) ?? 0));
		revs.set(topic, entities);
	}
	return revs;
}
