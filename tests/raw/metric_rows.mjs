/*
 * metric_rows - what the numbers say is what was done
 *
 * A gateway of its own, a known traffic, counted here byte by byte; and when
 * everybody has left, nothing is left.
 */

import { randomUUID } from 'node:crypto';
import { SideGateway } from '../lib/side_gateway.mjs';
import { waitFor } from '../lib/wait.mjs';
import { RawSocket, frame, text } from './raw_socket.mjs';

const EMPTY = ['connections', 'polls', 'poll_bytes', 'users', 'conversations', 'memberships',
	'requests_under_way', 'db_waiting', 'queued_bytes', 'hellos_waiting',
	'state_waiting', 'http_connections', 'http_under_way', 'tokens_waiting'];

/* A WebSocket that counts: frames of text, their bytes, whole HTTP answers. */
class Counted {
	static frames = 0;
	static bytes = 0;
	frames = [];
	code = null;

	constructor(port) {
		this.socket = new RawSocket(port);
	}

	async enter(token) {
		await this.socket.upgrade();
		this.say({ type: 'hello', token });
		return this.hears((one) => one.type === 'welcome');
	}

	say(value) {
		this.socket.say(text(value));
		return this;
	}

	/* Whatever has come. */
	read() {
		for (let one; (one = this.socket.takeFrame()) !== null;) {
			if (one.opcode === 8)
				this.code = one.payload.readUInt16BE(0);
			if (one.opcode !== 1)
				continue;
			Counted.frames++;
			Counted.bytes += one.payload.length;
			this.frames.push(JSON.parse(one.payload));
		}
		return this;
	}

	async hears(isIt) {
		await waitFor(() => `what is waited for, but ${
			JSON.stringify(this.frames)}`, () => this.read().frames.some(isIt));
		return this;
	}

	async isClosed(code) {
		await waitFor(() => `closed with ${code}, but ${this.code}`, () =>
			this.read().code === code && this.socket.isEnded);
	}
}

async function asks(port, list) {
	const socket = new RawSocket(port);
	const statuses = [];

	for (const request of list) {
		socket.say(request);
		statuses.push((await socket.response()).status);
	}
	socket.finish();
	await socket.ended();
	return statuses;
}

export async function metricRows(row, need, runFolder, instance) {
	const gateway = await SideGateway.start(runFolder, ['--address-requests', '0',
		'--user-connections', '3', '--send-rate', '2', '--send-burst', '6']);
	const { port } = gateway;
	const open = [];
	const is = async (name, value, label = '') => {
		let found;

		await waitFor(() => `${name}{${label}} is ${found}, not ${value}`,
			async () => (found = await gateway.metric(
				`chemchat_gateway_${name}`, label)) === value, { withinMs: 3000 });
	};
	const enter = async (token) => {
		const one = new Counted(port);

		open.push(one);
		return one.enter(token);
	};

	try {
		const ids = [], tokens = [];

		for (const name of ['ida', 'jon']) {
			ids.push(await instance.createUser(`${name}-${
				randomUUID().slice(0, 8)}`));
			tokens.push(await instance.token(ids.at(-1)));
		}
		const room = await instance.createConversation('group', 'counted', ids);

		await instance.createConversation('group', 'hers', [ids[0]]);
		const send = (ref, clientMsgId = randomUUID()) => ({ type: 'send', ref,
			conversationId: room, clientMsgId, body: `message ${ref}` });
		const has = (ref, type) => (one) => one.ref === ref && one.type === type;
		const get = (path, token) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${token
			? `Authorization: Bearer ${token}\r\n` : ''}\r\n`;

		await row('metrics: sockets, users and what they are in', async () => {
			const [one, two, his] = [await enter(tokens[0]),
				await enter(tokens[0]), await enter(tokens[1])];

			for (const [name, value] of [['connections', 3], ['users', 2],
				['conversations', 2], ['memberships', 3], ['upgrades_total', 3],
				['welcomes_total', 3], ['http_connections', 0], ['polls', 0],
				['messages_received_total', 3], ['requests_total', 3]])
				await is(name, value);
			await is('tokens_total', 3, 'good');

			/* Six sends and a retry; what is refused; pings. */
			const again = randomUUID();

			for (const ref of ['1', '2', '3', '4'])
				one.say(send(ref));
			one.say(send('5', again));
			for (const ref of ['1', '2', '3', '4', '5'])
				await one.hears(has(ref, 'ok'));
			two.say(send('5', again));
			await two.hears((said) => has('5', 'ok')(said) && said.isDuplicate);
			his.say(send('6'));
			await his.hears(has('6', 'ok'));
			for (const seat of [one, two, his])
				await seat.hears((said) => said.type === 'events' &&
					said.events.some(({ seq }) => seq === 6));
			two.say({ type: 'nonsense', ref: 'n' });
			await two.hears(has('n', 'error'));
			for (let i = 0; i < 7; i++)
				two.say({ type: 'ping', ref: `p${i}` });
			await two.hears(has('p6', 'pong'));
			two.socket.say(frame(0x89, 'x')).say(frame(0x89, 'y'));
			two.say({ type: 'heads', ref: 'h' });
			await two.hears(has('h', 'heads'));
			for (const [name, value] of [['messages_received_total', 19],
				['requests_total', 19], ['refused_total', 1],
				['pings_received_total', 2], ['sends_total', 7],
				['events_total', 6], ['send_seconds_count', 7],
				['rate_limited_total', 0]])
				await is(name, value);
		});
		await row('metrics: frames and bytes are those that came', async () => {
			await is('frames_sent_total', Counted.frames);
			await is('frame_bytes_sent_total', Counted.bytes);
		});
		await row('metrics: what is refused has its counter', async () => {
			const [one] = open;

			/* Her bucket of six was taken; time gives some back. */
			for (let i = 0; i < 20; i++)
				one.say(send(`r${i}`));
			for (let i = 0; i < 20; i++)
				await one.hears((said) => said.ref === `r${i}`);
			const refused = one.frames.filter(({ type }) => type === 'error')
				.length;

			need(refused >= 10, `${refused} refused`);
			await is('rate_limited_total', refused);
			await is('refused_total', refused + 1);
			await is('sends_total', 7 + 20 - refused);

			await enter(tokens[0]);
			const many = new Counted(port);

			await many.socket.upgrade();
			many.say({ type: 'hello', token: tokens[0] });
			await many.isClosed(4429);
			const bad = new Counted(port);

			await bad.socket.upgrade();
			bad.say({ type: 'hello', token: 'x.y.z' });
			await bad.isClosed(4401);
			await is('tokens_total', 1, 'refused');
			await is('tokens_total', 5, 'good');
			await is('welcomes_total', 4);
			await is('rate_limited_total', refused + 1);
			await is('refused_total', refused + 3);
			await is('connections', 4);
			await is('closed_total', 2, 'session');
		});
		await row('metrics: HTTP by status', async () => {
			const statuses = await asks(port, [get('/v1/me', tokens[0]),
				get('/v1/me', tokens[1]), get('/v1/me'), get('/v1/none', tokens[0]),
				get('/none'), get('/v1/ws'), get('/v1/events', tokens[1])]);

			need(statuses.join() === '200,200,401,404,404,426,200',
				statuses.join());
			await is('http_answers_total', 3, '"200"');
			await is('http_answers_total', 1, '"401"');
			await is('http_answers_total', 2, '"404"');
			await is('http_answers_total', 1, '"426"');
			await is('http_answers_total', 7);
			await is('http_requests_total', 5);
			await is('tokens_total', 8, 'good');
			await is('tokens_total', 2, 'refused');
			await is('polls', 1);
		});
		await row('metrics: what is kept for the long poll', async () => {
			await is('poll_bytes', 0);
			open[0].say(send('kept'));
			await waitFor('something is kept', async () =>
				await gateway.metric('chemchat_gateway_poll_bytes') > 0);
		});
		await row('metrics: how sockets end', async () => {
			const [one, two, his, three] = open;

			one.say({ type: 'bye' });
			await one.isClosed(1000);
			two.socket.say(frame(0x88, Buffer.from([3, 232])));
			await two.isClosed(1000);
			his.socket.close();
			three.socket.say(frame(0x82, 'x'));
			await three.isClosed(1003);
			await is('closed_total', 3, 'session');
			await is('closed_total', 1, 'client');
			await is('closed_total', 1, 'lost');
			await is('closed_total', 1, 'binary');
			await is('closed_total', 6);
			await is('upgrades_total', 6);
			await is('accepted_total', 7);
		});
		await row('metrics: when all have left nothing is left', async () => {
			await is('connections', 0);
			for (const name of EMPTY) {
				let found;

				/* Of the long poll the gateway knows only after a minute. */
				await waitFor(() => `${name} is ${found}`, async () =>
					(found = await gateway.metric(
						`chemchat_gateway_${name}`)) === 0, { withinMs: 75000,
					everyMs: 200 });
			}
		});
	} finally {
		open.forEach(({ socket }) => socket.close());
		await gateway.stop();
	}
}
