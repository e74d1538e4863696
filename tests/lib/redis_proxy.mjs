/*
 * redis_proxy - Redis, but for the messages we swallow
 *
 * Stands between our daemons and a Redis.  What Redis sends is split into
 * replies; a published message for which a rule says so is left out, as if
 * the network or the server had lost it.  Everything else passes unchanged.
 */

import net from 'node:net';

export class RedisProxy {
	swallowed = 0;
	#rules = [];				/* functions of a message; gone when they fire */
	#server;
	#sockets = new Set();
	#target;

	constructor(target) {
		this.#target = target;
	}

	async listen() {
		this.#server = net.createServer((client) => this.#join(client));
		await new Promise((resolve) =>
			this.#server.listen(0, '127.0.0.1', resolve));
		this.port = this.#server.address().port;
	}

	close() {
		this.#server?.close();
		this.#sockets.forEach((socket) => socket.destroy());
	}

	/* Swallows the next message that contains this text. */
	swallowNext(text) {
		this.#rules.push((message) => message.includes(text));
	}

	#join(client) {
		const server = net.connect(this.#target);
		const splitter = new Splitter((reply) => {
			if (!this.#isSwallowed(reply))
				client.write(reply);
		});

		client.pipe(server);
		server.on('data', (bytes) => splitter.feed(bytes));
		for (const [one, other] of [[client, server], [server, client]]) {
			this.#sockets.add(one);
			one.setNoDelay(true);
			one.on('error', () => {});
			one.on('close', () => {
				this.#sockets.delete(one);
				other.destroy();
			});
		}
	}

	#isSwallowed(reply) {
		if (!/^[*>]\d+\r\n\$\d+\r\ns?message\r\n/u
			.test(reply.subarray(0, 40).toString('latin1')))
			return false;
		const at = this.#rules.findIndex((rule) => rule(reply));

		if (at < 0)
			return false;
		this.#rules.splice(at, 1);
		this.swallowed++;
		return true;
	}
}

/* Cuts what a Redis sends into whole replies (RESP 2 and 3). */
export class Splitter {
	#pending = Buffer.alloc(0);
	#take;

	constructor(take) {
		this.#take = take;
	}

	feed(bytes) {
		this.#pending = Buffer.concat([this.#pending, bytes]);
		for (;;) {
			const end = replyEnd(this.#pending, 0);

			if (end < 0)
				return;
			this.#take(this.#pending.subarray(0, end));
			this.#pending = this.#pending.subarray(end);
		}
	}
}

/* Where the reply that begins at `at` ends; -1 when it is not all there. */
function replyEnd(bytes, at) {
	const lineEnd = bytes.indexOf('\r\n', at);

	if (lineEnd < 0)
		return -1;
	const kind = String.fromCharCode(bytes[at]);
	const count = Number(bytes.toString('latin1', at + 1, lineEnd));
	let end = lineEnd + 2;

	if ('$=!'.includes(kind)) {
		if (count >= 0)
			end += count + 2;
	} else if ('*>~%'.includes(kind)) {
		for (let i = 0; i < count * (kind === '%' ? 2 : 1) && end >= 0; i++)
			end = end <= bytes.length ? replyEnd(bytes, end) : -1;
	}
	return end <= bytes.length ? end : -1;
}
