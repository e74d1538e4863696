#include "password_hash.h"

#include <sodium.h>

#include "utf8.h"

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_HASH_SIZE,
			   "a hash must have room");

bool
password_check(const char *password, size_t len, Error *err)
{
	if (len < PASSWORD_MIN_SIZE || len > PASSWORD_MAX_SIZE)
		return error_set(err, "a password has %d to %d bytes",
						 PASSWORD_MIN_SIZE, PASSWORD_MAX_SIZE);
	if (!utf8_is_valid(password, len))
		return error_set(err, "the password is no UTF-8");
	for (size_t i = 0; i < len; i++)
	{
		if ((unsigned char) password[i] < ' ' || password[i] == 127)
			return error_set(err, "the password holds a control character");
	}
	return true;
}

bool
password_hash(const char *password, size_t len, char hash[PASSWORD_HASH_SIZE])
{
	return sodium_init() >= 0 &&
		   crypto_pwhash_str(hash, password, len,
							 crypto_pwhash_OPSLIMIT_INTERACTIVE,
							 crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0;
}

bool
password_hash_decoy(char hash[PASSWORD_HASH_SIZE])
{
	unsigned char nobodys[32];

	if (sodium_init() < 0)
		return false;
	randombytes_buf(nobodys, sizeof nobodys);
	return password_hash((const char *) nobodys, sizeof nobodys, hash);
}

bool
password_is_of(const char *hash, const char *password, size_t len)
{
	return sodium_init() >= 0 &&
		   crypto_pwhash_str_verify(hash, password, len) == 0;
}
