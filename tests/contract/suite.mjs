/*
 * suite - documents, doors and topics against each other
 *
 * In:   --only WORD: parts whose name has it (the first always runs)
 * Out:  a line per part; the last is `N passed, N failed`
 */

import { parseArgs } from 'node:util';
import { Instance } from '../lib/instance.mjs';
import { Documents } from './documents.mjs';
import { Http } from './http.mjs';
import { badFrames, badRequests } from './bad_input.mjs';
import { goodFrames, goodRequests } from './good_input.mjs';
import { documentsAgree } from './agree.mjs';
import { polling } from './polling.mjs';
import { topics } from './topics.mjs';

const PASSWORD = 'correct horse battery staple';
const { values } = parseArgs({ options: {
	only: { type: 'string', default: '' } } });

async function prepare(instance) {
	const world = { instance, url: instance.env.CHEMCHAT_URL,
		socketUrl: instance.env.CHEMCHAT_WS_URL, password: PASSWORD };

	for (const name of ['ann', 'ben', 'cas', 'dot'])
		world[name] = { id: await instance.createUser(name), handle: name };
	for (const name of ['ann', 'ben', 'cas', 'dot'])
		world[name].token = await instance.token(world[name].id);
	await instance.setPassword('dot', PASSWORD); /* her token is void now */
	world.dot.token = await instance.token(world.dot.id);
	world.documents = await Documents.load(world.url);
	world.http = new Http(world.url, world.documents);
	return world;
}

async function main() {
	const instance = new Instance({ CHEMCHAT_GATEWAY_ARGS:
		'--address-requests 0 --send-rate 0 --request-rate 0 ' +
		'--user-connections 20 --local-accounts on' });
	let passed = 0, failed = 0;

	try {
		await instance.start();
		const world = await prepare(instance);

		for (const part of [documentsAgree, goodRequests, badRequests,
			goodFrames, badFrames, polling, topics]) {
			if (part !== documentsAgree && !part.name.includes(values.only))
				continue;
			const beganMs = Date.now();
			const report = { passed: 0, failures: [] };

			await part(world, report).catch((error) =>
				report.failures.push(error.stack));
			passed += report.passed;
			failed += report.failures.length;
			console.log(`${report.failures.length ? 'FAIL' : 'ok  '} ${part.name} (${
				report.passed} held, ${Date.now() - beganMs} ms)`);
			for (const failure of report.failures)
				console.log(`  ${failure}`);
		}
		for (const crash of await instance.crashes()) {
			failed++;
			console.log(`FAIL ${crash}`);
		}
		if (failed)
			console.log(await instance.logs(5));
	} finally {
		await instance.stop();
	}
	console.log(`${passed} passed, ${failed} failed`);
	return failed ? 1 : 0;
}

main().then((code) => process.exit(code), (error) => {
	console.error(error.message);
	console.log('0 passed, 1 failed');
	process.exit(1);
});
