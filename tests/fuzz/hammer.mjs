/*
 * hammer - random and mutated frames and requests against a running gateway
 *
 *	node hammer.mjs --bin DIR [--count 100000] [--seed N] [--sockets 24]
 *
 * DIR has a chemchat-gateway that was built with ASan and UBSan.  The corpus
 * is its own table of verbs (--print-verbs), filled with ids that exist and
 * with ids that do not; then bytes, lengths, opcodes, JSON and heads are bent.
 * Meanwhile two people chat on connections of their own, and must not notice.
 * The seed, which is printed, gives the bytes.
 */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Instance } from '../lib/instance.mjs';
import { Person } from '../lib/person.mjs';
import { sleep, waitFor } from '../lib/wait.mjs';
import { seededRandom } from '../e2e/unit/fakes.mjs';
import { Mutator } from './mutate.mjs';

const { values: given } = parseArgs({ options: {
	bin: { type: 'string' },
	count: { type: 'string', default: '100000' },
	seed: { type: 'string', default: String(Date.now() % 1000000) },
	sockets: { type: 'string', default: '24' },
} });
const COUNT = Number(given.count);
const BURST = 48;			/* frames in one write, fewer than may be under way */
const QUIET_MS = 2;
const PATIENCE_MS = 150;	/* without an answer: the next burst */
const WELCOME_MS = 500;	/* without a welcome it goes on too */
const STALL_MS = 15000;

class Hammer {
	#instance = new Instance({ CHEMCHAT_BIN_DIR: given.bin,
		CHEMCHAT_GATEWAY_ARGS: '--send-rate 0 --request-rate 0 ' +
			'--user-connections 1000 --address-connections 0 --log-level debug ' +
			'--address-requests 0' });
	#sent = { frames: 0, requests: 0, connections: 0, answers: 0 };
	#codes = new Map();
	#failures = [];
	#chatted = 0;
	#isOver = false;
	#rss = { before: 0, after: 0 };

	async main() {
		console.log(`seed ${given.seed}`);
		try {
			await this.#instance.start();
			const pid = this.#pid();
			const world = await this.#settle();
			const chat = this.#chat(world);
			const rooms = this.#newRooms(world);
			const beganMs = Date.now();
			const progress = setInterval(() => console.log(`  ${this.#total
			} of ${COUNT}, ${this.#chatted} messages`), 30000);

			this.#rss.before = await this.#instance.metric('gateway',
				'process_resident_memory_bytes');
			await Promise.all(Array.from({ length: Number(given.sockets) },
				(_, i) => this.#swing(world, i)));
			clearInterval(progress);
			this.#isOver = true;
			await Promise.all([chat, rooms]);
			this.#rss.after = await this.#instance.metric('gateway',
				'process_resident_memory_bytes').catch(() => 0);
			return await this.#judge(pid, Date.now() - beganMs, world);
		} catch (error) {
			console.log(await this.#instance.logs(60));
			throw error;
		} finally {
			this.#isOver = true;
			this.#people.forEach((person) => person.close());
			await this.#instance.stop();
		}
	}

	#people = [];

	#pid() {
		return Number(this.#instance.env.CHEMCHAT_PID_GATEWAY);
	}

	get #refusals() {
		return [...this.#codes.values()].reduce((sum, n) => sum + n, 0);
	}

	get #total() {
		return this.#sent.frames + this.#sent.requests;
	}

	async #settle() {
		const users = [];

		for (let i = 0; i < 6; i++)
			users.push(await this.#instance.createUser(`h${i}-${given.seed}`));
		const tokens = await Promise.all(users.map((id) =>
			this.#instance.token(id)));
		const room = await this.#instance.createConversation('group',
			'hammered', users.slice(2));
		const quiet = await this.#instance.createConversation('group', 'quiet',
			users.slice(0, 2));

		for (let i = 0; i < 5; i++)
			await this.#instance.sql(`SELECT seq FROM chemchat.send_message(
				'${users[2]}', '${room}', '${randomUUID()}', 'message ${i}')`);
		for (const [i, name] of ['alice', 'bob'].entries()) {
			const person = new Person(name, { token: tokens[i],
				url: this.#instance.env.CHEMCHAT_WS_URL });

			this.#people.push(person);
			person.client.connect();
		}
		await waitFor('both are online',
			() => this.#people.every((person) => person.isOnline));
		const verbs = execFileSync(path.join(given.bin, 'chemchat-gateway'),
			['--print-verbs'], { maxBuffer: 1 << 24 }).toString().trim()
			.split('\n').map((line) => JSON.parse(line));
		const { hostname, port } = new URL(
			this.#instance.env.CHEMCHAT_WS_URL.replace('ws', 'http'));

		return { users, tokens, room, quiet, verbs, hostname, port };
	}

	/* They remove each other and archive what they can: there is always more. */
	async #newRooms(world) {
		while (!this.#isOver) {
			await sleep(300);
			const id = await Promise.race([sleep(5000),
				this.#instance.createConversation('group', 'hammered',
					world.users.slice(2)).catch(() => null)]);

			if (id)
				world.room = id;
		}
	}

	/* Two who notice nothing: every message in time, nobody disconnected. */
	async #chat({ quiet }) {
		const [alice, bob] = this.#people;

		for (let n = 0; !this.#isOver; n++) {
			const body = `still here ${n}`;
			const beganMs = Date.now();

			try {
				await Promise.race([
					alice.client.send(quiet, body).done,
					sleep(STALL_MS).then(() => {
						throw new Error('no ok');
					}),
				]);
				await waitFor(`bob sees ${body}`, () => bob.events(quiet)
					.some((event) => event.body === body),
				{ withinMs: STALL_MS, everyMs: 5 });
				this.#chatted++;
			} catch (error) {
				if (!this.#isOver)
					this.#failures.push(`chat: ${error.message}`);
				return;
			}
			await sleep(Math.max(0, 200 - (Date.now() - beganMs)));
		}
	}

	/* One connection after the other until there were enough. */
	async #swing(world, index) {
		const random = seededRandom(Number(given.seed) * 1000 + index);
		const mutator = new Mutator(world, random, 2 + index % 4);

		while (this.#total < COUNT && !this.#failures.length)
			await this.#connection(world, mutator, random);
	}

	#connection({ hostname, port }, mutator, random) {
		return new Promise((resolve) => {
			const socket = net.connect(Number(port), hostname);
			const isWs = random() < 0.75;
			const bursts = 1 + Math.floor(random() * 30);
			const timer = setTimeout(() => {
				socket.destroy();
				resolve();
			}, 20000);
			let left = bursts;
			let isDeaf = random() < 0.03;
			let heardMs = Date.now();
			let isUpgraded = false;
			let owed = 0;
			let timeout = null;

			this.#sent.connections++;
			const burst = () => {
				const parts = [];

				if (socket.destroyed)
					return;
				if (left-- <= 0 || this.#total >= COUNT) {
					if (random() < 0.5)
						socket.end();
					else
						socket.resetAndDestroy?.() ?? socket.destroy();
					return;
				}
				for (let i = 0; i < (isWs ? BURST : 8); i++) {
					parts.push(isWs ? mutator.frame() : mutator.request());
					if (isWs)
						this.#sent.frames++;
					else
						this.#sent.requests++;
				}
				const bytes = Buffer.concat(parts);
				const cut = random() < 0.1
					? Math.floor(random() * bytes.length) : bytes.length;

				socket.write(bytes.subarray(0, cut));
				if (cut < bytes.length)
					setImmediate(() => socket.write(bytes.subarray(cut)));
				/* the answers set the pace */
				heardMs = Date.now();
				owed = isWs ? BURST : 8;
				setTimeout(next, QUIET_MS);
			};
			const next = () => {
				if (socket.destroyed || isDeaf || owed <= BURST / 8 ||
					Date.now() - heardMs >= PATIENCE_MS)
					burst();
				else
					setTimeout(next, QUIET_MS);
			};
			socket.on('connect', () => {
				if (!isWs)
					burst();
				else {
					socket.write(mutator.upgrade());
					timeout = setTimeout(burst, WELCOME_MS);
				}
			});
			socket.on('data', (data) => {
				if (isWs && !isUpgraded && data.includes('101 Switching')) {
					isUpgraded = true;
					socket.write(mutator.hello());
				}
				if (timeout && data.includes('"welcome"')) {
					clearTimeout(timeout);
					timeout = null;
					burst();
				}
				heardMs = Date.now();
				owed -= isWs ? count(data, '"ref":')
					: count(data, 'HTTP/1.1 ');
				this.#sent.answers += count(data, '"type":"');
				for (const [, code] of data.latin1Slice().matchAll(
					/"code":"(\w+)"/gu))
					this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
			});
			if (isDeaf)
				setTimeout(() => socket.pause(), 2 * WELCOME_MS);
			socket.on('error', (error) => {
				if (error.code === 'ECONNREFUSED')
					this.#failures.push('the gateway does not listen');
			});
			socket.on('close', () => {
				clearTimeout(timer);
				left = 0;
				isDeaf = false;
				resolve();
			});
		});
	}

	async #judge(pid, tookMs, { tokens }) {
		const folder = path.dirname(this.#instance.env.CHEMCHAT_JWT_SECRET_FILE);
		const log = await readFile(path.join(folder, '../log/gateway.log'),
			'utf8').catch(() => '');
		const findings = log.split('\n').filter((line) =>
			/Sanitizer|runtime error|level=error/u.test(line));

		await this.#instance.readEnv();
		const people = this.#people.flatMap((person) => person.failures.concat(
			person.resets.map(() => `${person.name} was reset`)));
		const results = [
			['no_finding', findings],
			['the_process_lives', this.#pid() === pid &&
				await this.#instance.isReady('gateway') ? []
				: [`pid ${pid} is now ${this.#pid()}`]],
			['others_did_not_notice', this.#failures.concat(people,
				this.#chatted > 2 ? [] : [`${this.#chatted} messages`])],
			['the_logs_hold_no_body_and_no_token', await this.#instance.told([
				'still here', 'b'.repeat(100), ...tokens.map((token) =>
					token.split('.')[2])])],
			['it_was_understood', this.#sent.answers - this.#refusals >
				COUNT / 20 ? [] : [`${this.#sent.answers} answers, ${
					this.#refusals} refusals`]],
			['as_many_as_asked_for', this.#total >= COUNT ? []
				: [`${this.#total} of ${COUNT}`]],
		];

		console.log(`  ${this.#sent.frames} frames, ${this.#sent.requests
		} requests on ${this.#sent.connections} connections in ${
			(tookMs / 1000).toFixed(0)} s; ${this.#sent.answers
		} answers, ${this.#refusals} of them refusals; ${this.#chatted} messages meanwhile; RSS ${
			(this.#rss.before / 1048576).toFixed(0)} -> ${
			(this.#rss.after / 1048576).toFixed(0)} MiB`);
		console.log(`  ${[...this.#codes].sort(([, a], [, b]) => b - a)
			.map(([code, n]) => `${n} ${code}`).join(', ')}`);
		for (const [name, bad] of results) {
			console.log(`${bad.length ? 'FAILED' : 'ok    '} ${name}`);
			bad.slice(0, 20).forEach((line) => console.log(`    ${line}`));
		}
		if (results.some(([, bad]) => bad.length))
			console.log(`again: tests/fuzz/hammer --seed ${given.seed}`);
		return results.map(([, bad]) => bad.length === 0);
	}
}

/* How often it stands there; cut in two by a read it does not count. */
function count(data, text) {
	let found = 0;

	for (let at = data.indexOf(text); at >= 0; at = data.indexOf(text, at + 1))
		found++;
	return found;
}

const results = await new Hammer().main();
const passed = results.filter(Boolean).length;

console.log(`${passed} passed, ${results.length - passed} failed`);
process.exit(passed === results.length ? 0 : 1);
