/*
 * play - all .chat files (or those named) against one instance
 *
 * Prints ok or FAIL for each; the last line is `N passed, N failed`.
 */

import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Instance } from '../lib/instance.mjs';
import { parseScript } from './script.mjs';
import { Stage } from './stage.mjs';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

async function main(names) {
	const files = names.length ? names : (await readdir(FOLDER))
		.filter((name) => name.endsWith('.chat')).sort()
		.map((name) => path.join(FOLDER, name));
	/* All of it is read before anything is started. */
	const scripts = [];

	for (const file of files)
		scripts.push({ name: path.basename(file, '.chat'),
			steps: parseScript(await readFile(file, 'utf8')) });
	const instance = new Instance();
	let failed = 0, crashed = 0;

	try {
		await instance.start();
		for (const { name, steps } of scripts) {
			const beganMs = Date.now();

			try {
				await new Stage(instance).play(steps);
				const crashes = await instance.crashes();

				if (crashes.length > crashed) {
					crashed = crashes.length;
					throw new Error(crashes.join('\n'));
				}
				console.log(`ok   ${name} (${Date.now() - beganMs} ms)`);
			} catch (error) {
				failed++;
				console.log(`FAIL ${name}\n  ${error.message}\n${
					await instance.logs()}`);
			}
		}
	} finally {
		await instance.stop();
	}
	console.log(`${scripts.length - failed} passed, ${failed} failed`);
	return failed ? 1 : 0;
}

main(process.argv.slice(2)).then((code) => process.exit(code), (error) => {
	console.error(error.message);
	console.log('0 passed, 1 failed');
	process.exit(1);
});
