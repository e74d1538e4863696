/*
 * bad_input - what the documents do not allow is refused, by name
 *
 * Made from the verb table: of every verb each required argument left out, each
 * of a wrong type, each out of its bounds; no token, a stranger's; and of REST a
 * wrong method, a wrong body, a body that is no JSON.
 */

import { Socket } from './socket.mjs';

const uuid = () => crypto.randomUUID();
const BIG = 9007199254740991;

/* A value that the table allows. */
function goodOf(argument, world) {
	switch (argument.kind) {
		case 'uuid':
			return argument.name === 'conversationId' && argument.place !== 'key'
				? world.conversationId : argument.name === 'userId' ? world.ben.id
					: uuid();
		case 'int':
			return Math.max(argument.min, 1);
		case 'bool':
			return true;
		case 'time':
			return '2031-02-03T04:05:06Z';
		case 'uuids':
			return [world.ben.id];
		default:
			return { kind: 'group', role: 'member', notify: 'all', emoji: 'x',
				password: 'nobody knows it', oldPassword: 'nobody knows it',
				newPassword: 'nobody knows it' }[argument.name] ?? 'words';
	}
}

function goodOfAll(verb, world) {
	return Object.fromEntries(verb.arguments
		.filter((argument) => argument.isRequired ||
			(verb.type === 'mark' && argument.name === 'readSeq'))
		.map((argument) => [argument.name, goodOf(argument, world)]));
}

/* [value, code]: in a frame, and in a REST body. */
function badOf(argument) {
	const wrong = { uuid: [[5, 'bad_frame'], ['x', 'invalid_argument'],
		[{}, 'bad_frame']],
	text: [[5, 'bad_frame'], [[], 'bad_frame'], [true, 'bad_frame']],
	int: [['1', 'bad_frame'], [1.5, 'bad_frame'],
		[BIG + 1, 'invalid_argument']],
	bool: [['true', 'bad_frame'], [1, 'bad_frame']],
	time: [[5, 'bad_frame'], ['soon', 'invalid_argument']],
	uuids: [['x', 'bad_frame'], [[5], 'bad_frame'], [['x'],
		'invalid_argument']] }[argument.kind].slice();

	if (argument.kind === 'int') {
		wrong.push([argument.min - 1, 'invalid_argument']);
		if (argument.max < BIG)
			wrong.push([argument.max + 1, 'invalid_argument']);
	}
	if (argument.kind === 'text') {
		if (argument.max < 20000)
			wrong.push(['x'.repeat(argument.max + 1), 'too_large']);
		if (argument.min > 0)
			wrong.push(['', 'invalid_argument']);
	}
	if (argument.kind === 'uuids') {
		wrong.push([Array(argument.max + 1).fill(uuid()), 'too_large']);
		if (argument.min > 0)
			wrong.push([[], 'invalid_argument']);
	}
	return wrong;
}

async function place({ http, ann, ben }) {
	return (await http.expect('createConversation', { token: ann.token, body: {
		kind: 'group', title: 'Bad', members: [ben.id] } }, 201)).conversationId;
}

function check(report, run) {
	return run.then(() => report.passed++,
		(error) => report.failures.push(error.message));
}

export async function badFrames(world, report) {
	const { documents, socketUrl, ann, cas, instance } = world;
	const socket = new Socket(socketUrl, documents);
	const stranger = new Socket(socketUrl, documents);
	const early = new Socket(socketUrl, documents);
	const verbs = documents.verbs.filter((verb) => verb.type &&
		!['hello', 'ping', 'bye'].includes(verb.type));

	world.conversationId = await place(world);
	await Promise.all([socket.opened, stranger.opened, early.opened]);
	await socket.good('hello', { token: ann.token });
	await stranger.good('hello', { token: cas.token });
	await check(report, socket.bad('hello', { token: ann.token }, 'bad_frame',
		'type'));
	await check(report, socket.bad('dance', {}, 'unknown_type', 'type'));
	for (const verb of verbs) {
		const good = goodOfAll(verb, world);

		await check(report, early.bad(verb.type, good, 'not_ready', ''));
		for (const argument of verb.arguments) {
			if (argument.isRequired) {
				await check(report, socket.bad(verb.type,
					{ ...good, [argument.name]: undefined }, 'invalid_argument',
					argument.name));
				await check(report, socket.bad(verb.type,
					{ ...good, [argument.name]: null }, 'invalid_argument',
					argument.name));
			}
			for (const [value, code] of badOf(argument))
				await check(report, socket.bad(verb.type,
					{ ...good, [argument.name]: value }, code, argument.name));
		}
		if (!verb.arguments.some((a) => a.name === 'conversationId' &&
			a.isRequired))
			continue;
		/* One answer for what is not there and for what is not hers. */
		for (const conversationId of [world.conversationId, uuid()])
			await check(report, stranger.bad(verb.type,
				{ ...good, conversationId }, 'not_found'));
	}
	await check(report, early.bad('hello', { token: 'x' }, 'invalid_token', ''));
	if (await early.closed !== 4401)
		report.failures.push('a bad token does not close with 4401');
	/* Who is deactivated is nobody; her socket goes with her. */
	const eve = await instance.createUser('eve');
	const gone = new Socket(socketUrl, documents);

	await gone.opened;
	await gone.good('hello', { token: await instance.token(eve) });
	await instance.sql(`SELECT chemchat.deactivate_user('${eve}')`);
	if (await gone.closed !== 4401)
		report.failures.push('a deactivated user is not sent away');
	for (const one of [socket, stranger, early, gone]) {
		report.failures.push(...one.failures);
		one.close();
	}
}

export async function badRequests(world, report) {
	const { documents, http, url, ann, cas } = world;
	const { token } = ann;

	world.conversationId = await place(world);
	for (const operation of documents.operations()) {
		const verb = documents.verbs.find((v) => v.path === operation.path &&
			v.method === operation.method && (operation.operationId !==
				'listUsers' || v.type === 'users'));
		if (!verb)
			continue; /* documentsAgree says so */
		const good = goodOfAll(verb, world);
		const split = (values) => {
			const body = {}, named = {};

			for (const argument of verb.arguments) {
				const value = values[argument.name];

				if (value === undefined)
					continue;
				if (['body', 'match'].includes(argument.place))
					body[argument.name] = value;
				else
					named[argument.place === 'key' ? 'Idempotency-Key'
						: argument.name] = Array.isArray(value) ? value.join(',') : value;
			}
			return { name: 'event.json', ...named, ...(operation.requestBody
				? { body } : {}) };
		};
		const expect = (values, ...words) => check(report,
			http.expect(operation.operationId, values, ...words));

		/* nobody, and somebody with a bad token */
		if (!verb.isPublic) {
			await expect(split(good), 401, 'invalid_token');
			await expect({ ...split(good), token: 'x.y.z' }, 401,
				'invalid_token');
		}
		for (const argument of verb.arguments) {
			const inUrl = ['path', 'query', 'key'].includes(argument.place);
			const named = argument.place === 'key' ? 'Idempotency-Key'
				: argument.name;

			if (argument.isRequired && argument.place !== 'path')
				await expect({ ...split({ ...good, [argument.name]: undefined }),
					token }, 400, 'invalid_argument', named);
			for (const [value, code] of badOf(argument)) {
				if (argument.place === 'frame' || (inUrl && (value === '' ||
					typeof value === 'object' || argument.kind === 'text' ||
					(argument.kind === 'int' && value === '1'))))
					continue;
				/* In a URL everything is text: only what it says can be wrong. */
				await expect({ ...split({ ...good, [argument.name]: value }),
					token }, code === 'too_large' ? 413 : 400,
				inUrl ? 'invalid_argument' : code, named);
			}
		}
		if (operation.requestBody) {
			const bad = (body, headers) => ({ ...split(good), token, body, headers });

			await expect(bad('{"a":1,"a":2}'), 400, 'bad_frame');
			await expect(bad('{'), 400, 'bad_frame');
			await expect(bad('[]'), 400, 'bad_frame');
			await expect(bad('{"a":"\\ud800"}'), 400, 'bad_frame');
			await expect(bad(`{"a":${'['.repeat(33)}${']'.repeat(33)}}`), 400,
				'bad_frame');
			await expect(bad('{}', { 'Content-Type': 'text/plain' }), 415,
				'bad_frame');
		}
		if (operation.path.includes('{conversationId}')) {
			for (const conversationId of [world.conversationId, uuid()])
				await expect({ ...split({ ...good, conversationId }),
					token: cas.token }, 404, 'not_found');
		}
	}
	await check(report, http.expect('editMessage', { token, seq: 1,
		conversationId: world.conversationId, body: { body: 'x' } }, 404,
	'not_found'));
	await http.expect('sendMessage', { token, conversationId:
		world.conversationId, 'Idempotency-Key': uuid(), body: { body: 'x' } }, 201);
	await check(report, http.expect('editMessage', { token, seq: 1,
		conversationId: world.conversationId, 'If-Match': '"77"',
		body: { body: 'y' } }, 412, 'conflict', 'If-Match'));
	await check(report, http.expect('leave', { token,
		conversationId: world.conversationId }, 409, 'last_owner'));
	await check(report, http.expect('block', { token, userId: uuid() }, 404,
		'unknown_user', 'userId'));
	await check(report, http.expect('signIn', { body: { handle: 'nobody',
		password: 'nobody knows it' } }, 401, 'invalid_credentials'));

	/* An empty or odd header is not a missing one. */
	for (const key of ['', '*', 'x'])
		await check(report, http.expect('createConversation', { token,
			'Idempotency-Key': key, body: { kind: 'group' } }, 400,
		'invalid_argument', 'Idempotency-Key'));
	await check(report, http.expect('editMessage', { token, seq: 1,
		conversationId: world.conversationId, 'If-Match': '',
		body: { body: 'y' } }, 400, 'invalid_argument'));

	/* What stands twice in a query: neither counts. */
	for (const query of ['maxRows=1&maxRows=2', 'maxRows=1&maxRows='])
		await check(report, (async () => {
			const answer = await http.raw(`${url}/v1/channels?${query}`,
				{ headers: { Authorization: `Bearer ${token}` } });

			if (answer.status !== 400 || answer.value.field !== 'maxRows')
				throw new Error(`${query} is ${answer.status}`);
		})());

	/* A trace that is none is ignored, also where its ids are zero. */
	for (const trace of [`00-${'0'.repeat(32)}-00000000000000ab-01`,
		`00-${'ab'.repeat(16)}-${'0'.repeat(16)}-01`, 'x'])
		await check(report, http.expect('updateProfile', { token,
			traceparent: trace, body: { displayName: 'Bad' } }, 200));

	/* OPTIONS names what a path has. */
	for (const [at, allow] of [
		['/v1/me', 'GET, HEAD, PATCH, OPTIONS'], ['/v1/nothing', 'OPTIONS'],
		['/openapi.yaml', 'GET, HEAD, OPTIONS'], ['/', 'GET, HEAD, OPTIONS'],
		['/v1/ws', 'GET, HEAD, OPTIONS']]) {
		const answer = await http.raw(`${url}${at}`, { method: 'OPTIONS' });

		await check(report, (async () => {
			if (answer.status !== 204 || answer.headers.get('allow') !== allow)
				throw new Error(`OPTIONS ${at} is ${answer.status} ${
					answer.headers.get('allow')}`);
		})());
	}

	/* Paths and methods that are not there. */
	for (const [method, at, status, allow] of [
		['GET', '/v1/nothing', 404], ['GET', '/v1/conversations/', 404],
		['GET', '/schemas/nothing.json', 404],
		['POST', '/v1/me', 405, 'GET, HEAD, PATCH'],
		['QUERY', '/v1/me', 405, 'GET, HEAD, PATCH'],
		['DELETE', '/app.js', 405, 'GET, HEAD, OPTIONS'],
		['DELETE', '/v1/conversations', 405, 'GET, HEAD, POST']]) {
		const answer = await http.raw(`${url}${at}`, { method,
			headers: { Authorization: `Bearer ${token}` } });

		await check(report, (async () => {
			documents.need('/schemas/problem.json', answer.value, at);
			if (answer.status !== status ||
				(answer.headers.get('allow') ?? undefined) !== allow)
				throw new Error(`${method} ${at} is ${answer.status} ${
					answer.headers.get('allow')}`);
		})());
	}
}
