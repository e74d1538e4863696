#include "http_head.h"

#include <string.h>
#include <strings.h>

#define SUBPROTOCOL "chemchat.v1.json"

/* What the headers said, for the checks that need several of them. */
typedef struct Fields
{
	int hosts;
	int upgrades;
	int versions;
	int keys;
	int protocols;
	int lengths;
	int expects;
	int authorizations;
	int fields[HTTP_FIELDS];
	bool upgrade_is_websocket;
	bool connection_has_upgrade;
	bool version_is_13;
	bool key_is_proper;
	bool protocol_is_ours;
	bool length_is_digits;
	bool length_is_large;
	bool authorization_is_bearer;
	bool has_transfer_encoding;
	bool expect_is_continue;
} Fields;

/* Headers that are only given on. */
static const struct
{
	const char *name;
	HttpField field;
} given_on[] = {
	{ "authorization", HTTP_AUTHORIZATION },
	{ "idempotency-key", HTTP_IDEMPOTENCY_KEY },
	{ "if-none-match", HTTP_IF_NONE_MATCH },
	{ "if-match", HTTP_IF_MATCH },
	{ "content-type", HTTP_CONTENT_TYPE },
	{ "accept", HTTP_ACCEPT },
	{ "origin", HTTP_ORIGIN },
	{ "traceparent", HTTP_TRACEPARENT },
	{ "user-agent", HTTP_USER_AGENT },
};

static const struct
{
	const char *name;
	HttpMethod method;
} methods[] = {
	{ "GET", HTTP_GET },         { "HEAD", HTTP_HEAD },
	{ "POST", HTTP_POST },       { "PUT", HTTP_PUT },
	{ "PATCH", HTTP_PATCH },     { "DELETE", HTTP_DELETE },
	{ "OPTIONS", HTTP_OPTIONS }, { "QUERY", HTTP_QUERY },
};

static int parse_request_line(Slice line, HttpHead *head, const char **reason);
static int parse_method(Slice method, HttpHead *head, const char **reason);
static int parse_target(Slice target, HttpHead *head, const char **reason);
static bool take_authority(Slice *target, Slice *authority);
static void take_forwarded(Slice value, HttpHead *head);
static int take_header(Slice name, Slice value, HttpHead *head, Fields *fields,
					   const char **reason);
static int check(HttpHead *head, const Fields *fields, const char **reason);
static int check_upgrade(HttpHead *head, const Fields *fields,
						 const char **reason);
static bool is_token(Slice text);
static bool is_value(Slice text);
static bool is_host(Slice host);
static bool is_name(Slice name, const char *text);
static bool list_has(Slice list, const char *item);
static void take_length(Slice value, HttpHead *head, Fields *fields);
static void take_given_on(Slice name, Slice value, HttpHead *head,
						  Fields *fields);
static bool is_websocket_key(Slice key);
static Slice trim(Slice text);
static int refuse(int status, const char *why, const char **reason);

int
http_head_parse(const char *bytes, size_t len, HttpHead *head,
				const char **reason)
{
	size_t limit = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
	size_t at = 0;
	int lines = 0;
	Fields fields;

	memset(head, 0, sizeof(*head));
	memset(&fields, 0, sizeof(fields));
	*reason = "";
	for (;;)
	{
		const char *end = memchr(bytes + at, '\n', limit - at);
		Slice line = { bytes + at, 0 };
		int status;

		if (end == NULL)
		{
			if (memchr(bytes + at, '\0', limit - at) != NULL)
				return refuse(400, "a NUL in the head", reason);
			if (len >= HTTP_HEAD_MAX)
				return refuse(431, "the head is larger than 8 KiB", reason);
			return HTTP_MORE;
		}
		line.len = (size_t) (end - line.at);
		at += line.len + 1;
		if (line.len == 0 || line.at[line.len - 1] != '\r')
			return refuse(400, "a line ends without CR", reason);
		line.len--;
		if (memchr(line.at, '\r', line.len) != NULL)
			return refuse(400, "a CR inside a line", reason);
		if (lines == 0)
			status = parse_request_line(line, head, reason);
		else if (line.len == 0)
		{
			head->size = at;
			return check(head, &fields, reason);
		}
		else
		{
			const char *colon = memchr(line.at, ':', line.len);
			Slice name = { line.at, 0 };
			Slice value;

			if (lines > HTTP_HEADERS_MAX)
				return refuse(431, "more than 64 headers", reason);
			if (colon == NULL)
				return refuse(400, "a header without colon", reason);
			name.len = (size_t) (colon - line.at);
			value.at = colon + 1;
			value.len = line.len - name.len - 1;
			value = trim(value);
			if (!is_token(name) || !is_value(value))
				return refuse(400, "a malformed header", reason);
			status = take_header(name, value, head, &fields, reason);
		}
		if (status != HTTP_OK)
			return status;
		lines++;
	}
}

const char *
http_method_name(HttpMethod method)
{
	return methods[method].name;
}

static int
parse_request_line(Slice line, HttpHead *head, const char **reason)
{
	const char *space = memchr(line.at, ' ', line.len);
	Slice method = { line.at, 0 };
	Slice target;
	Slice version;
	int status;

	if (space == NULL)
		return refuse(400, "no request line", reason);
	method.len = (size_t) (space - line.at);
	target.at = space + 1;
	target.len = line.len - method.len - 1;
	space = memchr(target.at, ' ', target.len);
	if (space == NULL)
		return refuse(400, "no HTTP version", reason);
	version.at = space + 1;
	version.len = target.len - (size_t) (space - target.at) - 1;
	target.len = (size_t) (space - target.at);

	if (!is_token(method))
		return refuse(400, "no method", reason);
	status = parse_method(method, head, reason);
	if (status != HTTP_OK)
		return status;
	if (version.len != 8 || memcmp(version.at, "HTTP/1.1", 8) != 0)
		return refuse(version.len == 8 && memcmp(version.at, "HTTP/", 5) == 0
						  ? 505
						  : 400,
					  "only HTTP/1.1 is spoken here", reason);
	return parse_target(target, head, reason);
}

static int
parse_target(Slice target, HttpHead *head, const char **reason)
{
	const char *query;

	for (size_t i = 0; i < target.len; i++)
	{
		if (target.at[i] <= ' ' || target.at[i] == 0x7f)
			return refuse(400, "the target is no path", reason);
	}
	if (!take_authority(&target, &head->authority))
		return refuse(400, "the target is no path", reason);
	query = memchr(target.at, '?', target.len);
	head->path = target;
	if (query != NULL)
	{
		head->path.len = (size_t) (query - target.at);
		head->query.at = query + 1;
		head->query.len = target.len - head->path.len - 1;
	}
	if (head->path.len == 0) /* of a whole URI (RFC 9110, 4.2.3) */
		head->path = (Slice){ "/", 1 };
	if (head->path.len > HTTP_PATH_MAX)
		return refuse(414, "the path is too long", reason);
	return HTTP_OK;
}

/* "http://host:80/path" becomes "/path"; false: no target of ours. */
static bool
take_authority(Slice *target, Slice *authority)
{
	size_t begin =
		target->len >= 7 && strncasecmp(target->at, "http://", 7) == 0    ? 7
		: target->len >= 8 && strncasecmp(target->at, "https://", 8) == 0 ? 8
																		  : 0;
	size_t end = begin;

	if (begin == 0)
		return target->len > 0 && target->at[0] == '/';
	while (end < target->len && target->at[end] != '/' &&
		   target->at[end] != '?')
		end++;
	*authority = (Slice){ target->at + begin, end - begin };
	target->at += end;
	target->len -= end;
	return authority->len > 0 && is_host(*authority);
}

/* What exists and is not spoken here is 405, what nobody knows is 501. */
static int
parse_method(Slice method, HttpHead *head, const char **reason)
{
	if (!is_token(method))
		return refuse(400, "no method", reason);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
	{
		if (slice_is(method, methods[i].name))
		{
			head->method = methods[i].method;
			return HTTP_OK;
		}
	}
	if (slice_is(method, "CONNECT") || slice_is(method, "TRACE") ||
		slice_is(method, "PRI"))
		return refuse(405, "this method is not served", reason);
	return refuse(501, "no method we know", reason);
}

static int
take_header(Slice name, Slice value, HttpHead *head, Fields *fields,
			const char **reason)
{
	if (is_name(name, "host"))
	{
		fields->hosts++;
		head->host = value;
	}
	else if (is_name(name, "transfer-encoding"))
		fields->has_transfer_encoding = true;
	else if (is_name(name, "expect"))
	{
		fields->expects++;
		fields->expect_is_continue = is_name(value, "100-continue");
	}
	else if (is_name(name, "content-length"))
		take_length(value, head, fields);
	else if (is_name(name, "upgrade"))
	{
		fields->upgrades++;
		fields->upgrade_is_websocket = is_name(value, "websocket");
	}
	else if (is_name(name, "connection"))
	{
		fields->connection_has_upgrade =
			fields->connection_has_upgrade || list_has(value, "upgrade");
		head->is_last = head->is_last || list_has(value, "close");
	}
	else if (is_name(name, "sec-websocket-version"))
	{
		fields->versions++;
		fields->version_is_13 =
			value.len == 2 && memcmp(value.at, "13", 2) == 0;
	}
	else if (is_name(name, "sec-websocket-key"))
	{
		fields->keys++;
		fields->key_is_proper = is_websocket_key(value);
		head->websocket_key = value;
	}
	else if (is_name(name, "sec-websocket-protocol"))
	{
		fields->protocols++;
		fields->protocol_is_ours =
			fields->protocol_is_ours || list_has(value, SUBPROTOCOL);
	}
	else if (is_name(name, "x-forwarded-for"))
		take_forwarded(value, head);
	else
		take_given_on(name, value, head, fields);
	if (fields->hosts > 1 || fields->lengths > 1 || fields->upgrades > 1 ||
		fields->keys > 1 || fields->versions > 1 || fields->expects > 1)
		return refuse(400, "a header twice", reason);
	for (int i = 0; i < HTTP_FIELDS; i++)
	{
		/* Accept is a list, and nobody's identity depends on it. */
		if (fields->fields[i] > 1 && i != HTTP_ACCEPT)
			return refuse(400, "a header twice", reason);
	}
	return HTTP_OK;
}

static void
take_forwarded(Slice value, HttpHead *head)
{
	if (head->forwarded_lines == HTTP_FORWARDED_MAX)
	{
		head->forwarded_lines--;
		memmove(head->forwarded_for, head->forwarded_for + 1,
				sizeof(head->forwarded_for) - sizeof(head->forwarded_for[0]));
	}
	head->forwarded_for[head->forwarded_lines++] = value;
}

static void
take_length(Slice value, HttpHead *head, Fields *fields)
{
	fields->lengths++;
	fields->length_is_digits = value.len > 0;
	for (size_t i = 0; i < value.len; i++)
	{
		if (value.at[i] < '0' || value.at[i] > '9')
			fields->length_is_digits = false;
		else if (head->body_len <= HTTP_BODY_MAX)
			head->body_len = head->body_len * 10 + (size_t) (value.at[i] - '0');
	}
	fields->length_is_large = head->body_len > HTTP_BODY_MAX;
}

static void
take_given_on(Slice name, Slice value, HttpHead *head, Fields *fields)
{
	for (size_t i = 0; i < sizeof(given_on) / sizeof(given_on[0]); i++)
	{
		if (!is_name(name, given_on[i].name))
			continue;
		fields->fields[given_on[i].field]++;
		head->field[given_on[i].field] = value;
		if (given_on[i].field != HTTP_AUTHORIZATION)
			return;
		fields->authorizations++;
		fields->authorization_is_bearer =
			value.len > 7 && strncasecmp(value.at, "Bearer ", 7) == 0;
		if (fields->authorization_is_bearer)
		{
			head->token.at = value.at + 7;
			head->token.len = value.len - 7;
		}
	}
}

static int
check(HttpHead *head, const Fields *fields, const char **reason)
{
	if (fields->has_transfer_encoding)
		return refuse(fields->lengths > 0 ? 400 : 501,
					  "no transfer codings here", reason);
	if (fields->hosts != 1 || head->host.len == 0)
		return refuse(400, "not exactly one Host", reason);
	if (!is_host(head->host))
		return refuse(400, "a malformed Host", reason);
	if (head->authority.len > 0)
		head->host = head->authority;
	if (fields->lengths > 0 && !fields->length_is_digits)
		return refuse(400, "Content-Length is no number", reason);
	if (fields->length_is_large)
		return refuse(413, "the body is larger than 64 KiB", reason);
	if (head->body_len > 0 && (head->method == HTTP_GET ||
							   head->method == HTTP_HEAD || fields->upgrades))
		return refuse(400, "a body where none belongs", reason);
	if (fields->expects > 0 && !fields->expect_is_continue)
		return refuse(417, "only 100-continue is understood", reason);
	head->expects_continue = fields->expects > 0 && head->body_len > 0;
	if (fields->authorizations > 0 && !fields->authorization_is_bearer)
		return refuse(401, "only Bearer tokens", reason);
	if (fields->upgrades > 0)
		return check_upgrade(head, fields, reason);
	return HTTP_OK;
}

static int
check_upgrade(HttpHead *head, const Fields *fields, const char **reason)
{
	if (!fields->upgrade_is_websocket)
		return refuse(400, "only an upgrade to websocket", reason);
	if (head->method != HTTP_GET)
		return refuse(405, "an upgrade is a GET", reason);
	if (!fields->connection_has_upgrade)
		return refuse(400, "Connection does not name Upgrade", reason);
	if (!fields->version_is_13)
		return refuse(426, "only version 13", reason);
	if (fields->keys != 1 || !fields->key_is_proper)
		return refuse(400, "no proper Sec-WebSocket-Key", reason);
	if (!fields->protocol_is_ours)
		return refuse(400, "the sub-protocol is " SUBPROTOCOL, reason);
	head->is_upgrade = true;
	return HTTP_OK;
}

static bool
is_token(Slice text)
{
	for (size_t i = 0; i < text.len; i++)
	{
		unsigned char c = (unsigned char) text.at[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
			return false;
	}
	return text.len > 0;
}

static bool
is_value(Slice text)
{
	for (size_t i = 0; i < text.len; i++)
	{
		unsigned char c = (unsigned char) text.at[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/*
 * Can it be a host and a port (RFC 9110, 7.2)?  A comma, which a name might
 * have, is how two lines look that somebody has joined.
 */
static bool
is_host(Slice host)
{
	for (size_t i = 0; i < host.len; i++)
	{
		unsigned char c = (unsigned char) host.at[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"#,/<>?@\\^`{|}", c) != NULL)
			return false;
	}
	return true;
}

static bool
is_name(Slice name, const char *text)
{
	return name.len == strlen(text) &&
		   strncasecmp(name.at, text, name.len) == 0;
}

/* Is the item in a comma-separated list? */
static bool
list_has(Slice list, const char *item)
{
	while (list.len > 0)
	{
		const char *comma = memchr(list.at, ',', list.len);
		Slice one = { list.at, comma ? (size_t) (comma - list.at) : list.len };
		size_t used = comma ? one.len + 1 : one.len;

		if (is_name(trim(one), item))
			return true;
		list.at += used;
		list.len -= used;
	}
	return false;
}

/* Sixteen bytes in base64: 22 digits, the last with four zero bits, "==". */
static bool
is_websocket_key(Slice key)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (key.len != 24 || memcmp(key.at + 22, "==", 2) != 0)
		return false;
	for (size_t i = 0; i < 22; i++)
	{
		if (key.at[i] == '\0' || strchr(digits, key.at[i]) == NULL)
			return false;
	}
	return strchr("AQgw", key.at[21]) != NULL;
}

static Slice
trim(Slice text)
{
	while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
	{
		text.at++;
		text.len--;
	}
	while (text.len > 0 &&
		   (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
		text.len--;
	return text;
}

static int
refuse(int status, const char *why, const char **reason)
{
	*reason = why;
	return status;
}
