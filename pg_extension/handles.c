#include "postgres.h"
#include "pgcompat.h"

#include "handles.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

#define HANDLE_MAX_BYTES 64

typedef struct Handle
{
	char text[HANDLE_MAX_BYTES];
	Size len;
} Handle;

static bool is_word(char c);
static bool is_handle(char c);
static bool read_handle(const char *at, const char *end, Handle *handle);
static bool is_known(const Handle *handles, int count, const Handle *handle);

PG_FUNCTION_INFO_V1(chemchat_handles);

/* _handles(body text) -> text[]; NULL when it names nobody. */
Datum
chemchat_handles(PG_FUNCTION_ARGS)
{
	text *body;
	ArrayType *handles;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	body = PG_GETARG_TEXT_PP(0);
	handles = handles_named_in(VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body));
	if (handles == NULL)
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(handles);
}

ArrayType *
handles_named_in(const char *text, Size len)
{
	const char *end = text + len;
	const char *at = memchr(text, '@', len);
	Handle *handles;
	Datum *values;
	int count = 0;

	if (at == NULL)
		return NULL;
	handles = palloc(sizeof(Handle) * HANDLES_MAX);
	for (; at != NULL && count < HANDLES_MAX;
		 at = memchr(at + 1, '@', (Size) (end - at - 1)))
	{
		if ((at == text || !is_word(at[-1])) &&
			read_handle(at + 1, end, &handles[count]) &&
			!is_known(handles, count, &handles[count]))
			count++;
	}
	if (count == 0)
		return NULL;
	values = palloc(sizeof(Datum) * (Size) count);
	for (int i = 0; i < count; i++)
		values[i] = PointerGetDatum(
			cstring_to_text_with_len(handles[i].text, (int) handles[i].len));
	return construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT);
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		   (c >= '0' && c <= '9') || c == '_' || c == '@';
}

static bool
is_handle(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		   (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

/* False when nothing stands there, or more than a handle can be. */
static bool
read_handle(const char *at, const char *end, Handle *handle)
{
	handle->len = 0;
	for (; at < end && is_handle(*at); at++)
	{
		if (handle->len == HANDLE_MAX_BYTES)
			return false;
		handle->text[handle->len++] =
			(char) (*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
	}
	return handle->len > 0;
}

static bool
is_known(const Handle *handles, int count, const Handle *handle)
{
	for (int i = 0; i < count; i++)
	{
		if (handles[i].len == handle->len &&
			memcmp(handles[i].text, handle->text, handle->len) == 0)
			return true;
	}
	return false;
}
