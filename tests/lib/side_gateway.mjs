/*
 * side_gateway - one gateway more, on the servers of an instance
 *
 * With the instance's configuration but ports of its own, and further options
 * on its command line.  Who starts it stops it.
 */

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT, freePort } from './instance.mjs';
import { waitFor } from './wait.mjs';

const BIN = process.env.CHEMCHAT_BIN_DIR ?? path.join(ROOT, 'build/release/bin');
const openssl = (...words) => promisify(execFile)('openssl', words);

export class SideGateway {
	log = '';
	port;
	exit;			/* a promise of {code, signal, atMs} */
	#child;
	#folder;
	#opsPort;

	/* runFolder: the instance's; options: what follows --config-file. */
	static async start(runFolder, options) {
		for (let tries = 5; ; tries--) {
			const gateway = new SideGateway();

			try {
				await gateway.#start(runFolder, options);
				return gateway;
			} catch (error) {
				/* a port that was free a moment ago */
				if (tries === 0 || !/already in use/u.test(error.message))
					throw error;
			}
		}
	}

	get pid() {
		return this.#child.pid;
	}

	get opsUrl() {
		return `http://127.0.0.1:${this.#opsPort}`;
	}

	async metrics() {
		return (await fetch(`${this.opsUrl}/metrics`)).text();
	}

	/* The sum over labels that match. */
	async metric(name, label = '') {
		let sum = 0;

		for (const [, found, labels, value] of (await this.metrics())
			.matchAll(/^(\w+)(\{.*\})? (\S+)$/gmu)) {
			if (found === name && (labels ?? '').includes(label))
				sum += Number(value);
		}
		return sum;
	}

	signal(name) {
		this.#child.kill(name);
	}

	async stop() {
		this.#child.kill('SIGKILL');
		await this.exit;
		await rm(this.#folder, { recursive: true, force: true });
	}

	async #start(runFolder, options) {
		this.#folder = await mkdtemp(path.join(tmpdir(), 'chemchat-side.'));
		this.#opsPort = await freePort();
		const portFile = path.join(this.#folder, 'port');

		this.#child = spawn(path.join(BIN, 'chemchat-gateway'), ['--config-file',
			path.join(runFolder, 'gateway.conf'), '--listen-port', '0',
			'--port-file', portFile, '--ops-port', String(this.#opsPort),
			...options], { stdio: ['ignore', 'pipe', 'pipe'] });
		for (const stream of [this.#child.stdout, this.#child.stderr])
			stream.on('data', (text) => { this.log += text; });
		this.exit = new Promise((resolve) => this.#child.once('exit',
			(code, signal) => resolve({ code, signal, atMs: Date.now() })));
		try {
			this.port = Number(await waitFor('a port', () => {
				if (this.#child.exitCode !== null)
					throw new Error(`it ended with ${this.#child.exitCode}`);
				return readFile(portFile, 'utf8').catch(() => '');
			}));
			await waitFor('it is ready', async () =>
				(await fetch(`${this.opsUrl}/readyz`).catch(() => null))?.status ===
					200);
		} catch (error) {
			await this.stop();
			throw new Error(`${error.message}\n${this.log}`, { cause: error });
		}
	}
}

/*
 * A certificate authority in a folder, and certificates of it: each is
 * {cert, key}, paths.  days below 0: it has ended already.
 */
export class Authority {
	constructor(folder) {
		this.folder = folder;
		this.cert = path.join(folder, 'ca.pem');
		this.key = path.join(folder, 'ca.key');
	}

	async make() {
		await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt',
			'ec_paramgen_curve:P-256', '-nodes', '-keyout', this.key, '-out',
			this.cert, '-days', '2', '-subj', '/CN=a test');
		return this;
	}

	async certify(name, { host = 'DNS:localhost,IP:127.0.0.1', days = 2 } = {}) {
		const at = (end) => path.join(this.folder, `${name}.${end}`);

		await openssl('req', '-newkey', 'ec', '-pkeyopt',
			'ec_paramgen_curve:P-256', '-nodes', '-keyout', at('key'), '-out',
			at('csr'), '-subj', '/CN=a server');
		await writeFile(at('ext'), `subjectAltName=${host}\n`);
		await openssl('x509', '-req', '-in', at('csr'), '-CA', this.cert, '-CAkey',
			this.key, '-CAcreateserial', '-out', at('pem'), '-days', String(days),
			'-extfile', at('ext'));
		return { cert: at('pem'), key: at('key') };
	}
}
