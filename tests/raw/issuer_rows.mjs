/*
 * issuer_rows - keys behind https, and everything that can be wrong with it
 *
 * One gateway, several issuers, a certificate authority made here.  Each
 * issuer has a key; whether its tokens are good says whether its keys came.
 */

import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Authority, SideGateway } from '../lib/side_gateway.mjs';
import { waitFor } from '../lib/wait.mjs';

const ALICE = '01930000-0000-7000-8000-00000000a11c';
const base64 = (text) => Buffer.from(text).toString('base64url');

class Issuer {
	asked = 0;
	port;
	#server;
	#keys = new Map();		/* kid -> private key */

	constructor(name) {
		this.name = name;
		this.url = `https://${name}.example/`;
		this.rotate('first');
	}

	/* Only this key from now on. */
	rotate(kid) {
		const { privateKey, publicKey } = generateKeyPairSync('ec',
			{ namedCurve: 'P-256' });

		this.#keys.set(kid, privateKey);
		this.jwks = JSON.stringify({ keys: [{ ...publicKey.export(
			{ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] });
	}

	token(kid) {
		const now = Math.floor(Date.now() / 1000);
		const text = `${base64(JSON.stringify({ alg: 'ES256', kid }))}.${
			base64(JSON.stringify({ iss: this.url, aud: 'chemchat', sub: ALICE,
				iat: now, exp: now + 600 }))}`;

		return `${text}.${sign('sha256', Buffer.from(text), { dsaEncoding:
			'ieee-p1363', key: this.#keys.get(kid) }).toString('base64url')}`;
	}

	async listen({ cert, key }, answer) {
		this.#server = https.createServer({ cert: await readFile(cert),
			key: await readFile(key) }, (request, response) => {
			this.asked++;
			answer(this, request, response);
		});
		this.#server.on('tlsClientError', () => {});
		await new Promise((resolve) =>
			this.#server.listen(this.port ?? 0, '127.0.0.1', resolve));
		this.port = this.#server.address().port;
		return this;
	}

	close() {
		this.#server?.closeAllConnections();
		this.#server?.close();
	}
}

function plainly(issuer, request, response) {
	response.setHeader('Cache-Control', 'max-age=3600');
	response.end(issuer.jwks);
}

function redirect(issuer, request, response) {
	if (request.url.includes('there'))
		return plainly(issuer, request, response);
	response.writeHead(302, { Location: `https://localhost:${issuer.port}/there` });
	return response.end();
}

/* The keys first, then blanks for ever. */
function endless(issuer, request, response) {
	const blanks = ' '.repeat(65536);
	const go = () => {
		while (!response.destroyed && response.write(blanks))
			;
	};

	response.write(issuer.jwks);
	response.on('drain', go);
	go();
}

function slow(issuer, request, response) {
	let at = 0;
	const timer = setInterval(() => {
		response.write(issuer.jwks[at++ % issuer.jwks.length]);
	}, 200);

	response.on('close', () => clearInterval(timer));
}

function failing(issuer, request, response) {
	response.writeHead(500);
	response.end(issuer.jwks);
}

async function judged(gateway, token) {
	const answer = await fetch(`http://127.0.0.1:${gateway.port}/v1/me`,
		{ headers: { Authorization: `Bearer ${token}` } });

	await answer.text();
	return answer.status;
}

export async function issuerRows(row, need, runFolder) {
	const folder = await mkdtemp(path.join(tmpdir(), 'chemchat-issuers.'));
	const issuers = [];
	let gateway = null;

	try {
		const authority = await new Authority(folder).make();
		const good = await authority.certify('good');
		const wrongHost = await authority.certify('host',
			{ host: 'DNS:elsewhere.example' });
		const expired = await authority.certify('expired', { days: -1 });

		for (const [name, files, answer] of [
			['good', good, plainly],
			['expired', expired, plainly],
			['host', wrongHost, plainly],
			['unknown-ca', good, plainly],
			['redirect', good, redirect],
			['endless', good, endless],
			['slow', good, slow],
			['failing', good, failing],
		])
			issuers.push(await new Issuer(name).listen(files, answer));
		const list = path.join(folder, 'issuers.json');

		await writeFile(list, JSON.stringify({ issuers: issuers.map((one) => ({
			issuer: one.url, audience: 'chemchat',
			jwks_url: `https://localhost:${one.port}/keys`,
			...one.name === 'unknown-ca' ? {} : { ca_file: authority.cert },
		})) }), { mode: 0o600 });
		gateway = await SideGateway.start(runFolder, ['--issuers-file', list,
			'--address-requests', '0']);
		const [one, ...bad] = issuers;

		await row('JWKS: keys behind https', () => waitFor('the keys',
			async () => await judged(gateway, one.token('first')) === 200));
		await Promise.all(bad.map((issuer) => row(
			`JWKS refused: ${issuer.name}`, async () => {
				const beganMs = Date.now();
				const status = await judged(gateway, issuer.token('first'));

				/* the good issuer has a key of that name too */
				need(status === 503, `${status}`);
				need(Date.now() - beganMs < 12000, `${Date.now() - beganMs} ms`);
				const tries = /expired|host|unknown-ca/u.test(issuer.name);

				need(tries ? issuer.asked === 0 : issuer.asked > 0,
					`it was asked ${issuer.asked} times`);
			})));
		await row('JWKS: a new key is fetched when a token names it', async () => {
			one.rotate('second');
			await waitFor('the new key', async () =>
				await judged(gateway, one.token('second')) === 200,
			{ withinMs: 45000, everyMs: 500 });
			const status = await judged(gateway, one.token('first'));

			need(status === 401 || status === 503, `the old key: ${status}`);
		});
		await row('JWKS: while the issuer is away its keys stay', async () => {
			const asked = one.asked;

			one.close();
			for (let i = 0; i < 20; i++)
				need(await judged(gateway, one.token('second')) === 200, 'refused');
			one.rotate('third');
			need(await judged(gateway, one.token('third')) !== 200, 'taken');
			need(await judged(gateway, one.token('second')) === 200, 'refused');
			need(one.asked === asked, 'asked meanwhile');
		});
		await row('JWKS: a bad one says why, without what is secret', async () => {
			for (const word of ['certificate', 'expired.example', 'slow.example'])
				need(gateway.log.includes(word), `no ${word}: ${gateway.log}`);
			need(!gateway.log.includes('eyJ'), 'a token is in the log');
			need(!/Sanitizer|runtime error/u.test(gateway.log), gateway.log);
		});
	} finally {
		issuers.forEach((issuer) => issuer.close());
		await gateway?.stop();
		await rm(folder, { recursive: true, force: true });
	}
}
