/*
 * drain_rows - SIGTERM under way, and what the operator is shown
 *
 * A gateway of its own with sockets, long polls and sends in flight.
 */

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { SideGateway } from '../lib/side_gateway.mjs';
import { waitFor } from '../lib/wait.mjs';
import { RawSocket, text } from './raw_socket.mjs';

const SOCKETS = 30;
const POLLS = 10;
const DRAIN_MS = 4000;

function poll(token, query) {
	return `GET /v1/events?${query} HTTP/1.1\r\nHost: a\r\n` +
		`Authorization: Bearer ${token}\r\n\r\n`;
}

async function check(url) {
	const metrics = await (await fetch(`${url}/metrics`)).text();
	const child = spawn('promtool', ['check', 'metrics']);
	let said = '';

	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (bytes) => { said += bytes; });
	child.stdin.end(metrics);
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (code) => resolve({ code, said, metrics }));
	});
}

/* Every frame until the socket closes. */
async function lastFrames(socket) {
	const frames = [];

	for (;;) {
		const { opcode, payload } = await socket.frame(DRAIN_MS + 3000);

		if (opcode === 8)
			return { frames, code: payload.readUInt16BE(0) };
		if (opcode === 1)
			frames.push(JSON.parse(payload));
	}
}

export async function drainRows(row, need, runFolder, env) {
	const gateway = await SideGateway.start(runFolder, ['--user-connections',
		'200', '--drain-timeout', `${DRAIN_MS}ms`, '--address-requests', '0']);
	const token = env.CHEMCHAT_TOKEN_ALICE;
	const sockets = [], polls = [];

	await row('readyz: who is ready lets in', async () => {
		for (let i = 0; i < 3; i++) {
			const one = await SideGateway.start(runFolder, []);

			try {
				const { status } = await fetch(
					`http://127.0.0.1:${one.port}/v1/me`,
					{ headers: { Authorization: `Bearer ${token}` } });

				need(status === 200, `${status}`);
			} finally {
				await one.stop();
			}
		}
	});
	try {
		/* Who polls is not in it: nothing but the end comes to her. */
		const made = await fetch(`http://127.0.0.1:${gateway.port}/v1/conversations`,
			{ method: 'POST', headers: { Authorization: `Bearer ${token}`,
				'Content-Type': 'application/json' },
			body: JSON.stringify({ kind: 'group', title: 'in flight' }) });

		if (made.status !== 201)
			throw new Error(`${made.status} ${await made.text()}`);
		const { conversationId } = await made.json();

		for (let i = 0; i < SOCKETS; i++) {
			const socket = await new RawSocket(gateway.port).upgrade();

			sockets.push(socket);
			socket.say(text({ type: 'hello', token }));
			await socket.frame();
		}
		for (let i = 0; i < POLLS; i++) {
			const socket = new RawSocket(gateway.port);

			polls.push(socket);
			socket.say(poll(env.CHEMCHAT_TOKEN_BOB, ''));
			const { next } = JSON.parse((await socket.response()).body);

			socket.say(poll(env.CHEMCHAT_TOKEN_BOB, `timeoutMs=30000&cursor=${
				encodeURIComponent(next)}`));
		}
		await row('metrics: promtool finds nothing, and all is counted',
			async () => {
				for (const url of [gateway.opsUrl, env.CHEMCHAT_RELAY_OPS_URL]) {
					const { code, said } = await check(url);

					need(code === 0 && said === '', `${url}: ${code}: ${said}`);
				}
				await waitFor('the sockets are counted', async () => await
					gateway.metric('chemchat_gateway_connections') === SOCKETS);
				await waitFor('the polls are counted', async () => await
					gateway.metric('chemchat_gateway_polls') === POLLS);
			});
		await row('SIGTERM: everybody hears it, and nothing under way is lost',
			async () => {
				for (const socket of sockets)
					socket.say(text({ type: 'send', ref: 's', body: 'in flight',
						clientMsgId: randomUUID(),
						conversationId }));
				/* all of them are in before it hears of the end */
				sockets.at(-1).say(text({ type: 'ping', ref: 'p' }));
				for (;;) {
					const { payload } = await sockets.at(-1).frame();

					if (JSON.parse(payload).ref === 'p')
						break;
				}
				const beganMs = Date.now();

				gateway.signal('SIGTERM');
				const ends = await Promise.all(sockets.map(lastFrames));
				const waits = new Set();

				for (const [i, { frames, code }] of ends.entries()) {
					const bye = frames.at(-1);

					need(frames.some((one) => one.ref === 's' &&
						one.type === 'ok') || i === SOCKETS - 1,
					`no answer but ${JSON.stringify(frames)}`);
					need(bye?.type === 'bye' && bye.reason === 'drain' &&
						bye.retryAfterMs >= 200 && bye.retryAfterMs <= 3000,
					`no bye but ${JSON.stringify(bye)}`);
					need(code === 1001, `closed with ${code}`);
					waits.add(bye.retryAfterMs);
				}
				need(waits.size > SOCKETS / 2, `they come back in ${waits.size} ways`);
				for (const socket of polls) {
					const { status, body, isLast } = await socket.response();
					const { frames } = JSON.parse(body);

					need(status === 200 && frames.at(-1).type === 'bye',
						`${status} ${body}`);
					need(isLast, 'the connection is kept');
				}
				const { code, atMs } = await gateway.exit;

				need(code === 0, `it ended with ${code}\n${gateway.log}`);
				need(atMs - beganMs <= DRAIN_MS + 2500, `after ${atMs - beganMs} ms`);
				need(!/Sanitizer|runtime error/u.test(gateway.log), gateway.log);
			});
	} finally {
		[...sockets, ...polls].forEach((socket) => socket.close());
		await gateway.stop();
	}
}
