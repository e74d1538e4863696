/* An oracle is worth something only if it can say no: each lie is told once. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { checks } from '../../fault/oracle.mjs';

function world() {
	const changes = new Map([['c', [
		{ ev: 1, kind: 'c', id: 'c' }, { ev: 2, kind: 'p', id: 'alice' },
		{ ev: 3, kind: 'm', id: 'm1' }, { ev: 4, kind: 'm', id: 'm2' },
	]]]);
	const events = [
		{ kind: 'conversation', conversationId: 'c', ev: 1, id: 'c' },
		{ kind: 'member', conversationId: 'c', ev: 2, userId: 'alice' },
		{ kind: 'message', conversationId: 'c', ev: 3, id: 'm1' },
		{ kind: 'message', conversationId: 'c', ev: 4, id: 'm2' },
	];
	const messages = [1, 2].map((seq) => ({ conversationId: 'c', seq,
		ev: seq + 2, id: `m${seq}`, sender: 'alice', clientMsgId: `k${seq}`,
		rev: 1, firstBody: `b${seq}`, bodies: new Map([[1, `b${seq}`]]),
		isDeleted: false }));
	const topicEvents = new Map([['c', [...events]]]);

	return {
		acks: messages.map((row) => ({ ...row, body: row.firstBody })),
		refusals: [], messages, changes,
		deeds: [{ what: 'edit', conversationId: 'c', seq: 1, rev: 1, ev: 3,
			userId: 'alice', body: 'b1' }, { what: 'react', conversationId: 'c',
			seq: 1, rev: 2, userId: 'alice', emoji: 'x', isOn: true },
		{ what: 'mark', conversationId: 'c', userId: 'alice', readSeq: 2, rev: 2 }],
		reactions: new Map([['c/1/alice/x', { rev: 2, isOn: true, id: 'r' }]]),
		cursors: new Map([['alice/c', { readSeq: 2, rev: 2 }]]),
		revs: new Map([['users', new Map([['cursor:alice/c', 2]])]]),
		expectedRevs: new Map([['users', new Map([['cursor:alice/c', 2]])]]),
		transcripts: [{ name: 'alice', conversationId: 'c', events: [...events] }],
		topic: { events: topicEvents, of: (id) => topicEvents.get(id) ?? [],
			partitions: new Map([['c', new Set(['3'])]]), failures: [] },
		resets: [], failures: [],
	};
}

const broken = (made) => checks(made).filter(({ count }) => count > 0)
	.map(({ name }) => name);

test('a_good_world_is_good', () => {
	assert.deepEqual(broken(world()), []);
	assert.equal(checks(world()).length, 12);
});

const lies = {
	'an acknowledged message is lost': [(made) => {
		made.acks.push({ conversationId: 'c', sender: 'alice', clientMsgId: 'k9',
			id: 'm9', seq: 9, ev: 9, body: 'b' });
	}, 'every_acknowledged_message_is_in_postgres'],
	'an acknowledgement names another seq': [(made) => {
		made.acks[0].seq = 2;
	}, 'every_acknowledged_message_is_in_postgres'],
	'a body was changed': [(made) => {
		made.messages[1].firstBody = 'other';
	}, 'every_acknowledged_message_is_in_postgres'],
	'a retry made a second message': [(made) => {
		made.messages.push({ ...made.messages[1], id: 'm3', seq: 3, ev: 5 });
	}, 'a_client_msg_id_is_one_message'],
	'a refused message is there': [(made) => {
		made.acks.pop();
		made.refusals.push({ conversationId: 'c', sender: 'alice',
			clientMsgId: 'k2', code: 'forbidden' });
	}, 'what_was_refused_is_absent'],
	'a seq was burnt': [(made) => {
		made.messages[1].seq = 3;
		made.acks[1].seq = 3;
	}, 'seq_and_ev_are_dense'],
	'a transcript has a gap': [(made) => {
		made.transcripts[0].events.splice(2, 1);
	}, 'every_transcript_has_each_change_once_in_order'],
	'a transcript ends early': [(made) => {
		made.transcripts[0].events.pop();
	}, 'every_transcript_has_each_change_once_in_order'],
	'a transcript is out of order': [(made) => {
		made.transcripts[0].events.reverse();
	}, 'every_transcript_has_each_change_once_in_order'],
	'a transcript has one twice': [(made) => {
		made.transcripts[0].events.push(made.transcripts[0].events[3]);
	}, 'every_transcript_has_each_change_once_in_order'],
	'somebody was reset': [(made) => {
		made.resets.push('alice everything');
	}, 'nobody_was_reset'],
	'a frame came after removed': [(made) => {
		made.failures.push('alice');
	}, 'the_library_saw_nothing_forbidden'],
	'the topic lacks one': [(made) => {
		made.topic.of('c').pop();
	}, 'the_topic_has_each_event_in_order'],
	'the topic is out of order': [(made) => {
		made.topic.of('c').reverse();
	}, 'the_topic_has_each_event_in_order'],
	'an edit is lost': [(made) => {
		made.deeds[0].rev = 2;
	}, 'every_acknowledged_deed_stands'],
	'an edit is another': [(made) => {
		made.deeds[0].body = 'other';
	}, 'every_acknowledged_deed_stands'],
	'a deletion did not last': [(made) => {
		made.deeds[0].what = 'delete';
	}, 'every_acknowledged_deed_stands'],
	'a reaction went off by itself': [(made) => {
		made.reactions.get('c/1/alice/x').isOn = false;
	}, 'every_acknowledged_deed_stands'],
	'a cursor went back': [(made) => {
		made.cursors.get('alice/c').readSeq = 1;
	}, 'every_acknowledged_deed_stands'],
	'a cursor never reached its topic': [(made) => {
		made.revs.get('users').delete('cursor:alice/c');
	}, 'the_state_topics_end_where_the_tables_do'],
	'a conversation is in two partitions': [(made) => {
		made.topic.partitions.get('c').add('4');
	}, 'a_conversation_is_in_one_partition'],
};

for (const [lie, [tell, name]] of Object.entries(lies)) {
	test(`the oracle notices that ${lie}`, () => {
		const made = world();

		tell(made);
		assert.ok(broken(made).includes(name), broken(made).join());
	});
}

test('the oracle notices a phantom', () => {
	const made = world();

	made.topic.of('c').push({ kind: 'message', conversationId: 'c', ev: 5,
		id: 'rolled back' });
	assert.ok(broken(made).includes('the_topic_has_no_phantom'));
});
