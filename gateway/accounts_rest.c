#include "accounts_rest.h"

#include <string.h>

#include "clock.h"

static void sign_in(RestCall *call);
static void refresh(RestCall *call);
static void sign_out(RestCall *call);
static void change_password(RestCall *call);
static Slice text_of(const RestCall *call, const char *name);
static void on_signed_in(void *arg, const AccountAnswer *answer);
static void on_renewed(void *arg, const AccountAnswer *answer);
static void on_signed_out(void *arg, const AccountAnswer *answer);
static void answer_token(RestCall *take_call, int status,
						 const AccountAnswer *answer);
static void refuse(RestCall *take_call, const AccountAnswer *answer);

void
accounts_rest_open(Rest *rest)
{
	rest_set_handler(rest, VERB_SIGN_IN, sign_in);
	rest_set_handler(rest, VERB_REFRESH, refresh);
	rest_set_handler(rest, VERB_SIGN_OUT, sign_out);
	rest_set_handler(rest, VERB_PASSWORD, change_password);
}

static void
sign_in(RestCall *call)
{
	accounts_sign_in(call->chat->accounts, text_of(call, "handle"),
					 text_of(call, "password"),
					 http_request_peer(call->request), on_signed_in, call);
}

static void
refresh(RestCall *call)
{
	accounts_refresh(call->chat->accounts, &call->identity, on_renewed, call);
}

static void
sign_out(RestCall *call)
{
	accounts_sign_out(call->chat->accounts, &call->identity, on_signed_out,
					  call);
}

static void
change_password(RestCall *call)
{
	accounts_change_password(call->chat->accounts, &call->identity,
							 text_of(call, "oldPassword"),
							 text_of(call, "newPassword"),
							 http_request_peer(call->request), on_renewed,
							 call);
}

static Slice
text_of(const RestCall *call, const char *name)
{
	const VerbValue *value = rest_value(call, name);

	return (Slice){ value->text, value->len };
}

static void
on_signed_in(void *arg, const AccountAnswer *answer)
{
	answer_token(arg, 201, answer);
}

static void
on_renewed(void *arg, const AccountAnswer *answer)
{
	answer_token(arg, 200, answer);
}

static void
on_signed_out(void *arg, const AccountAnswer *answer)
{
	Buf nothing;

	if (answer->code != NULL)
	{
		refuse(arg, answer);
		return;
	}
	buf_init(&nothing);
	buf_append_str(&nothing, "");
	rest_answer(arg, 200, &nothing, NULL);
	buf_fini(&nothing);
}

static void
answer_token(RestCall *take_call, int status, const AccountAnswer *answer)
{
	char user_id[UUID_TEXT_LEN + 1];
	char expires_at[CLOCK_TEXT_SIZE];
	Buf fields;

	if (answer->code != NULL)
	{
		refuse(take_call, answer);
		return;
	}
	buf_init(&fields);
	buf_append_str(&fields, "\"token\":");
	buf_append_json(&fields, answer->token, strlen(answer->token));
	buf_printf(&fields, ",\"expiresAt\":\"%s\",\"userId\":\"%s\"",
			   clock_format(answer->identity.expires_s * 1000000, expires_at),
			   uuid_format(&answer->identity.user_id, user_id));
	rest_answer(take_call, status, &fields, NULL);
	explicit_bzero(fields.data, fields.len);
	buf_fini(&fields);
}

static void
refuse(RestCall *take_call, const AccountAnswer *answer)
{
	Problem problem = { .code = answer->code,
						.field = answer->field,
						.retry_ms = answer->retry_ms,
						.offset = -1 };

	rest_refuse_with(take_call, &problem);
}
