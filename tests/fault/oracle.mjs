/*
 * oracle - what must hold after any faults (Z of the fault table)
 *
 * Pure: compares what the clients were told (acknowledgements, refusals,
 * transcripts), what Postgres holds, and what the topic holds.  Each check
 * returns the list of its violations; none is good.
 *
 *	acks		[{conversationId, clientMsgId, sender, id, seq, ev, body}]
 *	refusals	[{conversationId, clientMsgId, sender, code}]
 *	messages	rows of chemchat.message
 *	changes		Map conversationId -> [{ev, kind, id}], by ev
 *	transcripts	[{name, conversationId, events}]
 *	topic		{of(key), partitions, failures}
 */

const LISTED = 5;			/* violations of one kind that are printed */

export function checks(world) {
	return [
		['every_acknowledged_message_is_in_postgres', acknowledged(world)],
		['a_client_msg_id_is_one_message', once(world)],
		['what_was_refused_is_absent', refused(world)],
		['seq_and_ev_are_dense', dense(world)],
		['every_transcript_has_each_change_once_in_order', transcripts(world)],
		['nobody_was_reset', world.resets],
		['the_library_saw_nothing_forbidden', world.failures],
		['the_topic_has_each_event_in_order', topic(world)],
		['the_topic_has_no_phantom', phantoms(world)],
		['a_conversation_is_in_one_partition', partitions(world)],
	].map(([name, violations]) => ({
		name,
		count: violations.length,
		violations: violations.slice(0, LISTED),
	}));
}

const keyOf = ({ sender, conversationId, clientMsgId }) =>
	`${sender}/${conversationId}/${clientMsgId}`;

function acknowledged({ acks, messages }) {
	const rows = new Map(messages.map((row) => [keyOf(row), row]));
	const bad = [];

	for (const ack of acks) {
		const row = rows.get(keyOf(ack));

		if (!row)
			bad.push(`${keyOf(ack)} was acknowledged and is lost`);
		else if (['id', 'seq', 'ev', 'body'].some((name) => row[name] !== ack[name]))
			bad.push(`${keyOf(ack)}: acknowledged ${ack.id} seq ${ack.seq} ev ${
				ack.ev}, stored ${row.id} seq ${row.seq} ev ${row.ev}`);
	}
	return bad;
}

function once({ messages }) {
	const seen = new Set();

	return messages.filter((row) => seen.size === seen.add(keyOf(row)).size)
		.map((row) => `${keyOf(row)} twice`);
}

function refused({ refusals, messages }) {
	const rows = new Set(messages.map(keyOf));

	return refusals.filter((refusal) => rows.has(keyOf(refusal)))
		.map((refusal) => `${keyOf(refusal)} was refused (${
			refusal.code}) and is there`);
}

function dense({ messages, changes }) {
	const bad = [];
	const seqs = new Map();

	for (const { conversationId, seq } of messages)
		seqs.set(conversationId, [...seqs.get(conversationId) ?? [], seq]);
	for (const [id, list] of seqs)
		hole(list.sort((a, b) => a - b), `${id} seq`, bad);
	for (const [id, list] of changes)
		hole(list.map((change) => change.ev), `${id} ev`, bad);
	return bad;
}

function hole(numbers, name, bad) {
	const at = numbers.findIndex((number, i) => number !== i + 1);

	if (at >= 0)
		bad.push(`${name}: ${numbers[at]} where ${at + 1} belongs`);
}

/* The entity an event is about, as chemchat.change names it. */
const entityOf = (event) => event.kind === 'member' ? event.userId : event.id;

function same(events, changes, name, bad) {
	const at = changes.findIndex((change, i) => events[i]?.ev !== change.ev ||
		entityOf(events[i]) !== change.id);

	if (at >= 0)
		bad.push(`${name}: at ${at + 1} of ${changes.length} is ${events[at]
			? `ev ${events[at].ev} ${events[at].kind}` : 'nothing'}, not ev ${
			changes[at].ev}`);
	else if (events.length > changes.length)
		bad.push(`${name}: ${events.length - changes.length} more than there are`);
}

function transcripts({ transcripts: all, changes }) {
	const bad = [];

	for (const { name, conversationId, events } of all)
		same(events, changes.get(conversationId),
			`${name} in ${conversationId}`, bad);
	return bad;
}

function topic({ topic: reader, changes }) {
	const bad = [...reader.failures];

	for (const [id, list] of changes)
		same(reader.of(id), list, `topic ${id}`, bad);
	return bad;
}

function phantoms({ topic: reader, messages, changes }) {
	const stored = new Set(messages.map((row) => row.id));
	const bad = [];

	for (const [id, events] of reader.events) {
		if (!changes.has(id))
			continue;		/* another test's, on the same instance */
		for (const event of events) {
			if (event.kind === 'message' && !stored.has(event.id))
				bad.push(`${id}: ${event.id} ev ${event.ev} was never committed`);
		}
	}
	return bad;
}

function partitions({ topic: reader, changes }) {
	return [...changes.keys()]
		.filter((id) => (reader.partitions.get(id)?.size ?? 0) !== 1)
		.map((id) => `${id} in ${[...reader.partitions.get(id) ?? []].join(', ')
			|| 'none'}`);
}
