/*
 * topics - every record in Kafka is what docs/asyncapi.yaml says of its topic
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export async function topics({ documents, instance }, report) {
	const { channels, components } = documents.asyncapi;
	const headers = components.schemas.CloudEventsHeaders;
	const kinds = new Set();

	for (const channel of Object.values(channels)) {
		if (!channel.bindings?.kafka)
			continue;
		const allowed = new Set(Object.keys(channel.messages)
			.map((name) => name.replace('event_', '')));
		const { stdout } = await run('kcat', ['-b', instance.env.CHEMCHAT_KAFKA,
			'-C', '-q', '-e', '-t', channel.address, '-o', 'beginning',
			'-f', '%k\\t%h\\t%s\\n'], { maxBuffer: 1 << 28 });
		let records = 0;

		for (const line of stdout.split('\n').filter(Boolean)) {
			const [key, headerText, value] = line.split('\t');
			const event = JSON.parse(value);
			const named = headerText.split(',').map((pair) => pair.split('=')[0]);

			records++;
			kinds.add(event.kind);
			try {
				documents.need(`/schemas/event.json#/$defs/${event.kind}`, event,
					channel.address);
				if (!allowed.has(event.kind))
					throw new Error(`${channel.address} holds a ${event.kind}`);
				if (key !== (event.ev ? event.conversationId : event.userId))
					throw new Error(`${channel.address}: key ${key} of ${value}`);
				for (const name of named) {
					if (!(name in headers.properties))
						throw new Error(`${channel.address}: header ${name}`);
				}
				for (const name of headers.required) {
					if (!named.includes(name))
						throw new Error(`${channel.address}: no header ${name}`);
				}
				report.passed++;
			} catch (error) {
				report.failures.push(error.message);
			}
		}
		if (records === 0)
			report.failures.push(`${channel.address} is empty`);
	}
	for (const name of ['message', 'conversation', 'member', 'reaction', 'user',
		'cursor', 'preference', 'block']) {
		if (!kinds.has(name))
			report.failures.push(`no ${name} was ever produced`);
	}
}
