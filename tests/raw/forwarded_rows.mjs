/*
 * forwarded_rows - who says for whom it asks, and whether it is believed
 *
 * Seen from outside by the limit of requests, which is per address: who has
 * used up hers is told so, whatever she writes before what her proxy writes.
 */

import { SideGateway } from '../lib/side_gateway.mjs';
import { RawSocket, UPGRADE } from './raw_socket.mjs';

const BURST = 20; /* with a rate of 10: twice that at once */

/* How many of `count` requests were let in; lines(i): their headers. */
async function taken(port, count, lines) {
	const socket = new RawSocket(port);
	let ok = 0;

	try {
		for (let i = 0; i < count; i++)
			socket.say(`GET /none HTTP/1.1\r\nHost: a\r\n${lines(i).map((line) =>
				`X-Forwarded-For: ${line}\r\n`).join('')}\r\n`);
		for (let i = 0; i < count; i++) {
			const { status } = await socket.response();

			if (status !== 404 && status !== 429)
				throw new Error(`${status}`);
			ok += status === 404;
		}
	} finally {
		socket.close();
	}
	return ok;
}

const isLimited = (ok) => ok >= BURST && ok < 2 * BURST;

export async function forwardedRows(row, need, runFolder) {
	const options = ['--address-requests', String(BURST / 2)];
	const stranger = await SideGateway.start(runFolder, [...options,
		'--trusted-proxies', '10.0.0.0/8, 2001:db8::/32']);
	let proxied = null;

	try {
		proxied = await SideGateway.start(runFolder, [...options,
			'--trusted-proxies', '127.0.0.1, 10.0.0.0/8, fd00::/8']);
		const { port } = proxied;
		const limited = (what, count, lines) => row(`forwarded: ${what}`,
			async () => {
				const ok = await taken(port, count, lines);

				need(isLimited(ok), `${ok} of ${count} were let in`);
			});
		const free = (what, lines, count = 60) => row(`forwarded: ${what}`,
			async () => {
				const ok = await taken(port, count, lines);

				need(ok === count, `${ok} of ${count} were let in`);
			});

		await row('forwarded: what somebody else writes is not read', async () => {
			const ok = await taken(stranger.port, 60, (i) => [`192.0.2.${i}`]);

			need(isLimited(ok), `${ok} were let in`);
		});
		await row('forwarded: nor is a PROXY line of hers HTTP', async () => {
			const socket = new RawSocket(stranger.port);

			try {
				socket.say('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n');
				const { status } = await socket.response();

				need(status >= 400, `${status}`);
				await socket.ended();
			} finally {
				socket.close();
			}
		});
		await limited('one client is one', 60, () => ['198.51.100.1']);
		await free('others are others', (i) => [`198.51.100.${i + 10}`]);
		await limited('what stands before counts for nothing', 60,
			(i) => [`203.0.113.${i}, 198.51.100.2`]);
		await limited('nor does a line before', 60,
			(i) => [`203.0.113.${i}`, '198.51.100.3']);
		await limited('proxies of ours in between, in one line', 60,
			(i) => [`203.0.113.${i}, 198.51.100.4, 10.1.1.1,127.0.0.1`]);
		await limited('proxies of ours in between, a line each', 60,
			(i) => [`203.0.113.${i}`, '198.51.100.5', '10.1.1.1', '127.0.0.1']);
		await limited('IPv6 is a household', 60,
			(i) => [`2001:db8:7:7::${i.toString(16)}`]);
		await free('and another is another', (i) => [`2001:db8:8:${i}::1`]);
		await limited('IPv4 in IPv6 is IPv4', 60,
			(i) => [i % 2 ? '::ffff:198.51.100.6' : '198.51.100.6']);
		await limited('7 KB of it', 60,
			(i) => [`${`203.0.113.${i}, `.repeat(420)}198.51.100.7`]);
		await limited('sixty lines of it', 60, (i) => [...Array.from(
			{ length: 59 }, () => `203.0.113.${i}`), '198.51.100.8']);
		await row('forwarded: 9 KB are 431', async () => {
			const socket = new RawSocket(port);

			try {
				socket.say('GET /none HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ' +
					`${'203.0.113.1, '.repeat(700)}\r\n\r\n`);
				need((await socket.response()).status === 431, 'not 431');
			} finally {
				socket.close();
			}
		});
		/* What is no address ends the reading: it is the proxy's own. */
		for (const line of ['unknown', '_hidden', '"198.51.100.9"', '1.2.3',
			'1.2.3.4.5', '256.1.1.1', '0x7f.0.0.1', '198.51.100.9:',
			'[2001:db8::1', 'fe80::1%lo', ',', ' , ', '\t', '\xff\xfe',
			'x'.repeat(4000), '%00', '198.51.100.9 198.51.100.10'])
			await free(`no address: ${JSON.stringify(line).slice(0, 30)}`,
				() => [line], 30);
		await limited('a WebSocket is asked for by somebody too', 60,
			() => ['198.51.100.11']);
		await row('forwarded: and is refused like the rest', async () => {
			const socket = new RawSocket(port);

			try {
				socket.say(UPGRADE.replace('\r\n\r\n',
					'\r\nX-Forwarded-For: 198.51.100.11\r\n\r\n'));
				need((await socket.response()).status === 429, 'it got in');
			} finally {
				socket.close();
			}
		});
		await row('forwarded: the sanitizers have found nothing', async () => {
			for (const gateway of [stranger, proxied]) {
				gateway.signal('SIGTERM');
				const { code } = await gateway.exit;

				need(code === 0 && !/Sanitizer|runtime error/u.test(gateway.log),
					`${code}: ${gateway.log.slice(-3000)}`);
			}
		});
	} finally {
		await stranger.stop();
		await proxied?.stop();
	}
}
