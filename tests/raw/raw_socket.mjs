/*
 * raw_socket - a client that writes exactly the bytes it is told to
 *
 * No library stands between a test and the gateway that would correct it.
 */

import net from 'node:net';
import tls from 'node:tls';
import { randomBytes } from 'node:crypto';
import { waitFor } from '../lib/wait.mjs';

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const UPGRADE = 'GET /v1/ws HTTP/1.1\r\nHost: chat.test\r\n' +
	'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
	`Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n` +
	'Sec-WebSocket-Protocol: chemchat.v1.json\r\n\r\n';

export class RawSocket {
	bytes = Buffer.alloc(0);
	isEnded = false;
	isSecure = false;
	error = null;
	#socket;

	/* secure: options of tls.connect; what is said goes inside TLS. */
	constructor(port, secure = null) {
		const where = { port, host: '127.0.0.1', noDelay: true,
			allowHalfOpen: true };

		this.#socket = secure ? tls.connect({ ...where, ...secure })
			: net.connect(where);
		this.#socket.on('secureConnect', () => { this.isSecure = true; });
		this.#socket.on('data', (bytes) => {
			this.bytes = Buffer.concat([this.bytes, bytes]);
		});
		this.#socket.on('end', () => { this.isEnded = true; });
		this.#socket.on('error', (error) => {
			this.error = error;
			this.isEnded = true;
		});
		this.#socket.on('close', () => { this.isEnded = true; });
	}

	say(bytes) {
		if (!this.isEnded)
			this.#socket.write(bytes);
		return this;
	}

	/* Nothing more will be written; reading goes on. */
	finish() {
		this.#socket.end();
		return this;
	}

	close() {
		this.#socket.destroy();
	}

	/* What the gateway writes is left with the kernel. */
	stopReading() {
		this.#socket.pause();
	}

	goOnReading() {
		this.#socket.resume();
	}

	get certificate() {
		return this.#socket.getPeerCertificate();
	}

	get text() {
		return this.bytes.toString('latin1');
	}

	/* The next response, whole; it is taken off. */
	async response(withinMs = 15000) {
		return waitFor(() => `an answer, but ${JSON.stringify(this.text)}`, () => {
			const end = this.text.indexOf('\r\n\r\n');

			if (end < 0)
				return null;
			const head = this.text.slice(0, end);
			const status = Number(/^HTTP\/1\.1 (\d{3}) /u.exec(head)?.[1]);
			const length = Number(/\r\ncontent-length: (\d+)/iu.exec(head)?.[1] ?? 0);
			const size = end + 4 + (status === 101 || status === 100 ? 0 : length);

			if (this.bytes.length < size)
				return null;
			const body = this.bytes.subarray(end + 4, size).toString();

			this.bytes = this.bytes.subarray(size);
			return { status, head, body,
				isLast: /\r\nconnection: close/iu.test(head) };
		}, { withinMs });
	}

	async ended(withinMs = 5000) {
		await waitFor('the gateway hangs up', () => this.isEnded, { withinMs });
	}

	/* ---- as a WebSocket ---- */

	async upgrade() {
		this.say(UPGRADE);
		const { status } = await this.response();

		if (status !== 101)
			throw new Error(`${status} to a proper upgrade`);
		return this;
	}

	/* The next frame: { opcode, payload, code }; it is taken off. */
	async frame(withinMs = 10000) {
		return waitFor(() => `a frame, but ${this.bytes.toString('hex')}${
			this.isEnded ? ', ended' : ''}`, () => takeFrame(this), { withinMs });
	}

	/* One that has come whole, or null. */
	takeFrame() {
		return takeFrame(this);
	}

	/* The code it is closed with; 1005 when its close has none. */
	async closeCode(withinMs = 10000) {
		for (;;) {
			const { opcode, payload } = await this.frame(withinMs);

			if (opcode === 8)
				return payload.length < 2 ? 1005 : payload.readUInt16BE(0);
		}
	}
}

function takeFrame(socket) {
	const { bytes } = socket;
	let head = 2;
	let length = bytes.length > 1 ? bytes[1] & 127 : 0;

	if (bytes.length < 2)
		return null;
	if (length === 126) {
		head = 4;
		length = bytes.length >= 4 ? bytes.readUInt16BE(2) : Infinity;
	} else if (length === 127) {
		head = 10;
		length = bytes.length >= 10 ? Number(bytes.readBigUInt64BE(2)) : Infinity;
	}
	if (bytes.length < head + length)
		return null;
	socket.bytes = bytes.subarray(head + length);
	return { opcode: bytes[0] & 15, first: bytes[0],
		payload: bytes.subarray(head, head + length) };
}

/* A client's frame.  first: FIN, reserved bits and opcode. */
export function frame(first, payload = '', { mask = randomBytes(4) } = {}) {
	const bytes = Buffer.from(payload);
	const head = [first];

	if (bytes.length < 126)
		head.push(0x80 | bytes.length);
	else if (bytes.length < 65536)
		head.push(0x80 | 126, bytes.length >> 8, bytes.length & 255);
	else
		head.push(0x80 | 127, 0, 0, 0, 0, bytes.length >>> 24,
			(bytes.length >> 16) & 255, (bytes.length >> 8) & 255,
			bytes.length & 255);
	for (let i = 0; i < bytes.length; i++)
		bytes[i] ^= mask[i & 3];
	return Buffer.concat([Buffer.from(head), mask, bytes]);
}

export const text = (value) => frame(0x81,
	typeof value === 'string' ? value : JSON.stringify(value));
