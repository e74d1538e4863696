/*
 * suite - the rows, a storm, and a bystander who must not notice
 *
 * In:   --inputs N, --seed N, --only WORD (rows whose name has it)
 * Out:  a line per row that failed, counts per part; `N passed, N failed`
 */

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Instance } from '../lib/instance.mjs';
import { sleep, waitFor } from '../lib/wait.mjs';
import { GOODBYES, VIOLATIONS } from './ws_rows.mjs';
import { BODIES, REFUSED, TAKEN } from './http_rows.mjs';
import { RawSocket, frame, text } from './raw_socket.mjs';
import { doorRows } from './door_rows.mjs';
import { drainRows } from './drain_rows.mjs';
import { forwardedRows } from './forwarded_rows.mjs';
import { issuerRows } from './issuer_rows.mjs';
import { lagRows } from './lag_rows.mjs';
import { limitRows } from './limit_rows.mjs';
import { metricRows } from './metric_rows.mjs';
import { slowRows } from './slow_rows.mjs';
import { storm } from './storm.mjs';
import { tokenRows } from './token_rows.mjs';

const { values } = parseArgs({ options: {
	inputs: { type: 'string', default: '20000' },
	seed: { type: 'string', default: String(Date.now() % 1000000) },
	only: { type: 'string', default: '' } } });
const instance = new Instance({ CHEMCHAT_GATEWAY_ARGS:
	'--allowed-origins https://app.example --address-requests 0 ' +
	'--send-rate 0 --request-rate 0' });
let passed = 0;
let failed = 0;
let port;

function fail(what, error) {
	failed++;
	console.log(`not ok  ${what}: ${error?.message ?? error}`);
}

async function row(what, run) {
	if (!what.includes(values.only))
		return;
	try {
		await run();
		passed++;
	} catch (error) {
		fail(what, error);
	}
}

function need(holds, what) {
	if (!holds)
		throw new Error(what);
}

async function withSocket(run) {
	const socket = new RawSocket(port);

	try {
		await run(socket);
	} finally {
		socket.close();
	}
}

/* ---- rows ---- */

function isProblem({ head, body, status }) {
	need(/\r\ncontent-type: application\/problem\+json/iu.test(head),
		'no problem document');
	const problem = JSON.parse(body);

	need(problem.status === status && problem.code && problem.title,
		`a poor problem: ${body}`);
}

async function refuses([what, bytes, status]) {
	await row(`HTTP: ${what}`, () => withSocket(async (socket) => {
		socket.say(bytes);
		if (status === null) { /* not even HTTP: closed, with an answer or none */
			await socket.ended(12000);
			return;
		}
		const answer = await socket.response();

		need(answer.status === status, `${answer.status}, not ${status}`);
		isProblem(answer);
		need(answer.isLast, 'it does not say that it closes');
		await socket.ended();
	}));
}

async function takes([what, bytes, status]) {
	await row(`HTTP: ${what}`, () => withSocket(async (socket) => {
		socket.say(bytes);
		const isHead = /^HEAD/u.test(bytes);
		const answer = isHead
			? await waitFor('a head', () => socket.text.endsWith('\r\n\r\n') &&
				{ status: Number(socket.text.slice(9, 12)) })
			: await socket.response();

		need(answer.status === status, `${answer.status}, not ${status}`);
		if (status === 101)
			return;
		/* The connection stays good for another. */
		socket.bytes = Buffer.alloc(0);
		socket.say('GET /none HTTP/1.1\r\nHost: a\r\n\r\n');
		need((await socket.response()).status === 404, 'no keep-alive');
	}));
}

async function judgesBody([what, body, status, how]) {
	await row(`HTTP body: ${what}`, () => withSocket(async (socket) => {
		const type = how.type === undefined ? 'application/json' : how.type;
		const bytes = Buffer.from(body, 'latin1');

		socket.say(`POST /v1/conversations/${instance.env.CHEMCHAT_CONVERSATION}` +
			'/messages HTTP/1.1\r\nHost: a\r\n' +
			`Authorization: Bearer ${instance.env.CHEMCHAT_TOKEN_BOB}\r\n` +
			`Idempotency-Key: ${randomUUID()}\r\n` +
			(type === null ? '' : `Content-Type: ${type}\r\n`) +
			`Content-Length: ${bytes.length}\r\n\r\n`).say(bytes);
		const answer = await socket.response();

		need(answer.status === status, `${answer.status}, not ${status}: ${
			answer.body}`);
		if (status >= 400) {
			isProblem(answer);
			const problem = JSON.parse(answer.body);

			need(!how.hasOffset || Number.isInteger(problem.offset),
				`no offset: ${answer.body}`);
			need(!how.field || problem.field === how.field,
				`not the field ${how.field}: ${answer.body}`);
			need(!answer.body.includes('eyJ'), 'it echoes the token');
		}
		need(!answer.isLast, 'the connection ends for a mistake in a body');
	}));
}

async function violates([what, bytes, code], { isHello }) {
	const when = isHello ? 'in a session' : 'before hello';

	await row(`WebSocket ${when}: ${what}`, () => withSocket(async (socket) => {
		await socket.upgrade();
		if (isHello) {
			socket.say(text({ type: 'hello', token: instance.env.CHEMCHAT_TOKEN_BOB }));
			const { payload } = await socket.frame();

			need(JSON.parse(payload).type === 'welcome', `${payload}`);
		}
		socket.say(bytes);
		const said = await socket.closeCode();

		need(said === code, `closed with ${said}, not ${code}`);
		await socket.ended();
	}));
}

/* The same bytes one by one: the same code. */
async function violatesSlowly([what, bytes, code]) {
	await row(`WebSocket byte by byte: ${what}`, () => withSocket(async (socket) => {
		await socket.upgrade();
		for (let i = 0; i < bytes.length && i < 200; i++) {
			socket.say(bytes.subarray(i, i + 1));
			await new Promise(setImmediate);
		}
		if (bytes.length > 200)
			socket.say(bytes.subarray(200));
		const said = await socket.closeCode();

		need(said === code, `closed with ${said}, not ${code}`);
		await socket.ended();
	}));
}

async function goodRows() {
	await row('WebSocket: parts, pings between them, any slices', () =>
		withSocket(async (socket) => {
			const ping = JSON.stringify({ type: 'ping', ref: 'é' });
			const bytes = Buffer.concat([frame(0x01, ping.slice(0, 5)),
				frame(0x89, 'are you there'), frame(0x00, ''),
				frame(0x80, ping.slice(5))]);

			await socket.upgrade();
			socket.say(text({ type: 'hello', token: instance.env.CHEMCHAT_TOKEN_BOB }));
			await socket.frame();
			for (const byte of bytes) {
				socket.say(Buffer.from([byte]));
				await new Promise(setImmediate);
			}
			const pong = await socket.frame();

			need(pong.opcode === 10 && String(pong.payload) === 'are you there',
				'no pong with what the ping held');
			const answer = JSON.parse((await socket.frame()).payload);

			need(answer.type === 'pong' && answer.ref === 'é', 'no answer');
		}));
	await row('WebSocket: a message of exactly 64 KiB', () =>
		withSocket(async (socket) => {
			await socket.upgrade();
			socket.say(text({ type: 'hello', token: instance.env.CHEMCHAT_TOKEN_BOB }));
			await socket.frame();
			const body = '{"type":"ping","ref":"7","x":"';

			socket.say(text(`${body}${'x'.repeat(65536 - body.length - 2)}"}`));
			const answer = JSON.parse((await socket.frame()).payload);

			need(answer.ref === '7', 'no answer');
		}));
	await row('HTTP: pipelined requests are answered in order', () =>
		withSocket(async (socket) => {
			socket.say('GET /none HTTP/1.1\r\nHost: a\r\n\r\n' +
				'GET /style.css HTTP/1.1\r\nHost: a\r\n\r\n' +
				'OPTIONS /v1/x HTTP/1.1\r\nHost: a\r\n\r\n' +
				'GET /also-none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
			for (const status of [404, 200, 204, 404])
				need((await socket.response()).status === status, `not ${status}`);
			await socket.ended();
		}));
	await row('HTTP: an unchanged file is 304', () =>
		withSocket(async (socket) => {
			socket.say('GET /app.js HTTP/1.1\r\nHost: a\r\n\r\n');
			const { head } = await socket.response();
			const [, etag] = /\r\netag: (\S+)/iu.exec(head);

			socket.say(`GET /app.js HTTP/1.1\r\nHost: a\r\nIf-None-Match: ${etag}` +
				'\r\n\r\n');
			need((await socket.response()).status === 304, 'not 304');
		}));
	await row('HTTP: half a request and away', () =>
		withSocket(async (socket) => {
			socket.say('POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab');
			socket.finish();
			await socket.ended();
		}));
}

/* ---- the bystander ---- */

/* Asks every 100 ms; 0 lost, none later than 5 s, never closed. */
function bystander() {
	const socket = new RawSocket(port);
	const late = [];
	let isOver = false;
	let answers = 0;

	const done = (async () => {
		await socket.upgrade();
		socket.say(text({ type: 'hello', token: instance.env.CHEMCHAT_TOKEN_ALICE }));
		await socket.frame();
		while (!isOver) {
			const began = Date.now();

			socket.say(text({ type: 'heads', ref: String(answers) }));
			for (;;) {
				const { opcode, payload } = await socket.frame(20000);

				if (opcode === 9)
					socket.say(frame(0x8a, payload));
				if (opcode === 8)
					throw new Error(`closed: ${payload.toString('latin1')}`);
				if (opcode === 1 && JSON.parse(payload).ref === String(answers))
					break;
			}
			if (Date.now() - began > 5000)
				late.push(Date.now() - began);
			answers++;
			await sleep(100);
		}
		need(late.length === 0, `answered after ${late.join(', ')} ms`);
		need(answers > 0, 'asked nothing');
	})();

	done.catch(() => {});
	return async () => {
		isOver = true;
		try {
			await done;
		} finally {
			socket.close();
		}
		return answers;
	};
}

/* ---- main ---- */

try {
	await instance.start();
	port = Number(new URL(instance.env.CHEMCHAT_URL).port);
	console.log(`seed ${values.seed}`);
	const stopBystander = bystander();
	const slow = Promise.all([
		slowRows(row, withSocket, need, () => instance.env),
		doorRows(row, need, instance.folder)
			.catch((error) => fail('the door', error)),
		issuerRows(row, need, instance.folder)
			.catch((error) => fail('issuers', error)),
		metricRows(row, need, instance.folder, instance)
			.catch((error) => fail('metrics', error)),
	]);

	for (const one of REFUSED)
		await refuses(one);
	for (const one of TAKEN)
		await takes(one);
	for (const one of BODIES)
		await judgesBody(one);
	for (const one of [...VIOLATIONS, ...GOODBYES]) {
		await violates(one, { isHello: false });
		await violates(one, { isHello: true });
		await violatesSlowly(one);
	}
	await goodRows();
	await slow;
	await drainRows(row, need, instance.folder, instance.env);
	await tokenRows(row, need, instance.folder, instance.env);
	await forwardedRows(row, need, instance.folder);
	await limitRows(row, need, instance.folder, instance);
	await lagRows(row, need, instance.folder, instance);
	await row('a storm of random and mutated input', () => storm({ port,
		inputs: Number(values.inputs), seed: Number(values.seed),
		token: instance.env.CHEMCHAT_TOKEN_BOB,
		room: instance.env.CHEMCHAT_CONVERSATION }));
	await row('whoever chats meanwhile does not notice', async () => {
		console.log(`the bystander was answered ${await stopBystander()} times`);
	});
	await row('what was refused is counted by reason', async () => {
		const seen = await instance.metric('gateway', 'chemchat_gateway_closed_total');

		need(seen > 100, `${seen} closed`);
		need(await instance.metric('gateway',
			'chemchat_gateway_http_answers_total') > 50, 'few answers');
	});
	await row('the sanitizers have found nothing', async () => {
		await instance.stopService('gateway'); /* leaks are told at the end */
		const log = await readFile(path.join(instance.folder, 'log/gateway.log'),
			'utf8');
		const at = log.search(/AddressSanitizer|LeakSanitizer|runtime error/u);

		need(at < 0, log.slice(at, at + 2000));
		need((await instance.crashes()).length === 0,
			(await instance.crashes()).join('\n'));
	});
} catch (error) {
	fail('the suite', error);
	console.log(await instance.logs().catch(() => ''));
} finally {
	await instance.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
