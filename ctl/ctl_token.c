#include "ctl.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "jwt.h"
#include "uuid.h"

typedef struct TokenFlags
{
	const char *secret_file;
	const char *user;
	const char *ttl;
	const char *audience;
	const char *issuer;
} TokenFlags;

static bool fill_claims(const TokenFlags *asked, JwtClaims *claims, Error *err);
static bool copy_text(char *out, const char *text, const char *flag,
					  Error *err);

int
ctl_token(int argc, char **argv)
{
	TokenFlags asked = { 0 };
	const CtlFlag flags[] = {
		{ "--secret-file", &asked.secret_file, "FILE",
		  "the key; the first, when it holds several", true },
		{ "--user", &asked.user, "UUID", "who the token speaks for", true },
		{ "--ttl", &asked.ttl, "TIME", "how long it is good (12h)", false },
		{ "--audience", &asked.audience, "TEXT", "its aud", false },
		{ "--issuer", &asked.issuer, "TEXT", "its iss", false },
		{ NULL, NULL, NULL, NULL, false },
	};
	static const CtlCommand further[] = {
		{ "revoke", "make tokens void before they end", ctl_token_revoke },
		{ NULL, NULL, NULL },
	};
	int exit_code = CTL_FAILED;
	Error err = { "" };
	JwtClaims claims = { 0 };
	JwtKeys keys = { 0 };
	Buf token;

	if (argc > 1 && strcmp(argv[1], further[0].name) == 0)
		return ctl_dispatch(further, argc, argv);
	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;

	buf_init(&token);
	if (!fill_claims(&asked, &claims, &err) ||
		!jwt_keys_load(asked.secret_file, &keys, &err) ||
		!jwt_sign_hs256(&keys.key[0], &claims, &token, &err))
	{
		exit_code = ctl_failed(argv[0], &err);
		goto cleanup;
	}
	(void) puts(token.data);
	exit_code = CTL_OK;

cleanup:
	jwt_keys_wipe(&keys);
	buf_fini(&token);
	return exit_code;
}

static bool
fill_claims(const TokenFlags *asked, JwtClaims *claims, Error *err)
{
	const char *ttl = asked->ttl != NULL ? asked->ttl : "12h";
	int64_t ttl_s;
	Uuid user;
	Uuid id;

	if (!uuid_parse(asked->user, strlen(asked->user), &user))
		return error_set(err, "--user: \"%s\" is not a uuid", asked->user);
	uuid_format(&user, claims->subject);
	if (!ctl_parse_duration(ttl, &ttl_s, err))
		return error_wrap(err, "--ttl");

	if (getrandom(id.byte, sizeof id.byte, 0) != (ssize_t) sizeof id.byte)
		return error_set(err, "there are no random bytes");
	id.byte[6] = (id.byte[6] & 0x0f) | 0x40;
	id.byte[8] = (id.byte[8] & 0x3f) | 0x80;
	uuid_format(&id, claims->id); /* so that it can be revoked */

	claims->issued_us = clock_wall_us();
	if (__builtin_add_overflow(claims->issued_us / 1000000, ttl_s,
							   &claims->expires_s))
		return error_set(err, "--ttl: \"%s\" is out of range", ttl);
	return copy_text(claims->audience, asked->audience, "--audience", err) &&
		   copy_text(claims->issuer, asked->issuer, "--issuer", err);
}

static bool
copy_text(char *out, const char *text, const char *flag, Error *err)
{
	if (text == NULL)
		return true;
	if (strlen(text) > JWT_MAX_TEXT)
		return error_set(err, "%s: is longer than %d bytes", flag,
						 JWT_MAX_TEXT);
	memcpy(out, text, strlen(text) + 1);
	return true;
}
