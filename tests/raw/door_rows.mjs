/*
 * door_rows - PROXY headers and TLS, good and otherwise
 *
 * Two gateways of their own: one behind a proxy that is believed (this
 * machine), one that speaks TLS and believes another one.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Authority, SideGateway } from '../lib/side_gateway.mjs';
import { sleep, waitFor } from '../lib/wait.mjs';
import { RawSocket, UPGRADE } from './raw_socket.mjs';

const GET = 'GET /none HTTP/1.1\r\nHost: a\r\n\r\n';
const FROM = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n';
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

function v2(bytes, body = Buffer.alloc(0), length = body.length) {
	return Buffer.concat([SIGNATURE, Buffer.from(bytes),
		Buffer.from([length >> 8, length & 255]), body]);
}

const V4 = Buffer.from('c0000207c63364010001f4e401bb', 'hex').subarray(0, 12);
const V6 = Buffer.alloc(36, 1);

const GOOD = [
	['version 1', FROM],
	['version 1, IPv6', 'PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n'],
	['version 1, unknown', 'PROXY UNKNOWN whatever stands here\r\n'],
	['version 2', v2([0x21, 0x11], V4)],
	['version 2, IPv6', v2([0x21, 0x21], V6)],
	['version 2 with extensions', v2([0x21, 0x11],
		Buffer.concat([V4, Buffer.from([4, 0, 2, 7, 7])]))],
	['version 2, its own check', v2([0x20, 0x00])],
	['version 2, unknown', v2([0x21, 0x00])],
];

const BAD = [
	['no header', GET],
	['TLS instead', Buffer.from('160301020001', 'hex')],
	['another word', `PROXI${FROM.slice(5)}`],
	['a lower-case word', FROM.toLowerCase()],
	['no CR', FROM.replace('\r', '')],
	['no address', 'PROXY TCP4\r\n'],
	['an empty line', 'PROXY \r\n'],
	['no ports', 'PROXY TCP4 192.0.2.7 198.51.100.1\r\n'],
	['a port too large', FROM.replace('56324', '65536')],
	['a port of letters', FROM.replace('56324', '0x50')],
	['an address too large', FROM.replace('192.0.2.7', '192.0.2.256')],
	['an IPv6 address as TCP4', FROM.replace('192.0.2.7', '2001:db8::7')],
	['a name', FROM.replace('192.0.2.7', 'example.org')],
	['two blanks', FROM.replace('TCP4 ', 'TCP4  ')],
	['something behind it', FROM.replace(' 443', ' 443 x')],
	['UDP', FROM.replace('TCP4', 'UDP4')],
	['108 bytes and no end', `PROXY UNKNOWN ${'x'.repeat(94)}`],
	['a line too long', `PROXY UNKNOWN ${'x'.repeat(200)}\r\n`],
	['version 1 in binary', v2([0x11, 0x11], V4)],
	['version 2, an unknown command', v2([0x22, 0x11], V4)],
	['version 2, 65,535 bytes', v2([0x21, 0x11], V4, 65535)],
	['version 2, an address cut off', v2([0x21, 0x11], V4.subarray(0, 8))],
	['version 2, IPv6 of IPv4 length', v2([0x21, 0x21], V4)],
	['version 2, a unix socket', v2([0x21, 0x31], Buffer.alloc(216))],
	['version 2, UDP', v2([0x21, 0x12], V4)],
	['a signature with one bit off', Buffer.concat([
		Buffer.from('0d0a0d0a000d0a515549540b', 'hex'), Buffer.alloc(16)])],
];

async function withSocket(port, secure, run) {
	const socket = new RawSocket(port, secure);

	try {
		return await run(socket);
	} finally {
		socket.close();
	}
}

/* ---- PROXY ---- */

async function proxyRows(row, need, gateway) {
	const answers = (what, bytes, status) => row(`PROXY: ${what}`, () =>
		withSocket(gateway.port, null, async (socket) => {
			socket.say(bytes);
			need((await socket.response()).status === status, `not ${status}`);
		}));

	for (const [what, bytes] of GOOD) {
		await answers(what, Buffer.concat([Buffer.from(bytes),
			Buffer.from(GET)]), 404);
		await row(`PROXY byte by byte: ${what}`, () =>
			withSocket(gateway.port, null, async (socket) => {
				for (const byte of Buffer.from(bytes)) {
					socket.say(Buffer.from([byte]));
					await new Promise(setImmediate);
				}
				socket.say(GET);
				need((await socket.response()).status === 404, 'not 404');
			}));
	}
	for (const [what, bytes] of BAD) {
		await row(`PROXY refused: ${what}`, () =>
			withSocket(gateway.port, null, async (socket) => {
				socket.say(bytes).say(GET);
				await socket.ended();
				need(socket.bytes.length === 0, `it said ${socket.text}`);
			}));
	}
	await row('PROXY refused: half a header, then nothing', async () => {
		await Promise.all([FROM.slice(0, 20), '', v2([0x21, 0x11], V4)
			.subarray(0, 20)].map((bytes) =>
			withSocket(gateway.port, null, async (socket) => {
				const began = Date.now();

				socket.say(bytes);
				await socket.ended(12000);
				need(Date.now() - began > 3000, 'at once');
				need(socket.bytes.length === 0, `it said ${socket.text}`);
			})));
	});
	await row('PROXY refused: half a header and away', () =>
		withSocket(gateway.port, null, async (socket) => {
			socket.say(FROM.slice(0, 20)).finish();
			await socket.ended();
		}));
	await row('PROXY: the limit counts the client behind it', async () => {
		const from = (last) => `PROXY TCP4 192.0.2.${last} 1.2.3.4 5 6\r\n`;
		const sockets = [1, 2, 3].map((last) => new RawSocket(gateway.port)
			.say(from(last < 3 ? 200 : 201)).say(GET));

		try {
			for (const socket of sockets)
				await socket.response();
			await withSocket(gateway.port, null, async (socket) => {
				socket.say(from(200)).say(GET);
				await socket.ended();
				need(socket.bytes.length === 0, 'a third one got in');
			});
		} finally {
			sockets.forEach((socket) => socket.close());
		}
	});
	await row('PROXY: what is refused is counted', async () => {
		const refused = await gateway.metric(
			'chemchat_gateway_connections_refused_total', 'proxy_header');

		need(refused >= BAD.length, `${refused}`);
	});
}

/* ---- TLS ---- */

/* What openssl's own client says; `input` is typed once it is connected. */
async function sClient(port, words, input = '') {
	const child = spawn('openssl', ['s_client', '-connect',
		`127.0.0.1:${port}`, ...words]);
	let said = '';

	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (text) => { said += text; });
	const ended = new Promise((resolve) => child.on('close', resolve));

	if (input !== '') {
		await waitFor(() => `a handshake: ${said}`, () => /Verify return code/u
			.test(said));
		child.stdin.write(input);
	} else
		child.stdin.end();
	const timer = setTimeout(() => child.kill('SIGKILL'), 10000);

	await ended;
	clearTimeout(timer);
	return said;
}

async function tlsRows(row, need, gateway, { ca, files, other }) {
	const good = { ca: await readFile(ca), servername: 'localhost' };
	const secureGet = (options = {}) => withSocket(gateway.port,
		{ ...good, ...options }, async (socket) => {
			socket.say(GET);
			need((await socket.response()).status === 404, 'not 404');
			return socket.certificate.serialNumber;
		});
	const refused = (what, bytes, { toMs = 5000 } = {}) => row(
		`TLS refused: ${what}`, () => withSocket(gateway.port, null,
			async (socket) => {
				const began = Date.now();

				socket.say(bytes);
				await socket.ended(toMs);
				need(!socket.text.includes('HTTP/'), `it said ${socket.text}`);
				need(toMs < 10000 || Date.now() - began > 8000, 'at once');
			}));

	for (const version of ['TLSv1.2', 'TLSv1.3'])
		await row(`TLS: ${version}`, () => secureGet({ minVersion: version,
			maxVersion: version }));
	await row('TLS: a WebSocket in it', () => withSocket(gateway.port, good,
		async (socket) => {
			socket.say(UPGRADE);
			need((await socket.response()).status === 101, 'not 101');
		}));
	for (const version of ['TLSv1', 'TLSv1.1'])
		await row(`TLS refused: ${version}`, () => withSocket(gateway.port,
			{ ...good, minVersion: version, maxVersion: version,
				ciphers: 'DEFAULT@SECLEVEL=0' }, async (socket) => {
				await socket.ended();
				need(!socket.isSecure, 'it was taken');
				need(/version/u.test(socket.error?.message ?? ''),
					`${socket.error?.message}`);
			}));
	await row('TLS refused: only h2', () => withSocket(gateway.port,
		{ ...good, ALPNProtocols: ['h2'] }, async (socket) => {
			await socket.ended();
			need(!socket.isSecure, 'it was taken');
		}));
	await row('TLS refused: a cipher without forward secrecy', async () => {
		const said = await sClient(gateway.port, ['-tls1_2', '-cipher',
			'AES128-SHA:AES256-GCM-SHA384']);

		need(/handshake failure|Cipher is \(NONE\)/u.test(said), said);
	});
	await row('TLS refused: negotiating again', async () => {
		const said = await sClient(gateway.port, ['-tls1_2'], 'R\n');

		need(/no renegotiation|RENEGOTIATING[^]*error/u.test(said), said);
	});
	await refused('plain HTTP', GET);
	await refused('noise', randomBytes(300));
	await refused('a record of 64 KiB', Buffer.concat([
		Buffer.from('160301ffff', 'hex'), randomBytes(2000)]));
	await refused('an alert first', Buffer.from('15030300020100', 'hex'));
	await refused('data before a handshake', Buffer.from('1703030005aaaaaaaaaa',
		'hex'));
	await refused('a PROXY header from who is not believed', FROM);
	await refused('an SSLv2 hello', Buffer.from(
		`802e0100020015000000100100800300800700c0${'00'.repeat(40)}`, 'hex'));
	await row('TLS refused: half a hello and away', () => withSocket(
		gateway.port, null, async (socket) => {
			socket.say(Buffer.from('16030100c8010000c40303', 'hex')).finish();
			await socket.ended();
		}));
	await Promise.all([
		refused('half a hello, then nothing',
			Buffer.from('16030100c8010000c40303', 'hex'), { toMs: 12000 }),
		refused('nothing at all', '', { toMs: 12000 }),
		row('TLS refused: a hello a byte a second', () => withSocket(
			gateway.port, null, async (socket) => {
				const began = Date.now();
				const bytes = Buffer.from(`16030100c8010000c40303${'00'.repeat(9)}`,
					'hex');

				for (const byte of bytes) {
					if (socket.isEnded)
						break;
					socket.say(Buffer.from([byte]));
					await sleep(1000);
				}
				await socket.ended(1000);
				need(Date.now() - began < 13000, 'too late');
			})),
		row('TLS refused: a handshake, then no head', () => withSocket(
			gateway.port, good, async (socket) => {
				await waitFor('a handshake', () => socket.isSecure);
				await socket.ended(12000);
			})),
	]);
	await row('TLS: who does not read costs little', async () => {
		const rss = async () => await gateway.metric(
			'process_resident_memory_bytes') / 1048576;
		const before = await rss();
		const asks = Buffer.from('GET /app.js HTTP/1.1\r\nHost: a\r\n\r\n'
			.repeat(5000));
		const sockets = Array.from({ length: 10 }, () =>
			new RawSocket(gateway.port, good));

		try {
			for (const socket of sockets) {
				socket.stopReading();
				socket.say(asks);
			}
			await sleep(3000);
			await secureGet();
			const grown = await rss() - before;

			console.log(`10 that do not read: ${grown.toFixed(1)} MB`);
			/* the sanitizer keeps what was freed */
			need(grown < (/asan/u.test(process.env.CHEMCHAT_BIN_DIR) ? 400 : 50),
				`${grown} MB`);
		} finally {
			sockets.forEach((socket) => socket.close());
		}
	});
	await row('TLS: a new certificate is taken, open connections stay',
		async () => {
			const old = await secureGet();

			await withSocket(gateway.port, good, async (socket) => {
				socket.say(GET);
				await socket.response();
				await copyFile(other.cert, files.cert);
				await sleep(11000); /* the key is still the old one's */
				need(await secureGet() === old, 'half of it was taken');
				await copyFile(other.key, files.key);
				await waitFor('the new one', async () => await secureGet() !== old,
					{ withinMs: 15000, everyMs: 500 });
				socket.say(GET);
				need((await socket.response()).status === 404, 'it was closed');
			});
			need(gateway.log.includes('the new certificate is not taken'),
				'not in the log');
			need(await gateway.metric('chemchat_gateway_certificates_total') === 1,
				'not counted');
		});
	await row('TLS: what is refused is counted', async () => {
		const count = await gateway.metric(
			'chemchat_gateway_connections_refused_total', 'tls');

		need(count >= 8, `${count}`);
	});
}

export async function doorRows(row, need, runFolder) {
	const folder = await mkdtemp(path.join(tmpdir(), 'chemchat-tls.'));
	const gateways = [];

	try {
		const authority = await new Authority(folder).make();
		const files = await authority.certify('first');
		const other = await authority.certify('second');

		gateways.push(await SideGateway.start(runFolder, ['--trusted-proxies',
			'127.0.0.1', '--proxy-protocol', 'on', '--address-connections', '2',
			'--address-requests', '0']));
		gateways.push(await SideGateway.start(runFolder, ['--tls-cert-file',
			files.cert, '--tls-key-file', files.key, '--trusted-proxies',
			'10.0.0.0/8', '--proxy-protocol', 'on', '--address-requests', '0']));
		await Promise.all([proxyRows(row, need, gateways[0]),
			tlsRows(row, need, gateways[1], { ca: authority.cert, files, other })]);
	} finally {
		for (const gateway of gateways) {
			await row('the door: the sanitizers have found nothing', async () => {
				gateway.signal('SIGTERM');
				const { code } = await gateway.exit;

				need(code === 0 && !/Sanitizer|runtime error/u.test(gateway.log),
					`${code}: ${gateway.log.slice(-3000)}`);
			});
			await gateway.stop();
		}
		await rm(folder, { recursive: true, force: true });
	}
}
