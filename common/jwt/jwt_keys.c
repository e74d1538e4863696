#include "jwt.h"

#include <openssl/evp.h>
#include <string.h>

#include "hex.h"
#include "secret_file.h"

#define MAX_SECRETS 8 /* of one file */

static bool read_line(const char *line, size_t len, JwtKeys *keys, Error *err);
static bool read_hex(const char *text, size_t len, JwtKey *key, Error *err);

bool
jwt_keys_load(const char *path, JwtKeys *keys, Error *err)
{
	bool is_loaded = false;
	int number = 0;
	Buf text;
	const char *at;

	buf_init(&text);
	memset(keys, 0, sizeof *keys);
	if (!secret_file_read(path, &text, err))
		goto cleanup;
	if (memchr(text.data, '\0', text.len) != NULL)
	{
		error_set(err, "\"%s\" is not text", path);
		goto cleanup;
	}

	for (at = text.data; *at != '\0'; at += *at == '\n')
	{
		size_t len;

		number++;
		at += strspn(at, " \t\r");
		len = strcspn(at, "\r\n");
		while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
			len--;
		if (len > 0 && *at != '#' && !read_line(at, len, keys, err))
		{
			error_wrap(err, "%s:%d", path, number);
			goto cleanup;
		}
		at += strcspn(at, "\n");
	}
	if (keys->count == 0)
		error_set(err, "there is no key in \"%s\"", path);
	is_loaded = keys->count > 0;

cleanup:
	secret_file_wipe(&text);
	buf_fini(&text);
	if (!is_loaded)
		jwt_keys_wipe(keys);
	return is_loaded;
}

void
jwt_keys_wipe(JwtKeys *keys)
{
	for (size_t i = 0; i < JWT_MAX_KEYS; i++)
		EVP_PKEY_free(keys->key[i].public_key);
	explicit_bzero(keys, sizeof *keys);
}

bool
jwt_keys_take(JwtKeys *keys, JwtKey *key, Error *err)
{
	int same = 0;

	if (keys->count == JWT_MAX_KEYS)
		return error_set(err, "there are more than %d keys", JWT_MAX_KEYS);
	for (size_t i = 0; i < keys->count; i++)
		same += strcmp(keys->key[i].kid, key->kid) == 0;
	if (same == JWT_MAX_SAME_KID)
		return error_set(err, "there are more than %d keys of one name",
						 JWT_MAX_SAME_KID);
	keys->key[keys->count++] = *key;
	explicit_bzero(key, sizeof *key);
	return true;
}

/* HEX or KID:HEX.  No reason says a byte of the line: it may be the secret. */
static bool
read_line(const char *line, size_t len, JwtKeys *keys, Error *err)
{
	JwtKey *key = &keys->key[keys->count];
	const char *colon = memchr(line, ':', len);

	if (keys->count == MAX_SECRETS)
		return error_set(err, "there are more than %d keys", MAX_SECRETS);

	key->alg = JWT_HS256;
	if (colon != NULL)
	{
		size_t kid_len = (size_t) (colon - line);

		if (kid_len == 0 || kid_len > JWT_MAX_KID)
			return error_set(err, "the key's name must have 1 to %d bytes",
							 JWT_MAX_KID);
		memcpy(key->kid, line, kid_len);
		key->kid[kid_len] = '\0';
		line += kid_len + 1;
		len -= kid_len + 1;
		for (size_t i = 0; i < keys->count; i++)
		{
			if (strcmp(keys->key[i].kid, key->kid) == 0)
				return error_set(err, "there is a key of that name already");
		}
	}
	if (!read_hex(line, len, key, err))
		return false;
	keys->count++;
	return true;
}

static bool
read_hex(const char *text, size_t len, JwtKey *key, Error *err)
{
	if (len % 2 != 0)
		return error_set(err, "the key has an odd number of digits");
	if (len / 2 < JWT_MIN_SECRET_SIZE || len / 2 > JWT_MAX_SECRET_SIZE)
		return error_set(err, "the key has %zu bytes; it must have %d to %d",
						 len / 2, JWT_MIN_SECRET_SIZE, JWT_MAX_SECRET_SIZE);
	for (size_t i = 0; i < len; i += 2)
	{
		int high = hex_digit(text[i]);
		int low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return error_set(err, "the key is not hexadecimal");
		key->secret[i / 2] = (uint8_t) (high << 4 | low);
	}
	key->secret_len = len / 2;
	return true;
}
