/*
 * lag_rows - three who stop reading while 5,000 events come
 *
 * The kernel takes some megabytes for each of them, the gateway one more; what
 * is beyond is dropped and named in `lag`.  Others have each event once and in
 * time; who reads again is told, asks, and has each event too.
 */

import { randomUUID } from 'node:crypto';
import { SideGateway } from '../lib/side_gateway.mjs';
import { waitFor } from '../lib/wait.mjs';
import { RawSocket, frame, text } from './raw_socket.mjs';

const EVENTS = 5000;
const BATCH = 100;
const BODY = 4000;
const QUEUE_BYTES = 1024 * 1024;	/* SESSION_QUEUE_BYTES */

/* A client that keeps the ev of every event, in the order they came. */
class Reader {
	evs = [];
	lags = [];
	answers = new Map();
	code = null;

	constructor(port, token) {
		this.socket = new RawSocket(port);
		this.token = token;
	}

	async enter() {
		await this.socket.upgrade();
		this.say({ type: 'hello', token: this.token });
		await waitFor('a welcome', () => this.read().isIn);
		return this;
	}

	say(value) {
		this.socket.say(text(value));
	}

	/* Whatever has come. */
	read() {
		for (let one; (one = this.socket.takeFrame()) !== null;) {
			if (one.opcode === 8)
				this.code = one.payload.readUInt16BE(0);
			if (one.opcode === 9)
				this.socket.say(frame(0x8a, one.payload));
			if (one.opcode !== 1)
				continue;
			const said = JSON.parse(one.payload);

			if (said.type === 'welcome')
				this.isIn = true;
			if (said.type === 'events')
				this.evs.push(...said.events.map(({ ev }) => ev));
			if (said.type === 'lag')
				this.lags.push(said.conversationIds);
			if (said.ref)
				this.answers.set(said.ref, said);
		}
		return this;
	}

	async ask(value) {
		const ref = randomUUID();

		this.say({ ...value, ref });
		return waitFor('an answer', () => this.read().answers.get(ref));
	}
}

function isWhole(evs, first, last) {
	return evs.length === last - first + 1 &&
		evs.every((ev, i) => ev === first + i);
}

/* All that is missing behind the highest it has without a hole. */
async function repaired(reader, conversationId, first) {
	const known = new Set(reader.evs);
	let upto = first - 1;

	for (;;) {
		while (known.has(upto + 1))
			upto++;
		const { events, head } = await reader.ask({ type: 'changes',
			conversationId, afterEv: upto, maxRows: 500 });

		if (events.length === 0 && upto < head)
			throw new Error(`nothing behind ${upto} of ${head}`);
		events.forEach(({ ev }) => known.add(ev));
		while (known.has(upto + 1))
			upto++;
		if (upto >= head)
			return upto;
	}
}

export async function lagRows(row, need, runFolder, instance) {
	const gateway = await SideGateway.start(runFolder, ['--user-connections',
		'20', '--address-requests', '0']);
	const readers = [];
	const reader = async (token) => {
		readers.push(await new Reader(gateway.port, token).enter());
		return readers.at(-1);
	};

	try {
		const ids = [], tokens = [];

		for (const name of ['writer', 'slow', 'quick']) {
			ids.push(await instance.createUser(`${name}-${
				randomUUID().slice(0, 8)}`));
			tokens.push(await instance.token(ids.at(-1)));
		}
		const room = await instance.createConversation('group', 'loud', ids);
		const send = (from, count) => instance.sql(`SELECT max(s.ev) FROM
			generate_series(${from}, ${from + count - 1}) AS i, LATERAL
			chemchat.send_message('${ids[0]}', '${room}', gen_random_uuid(),
				rpad(i::text, ${BODY}, 'x')) AS s`);
		const before = Number((await instance.sql(`SELECT max(ev) FROM
			chemchat.change WHERE conversation_id = '${room}'`)));
		const slow = [await reader(tokens[1]), await reader(tokens[1]),
			await reader(tokens[1])];
		const quick = [await reader(tokens[2]), await reader(tokens[2])];
		const idleBytes = await gateway.metric('process_resident_memory_bytes');
		let queued = 0, last = before;

		await row('slow readers: others have each event once and in time',
			async () => {
				for (const one of slow)
					one.socket.stopReading();
				for (let at = 1; at <= EVENTS; at += BATCH) {
					last = Number(await send(at, BATCH));
					const beganMs = Date.now();

					for (const one of quick)
						await waitFor(() => `${one.evs.at(-1)} of ${last}`,
							() => one.read().evs.at(-1) === last);
					need(Date.now() - beganMs < 5000, 'late');
					queued = Math.max(queued, await gateway.metric(
						'chemchat_gateway_queued_bytes'));
				}
				for (const one of quick) {
					need(isWhole(one.evs, before + 1, last),
						`${one.evs.length} events, not ${last - before}`);
					need(one.lags.length === 0, 'they lag');
				}
			});
		await row('slow readers: what waits for them is bounded', async () => {
			const grown = await gateway.metric('process_resident_memory_bytes') -
				idleBytes;

			need(queued > 0, 'nothing ever waited');
			need(queued <= slow.length * QUEUE_BYTES, `${queued} bytes`);
			need(await gateway.metric('chemchat_gateway_frames_dropped_total') > 0,
				'nothing was dropped');
			console.log(`3 that do not read: ${(grown / 1048576).toFixed(1)} MB`);
			/* the sanitizer keeps what was freed */
			need(grown < (/asan/u.test(process.env.CHEMCHAT_BIN_DIR ?? '') ? 400
				: 30) * 1048576, `${grown} bytes`);
		});
		await row('slow readers: who reads again is told and lacks nothing',
			async () => {
				for (const one of slow)
					one.socket.goOnReading();
				for (const one of slow) {
					await waitFor(() => `lag, but ${one.evs.length} events, ${
						one.code}`, () => one.read().lags.length > 0);
					need(one.lags.every((list) => list.length === 1 &&
						list[0] === room), JSON.stringify(one.lags));
					const prefix = one.evs.length;

					need(prefix > 0 && prefix < last - before, `${prefix} events`);
					need(isWhole(one.evs, before + 1, before + prefix),
						'what came has a hole');
					need(await repaired(one, room, before + 1) === last,
						'what it asked for has a hole');
					one.evs.length = 0;
				}
			});
		await row('slow readers: from then on it is live again', async () => {
			const next = Number(await send(EVENTS + 1, 1));

			for (const one of [...slow, ...quick]) {
				await waitFor('the next one', () =>
					one.read().evs.at(-1) === next);
				need(one.code === null, `closed with ${one.code}`);
			}
			for (const one of slow)
				need(isWhole(one.evs, next, next), `${one.evs}`);
			need(await gateway.metric('chemchat_gateway_queued_bytes') === 0,
				'something waits still');
			need(await gateway.metric('chemchat_gateway_lags_total') === slow.length,
				'not counted');
		});
		await row('slow readers: the sanitizers have found nothing', async () => {
			gateway.signal('SIGTERM');
			const { code } = await gateway.exit;

			need(code === 0 && !/Sanitizer|runtime error/u.test(gateway.log),
				`${code}: ${gateway.log.slice(-3000)}`);
		});
	} finally {
		readers.forEach(({ socket }) => socket.close());
		await gateway.stop();
	}
}
