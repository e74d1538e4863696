/*
 * limit_rows - a hundred connections at once, and what each may do
 *
 * Limits are counted per user, per connection and per address, and whoever is
 * beyond one leaves the others alone.  Buckets fill while one looks, so a row
 * knows how many may have got through: the burst, and the rate since.
 */

import { randomUUID } from 'node:crypto';
import { sleep } from '../lib/wait.mjs';
import { SideGateway } from '../lib/side_gateway.mjs';
import { RawSocket, text } from './raw_socket.mjs';

const MANY = 100;

/* Frames until `count` of them answer a ref, or the socket closes. */
async function answers(socket, count) {
	const found = [];

	while (found.length < count) {
		const { opcode, payload } = await socket.frame(20000);

		if (opcode === 8)
			throw new Error(`closed with ${payload.readUInt16BE(0)}`);
		if (opcode !== 1)
			continue;
		const one = JSON.parse(payload);

		if (one.ref)
			found.push(one);
	}
	return found;
}

async function enter(port, token) {
	const socket = await new RawSocket(port).upgrade();

	socket.say(text({ type: 'hello', token }));
	for (;;) {
		const { opcode, payload } = await socket.frame(20000);

		if (opcode === 8)
			return { socket, code: payload.readUInt16BE(0) };
		if (opcode === 1 && JSON.parse(payload).type === 'welcome')
			return { socket, code: 0 };
		socket.error = opcode === 1 ? JSON.parse(payload) : null;
	}
}

const get = (token, more = '') => 'GET /v1/me HTTP/1.1\r\nHost: a\r\n' +
	`Authorization: Bearer ${token}\r\n${more}\r\n`;

async function people(instance, names) {
	const list = [];

	for (const name of names) {
		const id = await instance.createUser(`${name}-${
			randomUUID().slice(0, 8)}`);

		list.push({ id, token: await instance.token(id) });
	}
	return list;
}

/* Between the burst and what the rate has added since. */
function isWithin(count, { burst, rate }, sinceMs) {
	return count >= burst && count <= burst + 1 + rate * (Date.now() - sinceMs) /
		1000;
}

export async function limitRows(row, need, runFolder, instance) {
	const sockets = [];
	const gateways = [];
	const open = async (options) => {
		gateways.push(await SideGateway.start(runFolder, options));
		return gateways.at(-1);
	};
	const letGo = () => sockets.splice(0).forEach((socket) => socket.close());
	const all = (port, count, token) => Promise.all(Array.from({ length: count },
		async () => {
			const { socket, code } = await enter(port, token);

			sockets.push(socket);
			return { socket, code };
		}));

	try {
		const [ann, ben] = await people(instance, ['ann', 'ben']);
		const room = await instance.createConversation('group', 'limits',
			[ann.id, ben.id]);
		const send = (ref) => text({ type: 'send', ref, conversationId: room,
			clientMsgId: randomUUID(), body: 'x' });

		await row('limits: ten sockets of a user, whoever asks at once',
			async () => {
				const { port } = await open(['--address-requests', '0']);
				const [hers, his] = await Promise.all([all(port, MANY, ann.token),
					all(port, 5, ben.token)]);
				const refused = hers.filter(({ code }) => code !== 0);

				need(refused.length === MANY - 10, `${refused.length} refused`);
				for (const { code, socket } of refused)
					need(code === 4429 && socket.error.code === 'rate_limited' &&
						socket.error.retryAfterMs > 0,
					`${code} ${JSON.stringify(socket.error)}`);
				need(his.every(({ code }) => code === 0), 'the other suffers');
				letGo();
			});
		await row('limits: sends are a user\'s, over all of her sockets',
			async () => {
				const { port } = await open(['--address-requests', '0',
					'--user-connections', '200']);
				const hers = await all(port, MANY, ann.token);
				const [his] = await all(port, 1, ben.token);
				const beganMs = Date.now();

				for (const { socket } of hers)
					socket.say(Buffer.concat([send('1'), send('2'), send('3'),
						send('4'), send('5')]));
				his.socket.say(send('his'));
				need((await answers(his.socket, 1))[0].type === 'ok',
					'the other suffers');
				const said = (await Promise.all(hers.map(({ socket }) =>
					answers(socket, 5)))).flat();
				const ok = said.filter(({ type }) => type === 'ok').length;

				need(isWithin(ok, { burst: 40, rate: 20 }, beganMs), `${ok} sent`);
				for (const one of said.filter(({ type }) => type !== 'ok'))
					need(one.code === 'rate_limited' && one.retryAfterMs > 0 &&
						one.retryAfterMs <= 2000, JSON.stringify(one));
				need(Number(await instance.sql(`SELECT count(*) FROM
					chemchat.message WHERE conversation_id = '${room}'
					AND sender = '${ann.id}'`)) === ok, 'not what is there');

				/* And when it says, it may. */
				const [{ socket }] = hers;

				await sleep(Math.max(...said.map((one) =>
					one.retryAfterMs ?? 0)) + 20);
				socket.say(send('again'));
				const again = (await answers(socket, 1))[0];

				need(again.type === 'ok', JSON.stringify(again));
				letGo();
			});
		await row('limits: frames are a connection\'s', async () => {
			const { port } = await open(['--address-requests', '0',
				'--user-connections', '200']);
			const hers = await all(port, MANY, ann.token);
			const beganMs = Date.now();
			const pings = Buffer.concat(Array.from({ length: 250 }, () =>
				text({ type: 'ping', ref: 'p' })));

			hers.slice(1).forEach(({ socket }) => socket.say(pings));
			const [quiet] = hers;

			quiet.socket.say(text({ type: 'ping', ref: 'q' }));
			need((await answers(quiet.socket, 1))[0].type === 'pong',
				'who asks once suffers');
			for (const { socket } of hers.slice(1)) {
				const said = await answers(socket, 250);
				const ok = said.filter(({ type }) => type === 'pong').length;

				need(isWithin(ok, { burst: 200 - 1, rate: 100 }, beganMs),
					`${ok} answered`);
			}
			letGo();
		});
		await row('limits: frames that are none are counted too', async () => {
			const { port } = await open(['--address-requests', '0']);
			const [{ socket }] = await all(port, 1, ann.token);
			const beganMs = Date.now();
			let ok = 0;

			socket.say(Buffer.concat(Array.from({ length: 500 }, () => text('{'))));
			for (let i = 0; i < 500;) {
				const { opcode, payload } = await socket.frame();

				need(opcode !== 8, 'closed');
				if (opcode !== 1)
					continue;
				const { code } = JSON.parse(payload);

				ok += code === 'bad_frame';
				need(code === 'bad_frame' || code === 'rate_limited', code);
				i++;
			}
			need(isWithin(ok, { burst: 200 - 1, rate: 100 }, beganMs),
				`${ok} looked at`);
			letGo();
		});
		await row('limits: HTTP requests are a user\'s', async () => {
			const { port } = await open(['--address-requests', '0']);
			const hers = Array.from({ length: MANY }, () => new RawSocket(port));
			const his = new RawSocket(port);
			const beganMs = Date.now();
			let ok = 0;

			sockets.push(...hers, his);
			for (const socket of hers)
				socket.say(get(ann.token).repeat(5));
			his.say(get(ben.token));
			need((await his.response()).status === 200, 'the other suffers');
			for (const socket of hers) {
				for (let i = 0; i < 5; i++) {
					const { status, head, body } = await socket.response();

					ok += status === 200;
					need(status === 200 || (status === 429 && /retry-after: \d/iu
						.test(head) && JSON.parse(body).retryAfterMs > 0),
					`${status}`);
				}
			}
			need(isWithin(ok, { burst: 200, rate: 100 }, beganMs), `${ok} answered`);
			letGo();
		});
		await row('limits: connections of an address', async () => {
			const gateway = await open(['--address-requests', '0',
				'--address-connections', '60', '--user-connections', '200']);
			const tried = await Promise.all(Array.from({ length: MANY },
				async () => {
					const socket = new RawSocket(gateway.port);

					sockets.push(socket);
					socket.say(get(ann.token));
					return socket.response(3000).then(({ status }) => status,
						() => socket.isEnded ? 0 : -1);
				}));
			const count = (status) => tried.filter((one) => one === status).length;

			need(count(200) === 60 && count(0) === 40,
				`${count(200)} in, ${count(0)} closed of ${tried}`);
			need(await gateway.metric('chemchat_gateway_connections_refused_total',
				'address') === 40, 'not counted');

			/* Places that are given back are there for others. */
			letGo();
			await sleep(200);
			const { code } = (await all(gateway.port, 1, ann.token))[0];

			need(code === 0, 'nobody gets in any more');
			letGo();
		});
		await row('limits: requests of an address', async () => {
			const { port } = await open(['--address-requests', '20']);
			const beganMs = Date.now();
			let ok = 0;
			const list = Array.from({ length: MANY }, () => new RawSocket(port));

			sockets.push(...list);
			for (const socket of list)
				socket.say('GET /none HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
			for (const socket of list) {
				for (let i = 0; i < 2; i++) {
					const { status, head } = await socket.response();

					ok += status === 404;
					need(status === 404 || (status === 429 &&
						/retry-after: \d/iu.test(head)), `${status}`);
				}
			}
			need(isWithin(ok, { burst: 40, rate: 20 }, beganMs), `${ok} answered`);
			letGo();
		});
	} finally {
		letGo();
		for (const gateway of gateways) {
			await row('limits: the sanitizers have found nothing', async () => {
				gateway.signal('SIGTERM');
				const { code } = await gateway.exit;

				need(code === 0 && !/Sanitizer|runtime error/u.test(gateway.log),
					`${code}: ${gateway.log.slice(-3000)}`);
			});
			await gateway.stop();
		}
	}
}
