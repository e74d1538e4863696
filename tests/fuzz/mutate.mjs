/*
 * mutate - valid frames and requests, and what becomes of them
 *
 * From the gateway's table of verbs.  Pure, but for its random numbers: the
 * same seed gives the same bytes.
 */

const TEXTS = ['', 'x', '👍', '\u0000', '\ud800', '‮', 'a'.repeat(300),
	'@all', '../..', '%2e%2e', "'; DROP TABLE message; --", '{"a":1}'];
const KNOWN = {
	body: ['hello', 'hello @all', 'b'.repeat(2000)],
	emoji: ['👍', '🧪', '+1'],
	role: ['owner', 'admin', 'member', 'guest'],
	kind: ['group', 'channel', 'direct'],
	notify: ['all', 'mentions', 'none'],
	title: ['a title'], topic: ['a topic', ''], displayName: ['Somebody'],
	query: ['h'], traceparent: [`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
};
const NUMBERS = [0, -1, 1, 2, 3, 1.5, 1e999, 2 ** 31, 2 ** 53, 2 ** 63, -(2 ** 63),
	NaN];
const HEADERS = ['Content-Length: -1', 'Content-Length: 99999999999',
	'Transfer-Encoding: chunked', 'Content-Type: text/plain', 'Expect: 100-continue',
	'Connection: close', 'Upgrade: h2c', 'If-Match: "x"', 'If-None-Match: *',
	'Origin: null', 'Host: other', 'Accept: application/xml', 'X-Forwarded-For: ,,',
	'traceparent: 00-zz', 'Range: bytes=0-', ': ', 'A'.repeat(200) + ': b'];

export class Mutator {
	#world;
	#random;
	#user;

	constructor(world, random, user) {
		this.#world = world;
		this.#random = random;
		this.#user = user;
	}

	#pick(list) {
		return list[Math.floor(this.#random() * list.length)];
	}

	#chance(p) {
		return this.#random() < p;
	}

	#uuid() {
		const hex = Array.from({ length: 32 }, () =>
			Math.floor(this.#random() * 16).toString(16)).join('');

		return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${
			hex.slice(16, 20)}-${hex.slice(20)}`;
	}

	/* A value that fits the argument; sometimes one that does not. */
	#value({ name, kind, min, max }) {
		const { room, quiet } = this.#world;
		/* the two who chat are left alone */
		const users = this.#world.users.slice(2);

		if (this.#chance(0.03))
			return this.#pick([null, true, [], {}, [[[]]], this.#pick(TEXTS),
				this.#pick(NUMBERS), this.#uuid()]);
		switch (kind) {
			case 'uuid':
				return this.#pick(name === 'conversationId'
					? [room, room, room, room, room, room, room, room, quiet,
						this.#uuid()]
					: [...users, this.#uuid()]);
			case 'uuids':
				return Array.from({ length: Math.floor(this.#random() * 5) },
					() => this.#pick([...users, this.#uuid()]));
			case 'int':
				return this.#chance(0.9) ? 1 + Math.floor(this.#random() * 5)
					: this.#pick([200, min, max, max + 1, min - 1]);
			case 'bool':
				return this.#chance(0.5);
			case 'time':
				return this.#pick(['2026-01-01T00:00:00Z', '9999-99-99', 'now',
					'2026-01-01T00:00:00.123456+02:00']);
			default:
				if (KNOWN[name] && this.#chance(0.9))
					return this.#pick(KNOWN[name]);
				return this.#pick([...TEXTS, 'member', 'owner', 'group',
					'channel', 'all', 'hello', 'b'.repeat(Math.min(max, 20000))]);
		}
	}

	#fields(verb) {
		const fields = {};

		for (const argument of verb.arguments) {
			if (argument.name === 'token' && this.#chance(0.9))
				continue;
			if (argument.isRequired ? !this.#chance(0.02) : this.#chance(0.5))
				fields[argument.name] = this.#value(argument);
		}
		return fields;
	}

	/* Bytes of any kind are bent: flipped, cut out, doubled, put in. */
	#bend(bytes, times = 1 + Math.floor(this.#random() * 3)) {
		let bent = Buffer.from(bytes);

		for (let i = 0; i < times && bent.length; i++) {
			const at = Math.floor(this.#random() * bent.length);
			const to = Math.min(bent.length, at +
				1 + Math.floor(this.#random() * 8));

			switch (Math.floor(this.#random() * 5)) {
				case 0:
					bent[at] ^= 1 << Math.floor(this.#random() * 8);
					break;
				case 1:
					bent = Buffer.concat([bent.subarray(0, at),
						bent.subarray(to)]);
					break;
				case 2:
					bent = Buffer.concat([bent.subarray(0, to),
						bent.subarray(at)]);
					break;
				case 3:
					bent = Buffer.concat([bent.subarray(0, at),
						Buffer.from([this.#random() * 256, 0xff, 0xc0]),
						bent.subarray(at)]);
					break;
				default:
					bent[at] = this.#pick([0, 0x22, 0x5c, 0x7b, 0x5b, 0x0a,
						0x0d, 0x25, 0x80]);
			}
		}
		return bent;
	}

	#json(value) {
		const text = JSON.stringify(value, (key, one) =>
			typeof one === 'number' && !Number.isFinite(one) ? `@${one}` : one)
			.replace(/"@(NaN|-?Infinity)"/gu, '1e999');

		if (this.#chance(0.02))
			return text.replace('{', `{"type":"ping",`);	/* a key twice */
		if (this.#chance(0.01))
			return '['.repeat(40) + text;
		if (this.#chance(0.01))
			return `${text}${text}`;
		return text;
	}

	/* ---- WebSocket ---- */

	upgrade() {
		const { hostname, port, tokens } = this.#world;
		const head = Buffer.from(['GET /v1/ws HTTP/1.1',
			`Host: ${hostname}:${port}`, 'Upgrade: websocket',
			'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
			'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
			'Sec-WebSocket-Protocol: chemchat.v1.json', '', ''].join('\r\n'));

		return this.#chance(0.03) ? this.#bend(head) : head;
	}

	hello() {
		return this.#chance(0.97) ? this.#wrap(Buffer.from(JSON.stringify(
			{ type: 'hello', token: this.#world.tokens[this.#user] })))
			: this.frame();
	}

	frame() {
		const verb = this.#pick(this.#world.verbs.filter((one) => one.type &&
			!['bye', 'hello'].includes(one.type)));
		let payload = Buffer.from(this.#json({ type: verb.type,
			ref: this.#chance(0.9) ? 'r' : this.#pick(TEXTS),
			...this.#fields(verb) }));

		if (this.#chance(0.2))
			payload = this.#bend(payload);
		/* so is what is not UTF-8 */
		if (!this.#chance(0.001))
			payload = Buffer.from(payload.toString());
		/* what ends the connection must be rare, or nothing goes deep */
		return this.#chance(0.0015) ? this.#oddFrame(payload)
			: this.#wrap(payload);
	}

	#wrap(payload, { first = 0x81, isMasked = true, length } = {}) {
		const size = length ?? payload.length;
		const head = size < 126 ? Buffer.from([first, size])
			: size < 65536 ? Buffer.from([first, 126, size >> 8, size & 255])
				: Buffer.concat([Buffer.from([first, 127]), big(size)]);
		const mask = Buffer.from(Array.from({ length: 4 }, () =>
			Math.floor(this.#random() * 256)));
		const body = Buffer.from(payload);

		if (!isMasked)
			return Buffer.concat([head, body]);
		head[1] |= 0x80;
		for (let i = 0; i < body.length; i++)
			body[i] ^= mask[i & 3];
		return Buffer.concat([head, mask, body]);
	}

	#oddFrame(payload) {
		switch (Math.floor(this.#random() * 8)) {
			case 0:
				return this.#wrap(payload, { isMasked: false });
			case 1:
				return this.#wrap(payload,
					{ first: Math.floor(this.#random() * 256) });
			case 2:
				return this.#wrap(payload, { length: 2 ** 40 });
			case 3:
				return this.#bend(this.#wrap(payload));
			case 4:			/* in pieces, a ping between them */
				return Buffer.concat([
					this.#wrap(payload.subarray(0, 3), { first: 0x01 }),
					this.#wrap(Buffer.from('p'), { first: 0x89 }),
					this.#wrap(payload.subarray(3), { first: 0x80 })]);
			case 5:
				return this.#wrap(Buffer.from([3, 232, 0xff, 0xfe]),
					{ first: 0x88 });
			case 6:
				return this.#wrap(Buffer.alloc(65537, 0x61));
			default:
				return Buffer.from(Array.from({ length: 40 }, () =>
					Math.floor(this.#random() * 256)));
		}
	}

	/* ---- HTTP ---- */

	request() {
		const { hostname, port, tokens } = this.#world;
		const verb = this.#pick(this.#world.verbs.filter((one) => one.path));
		const fields = this.#fields(verb);
		const query = [];
		const body = {};
		const lines = [`Host: ${hostname}:${port}`];
		let target = verb.path.split('?')[0];
		let text = '';

		for (const { name, place } of verb.arguments) {
			const value = fields[name];
			const plain = typeof value === 'object' ? JSON.stringify(value)
				: String(value);

			if (place === 'path')
				target = target.replace(`{${name}}`, encode(plain));
			else if (value === undefined)
				continue;
			else if (place === 'query')
				query.push(`${name}=${encode(plain)}`);
			else if (place === 'key')
				lines.push(`Idempotency-Key: ${encode(plain)}`);
			else
				body[name] = value;
		}
		if (query.length)
			target += `?${query.join('&')}`;
		/* not what would end the token for all that follow */
		if (!verb.isPublic && !verb.path.includes('sessions') &&
			this.#chance(0.95))
			lines.push(`Authorization: Bearer ${tokens[this.#user]}`);
		if (!['GET', 'DELETE'].includes(verb.method)) {
			text = this.#json(body);
			lines.push('Content-Type: application/json',
				`Content-Length: ${Buffer.byteLength(text)}`);
		}
		if (this.#chance(0.02))
			lines.push(this.#pick(HEADERS));
		const bytes = Buffer.from(`${verb.method} ${target} HTTP/1.1\r\n${
			lines.join('\r\n')}\r\n\r\n${text}`);

		return this.#chance(0.05) ? this.#bend(bytes) : bytes;
	}
}

function big(number) {
	const bytes = Buffer.alloc(8);

	bytes.writeBigUInt64BE(BigInt(number));
	return bytes;
}

function encode(text) {
	try {
		return encodeURIComponent(text);
	} catch {
		return '%ED%A0%80';		/* half a surrogate pair */
	}
}
