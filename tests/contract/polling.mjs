/*
 * polling - the long poll tells each change once, in order, whatever is lost
 */

const uuid = () => crypto.randomUUID();

function need(holds, what) {
	if (!holds)
		throw new Error(what);
}

export async function polling({ http, ann, ben, instance }, report) {
	const { token } = ben;
	const { conversationId } = await http.expect('createConversation', {
		token: ann.token, body: { kind: 'group', title: 'Poll',
			members: [ben.id] } }, 201);
	const send = (body) => http.expect('sendMessage', { token: ann.token,
		conversationId, 'Idempotency-Key': uuid(), body: { body } }, 201);
	const poll = (cursor, more = {}) => http.expect('pollEvents',
		{ token, cursor, timeoutMs: 10000, ...more }, 200);
	const bodies = (answer) => answer.frames.filter((frame) =>
		frame.type === 'events' && frame.conversationId === conversationId)
		.flatMap((frame) => frame.events.map((event) => event.body));
	const held = (what, holds) => {
		need(holds, what);
		report.passed++;
	};
	const first = await http.expect('pollEvents', { token }, 200);
	let cursor = first.next;

	held('begins with resync', first.resync && first.frames.length === 0);

	/* It waits, and wakes. */
	const waiting = poll(cursor);

	await send('one');
	let answer = await waiting;

	held('wakes', bodies(answer).join() === 'one');
	held('an answer that got lost is given again',
		JSON.stringify(await poll(cursor)) === JSON.stringify(answer));
	cursor = answer.next;
	await send('two');
	await send('three');
	const told = [];

	while (told.length < 2) {
		answer = await poll(cursor);
		told.push(...bodies(answer));
		cursor = answer.next;
	}
	held('in order, each once', told.join() === 'two,three');
	answer = await poll(cursor, { timeoutMs: 100 });
	held('nothing is nothing', answer.frames.length === 0 &&
		answer.next === cursor && !answer.resync);

	/* A client that hangs up while it waits loses nothing. */
	const hangUp = new AbortController();
	const lost = http.call('pollEvents', { token, cursor, timeoutMs: 10000 },
		hangUp.signal).catch(() => null);

	await new Promise((resolve) => setTimeout(resolve, 100));
	hangUp.abort();
	await lost;
	await send('four');
	answer = await poll(cursor);
	held('four comes', bodies(answer).join() === 'four');
	cursor = answer.next;

	/* Two at once: the earlier is answered, the later waits on. */
	const early = poll(cursor);

	await new Promise((resolve) => setTimeout(resolve, 100));
	const late = poll(cursor);

	held('the earlier one goes', (await early).frames.length === 0);
	await send('five');
	answer = await late;
	held('the later one is told', bodies(answer).join() === 'five');

	/* Cursors of others, of yesterday, of nowhere. */
	const foreign = await http.expect('pollEvents', { token: ann.token,
		cursor: answer.next, timeoutMs: 0 }, 200);

	held('another user begins anew', foreign.resync && !foreign.isReset);
	const odd = answer.next.replace(/^[^.]*/u, uuid())
		.replace(/\.[0-9]+:/u, '.1:');

	answer = await poll(odd, { timeoutMs: 0 });
	held('another history is reset', answer.resync && answer.isReset);
	await http.expect('pollEvents', { token, cursor: 'x' }, 400,
		'invalid_argument', 'cursor');

	/* Again and again from the beginning: her own idle ones make room. */
	for (let i = 0; i < 30; i++)
		answer = await http.expect('pollEvents', { token }, 200);
	report.passed++;

	/* Removed: that it is so, and nothing more. */
	cursor = answer.next;
	await http.expect('removeMember', { token: ann.token, conversationId,
		userId: ben.id }, 200);
	await send('not for ben');
	const frames = [];

	while (!frames.some((frame) => frame.type === 'removed')) {
		answer = await poll(cursor);
		frames.push(...answer.frames);
		cursor = answer.next;
	}
	answer = await poll(cursor, { timeoutMs: 500 });
	held('nothing after removed', !JSON.stringify([...frames, answer])
		.includes('not for ben'));

	/* Signed out while waiting: told within seconds. */
	const fay = await instance.createUser('fay');
	const hers = await instance.token(fay);
	const beganMs = Date.now();
	let end = await http.call('pollEvents', { token: hers });

	await instance.sql(`SELECT chemchat.deactivate_user('${fay}')`);
	while (end.status === 200 && Date.now() - beganMs < 10000)
		end = await http.call('pollEvents', { token: hers,
			cursor: end.value.next, timeoutMs: 30000 });
	held('a withdrawn token ends the wait', Date.now() - beganMs < 6000 &&
		end.status === 401);
}
