/*
 * socket - a WebSocket whose every frame is held to the AsyncAPI document
 */

import WebSocket from 'ws';

export class Socket {
	live = [];
	failures = [];
	seen = new Set();			/* types of answers and live frames */
	#waiting = new Map();
	#number = 0;

	constructor(url, documents) {
		this.documents = documents;
		this.ws = new WebSocket(url, 'chemchat.v1.json');
		this.answers = new Map(documents.verbs.filter((verb) => verb.type)
			.map((verb) => [verb.type, verb.answer]));
		this.ws.on('message', (data) => this.#heard(JSON.parse(data)));
		this.closed = new Promise((resolve) => this.ws.on('close', resolve));
		this.opened = new Promise((resolve, reject) => {
			this.ws.on('open', resolve);
			this.ws.on('error', reject);
		});
	}

	#heard(frame) {
		try {
			this.documents.need(`/schemas/frame.json#/$defs/${frame.type}`, frame,
				'a frame');
		} catch (error) {
			this.failures.push(error.message);
		}
		this.seen.add(frame.type);
		if (frame.ref !== undefined && this.#waiting.has(frame.ref)) {
			this.#waiting.get(frame.ref)(frame);
			this.#waiting.delete(frame.ref);
		} else
			this.live.push(frame);
	}

	/* The answer, an error too; what the document allows is what is asked. */
	ask(type, fields = {}, { isGood = true } = {}) {
		const ref = `r${++this.#number}`;
		const frame = { type, ref, ...fields };

		if (isGood && !this.documents.allows(
			`/schemas/request.json#/$defs/${type}`, frame))
			throw new Error(`the document does not allow ${JSON.stringify(frame)}`);
		return new Promise((resolve, reject) => {
			this.#waiting.set(ref, resolve);
			this.closed.then(() => reject(new Error(`closed before ${type}`)));
			this.ws.send(JSON.stringify(frame));
		});
	}

	async good(type, fields) {
		const answer = await this.ask(type, fields);

		if (answer.type !== this.answers.get(type))
			throw new Error(`${type} ${JSON.stringify(fields)}: ${
				JSON.stringify(answer).slice(0, 300)}`);
		return answer;
	}

	async bad(type, fields, code, field) {
		const answer = await this.ask(type, fields, { isGood: false });

		if (answer.type !== 'error' || answer.code !== code ||
			(field !== undefined && (answer.field ?? '') !== field))
			throw new Error(`${type} ${JSON.stringify(fields).slice(0, 200)}: ${
				JSON.stringify(answer)}, expected ${code} ${field ?? ''}`);
		return answer;
	}

	close() {
		this.ws.terminate();
	}
}
