/*
 * tutorial - reads docs/tutorial.md and does it
 */

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Instance, ROOT } from '../lib/instance.mjs';

/* [{kind: 'file', name, text} | {kind: 'run', text, expected}] */
function parse(markdown) {
	const steps = [];

	for (const [, before, language, text] of markdown.matchAll(
		/([^\n]*)\n\n```(\w*)\n(.*?)```/gsu)) {
		const name = /as `([\w.]+)`:$/u.exec(before)?.[1];

		if (name)
			steps.push({ kind: 'file', name, text });
		else if (language === 'sh')
			steps.push({ kind: 'run', text, expected: null });
		else if (language === 'text') {
			if (steps.at(-1)?.kind !== 'run')
				throw new Error(`nothing prints ${text}`);
			steps.at(-1).expected = text;
		}
	}
	return steps;
}

/* One shell for all; says what each step printed. */
class Shell {
	#bash;
	#out = '';
	#wake = () => {};

	constructor(folder) {
		/* As who follows the tutorial has it: nothing of ours. */
		const env = { HOME: folder, PATH: `/usr/bin:/bin:${process.env.PATH}`,
			LANG: 'C.UTF-8' };

		this.#bash = spawn('bash', ['-o', 'pipefail'], { cwd: folder, env,
			detached: true });
		for (const stream of [this.#bash.stdout, this.#bash.stderr])
			stream.on('data', (bytes) => {
				this.#out += bytes;
				this.#wake();
			});
	}

	async run(text) {
		const mark = `--- done ${Math.random()}`;

		this.#out = '';
		/* Each line must succeed; what a block leaves running may end. */
		this.#bash.stdin.write(`{ set -e; trap 'echo "${mark} failed"' EXIT\n${
			text}\ntrap - EXIT; set +e; }; echo "${mark}"\n`);
		const endMs = Date.now() + 60000;

		while (!this.#out.includes(mark)) {
			if (Date.now() > endMs)
				throw new Error(`takes too long:\n${text}\n${this.#out}`);
			await new Promise((resolve) => {
				this.#wake = resolve;
				setTimeout(resolve, 1000);
			});
		}
		if (this.#out.includes(`${mark} failed`))
			throw new Error(`failed:\n${text}\n${this.#out}`);
		return this.#out.slice(0, this.#out.indexOf(mark));
	}

	close() {
		try {
			process.kill(-this.#bash.pid, 'SIGKILL');
		} catch {
			/* it has ended */
		}
	}
}

async function main() {
	const steps = parse(await readFile(path.join(ROOT, 'docs/tutorial.md'),
		'utf8'));
	const folder = await mkdtemp(path.join(tmpdir(), 'chemchat-tutorial.'));
	const instance = new Instance();
	let passed = 0, shell = null;

	try {
		await instance.start();
		await mkdir(path.join(folder, 'build'));
		await symlink(instance.env.CHEMCHAT_RUN_DIR, path.join(folder, 'build/run'));
		await symlink(path.join(ROOT, 'build/release'),
			path.join(folder, 'build/release'));
		shell = new Shell(folder);
		for (const step of steps) {
			if (step.kind === 'file') {
				await writeFile(path.join(folder, step.name), step.text);
				continue;
			}
			const printed = await shell.run(step.text);

			if (step.expected !== null && printed !== step.expected)
				throw new Error(`${step.text}prints\n${printed}and not\n${
					step.expected}`);
			passed++;
		}
		if (passed < 7)
			throw new Error(`only ${passed} steps were found`);
	} finally {
		shell?.close();
		await instance.stop();
		await rm(folder, { recursive: true, force: true });
	}
	console.log(`${passed} passed, 0 failed`);
}

main().then(() => process.exit(0), (error) => {
	console.log(`FAIL ${error.message}`);
	console.log('0 passed, 1 failed');
	process.exit(1);
});
