/*
 * wait - conditions instead of sleeps
 */

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/*
 * Waits until check() gives something true and returns it.  `what` may be a
 * function: it is asked when the deadline has passed, to say how things stand.
 */
export async function waitFor(what, check, { withinMs = 15000, everyMs = 20 } = {}) {
	const endMs = Date.now() + withinMs;

	for (;;) {
		const found = await check();

		if (found)
			return found;
		if (Date.now() > endMs)
			throw new Error(`${withinMs / 1000} s and not: ${
				typeof what === 'function' ? await what() : what}`);
		await sleep(everyMs);
	}
}
