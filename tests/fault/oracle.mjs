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
 *				(firstBody: null when a deletion took it; bodies: Map rev -> body)
 *	changes		Map conversationId -> [{ev, kind, id}], by ev
 *	transcripts	[{name, conversationId, events}]
 *	topic		{of(key), partitions, failures}
 *	deeds		[{what, conversationId, ev, rev, seq, userId, ...}] acknowledged
 *				edits, deletions, reactions and cursors
 *	reactions	Map "conversation/seq/user/emoji" -> {rev, isOn, ev, id}
 *	cursors		Map "user/conversation" -> {readSeq, rev}
 *	revs		Map topic -> Map entity -> highest rev in it
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
		['every_acknowledged_deed_stands', deeds(world)],
		['the_state_topics_end_where_the_tables_do', states(world)],
	].map(([name, violations]) => ({
		name,
		count: violations.length,
		violations: violations.slice(0, LISTED),
	}));
}

const keyOf = ({ sender, conversationId, clientMsgId }) =>
	`${sender}/${conversationId}/${clientMsgId}`;

/* Which change of a conversation has this ev. */
const changeAt = (changes, conversationId, ev) =>
	changes.get(conversationId)?.[ev - 1];

function acknowledged({ acks, messages, changes }) {
	const rows = new Map(messages.map((row) => [keyOf(row), row]));
	const bad = [];

	for (const ack of acks) {
		const row = rows.get(keyOf(ack));

		if (!row)
			bad.push(`${keyOf(ack)} was acknowledged and is lost`);
		/* a retry is told the ev that the message has by then */
		else if (row.id !== ack.id || row.seq !== ack.seq ||
			changeAt(changes, ack.conversationId, ack.ev)?.id !== ack.id ||
			(row.firstBody !== null && row.firstBody !== ack.body))
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

/*
 * Who was away is told each entity as it now is, at its last ev; who was there
 * saw the steps too.
 */
function transcripts({ transcripts: all, changes }) {
	const bad = [];

	for (const { name, conversationId, events } of all) {
		const list = changes.get(conversationId);
		const lastEvs = new Set(new Map(list.map(({ id, ev }) => [id, ev])).values());
		const told = new Set(events.map(({ ev }) => ev));
		const missing = [...lastEvs].find((ev) => !told.has(ev));
		const odd = events.find((event, i) => event.ev <= (events[i - 1]?.ev ?? 0) ||
			list[event.ev - 1]?.id !== entityOf(event));

		if (missing !== undefined)
			bad.push(`${name} in ${conversationId}: never saw ev ${missing} of ${
				list.length}`);
		if (odd)
			bad.push(`${name} in ${conversationId}: ev ${odd.ev} ${odd.kind
			} is out of order or never was`);
	}
	return bad;
}

/* Acknowledged: it is what stands, or something later does. */
function deeds({ deeds: all = [], messages, changes, reactions, cursors }) {
	const rows = new Map(messages.map((row) =>
		[`${row.conversationId}/${row.seq}`, row]));
	const bad = [];

	for (const deed of all) {
		const { what, conversationId, seq, rev, ev, userId } = deed;
		const row = rows.get(`${conversationId}/${seq}`);
		let stored, isAsTold = true;

		if (what === 'edit') {
			stored = row;
			isAsTold = row?.isDeleted || row?.bodies.get(rev) === deed.body;
		} else if (what === 'delete') {
			stored = row;
			isAsTold = row?.isDeleted;
		} else if (what === 'react') {
			stored = reactions.get(
				`${conversationId}/${seq}/${userId}/${deed.emoji}`);
			isAsTold = stored?.rev !== rev || stored.isOn === deed.isOn;
		} else {
			stored = cursors.get(`${userId}/${conversationId}`);
			isAsTold = stored?.readSeq >= deed.readSeq;
		}
		if (!stored || (rev !== undefined && stored.rev < rev) || !isAsTold ||
			(ev !== undefined &&
				changeAt(changes, conversationId, ev)?.id !== stored.id))
			bad.push(`${what} of ${conversationId}/${seq} by ${userId
			}: acknowledged rev ${rev} ev ${ev}, stored ${
				JSON.stringify(stored)}`);
	}
	return bad;
}

/* What has no history of its own is there in its last state. */
function states({ revs = new Map(), expectedRevs = new Map() }) {
	const bad = [];

	for (const [topicName, entities] of expectedRevs) {
		for (const [entity, rev] of entities) {
			const seen = revs.get(topicName)?.get(entity);

			if (seen !== rev)
				bad.push(`${topicName}: ${entity} is at rev ${seen}, not ${rev}`);
		}
	}
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
