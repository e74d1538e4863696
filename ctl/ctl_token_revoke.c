#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include "ctl_db.h"
#include "jwt_peek.h"
#include "secret_file.h"

static bool revoke_one(PgSession *session, const char *file, Error *err);

int
ctl_token_revoke(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *handle = NULL;
	const char *file = NULL;
	const CtlFlag flags[] = {
		{ "--user", &handle, "HANDLE", "all that were issued until now",
		  false },
		{ "--token-file", &file, "FILE", "the one that stands in it", false },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	char id[37];
	int exit_code = CTL_OK;
	PgSession *session = NULL;
	bool is_done = false;
	Error err = { "" };

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	if ((handle == NULL) == (file == NULL))
		error_set(&err, "which? either --user or --token-file");
	else if ((session = ctl_db_open(&target, &err)) != NULL && handle != NULL)
		is_done =
			ctl_db_user(session, handle, id, &err) &&
			ctl_db_ask(session, "SELECT chemchat.revoke_user_tokens($1::uuid)",
					   1, (const char *const[]){ id }, &err);
	else if (session != NULL)
		is_done = revoke_one(session, file, &err);
	pg_session_close(&session);
	return is_done ? CTL_OK : ctl_failed(argv[0], &err);
}

/* Nobody asks whether it is a good one: revoking another's hurts nobody. */
static bool
revoke_one(PgSession *session, const char *file, Error *err)
{
	char expires[32];
	bool is_done = false;
	JwtClaims claims;
	Buf text;

	buf_init(&text);
	if (secret_file_read(file, &text, err))
	{
		size_t len = strcspn(text.data != NULL ? text.data : "", " \t\r\n");

		if (!jwt_peek(text.data != NULL ? text.data : "", len, &claims))
			error_set(err, "\"%s\" holds no token", file);
		else if (claims.id[0] == '\0')
			error_set(err, "the token has no id (jti) to revoke it by; "
						   "--user revokes all of a user's");
		else
		{
			(void) snprintf(expires, sizeof expires, "%lld",
							(long long) claims.expires_s);
			is_done =
				ctl_db_ask(session,
						   "SELECT chemchat.revoke_session($1::uuid, $2::uuid,"
						   " to_timestamp($3::bigint))",
						   3,
						   (const char *const[]){ claims.id, claims.subject,
												  expires },
						   err);
		}
	}
	secret_file_wipe(&text);
	buf_fini(&text);
	return is_done;
}
