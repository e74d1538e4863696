/*
 * storm - random and mutated frames and requests, as many as are asked for
 *
 * A few connections at a time.  What is sent must end as the protocol says:
 * with an answer, a close frame or the end of the connection; never in silence
 * for more than 20 s while the gateway owes one.  The seed makes it again.
 */

import { sleep } from '../lib/wait.mjs';
import { REFUSED, TAKEN } from './http_rows.mjs';
import { RawSocket, UPGRADE, frame, text } from './raw_socket.mjs';
import { VIOLATIONS } from './ws_rows.mjs';

const LANES = 8;
const PER_CONNECTION = 200;

/* mulberry32 */
function randomOf(seed) {
	let state = seed >>> 0;

	return (bound) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let z = Math.imul(state ^ (state >>> 15), state | 1);

		z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
		return ((z ^ (z >>> 14)) >>> 0) % bound;
	};
}

function mutate(random, bytes) {
	const out = Buffer.from(bytes);

	for (let i = 1 + random(3); i > 0 && out.length > 0; i--) {
		const at = random(out.length);

		switch (random(4)) {
			case 0:
				out[at] ^= 1 << random(8);
				break;
			case 1:
				out[at] = random(256);
				break;
			case 2:
				return out.subarray(0, at);
			default:
				out.copyWithin(at, random(out.length));
		}
	}
	return out;
}

function someJson(random, room) {
	const frames = [
		{ type: 'heads', ref: 'r' },
		{ type: 'ping', ref: 'r' },
		{ type: 'history', ref: 'r', conversationId: room, maxRows: 2 },
		{ type: 'changes', ref: 'r', conversationId: room, afterEv: random(9) },
		{ type: 'users', ref: 'r', ids: [room] },
		{ type: 'edit', ref: 'r', conversationId: room, seq: random(5), body: 'x' },
		{ type: 'react', ref: 'r', conversationId: room, seq: 1, emoji: 'x' },
		{ type: 'send', ref: 'r', conversationId: room, clientMsgId: room,
			body: 'x'.repeat(random(300)) },
		{ type: 'hello', token: 'x' },
		[], null, 1e308, 'x',
	];
	const json = JSON.stringify(frames[random(frames.length)]);

	if (random(3) === 0)
		return json;
	/* Mostly still text, so that the session lives to say more. */
	const out = mutate(random, json);

	return random(50) === 0 ? out : out.map((byte) => byte & 0x7f);
}

/* A session's frames: most of them whole, so that it goes on. */
async function aSession(socket, random, { token, room }, count) {
	const batch = [];
	let sent = 0;

	await socket.upgrade();
	socket.say(text({ type: 'hello', token }));
	await socket.frame(20000);
	while (sent < count && !socket.isEnded) {
		batch.length = 0;
		for (let i = 0; i < 20; i++) {
			const one = frame(0x81, someJson(random, room));

			batch.push(random(60) === 0 ? mutate(random, one)
				: random(200) === 0 ? VIOLATIONS[random(VIOLATIONS.length)][1] : one);
		}
		sent += batch.length;
		socket.bytes = Buffer.alloc(0);
		socket.say(Buffer.concat(batch));
		/* 20 are answered before the next 20: no more than 64 are under way. */
		for (let i = 0; i < 100 && !socket.isEnded && socket.bytes.length === 0; i++)
			await sleep(1);
	}
	return Math.max(sent, 1);
}

async function aRequest(socket, random) {
	const rows = random(2) === 0 ? REFUSED : TAKEN;
	const base = rows[random(rows.length)][1];
	let bytes = Buffer.from(base, 'latin1');

	if (random(4) !== 0)
		bytes = mutate(random, bytes);
	if (random(4) === 0)
		bytes = Buffer.concat([bytes, mutate(random, Buffer.from(UPGRADE))]);
	socket.say(bytes);
	for (let i = 0; i < 30 && !socket.isEnded && socket.bytes.length === 0; i++)
		await sleep(1);
	return 1;
}

export async function storm(options) {
	const { port, inputs, seed } = options;
	let done = 0;
	let connections = 0;

	async function lane(number) {
		const random = randomOf(seed * LANES + number);

		while (done < inputs) {
			const socket = new RawSocket(port);

			connections++;
			try {
				const count = random(3) === 0 ? await aRequest(socket, random)
					: await aSession(socket, random, options, PER_CONNECTION);

				done += count; /* behind the await: the lanes share it */
			} finally {
				socket.close();
			}
		}
	}

	await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i)));

	/* It still serves. */
	const last = new RawSocket(port);

	await last.upgrade();
	last.close();
	console.log(`${done} inputs on ${connections} connections`);
}
