/*
 * doors - one question, by WebSocket or by REST, and its answer alike
 *
 * An answer is {status, code, text, shape}: code undefined when it was done;
 * shape is the text without what differs in every answer.
 */

import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';

export class Socket {
	strays = [];			/* frames that answer nothing */
	closeCode;
	#socket;
	#waiting = new Map();

	constructor(url, token) {
		this.#socket = new WebSocket(url, 'chemchat.v1.json');
		this.#socket.on('open', () => this.#socket.send(
			JSON.stringify({ type: 'hello', token })));
		this.#socket.on('error', () => {});
	}

	open() {
		return new Promise((resolve, reject) => {
			this.#socket.on('message', (data) => {
				const text = data.toString();
				const frame = JSON.parse(text);

				if (frame.type === 'welcome')
					resolve();
				else if (this.#waiting.has(frame.ref)) {
					this.#waiting.get(frame.ref)(answerOf(undefined,
						frame.code, text));
					this.#waiting.delete(frame.ref);
				} else
					this.strays.push(text);
			});
			this.#socket.on('close', (code) => {
				this.closeCode = code;
				for (const answer of this.#waiting.values())
					answer(answerOf(undefined, 'disconnected', ''));
				reject(new Error(`closed ${code}`));
			});
		});
	}

	ask(type, fields) {
		const ref = randomUUID();

		return new Promise((resolve) => {
			this.#waiting.set(ref, resolve);
			this.#socket.send(JSON.stringify({ type, ref, ...fields }));
		});
	}

	close() {
		this.#socket.terminate();
	}
}

export async function rest(wsUrl, verb, token, fields) {
	const url = new URL(wsUrl.replace('ws', 'http'));
	const headers = { Authorization: `Bearer ${token}` };
	const query = new URLSearchParams();
	const body = {};
	let target = verb.path.split('?')[0];

	for (const { name, place } of verb.arguments) {
		const value = fields[name];

		if (value === undefined)
			continue;
		if (place === 'path')
			target = target.replace(`{${name}}`, encodeURIComponent(value));
		else if (place === 'query')
			query.set(name, Array.isArray(value) ? value.join(',') : value);
		else if (place === 'key')
			headers['Idempotency-Key'] = value;
		else
			body[name] = value;
	}
	const hasBody = !['GET', 'DELETE'].includes(verb.method);

	if (hasBody)
		headers['Content-Type'] = 'application/json';
	const answer = await fetch(`http://${url.host}${target}${
		query.size ? `?${query}` : ''}`, { method: verb.method, headers,
		body: hasBody ? JSON.stringify(body) : undefined });
	const text = await answer.text();
	let code;

	if (answer.status >= 400)
		code = JSON.parse(text).code;
	return answerOf(answer.status, code, text);
}

function answerOf(status, code, text) {
	return { status, code, text, shape: `${status} ${text.replace(
		/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gu,
		'ID')}` };
}
