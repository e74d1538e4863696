#include "problem.h"

#include <string.h>

#include "frames.h"

int
problem_status(const char *code, const char *field)
{
	static const struct
	{
		const char *code;
		int status;
	} statuses[] = {
		{ "not_found", 404 },     { "unknown_type", 404 },
		{ "forbidden", 403 },     { "invalid_argument", 400 },
		{ "bad_frame", 400 },     { "idempotency_mismatch", 409 },
		{ "conflict", 409 },      { "last_owner", 409 },
		{ "archived", 409 },      { "deleted", 409 },
		{ "too_large", 413 },     { "rate_limited", 429 },
		{ "invalid_token", 401 }, { "invalid_credentials", 401 },
		{ "busy", 503 },          { "unavailable", 503 },
		{ "storage_full", 503 },  { "unknown_outcome", 504 },
	};

	if (strcmp(code, "unknown_user") == 0)
		return field != NULL && field[0] != '\0' ? 404 : 401;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
	{
		if (strcmp(statuses[i].code, code) == 0)
			return statuses[i].status;
	}
	return 500;
}

void
problem_write(const Problem *problem, Buf *out)
{
	int64_t retry_ms = problem->retry_ms > 0
						   ? problem->retry_ms
						   : frame_error_retry_ms(problem->code);

	buf_printf(out,
			   "{\"type\":\"urn:chemchat:error:%s\",\"title\":", problem->code);
	buf_append_json(out, frame_error_message(problem->code),
					strlen(frame_error_message(problem->code)));
	buf_printf(out, ",\"status\":%d,\"code\":\"%s\"",
			   problem->status != 0
				   ? problem->status
				   : problem_status(problem->code, problem->field),
			   problem->code);
	if (problem->field != NULL)
		frame_text_field(out, "field", problem->field);
	if (problem->detail != NULL)
		frame_text_field(out, "detail", problem->detail);
	if (problem->offset >= 0)
		buf_printf(out, ",\"offset\":%lld", (long long) problem->offset);
	if (retry_ms > 0)
		buf_printf(out, ",\"retryAfterMs\":%lld", (long long) retry_ms);
	buf_append_char(out, '}');
}
