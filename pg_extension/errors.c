#include "errors.h"
#include "pgcompat.h"

#include "fmgr.h"
#include "utils/builtins.h"

typedef struct ErrorText
{
	int sqlstate;
	const char *code;
	const char *message;
	const char *hint;
} ErrorText;

static const ErrorText error_texts[] = { { 0, "ok", "", "" },
#define X(name, a, b, code, message, hint)                                     \
	{ MAKE_SQLSTATE('Q', 'C', '0', a, b), code, message, hint },
										 CHAT_ERRORS(X)
#undef X
};

PG_FUNCTION_INFO_V1(chemchat_raise);

const char *
chat_error_code(ChatError error)
{
	return error_texts[error].code;
}

void
chat_raise(ChatError error, const char *field, const char *message)
{
	const ErrorText *text = &error_texts[error];

	Assert(error != CHAT_OK);
	ereport(ERROR,
			(errcode(text->sqlstate),
			 errmsg_internal("%s", message ? message : text->message),
			 errhint("%s", text->hint),
			 field ? err_generic_string(PG_DIAG_COLUMN_NAME, field) : 0));
}

/* _raise(code text, field text, message text): for the functions in SQL. */
Datum
chemchat_raise(PG_FUNCTION_ARGS)
{
	char *code = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *field =
		PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	char *message =
		PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));

	for (size_t i = 1; i < lengthof(error_texts); i++)
	{
		if (strcmp(error_texts[i].code, code) == 0)
			chat_raise((ChatError) i, field, message);
	}
	elog(ERROR, "unknown error code \"%s\"", code);
}
