/*
 * http - requests as the OpenAPI document has them
 *
 * `call` is told an operation by its id and its arguments by their names, and
 * holds the answer to the document.
 */

const PROBLEM = 'application/problem+json';

export class Http {
	seen = new Map();			/* operationId -> Set of statuses */

	constructor(url, documents) {
		this.url = url;
		this.documents = documents;
		this.operations = new Map(documents.operations()
			.map((operation) => [operation.operationId, operation]));
	}

	/* Where the arguments go, says the document; `body` is the whole of it. */
	request(operation, { body, headers = {}, token, ...named }) {
		let at = operation.path;
		const query = new URLSearchParams();
		const all = { ...headers };

		for (const parameter of operation.parameters) {
			const value = named[parameter.name];

			if (value === undefined)
				continue;
			if (parameter.in === 'path')
				at = at.replace(`{${parameter.name}}`, encodeURIComponent(value));
			else if (parameter.in === 'query')
				query.set(parameter.name, String(value));
			else
				all[parameter.name] = String(value);
		}
		if (token)
			all.Authorization = `Bearer ${token}`;
		if (body !== undefined) {
			all['Content-Type'] ??= 'application/json';
			body = typeof body === 'string' ? body : JSON.stringify(body);
		}
		return { url: `${this.url}${at}${query.size ? `?${query}` : ''}`,
			init: { method: operation.method, headers: all, body } };
	}

	async call(operationId, values = {}, signal) {
		const operation = this.operations.get(operationId);

		if (!operation)
			throw new Error(`no operation ${operationId}`);
		const { url, init } = this.request(operation, values);
		const answer = await this.raw(url, { ...init, signal });

		this.documents.needAnswer(operation, answer);
		if (!this.seen.has(operationId))
			this.seen.set(operationId, new Set());
		this.seen.get(operationId).add(answer.status);
		return answer;
	}

	async raw(url, init) {
		const answer = await fetch(url, init);
		const text = await answer.text();
		const type = answer.headers.get('content-type');

		return { status: answer.status, headers: answer.headers, type,
			value: /json$/u.test(type ?? '') ? JSON.parse(text) : text };
	}

	/* The answer is this status, and, of an error, this code (and field). */
	async expect(operationId, values, status, code, field) {
		const answer = await this.call(operationId, values);

		if (answer.status !== status ||
			(code && (answer.type !== PROBLEM || answer.value.code !== code)) ||
			(field && answer.value.field !== field))
			throw new Error(`${operationId} ${JSON.stringify(values)
				.slice(0, 200)}: ${answer.status} ${JSON.stringify(answer.value)
				.slice(0, 300)}, expected ${status} ${code ?? ''} ${field ?? ''}`);
		return answer.value;
	}
}
