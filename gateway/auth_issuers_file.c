#include "auth_issuers.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_fetch.h"
#include "jwt_public_file.h"
#include "trusted_file.h"
#include "xalloc.h"

#define FILE_MAX_SIZE (256 * 1024)

static bool read_list(AuthIssuers *issuers, const char *path, json_t *document,
					  Error *err);
static bool read_issuer(AuthIssuers *issuers, const char *path, json_t *said,
						Error *err);
static bool check_members(json_t *said, const char *const *known, Error *err);
static bool read_text(const json_t *said, const char *name, char **value,
					  Error *err);
static bool read_algs(const json_t *said, unsigned *algs, Error *err);
static bool read_user(const json_t *said, AuthIssuer *issuer, Error *err);
static bool read_source(const json_t *said, const char *path,
						AuthIssuer *issuer, Error *err);
static bool read_key_files(const json_t *files, const char *path,
						   AuthIssuer *issuer, Error *err);
static bool read_key_file(json_t *file, const char *path, AuthIssuer *issuer,
						  Error *err);
static bool beside(const char *path, const char *name, char *out, size_t size);

bool
auth_issuers_read(AuthIssuers *issuers, const char *path, Error *err)
{
	json_t *document = NULL;
	bool is_read = false;
	json_error_t where;
	Buf text;

	buf_init(&text);
	if (!trusted_file_read(path, FILE_MAX_SIZE, &text, err))
	{
		error_wrap(err, "\"%s\"", path);
		goto cleanup;
	}
	document = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &where);
	if (document == NULL)
	{
		error_set(err, "\"%s\":%d: %s", path, where.line > 0 ? where.line : 1,
				  where.text);
		goto cleanup;
	}
	is_read = read_list(issuers, path, document, err) ||
			  error_wrap(err, "\"%s\"", path);

cleanup:
	json_decref(document);
	buf_fini(&text);
	return is_read;
}

static bool
read_list(AuthIssuers *issuers, const char *path, json_t *document, Error *err)
{
	static const char *const known[] = { "issuers", NULL };
	const json_t *list = json_object_get(document, "issuers");

	if (!json_is_array(list) || json_array_size(list) == 0)
		return error_set(err, "there is no list of \"issuers\"");
	if (!check_members(document, known, err))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		if (!read_issuer(issuers, path, json_array_get(list, i), err))
			return error_wrap(err, "issuers[%zu]", i);
	}
	return true;
}

static bool
read_issuer(AuthIssuers *issuers, const char *path, json_t *said, Error *err)
{
	static const char *const known[] = {
		"issuer",     "audience",      "jwks_url",     "ca_file", "key_files",
		"algorithms", "user_id_claim", "handle_claim", NULL
	};
	AuthIssuer *issuer;

	if (issuers->count == AUTH_ISSUERS_MAX)
		return error_set(err, "there are more than %d", AUTH_ISSUERS_MAX);
	if (!json_is_object(said))
		return error_set(err, "is no object");

	/* counted at once, so that it is freed whatever comes */
	issuer = &issuers->list[issuers->count++];
	if (!check_members(said, known, err) ||
		!read_text(said, "issuer", &issuer->issuer, err) ||
		!read_text(said, "audience", &issuer->audience, err))
		return false;
	/* anybody's token for anything would be ours without them */
	if (issuer->issuer == NULL)
		return error_set(err, "issuer: is missing");
	if (issuer->audience == NULL)
		return error_set(err, "audience: is missing");
	return read_algs(said, &issuer->algs, err) &&
		   read_user(said, issuer, err) && read_source(said, path, issuer, err);
}

static bool
check_members(json_t *said, const char *const *known, Error *err)
{
	void *at = json_object_iter(said);

	for (; at != NULL; at = json_object_iter_next(said, at))
	{
		const char *name = json_object_iter_key(at);
		int i = 0;

		while (known[i] != NULL && strcmp(known[i], name) != 0)
			i++;
		if (known[i] == NULL)
			return error_set(err, "there is no setting \"%.64s\"", name);
	}
	return true;
}

/* NULL when it is not there. */
static bool
read_text(const json_t *said, const char *name, char **value, Error *err)
{
	const json_t *text = json_object_get(said, name);

	if (text == NULL)
		return true;
	if (!json_is_string(text) || json_string_length(text) == 0 ||
		json_string_length(text) > JWT_MAX_TEXT)
		return error_set(err, "%s: is no text of 1 to %d bytes", name,
						 JWT_MAX_TEXT);
	*value = xstrdup(json_string_value(text));
	return true;
}

static bool
read_algs(const json_t *said, unsigned *algs, Error *err)
{
	static const JwtAlg public_algs[] = { JWT_RS256, JWT_ES256, JWT_EDDSA };
	const json_t *list = json_object_get(said, "algorithms");

	*algs = list == NULL ? JWT_ALGS_PUBLIC : 0;
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		const char *name = json_string_value(json_array_get(list, i));
		unsigned one = 0;

		for (size_t j = 0; name != NULL && j < 3; j++)
		{
			if (strcmp(jwt_alg_name(public_algs[j]), name) == 0)
				one = JWT_ALG_BIT(public_algs[j]);
		}
		if (one == 0)
			return error_set(err,
							 "algorithms: are RS256, ES256, EdDSA or several");
		*algs |= one;
	}
	return *algs != 0 ||
		   error_set(err, "algorithms: is no list with one in it");
}

static bool
read_user(const json_t *said, AuthIssuer *issuer, Error *err)
{
	char *handle = NULL;

	if (!read_text(said, "user_id_claim", &issuer->claim, err) ||
		!read_text(said, "handle_claim", &handle, err))
		return false;
	if (handle == NULL)
		return true;
	if (issuer->claim != NULL)
	{
		free(handle);
		return error_set(err, "handle_claim: user_id_claim is there too; one "
							  "of them names the user");
	}
	issuer->claim = handle;
	issuer->is_handle = true;
	return true;
}

static bool
read_source(const json_t *said, const char *path, AuthIssuer *issuer,
			Error *err)
{
	const json_t *files = json_object_get(said, "key_files");
	char *ca_file = NULL;

	if (!read_text(said, "jwks_url", &issuer->jwks_url, err) ||
		!read_text(said, "ca_file", &ca_file, err))
		return false;
	if (ca_file != NULL)
	{
		char full[PATH_MAX];
		bool fits = beside(path, ca_file, full, sizeof(full));

		free(ca_file);
		if (!fits)
			return error_set(err, "ca_file: is too long");
		issuer->ca_file = xstrdup(full);
	}
	if ((files != NULL) == (issuer->jwks_url != NULL))
		return error_set(err, "needs either jwks_url or key_files");
	if (files != NULL)
		return read_key_files(files, path, issuer, err);
	return http_fetch_check_url(issuer->jwks_url, err) ||
		   error_wrap(err, "jwks_url");
}

static bool
read_key_files(const json_t *files, const char *path, AuthIssuer *issuer,
			   Error *err)
{
	if (!json_is_array(files) || json_array_size(files) == 0)
		return error_set(err, "key_files: is no list with one in it");
	for (size_t i = 0; i < json_array_size(files); i++)
	{
		if (!read_key_file(json_array_get(files, i), path, issuer, err))
			return error_wrap(err, "key_files[%zu]", i);
	}
	return true;
}

/* "keys.pem", or {"file": "keys.pem", "kid": "2026-06"}. */
static bool
read_key_file(json_t *file, const char *path, AuthIssuer *issuer, Error *err)
{
	static const char *const known[] = { "file", "kid", NULL };
	const char *name = json_string_value(file);
	const char *kid = "";
	char full[PATH_MAX];

	if (json_is_object(file))
	{
		const json_t *said = json_object_get(file, "kid");

		if (!check_members(file, known, err))
			return false;
		name = json_string_value(json_object_get(file, "file"));
		kid = said == NULL ? "" : json_string_value(said);
	}
	if (name == NULL || kid == NULL || strlen(kid) > JWT_MAX_KID)
		return error_set(err, "is neither a path nor {\"file\": path, "
							  "\"kid\": name}");
	return (beside(path, name, full, sizeof(full)) ||
			error_set(err, "is too long")) &&
		   jwt_public_keys_load(full, kid, issuer->algs, &issuer->keys, err);
}

/* A relative name is one in the folder of the file that has it. */
static bool
beside(const char *path, const char *name, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	int folder_len = slash != NULL ? (int) (slash - path) + 1 : 0;
	int len;

	if (name[0] == '/')
		folder_len = 0;
	len = snprintf(out, size, "%.*s%s", folder_len, path, name);
	return len >= 0 && (size_t) len < size;
}
