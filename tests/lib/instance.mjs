/*
 * instance - a whole ChemChat of our own, by the scripts of `make run`
 *
 * Lives in a folder of its own and stops with us.  Redis is ours too and
 * stands behind a proxy that can swallow what it publishes.  `settings` are
 * further variables for scripts/run (CHEMCHAT_GATEWAY_ARGS and the like).
 * CHEMCHAT_TEST_RUN_DIR names a folder that stays, logs and all.
 */

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { RedisProxy } from './redis_proxy.mjs';
import { waitFor } from './wait.mjs';

const execFileLater = promisify(execFile);

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RUN = path.join(ROOT, 'scripts/run');
const CTL = path.join(ROOT, 'build/release/bin/chemchatctl');

export class Instance {
	env = {};
	proxy = null;
	#folder;
	#redis = null;
	#redisPort;
	#settings;

	constructor(settings = {}) {
		this.#settings = settings;
	}

	async start() {
		/* Whoever ends us early finds nothing left running. */
		for (const signal of ['SIGINT', 'SIGTERM'])
			process.once(signal, () => this.stop().finally(() => process.exit(1)));
		this.#folder = process.env.CHEMCHAT_TEST_RUN_DIR ??
			await mkdtemp(path.join(tmpdir(), 'chemchat-test.'));
		await mkdir(this.#folder, { recursive: true });
		this.#redisPort = await freePort();
		await this.startRedis();
		this.proxy = new RedisProxy({ host: '127.0.0.1', port: this.#redisPort });
		await this.proxy.listen();
		await this.#run('up', '--detach');
		await this.readEnv();
	}

	get folder() {
		return this.#folder;
	}

	async stop() {
		try {
			await this.#run('stop');
			if (!process.env.CHEMCHAT_TEST_RUN_DIR)
				await this.#run('clean-data');
		} finally {
			this.proxy?.close();
			await this.stopRedis();
			if (!process.env.CHEMCHAT_TEST_RUN_DIR)
				await rm(this.#folder, { recursive: true, force: true });
		}
	}

	/* What ended otherwise than by our own kill -9. */
	async crashes() {
		const text = await readFile(
			path.join(this.#folder, 'log/supervisor.log'), 'utf8');

		return text.split('\n').filter((line) =>
			/ ended \((?!signal KILL\))/u.test(line));
	}

	/* Lines of our daemons' logs with what must never stand there. */
	async told(secrets) {
		const found = [];

		for (const name of ['gateway', 'relay', 'supervisor']) {
			const text = await readFile(
				path.join(this.#folder, 'log', `${name}.log`), 'utf8');

			found.push(...text.split('\n').filter((line) => secrets.some(
				(secret) => line.includes(secret)))
				.map((line) => `${name}.log: ${line.slice(0, 300)}`));
		}
		return found;
	}

	/* The end of every log, for whoever has to find out why. */
	async logs(lines = 15) {
		const parts = [];

		for (const name of ['supervisor', 'gateway', 'relay', 'postgres']) {
			const text = await readFile(
				path.join(this.#folder, 'log', `${name}.log`), 'utf8')
				.catch(() => '');

			parts.push(`--- ${name}.log`, ...text.trimEnd().split('\n').slice(-lines));
		}
		return parts.join('\n');
	}

	async #run(...words) {
		const env = { ...process.env };

		/* another instance's env may have been sourced */
		for (const name of Object.keys(env)) {
			if (/^CHEMCHAT_(?!BIN_DIR|LOG)/u.test(name))
				delete env[name];
		}
		try {
			return await execFileLater(RUN, words, {
				env: { ...env, CHEMCHAT_RUN_DIR: this.#folder,
					CHEMCHAT_USE_REDIS: `redis://127.0.0.1:${this.proxy.port}/0`,
					...this.#settings },
				timeout: 300000, maxBuffer: 1 << 24,
			});
		} catch (error) {
			throw new Error(`scripts/run ${words.join(' ')}: ${
				error.stderr || error.message}`, { cause: error });
		}
	}

	async readEnv() {
		const text = await readFile(path.join(this.#folder, 'env'), 'utf8');

		this.env = {};
		for (const [, name, value] of text.matchAll(/^(\w+)=(.*)$/gmu))
			this.env[name] = value.replace(/^'(.*)'$/u, '$1');
		return this.env;
	}

	/* ---- faults ---- */

	async kill(service, signal = 'SIGKILL') {
		await this.readEnv();
		const pid = Number(this.env[`CHEMCHAT_PID_${service.toUpperCase()}`]);

		if (!pid)
			throw new Error(`${service} does not run`);
		process.kill(pid, signal);
		return pid;
	}

	/* A process of another pid than `oldPid`, which answers. */
	async isBack(service, oldPid) {
		await this.readEnv();
		const pid = Number(this.env[`CHEMCHAT_PID_${service.toUpperCase()}`]);

		if (!pid || pid === oldPid)
			return false;
		if (service === 'postgres')
			return (await this.sql('SELECT 1').catch(() => '')) === '1';
		return this.isReady(service);
	}

	async isReady(service) {
		const url = this.env[`CHEMCHAT_${service.toUpperCase()}_OPS_URL`];
		const answer = await fetch(`${url}/readyz`).catch(() => null);

		return answer?.status === 200;
	}

	async metric(service, name) {
		const url = this.env[`CHEMCHAT_${service.toUpperCase()}_OPS_URL`];
		const text = await (await fetch(`${url}/metrics`)).text();
		let sum = 0;

		for (const line of text.split('\n')) {
			const match = /^(\w+)(?:\{.*\})? (\S+)$/u.exec(line);

			if (match?.[1] === name)
				sum += Number(match[2]);
		}
		return sum;
	}

	async stopService(service) {
		await (service === 'redis' ? this.stopRedis()
			: this.#run('stop', service));
	}

	async startService(service) {
		await (service === 'redis' ? this.startRedis()
			: this.#run('start', service));
		await this.readEnv();
	}

	async startRedis() {
		this.#redis = spawn('redis-server', ['--port', String(this.#redisPort),
			'--bind', '127.0.0.1', '--save', '', '--dir', this.#folder],
		{ stdio: 'ignore' });
		await waitFor('Redis listens', () => canConnect(this.#redisPort));
	}

	get redisPid() {
		return this.#redis?.pid;
	}

	async stopRedis() {
		const redis = this.#redis;

		this.#redis = null;
		if (!redis || redis.exitCode !== null || redis.signalCode)
			return;
		const ended = new Promise((resolve) => redis.once('exit', resolve));

		redis.kill('SIGKILL');
		await ended;
	}

	/* ---- people and conversations ---- */

	/* Rows as psql prints them, columns parted by |. */
	async sql(text) {
		const psql = execFile('psql', ['-X', '-q', '-A', '-t', '-v',
			'ON_ERROR_STOP=1', '-d', this.env.CHEMCHAT_PG],
		{ env: { ...process.env, PGCONNECT_TIMEOUT: '5' }, timeout: 60000,
			maxBuffer: 1 << 28 });

		psql.stdin.on('error', () => {});
		psql.stdin.end(text);
		return new Promise((resolve, reject) => {
			let out = '', complaint = '';

			psql.stdout.on('data', (bytes) => { out += bytes; });
			psql.stderr.on('data', (bytes) => { complaint += bytes; });
			psql.on('error', reject);
			psql.on('close', (code) => code === 0 ? resolve(out.trimEnd())
				: reject(new Error(`psql: ${complaint.trim() || code}`)));
		});
	}

	async createUser(handle, displayName = handle) {
		return (await this.sql(`SELECT id FROM chemchat.create_user(${
			quote(handle)}, ${quote(displayName)})`));
	}

	async createConversation(kind, title, [actor, ...others]) {
		return (await this.sql(`SELECT id FROM chemchat.create_conversation(${
			quote(actor)}, ${quote(kind)}, ${quote(title)}, ${
			quote(`{${others.join(',')}}`)})`));
	}

	/* For local accounts (gateway option local_accounts). */
	async setPassword(handle, password) {
		const file = path.join(this.#folder, `password.${handle}`);

		await writeFile(file, `${password}\n`, { mode: 0o600 });
		await execFileLater(CTL, ['user', 'passwd', handle, '--password-file',
			file, '--pg', this.env.CHEMCHAT_PG]);
		await rm(file);
	}

	async token(userId) {
		const { stdout } = await execFileLater(CTL, ['token', '--secret-file',
			this.env.CHEMCHAT_JWT_SECRET_FILE, '--user', userId, '--ttl', '2h']);

		return stdout.trim();
	}
}

export function quote(text) {
	return text === null || text === undefined ? 'NULL'
		: `'${String(text).replace(/'/gu, "''")}'`;
}

export async function freePort() {
	const server = net.createServer();

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address();

	await new Promise((resolve) => server.close(resolve));
	return port;
}

function canConnect(port) {
	return new Promise((resolve) => {
		const socket = net.connect(port, '127.0.0.1');

		socket.on('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.on('error', () => resolve(false));
	});
}
