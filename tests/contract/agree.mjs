/*
 * agree - the verb table of the gateway and the documents name the same
 */

function same(report, what, ours, theirs) {
	const missing = [...ours].filter((name) => !theirs.has(name));
	const extra = [...theirs].filter((name) => !ours.has(name));

	if (missing.length || extra.length)
		report.failures.push(`${what}: not documented: ${missing.join(', ') ||
			'none'}; not in the gateway: ${extra.join(', ') || 'none'}`);
	else
		report.passed++;
}

/* How an argument stands in the document. */
function nameOf(argument) {
	return argument.place === 'key' ? 'header Idempotency-Key'
		: argument.place === 'match' ? `body ${argument.name}`
			: `${argument.place} ${argument.name}`;
}

export async function documentsAgree({ documents }, report) {
	const routes = documents.verbs.filter((verb) => verb.method);
	const types = documents.verbs.filter((verb) => verb.type);
	const operations = documents.operations();

	report.failures.push(...documents.complaints());
	same(report, 'operations',
		new Set(routes.map((verb) => `${verb.method} ${verb.path}`)),
		new Set(operations.map((o) => `${o.method} ${o.path}`)));
	same(report, 'frames of clients', new Set(types.map((verb) => verb.type)),
		new Set(Object.keys(documents.asyncapi.components.messages)
			.filter((name) => name.startsWith('client_'))
			.map((name) => name.slice(7))));

	for (const operation of operations) {
		const verbs = routes.filter((verb) => verb.method === operation.method &&
			verb.path === operation.path);
		if (verbs.length === 0)
			continue; /* said above */
		const body = operation.requestBody?.content['application/json'].schema;

		same(report, `${operation.operationId}'s arguments`,
			new Set(verbs.flatMap((verb) => verb.arguments)
				.filter((argument) => argument.place !== 'frame').map(nameOf)),
			new Set([...operation.parameters
				.filter((p) => !['traceparent', 'If-None-Match', 'If-Match']
					.includes(p.name) && operation.operationId !== 'getSchema')
				.map((p) => `${p.in} ${p.name}`),
			...Object.keys(body?.properties ?? {}).map((name) => `body ${name}`)]));
		if (verbs.length === 1)
			same(report, `what ${operation.operationId} requires`,
				new Set(verbs[0].arguments.filter((a) => a.isRequired).map(nameOf)),
				new Set([...operation.parameters.filter((p) => p.required &&
					operation.operationId !== 'getSchema')
					.map((p) => `${p.in} ${p.name}`),
				...(body?.required ?? []).map((name) => `body ${name}`)]));
		same(report, `who may ${operation.operationId}`,
			new Set(verbs[0].isPublic ? ['nobody'] : [verbs[0].scope || 'anybody']),
			new Set(operation.security?.length === 0 ? ['nobody']
				: [operation.security?.[0].bearer[0] ?? 'anybody']));
	}
	for (const verb of types) {
		const schema = documents.schema('request').$defs[verb.type];

		if (!schema)
			continue;
		same(report, `${verb.type}'s fields`,
			new Set(['type', 'ref', ...verb.arguments.map((a) => a.name)]),
			new Set(Object.keys(schema.properties)));
		same(report, `what ${verb.type} requires`,
			new Set(['type', ...verb.arguments.filter((a) => a.isRequired)
				.map((a) => a.name)]), new Set(schema.required));
	}
}
