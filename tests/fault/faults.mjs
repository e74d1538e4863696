/*
 * faults - what happens to one process of an instance
 *
 * `kill`: SIGKILL, and it comes back (the supervisor starts ours again, we
 * start the others).  `stop`: SIGSTOP for a while, then SIGCONT: a machine
 * that was frozen, which the others may have given up.  Both return when it
 * works again.
 */

import { readdir, readFile } from 'node:fs/promises';
import { sleep, waitFor } from '../lib/wait.mjs';

const BACK_MS = 90000;

export class Faults {
	#instance;
	#random;

	constructor({ instance, random }) {
		this.#instance = instance;
		this.#random = random;
	}

	/*
	 * service: gateway relay postgres kafka redis, or backend and walsender,
	 * children of the PostgreSQL server
	 */
	async kill(service) {
		if (['backend', 'walsender'].includes(service))
			await this.#killChild(service);
		else if (service === 'redis' || service === 'kafka')
			await this.#killServer(service);
		else {
			const pid = await this.#instance.kill(service);

			await waitFor(`${service} is back`,
				() => this.#instance.isBack(service, pid),
				{ withinMs: BACK_MS, everyMs: 50 });
		}
	}

	/* The whole of it sleeps: a server's children too. */
	async stop(service, ms) {
		const pids = await this.#pids(service);

		for (const pid of pids)
			signal(pid, 'SIGSTOP');
		await sleep(ms);
		for (const pid of pids.reverse())
			signal(pid, 'SIGCONT');
		await this.#works(service);
	}

	async #killChild(service) {
		const [, ...children] = await this.#pids('postgres');
		const titles = await Promise.all(children.map(async (pid) => ({ pid,
			title: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })));
		const wanted = titles.filter(({ title }) => service === 'walsender'
			? / walsender /u.test(title)
			: / chemchat /u.test(title) && !/ walsender /u.test(title));

		if (wanted.length > 0)
			signal(wanted[Math.floor(this.#random() * wanted.length)].pid,
				'SIGKILL');
		await sleep(300);
		await this.#works('postgres');
	}

	/* It stays away until it is started. */
	async #killServer(service) {
		await (service === 'redis' ? this.#instance.stopRedis()
			: this.#instance.kill(service));
		await sleep(500 + this.#random() * 4000);
		await this.#instance.startService(service);
	}

	async #pids(service) {
		await this.#instance.readEnv();
		const pid = service === 'redis' ? this.#instance.redisPid
			: Number(this.#instance.env[`CHEMCHAT_PID_${service.toUpperCase()}`]);

		if (!pid)
			throw new Error(`${service} does not run`);
		return service === 'postgres' ? [pid, ...await childrenOf(pid)] : [pid];
	}

	async #works(service) {
		const check = {
			postgres: () => this.#instance.sql('SELECT 1')
				.then((text) => text === '1', () => false),
			gateway: () => this.#instance.isReady('gateway'),
			relay: () => this.#instance.isReady('relay'),
		}[service] ?? (() => true);

		await waitFor(`${service} works again`, check,
			{ withinMs: BACK_MS, everyMs: 50 });
	}
}

function signal(pid, name) {
	try {
		process.kill(pid, name);
	} catch (error) {
		if (error.code !== 'ESRCH')
			throw error;			/* a child that ended meanwhile */
	}
}

async function childrenOf(parent) {
	const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
	const stats = await Promise.all(pids.map((pid) =>
		readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));

	return stats.map((text) => /^(\d+) \(.*\) \S (\d+)/su.exec(text))
		.filter((match) => Number(match?.[2]) === parent)
		.map((match) => Number(match[1]));
}
