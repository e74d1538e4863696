/*
 * kafka - what a consumer of the topic sees, by kcat
 *
 * Reads the topic from its beginning for as long as it lives, through broker
 * restarts.  Per key: the events in the order of the partition, those that
 * came a second time (the same ce_id) left out and counted.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class TopicReader {
	events = new Map();			/* key -> events, first occurrences */
	partitions = new Map();		/* key -> Set of partitions */
	records = 0;
	duplicates = 0;
	replays = 0;
	failures = [];
	#seen = new Set();
	#kcat;

	constructor(broker, topic = 'chat.messages.v1') {
		/* header values hold neither tabs nor newlines; JSON neither */
		this.#kcat = spawn('kcat', ['-b', broker, '-C', '-q', '-t', topic,
			'-o', 'beginning', '-u', '-E', '-X', 'topic.metadata.refresh.interval.ms=1000',
			'-X', 'reconnect.backoff.max.ms=500',
			'-f', '%p\\t%k\\t%h\\t%s\\n'], { stdio: ['ignore', 'pipe', 'ignore'] });
		this.#kcat.on('exit', (code) => {
			if (code !== null)
				this.failures.push(`kcat ended with ${code}`);
		});
		createInterface({ input: this.#kcat.stdout })
			.on('line', (line) => this.#record(line));
	}

	of(key) {
		return this.events.get(key) ?? [];
	}

	#record(line) {
		const [partition, key, headerText, value] = line.split('\t');
		const headers = new Map(headerText.split(',').map((pair) => {
			const at = pair.indexOf('=');

			return [pair.slice(0, at), pair.slice(at + 1)];
		}));
		const event = JSON.parse(value);

		this.records++;
		if (key !== event.conversationId)
			this.failures.push(`key ${key} holds ${event.conversationId}`);
		if (Number(headers.get('ce_ev')) !== event.ev)
			this.failures.push(`${headers.get('ce_id')}: ce_ev is ${
				headers.get('ce_ev')}, ev ${event.ev}`);
		this.partitions.set(key, (this.partitions.get(key) ?? new Set())
			.add(partition));
		if (headers.get('ce_replay') === '1')
			this.replays++;
		if (this.#seen.has(headers.get('ce_id'))) {
			this.duplicates++;
			return;
		}
		this.#seen.add(headers.get('ce_id'));
		if (!this.events.has(key))
			this.events.set(key, []);
		this.events.get(key).push(event);
	}

	stop() {
		this.#kcat.kill();
	}
}
