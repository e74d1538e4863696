/*
 * small_world - where most tests of the page begin: Alice, Bob, and General,
 * a group of both, on a server in memory
 */

import { MockServer } from './mock_server.mjs';

/* Fresh at each call.  link signs Alice in. */
export async function world() {
	const server = new MockServer();

	await server.listen();
	const alice = server.addUser('alice', 'Alice');
	const bob = server.addUser('bob', 'Bob');
	const general = server.addConversation('group', 'General', [alice, bob]);

	return { server, alice, bob, general,
		link: `${server.url}/#token=${server.token(alice)}` };
}

/* The rows of the conversation whose text has this. */
export const message = (page, text) => page.locator('#log .message')
	.filter({ has: page.locator('.text', { hasText: text }) });

/* How many conversations this browser has kept. */
export const kept = (page) => page.evaluate(async () => {
	const [first] = await indexedDB.databases();

	if (!first)
		return 0;
	const ended = (asked) => new Promise((resolve, reject) => {
		asked.onsuccess = () => resolve(asked.result);
		asked.onerror = () => reject(asked.error);
	});
	const db = await ended(indexedDB.open(first.name));
	const count = await ended(db.transaction('place').objectStore('place')
		.count());

	db.close();
	return count;
});
