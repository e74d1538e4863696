/*
 * slow_rows - clients that take their time; all at once, so that it is spent once
 */

import { sleep } from '../lib/wait.mjs';
import { frame, text } from './raw_socket.mjs';

/* A byte a second until it is ended or told otherwise. */
async function trickle(socket, bytes) {
	for (const byte of bytes) {
		if (socket.isEnded)
			return;
		socket.say(Buffer.from([byte]));
		await sleep(1000);
	}
}

async function endsWithin(socket, fromMs, toMs, need) {
	const began = Date.now();

	await socket.ended(toMs + 5000);
	const tookMs = Date.now() - began;

	need(tookMs >= fromMs && tookMs <= toMs,
		`ended after ${tookMs} ms, not ${fromMs} to ${toMs}`);
}

export function slowRows(row, withSocket, need, env) {
	return Promise.all([
		row('HTTP: a head a byte a second', () => withSocket(async (socket) => {
			trickle(socket, Buffer.from(`GET / HTTP/1.1\r\nX: ${'x'.repeat(60)}`));
			await endsWithin(socket, 8000, 12000, need);
			need((await socket.response()).status === 408, 'not 408');
		})),
		row('HTTP: a connection that says nothing', () =>
			withSocket((socket) => endsWithin(socket, 8000, 12000, need))),
		row('HTTP: a body a byte a second', () => withSocket(async (socket) => {
			socket.say('POST /v1/x HTTP/1.1\r\nHost: a\r\n' +
				'Content-Length: 100\r\n\r\n');
			trickle(socket, Buffer.from('x'.repeat(60)));
			await endsWithin(socket, 27000, 32000, need);
			need((await socket.response()).status === 408, 'not 408');
		})),
		row('WebSocket: no token for 5 s', () => withSocket(async (socket) => {
			const began = Date.now();

			await socket.upgrade();
			need(await socket.closeCode() === 4401, 'not 4401');
			need(Date.now() - began < 8000, 'too late');
			await socket.ended();
		})),
		...[
			['a message a byte a second', frame(0x81, 'x'.repeat(60))],
			['a head of a frame, and nothing behind it', Buffer.from([0x81])],
			['a message in parts with pings between', Buffer.concat([
				frame(0x01, 'x'), ...Array.from({ length: 10 },
					() => frame(0x89, ''))])],
		].map(([what, bytes]) => row(`WebSocket: ${what}`, () =>
			withSocket(async (socket) => {
				const began = Date.now();

				await socket.upgrade();
				socket.say(text({ type: 'hello', token: env().CHEMCHAT_TOKEN_BOB }));
				await socket.frame();
				trickle(socket, bytes);
				need(await socket.closeCode(40000) === 1008, 'not 1008');
				need(Date.now() - began > 27000 && Date.now() - began < 34000,
					`after ${Date.now() - began} ms`);
				await socket.ended();
			}))),
	]);
}
