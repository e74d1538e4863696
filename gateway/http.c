#include "http.h"

#include <string.h>
#include <strings.h>

static const char common_headers[] =
	"Connection: close\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n"
	"Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "
	"img-src 'self' data:; object-src 'none'; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'\r\n";

static const char *status_text(int status);
static bool etag_matches(Slice header, const char *etag);

void
http_answer(const StaticFiles *files, const HttpHead *head, Buf *out)
{
	const StaticFile *file =
		files != NULL ? static_files_find(files, head->path) : NULL;

	if (file == NULL)
	{
		http_refuse(404, "nothing here", out);
		return;
	}
	if (etag_matches(head->if_none_match, file->etag))
	{
		buf_printf(out,
				   "HTTP/1.1 304 %s\r\nETag: %s\r\n"
				   "Cache-Control: no-cache\r\n%s\r\n",
				   status_text(304), file->etag, common_headers);
		return;
	}
	buf_printf(out,
			   "HTTP/1.1 200 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
			   "ETag: %s\r\nCache-Control: no-cache\r\n%s\r\n",
			   status_text(200), file->type, file->len, file->etag,
			   common_headers);
	if (head->is_get)
		buf_append(out, file->bytes, file->len);
}

void
http_refuse(int status, const char *reason, Buf *out)
{
	Buf body;

	buf_init(&body);
	buf_printf(&body,
			   "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,",
			   status_text(status), status);
	buf_append_str(&body, "\"detail\":");
	buf_append_json(&body, reason, strlen(reason));
	buf_append_str(&body, "}\n");
	buf_printf(out,
			   "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\n"
			   "Content-Length: %zu\r\nCache-Control: no-store\r\n%s%s%s\r\n",
			   status, status_text(status), body.len,
			   status == 405   ? "Allow: GET, HEAD\r\n"
			   : status == 426 ? "Sec-WebSocket-Version: 13\r\n"
							   : "",
			   status == 401 ? "WWW-Authenticate: Bearer\r\n" : "",
			   common_headers);
	buf_append(out, body.data, body.len);
	buf_fini(&body);
}

bool
http_origin_is_allowed(const HttpHead *head, const char *allowed)
{
	Slice origin = head->origin;
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

static const char *
status_text(int status)
{
	static const struct
	{
		int status;
		const char *text;
	} texts[] = {
		{ 200, "OK" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 414, "URI Too Long" },
		{ 417, "Expectation Failed" },
		{ 426, "Upgrade Required" },
		{ 431, "Request Header Fields Too Large" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "Error";
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
