#include "jwt_public_file.h"

#include <string.h>

#include "jwt_jwks.h"
#include "jwt_public_key.h"
#include "trusted_file.h"

static bool check_algs(const JwtKeys *keys, size_t from, unsigned algs,
					   Error *err);

bool
jwt_public_keys_load(const char *path, const char *kid, unsigned algs,
					 JwtKeys *keys, Error *err)
{
	bool is_loaded = false;
	size_t had = keys->count;
	size_t skipped = 0;
	const char *first;
	Buf text;

	buf_init(&text);
	if (!trusted_file_read(path, JWT_JWKS_MAX_SIZE, &text, err))
		goto cleanup;
	first = text.data + strspn(text.data, " \t\r\n");
	if (*first != '{')
		is_loaded = jwt_public_keys_pem(keys, text.data, text.len, kid, err) &&
					check_algs(keys, had, algs, err);
	else if (kid[0] != '\0')
		error_set(err, "its keys have names of their own");
	else
		is_loaded =
			jwt_jwks_read(text.data, text.len, algs, keys, &skipped, err) &&
			skipped == 0;

cleanup:
	if (!is_loaded)
		error_wrap(err, "\"%s\"", path);
	buf_fini(&text);
	return is_loaded;
}

static bool
check_algs(const JwtKeys *keys, size_t from, unsigned algs, Error *err)
{
	for (size_t i = from; i < keys->count; i++)
	{
		if ((algs & JWT_ALG_BIT(keys->key[i].alg)) == 0)
			return error_set(err, "has a key for %s, which is not asked for",
							 jwt_alg_name(keys->key[i].alg));
	}
	return true;
}
