#include "http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char common_headers[] =
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n"
	"Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "
	"img-src 'self' data:; object-src 'none'; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'\r\n";

static const char options_headers[] =
	"Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE\r\n"
	"Access-Control-Allow-Headers: Authorization, Content-Type, "
	"Idempotency-Key, If-Match, If-None-Match, traceparent\r\n"
	"Access-Control-Max-Age: 600\r\n";

typedef struct Status
{
	int status;
	const char *text;
	const char *code; /* of a problem the door itself answers with */
} Status;

static const Status statuses[] = {
	{ 200, "OK", "" },
	{ 201, "Created", "" },
	{ 202, "Accepted", "" },
	{ 204, "No Content", "" },
	{ 304, "Not Modified", "" },
	{ 400, "Bad Request", "bad_frame" },
	{ 401, "Unauthorized", "invalid_token" },
	{ 403, "Forbidden", "forbidden" },
	{ 404, "Not Found", "not_found" },
	{ 405, "Method Not Allowed", "bad_frame" },
	{ 406, "Not Acceptable", "bad_frame" },
	{ 408, "Request Timeout", "timeout" },
	{ 409, "Conflict", "conflict" },
	{ 410, "Gone", "not_found" },
	{ 412, "Precondition Failed", "conflict" },
	{ 413, "Content Too Large", "too_large" },
	{ 414, "URI Too Long", "too_large" },
	{ 415, "Unsupported Media Type", "bad_frame" },
	{ 417, "Expectation Failed", "bad_frame" },
	{ 422, "Unprocessable Content", "invalid_argument" },
	{ 426, "Upgrade Required", "bad_frame" },
	{ 428, "Precondition Required", "bad_frame" },
	{ 429, "Too Many Requests", "rate_limited" },
	{ 431, "Request Header Fields Too Large", "too_large" },
	{ 500, "Internal Server Error", "internal" },
	{ 501, "Not Implemented", "bad_frame" },
	{ 503, "Service Unavailable", "unavailable" },
	{ 504, "Gateway Timeout", "unknown_outcome" },
	{ 505, "HTTP Version Not Supported", "bad_frame" },
};

static const Status *find_status(int status);
static bool has_header(const HttpAnswer *answer, const char *name);
static bool etag_matches(Slice header, const char *etag);

bool
http_is_status(int status)
{
	return find_status(status)->status == status;
}

void
http_put_head(const HttpAnswer *answer, Buf *out)
{
	buf_printf(out, "HTTP/1.1 %d %s\r\n", answer->status,
			   find_status(answer->status)->text);
	if (answer->content_type != NULL)
		buf_printf(out, "Content-Type: %s\r\n", answer->content_type);
	if (answer->status != 204 && answer->status != 304)
		buf_printf(out, "Content-Length: %zu\r\n", answer->body_len);
	for (int i = 0; i < answer->header_count; i++)
	{
		/* A line end in a value would begin a header of somebody's choice. */
		if (strpbrk(answer->headers[i].value, "\r\n") == NULL)
			buf_printf(out, "%s: %s\r\n", answer->headers[i].name,
					   answer->headers[i].value);
	}
	if (!has_header(answer, "Cache-Control"))
		buf_append_str(out, "Cache-Control: no-store\r\n");
	if (answer->is_last)
		buf_append_str(out, "Connection: close\r\n");
	if (answer->origin.len > 0)
		buf_printf(out,
				   "Access-Control-Allow-Origin: %.*s\r\n"
				   "Access-Control-Expose-Headers: ETag, Link, Location, "
				   "Retry-After\r\n",
				   (int) answer->origin.len, answer->origin.at);
	buf_append_str(out, "Vary: Origin\r\n");
	buf_append(out, common_headers, sizeof(common_headers) - 1);
	buf_append_str(out, "\r\n");
}

void
http_put_problem(const HttpAnswer *like, const char *detail,
				 int64_t retry_after_ms, Buf *out)
{
	const Status *status = find_status(like->status);
	HttpAnswer answer = *like;
	HttpHeader headers[2];
	char seconds[24];
	Buf body;

	buf_init(&body);
	buf_printf(&body,
			   "{\"type\":\"urn:chemchat:error:%s\",\"title\":\"%s\","
			   "\"status\":%d,\"code\":\"%s\",\"detail\":",
			   status->code, status->text, status->status, status->code);
	buf_append_json(&body, detail, strlen(detail));
	if (retry_after_ms > 0)
		buf_printf(&body, ",\"retryAfterMs\":%lld", (long long) retry_after_ms);
	buf_append_str(&body, "}\n");

	answer.content_type = "application/problem+json";
	answer.headers = headers;
	answer.header_count = 0;
	answer.body_len = body.len;
	if (status->status == 405)
		headers[answer.header_count++] =
			(HttpHeader){ "Allow", HTTP_FILE_METHODS };
	if (status->status == 426)
		headers[answer.header_count++] =
			(HttpHeader){ "Sec-WebSocket-Version", "13" };
	if (status->status == 401)
		headers[answer.header_count++] =
			(HttpHeader){ "WWW-Authenticate", "Bearer" };
	if (retry_after_ms > 0)
	{
		(void) snprintf(seconds, sizeof(seconds), "%lld",
						(long long) (retry_after_ms + 999) / 1000);
		headers[answer.header_count++] = (HttpHeader){ "Retry-After", seconds };
	}
	http_put_head(&answer, out);
	if (!answer.is_body_cut)
		buf_append(out, body.data, body.len);
	buf_fini(&body);
}

int
http_put_file(const StaticFiles *files, const HttpHead *head,
			  const HttpAnswer *like, Buf *out, Payload **body)
{
	const StaticFile *file =
		files != NULL ? static_files_find(files, head->path) : NULL;
	HttpAnswer answer = *like;
	HttpHeader headers[2];

	*body = NULL;
	answer.status =
		file == NULL                                                ? 404
		: head->method != HTTP_GET && head->method != HTTP_HEAD     ? 405
		: etag_matches(head->field[HTTP_IF_NONE_MATCH], file->etag) ? 304
																	: 200;
	if (answer.status >= HTTP_STATUS_MIN)
	{
		http_put_problem(&answer,
						 file == NULL ? "nothing here" : "this is only read", 0,
						 out);
		return answer.status;
	}
	headers[0] = (HttpHeader){ "ETag", file->etag };
	headers[1] = (HttpHeader){ "Cache-Control", "no-cache" };
	answer.headers = headers;
	answer.header_count = 2;
	if (answer.status == 200)
	{
		answer.content_type = file->type;
		answer.body_len = file->payload->len;
		if (!answer.is_body_cut)
			*body = file->payload;
	}
	http_put_head(&answer, out);
	return answer.status;
}

void
http_put_options(const HttpAnswer *like, const char *methods, Buf *out)
{
	HttpHeader allow = { "Allow", methods };
	HttpAnswer answer = *like;

	answer.status = 204;
	answer.headers = &allow;
	answer.header_count = 1;
	http_put_head(&answer, out);
	out->len -= 2; /* further headers before the empty line */
	buf_append(out, options_headers, sizeof(options_headers) - 1);
	buf_append_str(out, "\r\n");
}

bool
http_origin_is_allowed(const HttpHead *head, const char *allowed)
{
	Slice origin = head->field[HTTP_ORIGIN];
	const char *host;

	if (origin.len == 0)
		return true;
	host = origin.len > 7 && memcmp(origin.at, "http://", 7) == 0
			   ? origin.at + 7
		   : origin.len > 8 && memcmp(origin.at, "https://", 8) == 0
			   ? origin.at + 8
			   : NULL;
	if (host != NULL)
	{
		size_t len = origin.len - (size_t) (host - origin.at);

		if (len == head->host.len && strncasecmp(host, head->host.at, len) == 0)
			return true;
	}
	while (allowed != NULL && *allowed != '\0')
	{
		size_t len = strcspn(allowed, ",");

		if (len == origin.len && memcmp(allowed, origin.at, len) == 0)
			return true;
		allowed += len;
		allowed += strspn(allowed, ", ");
	}
	return false;
}

static const Status *
find_status(int status)
{
	static const Status other = { 0, "Unknown", "internal" };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
	{
		if (statuses[i].status == status)
			return &statuses[i];
	}
	return &other;
}

static bool
has_header(const HttpAnswer *answer, const char *name)
{
	for (int i = 0; i < answer->header_count; i++)
	{
		if (strcasecmp(answer->headers[i].name, name) == 0)
			return true;
	}
	return false;
}

/* One of the tags, weak or not, or any. */
static bool
etag_matches(Slice header, const char *etag)
{
	size_t len = strlen(etag);

	if (header.len == 1 && header.at[0] == '*')
		return true;
	for (size_t i = 0; i + len <= header.len; i++)
	{
		if (memcmp(header.at + i, etag, len) == 0)
			return true;
	}
	return false;
}
